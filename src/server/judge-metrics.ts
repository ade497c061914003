import type { MetricDefinition } from './metrics.ts';

const FROM_TABLES: readonly MetricDefinition[] = (
  [
    [
      'used',
      'nametap_table_entries',
      'Entries of tables with a bound, of detectors, of what is usual, of alerts.',
      'gauge',
    ],
    ['limit', 'nametap_table_limit', 'Entries that a table has room for.', 'gauge'],
    ['evicted', 'nametap_table_evicted_total', 'Entries given up because a table was full.', 'counter'],
  ] as const
).map(([key, name, help, kind]) => ({
  name,
  help,
  kind,
  labels: ['table'],
  read: ({ api }) => api.services.tables().map((one) => [{ table: one.name }, one[key]] as const),
}));

/** Alerts, who is told of them, and the tables of what is remembered. */
export const FROM_JUDGE: readonly MetricDefinition[] = [
  {
    name: 'nametap_alerts_open',
    help: 'Alerts that nobody has taken care of.',
    kind: 'gauge',
    labels: [],
    read: ({ health }) => [[{}, health.alertsOpen]],
  },
  {
    name: 'nametap_alerts_total',
    help: 'Alerts raised, by detector and severity.',
    kind: 'counter',
    labels: ['detector', 'severity'],
    read: ({ api }) => [...api.alerts.raised.values()].map(({ n, ...labels }) => [labels, n] as const),
  },
  {
    name: 'nametap_alert_findings_total',
    help: 'Findings taken, those counted in a summary of too many; alerts that memory left to the store, changes that were lost.',
    kind: 'counter',
    labels: ['fate'],
    read: ({ api }) => Object.entries(api.services.alerts.counts).map(([fate, n]) => [{ fate }, n] as const),
  },
  {
    name: 'nametap_alert_messages_total',
    help: 'Messages about alerts by output: sent, given up (dead), and attempts that failed.',
    kind: 'counter',
    labels: ['output', 'result'],
    read: ({ api }) =>
      api.services
        .outputs()
        .flatMap((one) =>
          (['sent', 'dead', 'failed'] as const).map((result) => [{ output: one.name, result }, one[result]]),
        ),
  },
  {
    name: 'nametap_alert_queue',
    help: 'Messages about alerts that wait for their receiver.',
    kind: 'gauge',
    labels: ['output'],
    read: ({ api }) => api.services.outputs().map(({ name, waiting }) => [{ output: name }, waiting] as const),
  },
  ...FROM_TABLES,
];
