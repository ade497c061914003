import type { ProbeAnswer } from '../core/probe.ts';
import type { MetricDefinition } from './metrics.ts';

/** The text exposition (version 0.0.4) of one check; `debug`: with the result in words before it. */
export function probeExposition({ metrics, result }: ProbeAnswer, debug: boolean): string {
  const byName = Map.groupBy(metrics, ({ name }) => name);
  let text = '';
  if (debug) text += `# ${JSON.stringify(result)}\n`;
  for (const name of [...byName.keys()].sort()) {
    const of = byName.get(name) ?? [];
    text += `# HELP ${name} ${of[0].help}\n# TYPE ${name} gauge\n`;
    for (const { labels, value } of of) {
      const pairs = Object.entries(labels ?? {}).map(([key, one]) => `${key}="${escapeLabel(one)}"`);
      text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
    }
  }
  return text;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Targets that have metrics of their own: labels stay bounded. */
const MOST_LABELLED = 1000;

/** Scheduled checks. */
export const FROM_PROBES: readonly MetricDefinition[] = [
  {
    name: 'nametap_probe_success',
    help: '1 where the last check of a target passed.',
    kind: 'gauge',
    labels: ['check', 'target'],
    read: ({ api }) =>
      (api.services.probes?.states() ?? [])
        .slice(0, MOST_LABELLED)
        .flatMap(({ check, target, last }) =>
          last === null ? [] : [[{ check, target }, last.outcome === 'ok' ? 1 : 0] as const],
        ),
  },
  {
    name: 'nametap_probe_seconds',
    help: 'What the last check of a target measured.',
    kind: 'gauge',
    labels: ['check', 'target'],
    read: ({ api }) =>
      (api.services.probes?.states() ?? [])
        .slice(0, MOST_LABELLED)
        .flatMap(({ check, target, last }) =>
          last === null || last.ms === null ? [] : [[{ check, target }, last.ms / 1000] as const],
        ),
  },
  {
    name: 'nametap_probe_targets',
    help: 'Targets under check.',
    kind: 'gauge',
    labels: [],
    read: ({ api }) => [[{}, api.services.probes?.load().targets ?? 0]],
  },
  {
    name: 'nametap_probe_skipped_total',
    help: 'Checks left out because the one before was still under way.',
    kind: 'counter',
    labels: [],
    read: ({ api }) => [[{}, api.services.probes?.load().skipped ?? 0]],
  },
  {
    name: 'nametap_own_transactions_total',
    help: 'Transactions seen that nametap itself made: left out of baselines and detectors.',
    kind: 'counter',
    labels: [],
    read: ({ api }) => [[{}, api.services.probes?.load().own ?? 0]],
  },
  {
    name: 'nametap_probe_loop_delay_seconds',
    help: 'How late the event loop was at most in the last minute: what times of checks may be off by.',
    kind: 'gauge',
    labels: [],
    read: ({ api }) => [[{}, (api.services.probes?.load().loopDelay.max ?? 0) / 1000]],
  },
];
