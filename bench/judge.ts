/**
 * Nanoseconds per transaction of the judge (detectors and baselines) beside the engine's, on the large capture, one
 * thread, CPU time. Run: node bench/judge.ts [TRANSACTIONS]
 */
import { loadConfig } from '../src/app/config.ts';
import { judgeOf } from '../src/app/judging.ts';
import { runRows } from '../src/app/run.ts';
import { inputOf } from '../src/app/input.ts';
import { TransactionBatch } from '../src/core/transactions.ts';
import { keep, traffic } from './measure.ts';

const RUNS = 5;
const transactions = Number(process.argv[2] ?? 1_000_000);
const file = traffic(transactions);
const { config } = loadConfig({ environment: {}, file: '/dev/null' });

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

/** With which detectors, beside the baseline. */
async function judged(only?: readonly string[]): Promise<number> {
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    let raised = 0;
    const judge = judgeOf(config.detect, {
      networks: [],
      resolvers: [],
      raise: () => raised++,
      ...(only !== undefined && { only }),
    });
    runs.push(
      await cost(() => {
        for (const batch of batches) judge.rows(batch, 0, batch.count);
      }),
    );
  }
  return median(runs.slice(1)) / rows;
}

const all = await judged();
const results: Record<string, number> = { engine: engineNanos, judge: all, share: all / engineNanos };
for (const id of process.argv.slice(3)) results[id] = await judged([id]);
for (const [what, value] of Object.entries(results)) {
  console.log(
    what === 'share'
      ? `judge ÷ engine: ${(value * 100).toFixed(1)} %`
      : `${what}: ${value.toFixed(0)} ns per transaction`,
  );
}
keep('judge', results);
