/*
 * A nametap that is killed: opens the sinks of a configuration, writes numbered rows, and says after each step which of them
 * are safe. One argument, JSON: {sinks, folder, from, to, step, pauseMs}.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openSinks, type WriterPlan } from './contract-sinks.ts';
import { rows } from './numbered.ts';

const plan = JSON.parse(process.argv[2]) as WriterPlan;
const sinks = openSinks(plan.sinks, plan.folder);
for (let i = plan.from; i < plan.to; i += plan.step) {
  const end = Math.min(i + plan.step, plan.to);
  const batch = rows(i, end);
  sinks.rows(batch, 0, batch.count);
  await sinks.ready();
  await sinks.secured();
  process.stdout.write(`${end}\n`);
  await sleep(plan.pauseMs);
}
while (sinks.states().some(({ queue, error }) => queue > 0 && error === null)) await sleep(20);
await sinks.close();
