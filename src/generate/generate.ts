import { BatchWriter } from '../rr/batch-writer.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { addHabits } from './habits.ts';
import type { ScenarioDefinition } from './scenario.ts';
import { type GenerateOptions, type Label, Stage } from './stage.ts';

/** Scenarios begin after this share of the time: what is usual has been seen then. */
const BEGINS = 0.5;

/**
 * Ordinary traffic with scenarios in it, as transaction rows: the same options give the same rows. `onBatch` takes full
 * batches, to keep or (true) to be filled again. Gives what should be noticed.
 */
export function generate(
  options: GenerateOptions,
  scenarios: readonly ScenarioDefinition[],
  onBatch: (batch: TransactionBatch) => unknown,
): Label[] {
  const writer = new BatchWriter(onBatch);
  const hasUpstream = options.hasUpstream === true || scenarios.some(({ needsUpstream }) => needsUpstream === true);
  const stage = new Stage({ ...options, hasUpstream }, (exchange) => writer.add(exchange));
  addHabits(stage);
  for (const scenario of scenarios) scenario.start(stage, stage.start + (stage.end - stage.start) * BEGINS);
  stage.run();
  writer.finish();
  return stage.labels;
}
