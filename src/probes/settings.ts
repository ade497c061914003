import type { Network } from '../core/network.ts';
import {
  choice,
  flag,
  form,
  group,
  list,
  map,
  type Setting,
  span,
  text,
  type ValueOf,
  variant,
  whole,
} from '../core/settings.ts';
import { SEVERITIES } from '../core/alert.ts';
import { networkOf } from '../enrich/client-names.ts';
import { PROBES } from './index.ts';
import type { ProbeDefinition } from './probe.ts';

/** What all checks have, besides what their kind has. */
const COMMON = {
  targets: list('What is checked; none = only when /probe asks for it.', text('A target.')),
  every: span('Time between two checks of a target.', { default: '30s', least: 1000 }),
  timeout: span('A check fails after so long.', { default: '5s', least: 10, most: 120_000 }),
  alert: flag('Whether failures raise an alert (OPS-PROBE).', { default: true }),
  fail_after: whole('An alert is raised after so many failures in a row.', { default: 2, least: 1, most: 100 }),
  severity: choice('Severity of the alert.', SEVERITIES, { default: 'high' }),
} as const;

/** Values of a check, besides those of its kind. */
export type CheckConfig = { type: string } & {
  [K in keyof typeof COMMON]: ValueOf<(typeof COMMON)[K]>;
};

function checkSettings({ settings }: ProbeDefinition): { settings: Setting } {
  const { shape, summary } = settings;
  if (shape.kind !== 'group') throw new Error('the settings of a probe are a group');
  return { settings: group(summary, { ...COMMON, ...shape.keys }) };
}

const network = form('Address or network.', 'an address or a network such as 192.0.2.0/24', networkOf, {});

/** Key `probes`. */
export const probesSettings = group(
  'Checks of names, services and hosts: their results are kept and shown, failures raise alerts.',
  {
    concurrency: whole('Checks that run at a time.', { default: 256, least: 1, most: 20_000 }),
    per_target: whole('Checks of one target that run at a time.', { default: 1, least: 1, most: 100 }),
    allow: list<Network | undefined>(
      'Networks that /probe may ask, besides the targets of the checks; none = only those.',
      network,
      { example: ['192.0.2.0/24'] },
    ),
    checks: map(
      'Checks, each under a name, by which /probe?module=… knows it, too.',
      variant(
        'A check.',
        Object.fromEntries(Object.entries(PROBES).map(([type, definition]) => [type, checkSettings(definition)])),
      ),
      {
        example: {
          web: { type: 'http', targets: ['https://www.example.com/health'], every: '30s' },
          resolver: { type: 'dns', targets: ['192.0.2.53'], query_name: 'example.com', query_type: 'A' },
        },
      },
    ),
  },
  { reloads: true },
);
export type ProbesConfig = Omit<ValueOf<typeof probesSettings>, 'checks'> & { checks: Record<string, CheckConfig> };
