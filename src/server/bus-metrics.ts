import type { MetricDefinition } from './metrics.ts';
import type { BusReading } from './services.ts';

const COUNTS = [
  ['records', 'nametap_bus_records_total', 'Records read from the bus.'],
  ['rows', 'nametap_bus_transactions_total', 'Transactions read from the bus.'],
  ['repeated', 'nametap_bus_repeated_total', 'Transactions that sensors sent twice: taken once.'],
  ['missing', 'nametap_bus_missing_batches_total', 'Batches that sensors made and that never came.'],
  ['unreadable', 'nametap_bus_unreadable_total', 'Records that are no batch of transactions.'],
] as const satisfies readonly (readonly [keyof BusReading, string, string])[];

/** What workers read. */
export const FROM_BUS: readonly MetricDefinition[] = [
  ...COUNTS.map(
    ([key, name, help]): MetricDefinition => ({
      name,
      help,
      kind: 'counter',
      labels: [],
      read: ({ api }) => {
        const state = api.services.bus?.();
        return state === undefined ? [] : [[{}, state[key]]];
      },
    }),
  ),
  {
    name: 'nametap_bus_lag_records',
    help: 'Records that wait behind the last one read.',
    kind: 'gauge',
    labels: ['topic', 'partition'],
    read: ({ api }) =>
      (api.services.bus?.().partitions ?? []).flatMap(({ topic, partition, lag }) =>
        lag === null ? [] : [[{ topic, partition: String(partition) }, lag] as const],
      ),
  },
];
