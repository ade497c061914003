import type { Damage, Source } from '../core/frames.ts';
import type { MessageSource } from '../core/messages.ts';
import { TransactionBatch, WORTH_MOVING } from '../core/transactions.ts';
import { PathLinker } from '../correlate/path.ts';
import { registrableStart } from '../enrich/public-suffix.ts';
import { Ledger } from '../core/ledger.ts';
import { Engine, type EngineOutputs } from '../pipeline/engine.ts';
import { HeldMessages } from '../pipeline/held-messages.ts';
import { FlowOrder } from '../pipeline/flow-order.ts';
import { Overload } from '../pipeline/overload.ts';
import { RowMerge } from '../pipeline/merge.ts';
import { Report, type ReportOptions, type ReportState } from '../report/report.ts';
import { ringSum } from '../sinks/packet-ring.ts';
import { openDnstap } from '../sources/dnstap.ts';
import { openPowerDns } from '../sources/powerdns.ts';
import { type Input, isCurrent, openInput } from './input.ts';
import { KeptPackets } from './kept-packets.ts';
import {
  needsFlows,
  planFilter,
  reportShare,
  type RunHooks,
  type RunPlan,
  type RunResult,
  type RunState,
  type Share,
  withLoss,
} from './plan.ts';
import { type PoolListener, runWorkers } from './pool.ts';
import type { RenderedRows, RenderPlan } from './rendered.ts';

/** Takes rows [from, to) of a batch, in order. */
export type RowsListener = (batch: TransactionBatch, from: number, to: number) => void;

/** Runs the input and hands over its transactions in order. */
export async function runRows(plan: RunPlan, hooks: RunHooks, rows: RowsListener): Promise<RunResult> {
  const { encrypted } = hooks;
  if (encrypted === undefined || !plan.encrypted) return runLinked(plan, hooks, rows);
  const order = new FlowOrder(rows, encrypted);
  // On an idle link no row lets go of flows: rows wait for less time than this.
  const tick = () => order.advance(Date.now() / 1000 - FLOW_SECONDS);
  const clock = isCurrent(plan.input) ? setInterval(tick, FLOW_TICK_MS) : undefined;
  const result = await runLinked(plan, { ...hooks, encrypted: (flow) => order.add(flow) }, (batch, from, to) =>
    order.rows(batch, from, to),
  ).finally(() => clearInterval(clock));
  order.end();
  return result;
}

async function runLinked(plan: RunPlan, hooks: RunHooks, rows: RowsListener): Promise<RunResult> {
  if (!plan.paths) return runPlainRows(plan, hooks, rows);
  // The two legs of a resolver meet only here, behind all workers.
  const linker = new PathLinker(rows, { resolvers: plan.resolvers });
  let added = performance.now();
  // On an idle link nothing but the clock lets go of rows that wait: behind the clock that closes rows (see `idle`).
  // Packets of a folder may be of any time: there, once none has come for a while.
  const tick = () => {
    const now = Date.now() - 2000;
    if (isCurrent(plan.input)) linker.advance(Math.floor(now / 1000), (now % 1000) * 1e6);
    else if (performance.now() - added < FOLDER_IDLE_MS) return;
    else linker.end();
    hooks.batchDone?.();
  };
  const isEndless = isCurrent(plan.input) || plan.input.kind === 'folder';
  const clock = isEndless ? setInterval(tick, LISTENER_TICK_MS) : undefined;
  const add: RowsListener = (batch, from, to) => {
    added = performance.now();
    linker.add(batch, from, to);
  };
  const result = await runPlainRows(plan, hooks, add).finally(() => clearInterval(clock));
  linker.end();
  return result;
}

async function runPlainRows(plan: RunPlan, hooks: RunHooks, rows: RowsListener): Promise<RunResult> {
  if (isInline(plan)) {
    return runInline(plan, hooks, {
      rows: (batch) => {
        const isFull = batch.count >= WORTH_MOVING;
        const kept = isFull ? batch : TransactionBatch.copyOf(batch);
        rows(kept, 0, kept.count);
        return !isFull;
      },
    });
  }
  const merge = new RowMerge<TransactionBatch>(plan.threads, rows);
  return runWorkers(plan, { mode: 'rows' }, hooks, {
    rows: (worker, batch, seconds, nanos) => merge.push(worker, batch, seconds, nanos),
    ended: (worker) => merge.end(worker),
  });
}

/**
 * Runs the input on workers that also render the rows: what is left here is to put the lines in order. `lines` takes
 * rows [from, to). For plans with threads, and formats whose rows stand apart.
 */
