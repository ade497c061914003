/** Runs a plan given as JSON in an own process (in a network namespace): says `open`, runs until SIGINT, prints the rest. */
import { runRows } from '../../src/app/run.ts';
import type { RunPlan } from '../../src/app/plan.ts';
import { dropRights } from '../../src/sources/live/rights.ts';
import { rowText } from './live-rows.ts';

const [plan, user] = JSON.parse(process.argv[2]) as [RunPlan, string | undefined];
const abort = new AbortController();
process.on('SIGINT', () => abort.abort());
const rows: string[] = [];
/** Nanoseconds that whoever takes the rows is busy with each. */
const busy = BigInt(process.env.BUSY_NANOS ?? 0);
const opened = () => {
  const became = user === undefined ? undefined : dropRights(user);
  process.stdout.write(`${JSON.stringify({ open: true, became, uid: process.getuid?.() })}\n`);
};
const result = await runRows(plan, { signal: abort.signal, opened }, (batch, from, to) => {
  const until = process.hrtime.bigint() + busy * BigInt(to - from);
  for (let i = from; i < to; i++) rows.push(rowText(batch, i));
  while (process.hrtime.bigint() < until);
});
process.stdout.write(
  `${JSON.stringify({ rows, ledger: result.ledger.toJSON(), imbalance: result.ledger.imbalance(), interfaces: result.interfaces })}\n`,
);
