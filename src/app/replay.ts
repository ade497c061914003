import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { LoadSource } from '../client/load/load.ts';
import { readNames } from '../client/names-file.ts';
import { encodeQuery, type QueryForm } from '../client/question.ts';
import type { ReplayQuery } from '../client/replay.ts';
import { DNS } from '../core/carrier.ts';
import { reasonOf, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { compileFilter } from '../filter/compile.ts';
import { Engine } from '../pipeline/engine.ts';
import { inputOf, openInput } from './input.ts';

export interface ReplayPlan {
  path: string;
  /** Only transactions that pass; capture files only. */
  filter?: string | undefined;
  /** Queries of a file of names. */
  form: QueryForm;
  /** Factor on the pace of the capture; absent: no pace. */
  speed?: number | undefined;
  /** No more queries once this says so; a file of names begins anew at its end until then. */
  isOver?: () => boolean;
}

/** Batches of a file of names that are repeated: the first half a million names of a longer one. */
const MOST_KEPT = 1000;
/** Queries of one batch. */
const BATCH = 512;

/** The queries of a capture file (with what was answered then), or of a file of names, a batch at a time. */
export function replaySource(plan: ReplayPlan, signal: AbortSignal): LoadSource<ReplayQuery> {
  const batches = isCapture(plan.path) ? capturedQueries(plan, signal) : namedQueries(plan);
  return async () => {
    if (plan.isOver?.() === true) return null;
    const { done, value } = await batches.next();
    return done === true ? null : value;
  };
}

/** Capture files begin with a magic number that is no text. */
export function isCapture(path: string): boolean {
  if (path === '-') return false;
  try {
    if (statSync(path).isDirectory()) return true;
    const file = openSync(path, 'r');
    const head = new Uint8Array(512);
    const length = readSync(file, head);
    closeSync(file);
    return head.subarray(0, length).some((octet) => octet === 0 || octet > 0x7f);
  } catch (error) {
    throw new UserError(`Cannot open ${plainText(path)}: ${reasonOf(error)}.`, 3, { cause: error });
  }
}

async function* namedQueries({ path, form, isOver }: ReplayPlan): AsyncGenerator<ReplayQuery[]> {
  // Kept for the next round, where there is one; the file is small beside the traffic it makes.
  const kept: ReplayQuery[][] = [];
  let batch: ReplayQuery[] = [];
  for await (const question of readNames(path)) {
    batch.push({ query: encodeQuery(question, form, 0) });
    if (batch.length < BATCH) continue;
    if (isOver !== undefined && kept.length < MOST_KEPT) kept.push(batch);
    yield batch;
    batch = [];
  }
  if (batch.length > 0) {
    if (isOver !== undefined) kept.push(batch);
    yield batch;
  }
  while (kept.length > 0) yield* kept;
}

async function* capturedQueries(
  { path, filter, speed }: ReplayPlan,
  signal: AbortSignal,
): AsyncGenerator<ReplayQuery[]> {
  const input = inputOf([path]);
  if (input.kind === 'dnstap') throw new UserError(`${plainText(path)} holds dnstap messages; replay reads captures.`);
  const source = await openInput(input);
  let rows: ReplayQuery[] = [];
  let start = Number.NaN;
  const pace = (seconds: number): number => {
    if (Number.isNaN(start)) start = seconds;
    return ((seconds - start) * 1000) / (speed ?? 1);
  };
  const engine = new Engine(
    { dissect: { heuristic: true }, filter: filter === undefined ? null : compileFilter(filter, {}) },
    {
      rows: (batch) => {
        for (let i = 0; i < batch.count; i++) {
          const query = queryOf(batch, i);
          if (query === undefined) continue;
          if (speed !== undefined) query.at = pace(batch.col.openSeconds[i] + batch.col.openNanos[i] / 1e9);
          rows.push(query);
        }
      },
    },
  );
  for await (const batch of source.batches(signal)) {
    if (batch.count > 0) engine.frames(batch);
    engine.flush();
    if (rows.length < BATCH) continue;
    yield ordered(rows);
    rows = [];
  }
  engine.finish();
  if (rows.length > 0) yield ordered(rows);
}

/** Rows come in order of closing; they are sent in order of asking, as far as a batch reaches. */
function ordered(rows: ReplayQuery[]): ReplayQuery[] {
  return rows.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

/** What is asked again: ordinary DNS queries that were seen whole. */
function queryOf({ col, arena }: TransactionBatch, i: number): ReplayQuery | undefined {
  const length = col.queryLength[i];
  if (length < 12 || length !== col.queryBytes[i] || col.protocol[i] !== DNS || col.opcode[i] !== 0) return undefined;
  const query = arena.slice(col.queryAt[i], col.queryAt[i] + length);
  const answer = col.responseLength[i];
  if (answer >= 12 && answer === col.responseBytes[i]) {
    return { query, response: arena.slice(col.responseAt[i], col.responseAt[i] + answer) };
  }
  return { query, wasSilent: answer === 0 };
}
