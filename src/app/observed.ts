import { hostname } from 'node:os';
import type { ServerLog } from '../server/services.ts';
import type { MetricReading } from '../tracing/metric-values.ts';
import type { LoadedConfig } from './config.ts';

interface Observable {
  version: string;
  log: ServerLog;
  /** Called once: what reads the metrics. */
  measure?(read: () => Promise<readonly MetricReading[]>): void;
}

/**
 * Runs a service that tells a collector about itself (`telemetry` of the configuration): its spans, its metrics, its log. As it
 * is where no collector is named; nothing of OpenTelemetry's SDK is loaded then.
 */
export async function observed<H extends Observable, R>(
  { config }: LoadedConfig,
  service: string,
  hooks: H,
  run: (hooks: H) => Promise<R>,
): Promise<R> {
  const { endpoint } = config.telemetry;
  if (endpoint === undefined) return run(hooks);
  const { Telemetry } = await import('../tracing/sdk.ts');
  const sensor = config.sensor ?? hostname();
  const telemetry = new Telemetry({ ...config.telemetry, endpoint }, { service, version: hooks.version, sensor });
  const said = (level: 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    hooks.log[level](fields, message);
    telemetry.line(level, message, texts(fields));
  };
  try {
    return await run({
      ...hooks,
      log: { ...hooks.log, info: said('info'), warn: said('warn'), error: said('error') },
      measure: (read) => telemetry.measure(read),
    });
  } finally {
    await telemetry.close();
  }
}

/** Fields of a line as texts; what has parts is JSON. */
function texts(fields: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]: [string, unknown]) => {
      if (value instanceof Error) return [key, value.message];
      return [key, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')];
    }),
  );
}
