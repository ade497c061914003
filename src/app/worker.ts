import { parentPort, workerData } from 'node:worker_threads';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import { UserError } from '../core/errors.ts';
import type { Source } from '../core/frames.ts';
import { TransactionBatch, WORTH_MOVING } from '../core/transactions.ts';
import { Engine } from '../pipeline/engine.ts';
import { openInput } from './input.ts';
import { KeptPackets } from './kept-packets.ts';
import { MAX_WAITING, type WorkerMessage, type WorkerStart } from './pool.ts';
import { planFilter, reportShare, withLoss } from './plan.ts';
import { LineSlots } from './line-slots.ts';
import { buffersOf, copyOf, Renderer } from './rendered.ts';
import { drive, newReport, reportOn, stateOf } from './run.ts';

/** Batches of frames between two progress messages. */
const PROGRESS_BATCHES = 64;
/** Rows that become lines at once. */
const ROWS_AT_ONCE = 512;
/** How often a live worker tells what it has counted. */
const COUNTS_MS = 500;

const { plan, job, shard, shards, group, joined, control, command, lines } = workerData as WorkerStart;
process.argv = command;
const flags = new Int32Array(control);
const slots = lines === undefined ? undefined : new LineSlots(lines);
let knownInterfaces = 0;
let renderer: Renderer | undefined;

function post(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function postInterfaces({ interfaces }: Source): void {
  if (interfaces.length === knownInterfaces) return;
  knownInterfaces = interfaces.length;
  post({ kind: 'interfaces', interfaces });
}

let flows: EncryptedFlow[] = [];

/** What was seen goes ahead of the rows behind it. */
function postFlows(): void {
  if (flows.length === 0) return;
  post({ kind: 'encrypted', flows });
  flows = [];
}

/** A batch, or only the news that no earlier row will come. */
function postRows(batch: TransactionBatch | null, seconds: number, nanos: number): void {
  postFlows();
  if (renderer !== undefined) postLines(renderer, batch, seconds, nanos);
  else {
    waitForTurn();
    if (batch === null) post({ kind: 'rows', buffer: null, seconds, nanos });
    else post({ kind: 'rows', buffer: batch.buffer, seconds, nanos }, [batch.buffer]);
  }
}

/** The same as lines, in pieces: what waits between the threads stays small. */
function postLines(renderer: Renderer, batch: TransactionBatch | null, seconds: number, nanos: number): void {
  for (let at = 0; batch !== null && at < batch.count; at += ROWS_AT_ONCE) {
    const rows = renderer.render(batch, at, Math.min(batch.count, at + ROWS_AT_ONCE));
    waitForTurn();
    const slot = slots?.put(rows, isStopped) ?? -1;
    const { count, bytes } = rows;
    if (slot >= 0) post({ kind: 'slot', slot, count, length: bytes.length, seconds, nanos });
    else {
      const own = copyOf(rows);
      post({ kind: 'lines', rows: own, seconds, nanos }, buffersOf(own));
    }
  }
  if (batch !== null) return;
  waitForTurn();
  post({ kind: 'lines', rows: null, seconds, nanos });
}

const isStopped = (): boolean => Atomics.load(flags, 1) === 1;

/** Waits while the main thread is behind. */
function waitForTurn(): void {
  for (let waiting = Atomics.load(flags, 0); waiting >= MAX_WAITING; waiting = Atomics.load(flags, 0)) {
    if (isStopped()) break;
    Atomics.wait(flags, 0, waiting, 100);
  }
  Atomics.add(flags, 0, 1);
}

async function run(): Promise<void> {
  if (plan.input.kind === 'dnstap') throw new Error('dnstap is read in the main thread');
  const live = plan.input.kind === 'live';
  const source = await openInput(plan.input, live ? { group, size: shards, index: shard, joined } : undefined, live);
  postInterfaces(source);
  post({ kind: 'opened' });
  if (job.mode === 'lines') renderer = new Renderer(job.output, source.interfaces);
  const unseal = plan.encrypted ? (await import('./quic.ts')).unsealInitial : undefined;
  const report = job.mode === 'report' ? newReport(job.options) : null;
  // Live, the kernel's fan-out has dealt the frames already.
  const share = live ? { shard: 0, shards: 1 } : job.mode === 'report' ? reportShare(shard, shards) : { shard, shards };
  const kept = new KeptPackets(plan.packets);
  kept.open(source.interfaces, shard, shards);
  const engine = new Engine(
    // Flows can be counted only where all frames pass (see isInline).
    {
      dissect: { ...plan.dissect, ...share, sample: plan.sample, streams: false },
      match: plan.match,
      filter: planFilter(plan),
    },
    kept.with({
      ...(report === null ? { rows: rowsOf(source) } : reportOn(report)),
      ...(plan.encrypted && { encrypted: { found: (flow: EncryptedFlow) => void flows.push(flow), unseal } }),
    }),
  );
  const abort = new AbortController();
  let batches = 0;
  let said = performance.now();
  const batchDone = () => {
    if (isStopped()) abort.abort();
    kept.batchDone();
    const due = ++batches % PROGRESS_BATCHES === 0;
    if (report === null && (live || due)) {
      engine.flush();
      postRows(null, engine.clock.seconds, engine.clock.nanos);
    }
    if (due && shard === 0 && source.progress) {
      const { readBytes, totalBytes } = source.progress();
      post({ kind: 'progress', readBytes, totalBytes, frames: 0 });
    }
    if (live && performance.now() - said > COUNTS_MS) {
      said = performance.now();
      const ledger = withLoss(engine.ledger, source.loss()).toJSON();
      post({ kind: 'counts', ledger, state: stateOf(engine, source), packets: kept.counts });
    }
  };
  await drive(source, engine, { signal: abort.signal, batchDone }, { ...plan, frameLimit: undefined });
  engine.finish();
  postFlows();
  const ledger = withLoss(engine.ledger, source.loss()).toJSON();
  if (report !== null) {
    const state = report.serialize();
    post({ kind: 'report', state }, memoryOf(state));
  }
  postInterfaces(source);
  kept.close();
  post({ kind: 'end', ledger, damage: source.damage, packets: kept.counts });
}

function rowsOf(source: Source): (batch: TransactionBatch) => boolean {
  return (batch) => {
    postInterfaces(source);
    if (renderer !== undefined) {
      // Only its lines go to the other thread.
      postRows(batch, Number.NEGATIVE_INFINITY, 0);
      return true;
    }
    // A transferred batch takes its empty memory along.
    const isFull = batch.count >= WORTH_MOVING;
    postRows(isFull ? batch : TransactionBatch.copyOf(batch), Number.NEGATIVE_INFINITY, 0);
    return !isFull;
  };
}

/** The memory behind all typed arrays of a plain value: sent along, it is not there twice. */
function memoryOf(value: object): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const waiting: object[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (ArrayBuffer.isView(next)) buffers.add(next.buffer as ArrayBuffer);
    else for (const part of Object.values(next)) if (typeof part === 'object' && part !== null) waiting.push(part);
  }
  return [...buffers];
}

try {
  await run();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  post({ kind: 'failed', message: error.message, exit: error.exit });
}
