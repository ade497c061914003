import { SEVERITIES, type Severity } from '../../core/alert.ts';
import { group, map, span, text, type ValueOf } from '../../core/settings.ts';
import type { AlertDocument } from '../document.ts';
import { HTTP, post, urlSetting } from './http.ts';
import { COMMON, type Notice, type OutputContext, type OutputDefinition } from './output.ts';

const settings = group('Prometheus Alertmanager (API v2), which groups, silences and routes.', {
  url: urlSetting('Its address.', 'http://alertmanager.example.net:9093'),
  labels: map('Labels to add.', text('Value of the label.'), {
    key: 'LABEL',
    keyPattern: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    example: { team: 'dns' },
  }),
  hold: span('An alert that nobody speaks of any more is over there after so long.', { default: '40m', least: 60_000 }),
  ...HTTP,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** One alert of Alertmanager: labels say which it is, annotations say it to people. */
interface PostableAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  generatorURL?: string;
}

/** Prometheus Alertmanager. */
export const alertmanager: OutputDefinition<Settings> = {
  settings,
  wantsAll: true,
  open: (options, context) => ({
    async send(notice, signal) {
      if (notice === null) return;
      const url = `${options.url.replace(/\/+$/, '')}/api/v2/alerts`;
      await post(url, JSON.stringify(alertsOf(notice, options, context)), options, signal);
    },
    close: () => Promise.resolve(),
  }),
};

function alertsOf({ cause, alert, at }: Notice, options: Settings, context: OutputContext): PostableAlert[] {
  const isOver = !alert.active || alert.state !== 'open' || alert.inhibited_by !== null;
  const updated = Date.parse(alert.updated);
  // An end is taken for one only when it has passed; none lies before its beginning.
  const past = new Date(Math.max(Date.parse(alert.time), Math.min(at, Date.parse(alert.resolved ?? '') || at)));
  // What was muted, closed or explained is over for Alertmanager now, whatever goes on.
  const endsAt = (isOver ? past : new Date(updated + options.hold)).toISOString();
  const now = posted(alert, alert.severity, endsAt, options, context);
  if (cause !== 'worsened') return [now];
  // Severity is part of its identity there: the alert of before is over.
  const lesser = SEVERITIES.slice(0, SEVERITIES.indexOf(alert.severity));
  return [now, ...lesser.map((severity) => posted(alert, severity, past.toISOString(), options, context))];
}

function posted(
  alert: AlertDocument,
  severity: Severity,
  endsAt: string,
  options: Settings,
  { sensor, link }: OutputContext,
): PostableAlert {
  const { id, detector, client, server, domain } = alert;
  const url = link(id);
  const attack = alert.attack.join(', ');
  return {
    labels: {
      ...options.labels,
      alertname: detector,
      severity,
      sensor,
      incident: id,
      ...(client !== null && { client }),
      ...(server !== null && { server }),
      ...(domain !== null && { domain }),
    },
    annotations: {
      summary: alert.title,
      description: alert.text,
      confidence: alert.confidence.toFixed(2),
      ...(attack !== '' && { attack }),
      ...(alert.proposal !== null && { proposal: alert.proposal.text }),
    },
    startsAt: alert.time,
    endsAt,
    ...(url !== null && { generatorURL: url }),
  };
}