export async function runRendered(
  plan: RunPlan,
  output: RenderPlan,
  hooks: RunHooks,
  lines: (rows: RenderedRows, from: number, to: number) => void,
): Promise<RunResult> {
  const merge = new RowMerge<RenderedRows>(plan.threads, (rows, from, to) => {
    lines(rows, from, to);
    if (to === rows.count) rows.done?.();
  });
  return runWorkers(plan, { mode: 'lines', output }, hooks, {
    lines: (worker, rows, seconds, nanos) => merge.push(worker, rows, seconds, nanos),
    ended: (worker) => merge.end(worker),
  });
}

/** Runs the input and reports on it; workers report on their share and the reports are merged. */
export async function runReport(
  plan: RunPlan,
  options: ReportOptions,
  hooks: RunHooks,
): Promise<RunResult & { report: Report }> {
  const report = newReport(options);
  const takeIn = { report: (state: ReportState) => report.merge(Report.deserialize(state)) };
  let result: RunResult;
  if (isInline(plan)) result = await runInline(plan, hooks, reportOn(report));
  else if (plan.input.kind === 'files' && plan.threads > 1) result = await runShared(plan, report, hooks, takeIn);
  else result = await runWorkers(plan, { mode: 'report', options }, hooks, takeIn);
  report.addLedger(result.ledger);
  return { ...result, report };
}

/**
 * Reports on files with workers and this thread, which has nothing else to do: it takes the first share, and is at it
 * before a worker has started.
 */
async function runShared(plan: RunPlan, report: Report, hooks: RunHooks, takeIn: PoolListener): Promise<RunResult> {
  const counts: (() => Ledger)[] = [];
  const counting = (one: () => Ledger) => void counts.push(one);
  hooks.counting?.(() => Ledger.sum(counts.map((one) => one())));
  // Workers do not go on where this thread fails.
  const failed = new AbortController();
  const signal = AbortSignal.any([hooks.signal, failed.signal]);
  const others = runWorkers(plan, { mode: 'report', options: report.options }, { signal, counting }, takeIn, 1);
  // It is waited for below, also when it fails before that.
  others.catch(() => {});
  try {
    const result = await runInline(plan, { ...hooks, counting }, reportOn(report), reportShare(0, plan.threads));
    const { ledger } = await others;
    result.ledger.add(ledger);
    return result;
  } finally {
    failed.abort();
  }
}

/** True where workers cannot help: what is counted or read once has to pass one place. */
export function isInline(plan: RunPlan): boolean {
  const { threads, input, frameLimit, hold } = plan;
  if (threads === 0 || input.kind === 'dnstap' || input.kind === 'replay' || input.kind === 'none') return true;
  if (frameLimit !== undefined || hold === true) return true;
  const filter = planFilter(plan);
  return filter !== null && (filter.needsFate || needsFlows(filter.fields));
}

/** Outputs of an engine whose rows a report counts; their messages are read as they are at hand, and not kept. */
export function reportOn(report: Report): EngineOutputs {
  const rows = (batch: TransactionBatch) => {
    report.addRead(batch);
    return true;
  };
  return { rows, reader: report };
}

/** An empty report that takes rows. */
export function newReport(options: ReportOptions): Report {
  return new Report(options, registrableStart);
}

/**
 * Runs the input in this thread: rows, messages and frames as the outputs ask for; of the frames only the `share`'s.
 */
export async function runInline(
  plan: RunPlan,
  hooks: RunHooks,
  outputs: EngineOutputs,
  share: Share = { shard: 0, shards: 1 },
): Promise<RunResult> {
  const filter = planFilter(plan);
  const { input } = plan;
  const isRowsOnly = outputs.message === undefined && outputs.frame === undefined;
  const dissect = {
    ...plan.dissect,
    ...(isRowsOnly && { streams: needsFlows(filter?.fields ?? []) }),
    ...share,
    sample: plan.sample,
  };
  const held = plan.hold || filter?.needsFate ? new HeldMessages(filter, outputs) : null;
  const pairs = plan.pairs !== false || held !== null || outputs.rows !== undefined || filter?.needsJoin === true;
  const kept = new KeptPackets(plan.packets);
  const found = plan.encrypted ? hooks.encrypted : undefined;
  const engine = new Engine(
    { dissect, match: plan.match, filter: held === null ? filter : null, pairs },
    kept.with({
      ...(held === null ? outputs : held.outputs),
      ...(found && { encrypted: { found, unseal: (await import('./quic.ts')).unsealInitial } }),
    }),
  );
  const finish = () => {
    engine.finish();
    if (held === null) return;
    held.finish();
    engine.ledger.shown = held.shown;
  };
  if (input.kind === 'dnstap') {
    hooks.counting?.(() => engine.ledger);
    hooks.watching?.(() => stateOf(engine));
    const found = await driveMessages(input.from, engine, hooks);
    finish();
    return { ledger: engine.ledger, ...found, interfaces: [] };
  }
  const source = await openInput(input);
  kept.open(source.interfaces);
  hooks.opened?.(source);
  hooks.counting?.(() => withLoss(engine.ledger, source.loss()));
  hooks.watching?.(() => stateOf(engine, source));
  if (plan.packets !== undefined) hooks.keeping?.(() => ringSum([kept.counts]));
  const batchDone = () => {
    kept.batchDone();
    hooks.batchDone?.();
  };
  await drive(source, engine, { ...hooks, batchDone }, plan).finally(() => kept.close());
  finish();
  const ledger = withLoss(engine.ledger, source.loss());
  return { ledger, damage: source.damage, unreadable: 0, interfaces: source.interfaces };
}

