import { flag, group, map, secret, span, text, whole, type ValueOf } from '../core/settings.ts';

/** What nametap tells of itself to a collector. */
export const telemetrySettings = group(
  'Traces, metrics and logs of nametap itself, by OpenTelemetry (OTLP over HTTP).',
  {
    endpoint: text('Base address of the collector; absent: nothing is sent.', { example: 'http://127.0.0.1:4318' }),
    headers: map('Headers of each request, such as a key.', secret('Value.'), { key: 'HEADER' }),
    traces: flag('Sends traces of requests, questions to the store, batches and checks; never of packets.', {
      default: true,
    }),
    sample: whole('One in so many traces that begin here.', { default: 1, least: 1, most: 1_000_000 }),
    metrics: flag('Sends the metrics of /metrics.', { default: true }),
    every: span('Metrics are sent so often.', { default: '30s', least: 1000, most: 3_600_000 }),
    logs: flag('Sends the lines of the log.', { default: true }),
  },
);
export type TelemetrySettings = ValueOf<typeof telemetrySettings>;
