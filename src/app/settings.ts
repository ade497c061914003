import { alertSettings } from '../alerts/settings.ts';
import { cacheSettings } from '../cache/settings.ts';
import { blockSettings } from '../actions/settings.ts';
import { choice, form, group, map, text, variant, type Setting, type Shape, type ValueOf } from '../core/settings.ts';
import { UserError } from '../core/errors.ts';
import { VANTAGES } from '../core/transactions.ts';
import { detectSettings } from '../detect/settings.ts';
import { clientsSetting, networksSetting, privacySettings, resolversSetting } from '../enrich/settings.ts';
import { probesSettings } from '../probes/settings.ts';
import { pipelineSettings } from '../pipeline/settings.ts';
import { serverSettings } from '../server/settings.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { captureSettings } from '../sources/live/settings.ts';
import { SINKS } from '../sinks/sinks.ts';
import { storeSettings } from '../store/settings.ts';
import { telemetrySettings } from '../tracing/settings.ts';
import { logSettings } from './log-settings.ts';
import { traceSettings } from './trace-settings.ts';

/** The whole configuration: each layer as its component declares it. */
export const SETTINGS = group('nametap', {
  data: text('Folder of everything that nametap keeps.', { default: 'data' }),
  sensor: form(
    'Name of this sensor, in every transaction; absent: the name of the machine.',
    'at most 64 characters',
    readName,
    {
      example: 'office',
    },
  ),
  demo: choice(
    'A bundled capture instead of a live one: always, never, or when there is no right to capture.',
    ['off', 'auto', 'on'],
    { default: 'off' },
  ),
  vantage: choice(
    'Where the sensor stands, which tells legs: before a resolver, at one, or at an authority; absent: not known.',
    VANTAGES,
    { example: 'resolver' },
  ),
  resolvers: resolversSetting,
  networks: networksSetting,
  clients: clientsSetting,
  privacy: privacySettings,
  capture: captureSettings,
  pipeline: pipelineSettings,
  store: storeSettings,
  cache: cacheSettings,
  sinks: map('Where transactions are also written to, each under a name.', variant('A sink.', SINKS), {
    reloads: true,
  }),
  kafka: kafkaSettings,
  detect: detectSettings,
  block: blockSettings,
  probes: probesSettings,
  trace: traceSettings,
  alerts: alertSettings,
  telemetry: telemetrySettings,
  server: serverSettings,
  log: logSettings,
});

/** What a program gets: spans in milliseconds, sizes in bytes, networks read, secrets read from their files. */
export type Config = ValueOf<typeof SETTINGS>;

/** A setting by its path, from the top down; undefined when there is none. */
export function settingAt(path: readonly string[], from: Setting = SETTINGS): Setting | undefined {
  let at: Setting | undefined = from;
  for (const key of path) {
    const shape: Shape | undefined = at?.shape;
    if (shape?.kind === 'group') at = shape.keys[key];
    else if (shape?.kind === 'map') at = shape.of;
    else at = undefined;
  }
  return at;
}

function readName(written: string): string {
  if (written === '' || written.length > 64) throw new UserError('A name is too long.');
  return written;
}
