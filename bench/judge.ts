/**
 * Nanoseconds per transaction of the judge (detectors and baselines) beside the engine's, on the large capture, one
 * thread, CPU time. Run: node bench/judge.ts [TRANSACTIONS] [DETECTOR…]; with --flood NAMES, the most memory that a flood
 * of unique names makes the judge take, and what it gives up.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadConfig } from '../src/app/config.ts';
import { judgeOf } from '../src/app/judging.ts';
import { runRows } from '../src/app/run.ts';
import { inputOf } from '../src/app/input.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { flood } from '../test/detect/flood.ts';
import { keep, traffic } from './measure.ts';

const { config } = loadConfig({ environment: {}, file: '/dev/null' });
if (process.argv[2] === '--flood') {
  flooded(Number(process.argv[3] ?? 10_000_000));
  process.exit(0);
}

const RUNS = 5;
const transactions = Number(process.argv[2] ?? 1_000_000);
const file = traffic(transactions);

/** CPU nanoseconds that `work` takes. */
async function cost(work: () => Promise<unknown> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1];
const batches: TransactionBatch[] = [];
let rows = 0;
const plan = { input: inputOf([file]), threads: 0, dissect: { heuristic: true }, match: {} };
const hooks = { signal: new AbortController().signal };
const engine: number[] = [];
for (let run = 0; run < 3; run++) {
  batches.length = rows = 0;
  engine.push(
    await cost(() =>
      runRows(plan, hooks, (batch, from, to) => {
        rows += to - from;
        batches.push(TransactionBatch.copyOf(batch, from, to));
      }),
    ),
  );
}
const engineNanos = median(engine) / rows;

/** Moves all times on to behind the last one. */
function moveOn(): void {
  const span = 60 + batches.reduce((end, { col, count }) => Math.max(end, col.closeSeconds[count - 1] % 2 ** 40), 0);
  const seconds = Math.ceil(span - batches[0].col.openSeconds[0]);
  for (const { col, count } of batches) {
    for (let i = 0; i < count; i++) {
      col.openSeconds[i] += seconds;
      col.closeSeconds[i] += seconds;
    }
  }
}

/** Nanoseconds of the first pass, and of a second one, when all is known. `only`: which detectors, beside the baseline. */
async function judged(only?: readonly string[]): Promise<{ cold: number; warm: number }> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    let raised = 0;
    const judge = judgeOf(config.detect, {
      networks: [],
      resolvers: [],
      raise: () => raised++,
      ...(only !== undefined && { only }),
    });
    for (const runs of [cold, warm]) {
      runs.push(
        await cost(() => {
          for (const batch of batches) judge.rows(batch, 0, batch.count);
        }),
      );
      moveOn();
    }
  }
  return { cold: median(cold.slice(1)) / rows, warm: median(warm.slice(1)) / rows };
}

const all = await judged();
const results: Record<string, number> = {
  engine: engineNanos,
  judge: all.cold,
  'judge, warm': all.warm,
  share: all.cold / engineNanos,
};
for (const id of process.argv.slice(3)) results[id] = (await judged([id])).cold;
for (const [what, value] of Object.entries(results)) {
  console.log(
    what === 'share'
      ? `judge ÷ engine: ${(value * 100).toFixed(1)} %`
      : `${what}: ${value.toFixed(0)} ns per transaction`,
  );
}
keep('judge', results);

/** Judges as many transactions with unique names, and prints memory and tables. */
function flooded(names: number): void {
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {} });
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  const before = process.memoryUsage();
  let [held, rss, next] = [0, 0, 0];
  const { user, system } = process.cpuUsage();
  flood(judge, names, (judged) => {
    rss = Math.max(rss, process.memoryUsage().rss - before.rss);
    if (judged < next) return;
    next = judged + names / 20;
    // What one collection has freed of array buffers is given back by the next.
    gc();
    gc();
    const now = process.memoryUsage();
    held = Math.max(held, now.heapUsed + now.arrayBuffers - before.heapUsed - before.arrayBuffers);
    console.log(
      `${judged.toLocaleString('en')} transactions: ${megabytes(held)} in use, resident ${megabytes(rss)} more`,
    );
  });
  const cpu = process.cpuUsage();
  const nanos = ((cpu.user + cpu.system - user - system) * 1000) / judge.judged;
  console.log(`${nanos.toFixed(0)} ns per transaction, making it included`);
  console.table(judge.counts());
  keep('judge-flood', { names, heldBytes: held, rssBytes: rss, nanos, counts: judge.counts() });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