/** How a run of one engine is now. */
export function stateOf({ openTransactions: open, sample: oneIn }: Engine, source?: Source): RunState {
  return { open, ring: source?.fill?.() ?? null, oneIn };
}

/** What of a plan says how its source is read. */
type DriveOptions = Pick<RunPlan, 'frameLimit' | 'sample' | 'sampleWhenFull'>;

/** Feeds a source's batches to an engine until the source ends, the signal aborts, or as many frames as asked were read. */
export async function drive(
  source: Source,
  engine: Engine,
  hooks: RunHooks,
  { frameLimit: limit = Number.POSITIVE_INFINITY, sample, sampleWhenFull = true }: DriveOptions = {},
): Promise<void> {
  let frames = 0;
  let flushed = 0;
  let looked = 0;
  const overload = source.fill !== undefined && sampleWhenFull ? new Overload(sample) : null;
  engine.interfaces = source.interfaces;
  for await (const batch of source.batches(hooks.signal)) {
    if (frames + batch.count > limit) batch.count = limit - frames;
    if (batch.count > 0) engine.frames(batch);
    frames += batch.count;
    if (source.live) {
      if (batch.count === 0) idle(engine);
      // Under load a batch of rows is filled well, nearly idle a row comes out at once.
      const now = performance.now();
      if (overload !== null && now - looked > LOOK_MS) {
        looked = now;
        engine.sample = overload.look(source.fill?.() ?? 0, now);
      }
      if (batch.count === 0 || now - flushed > FLUSH_MS) {
        engine.flush();
        flushed = now;
      }
    } else if (batch.count === 0) {
      // A folder that waits for its next file.
      engine.flush();
    } else if (hooks.progress && source.progress) {
      const { readBytes, totalBytes } = source.progress();
      hooks.progress(readBytes, totalBytes, frames);
    }
    hooks.batchDone?.();
    const behind = hooks.ready?.();
    if (behind !== undefined) await behind;
    // A live source that was stopped still brings what had arrived by then, and ends.
    if ((hooks.signal.aborted && !source.live) || frames >= limit) break;
  }
}

/** How often is looked whether the ring fills up. */
const LOOK_MS = 25;

/** Live, encrypted flows wait so long for the rows before them, and are looked at so often. */
const FLOW_SECONDS = 9;
const FLOW_TICK_MS = 1000;

/** Live, rows wait no longer than this for more of them. */
const FLUSH_MS = 50;

/** How often rows that timed out are looked for between the messages of a listener. */
const LISTENER_TICK_MS = 200;

/** Rows of a folder wait for the other leg of their resolver until no more have come for so long. */
const FOLDER_IDLE_MS = 3000;

/** Feeds the messages of dnstap files, one after the other, or of listeners, all at once. */
async function driveMessages(
  from: Extract<Input, { kind: 'dnstap' }>['from'],
  engine: Engine,
  hooks: RunHooks,
): Promise<Pick<RunResult, 'damage' | 'unreadable' | 'refused'>> {
  const sources: MessageSource[] = [];
  for (const one of from) {
    sources.push(one.kind === 'powerdns' ? await openPowerDns(one) : await openDnstap(one));
  }
  hooks.opened?.({ interfaces: [] });
  const damage: Damage[] = [];
  const isLive = sources.some(({ live }) => live);
  const tick = isLive
    ? setInterval(() => {
        idle(engine);
        engine.flush();
        hooks.batchDone?.();
      }, LISTENER_TICK_MS)
    : undefined;
  try {
    const run = async (source: MessageSource) => {
      const ready = source.live ? undefined : hooks.ready;
      await source.messages(hooks.signal, (carrier) => engine.message(carrier), ready);
      damage.push(...source.damage);
    };
    if (isLive) await Promise.all(sources.map(run));
    else for (const source of sources) await run(source);
  } finally {
    clearInterval(tick);
  }
  return {
    damage,
    unreadable: sources.reduce((sum, source) => sum + source.unreadable, 0),
    refused: sources.reduce((sum, source) => sum + source.refused, 0),
  };
}

/** On an idle link the wall clock moves the run clock on, one second behind (packets may still be on their way). */
function idle(engine: Engine): void {
  const now = Date.now() - 1000;
  engine.idle(Math.floor(now / 1000), (now % 1000) * 1e6);
}
