import type { Severity } from '../../core/alert.ts';
import { group, secret, text, type ValueOf } from '../../core/settings.ts';
import { HTTP, post } from './http.ts';
import { COMMON, type Notice, type OutputContext, type OutputDefinition } from './output.ts';

const settings = group('An incoming webhook of Slack, Mattermost, Rocket.Chat and others that read its form.', {
  url: secret('The address that the service gave: who knows it may write there.', {
    required: true,
    example: { file: '/etc/nametap/slack.url' },
  }),
  channel: text('Another channel than that of the webhook.', { example: '#dns' }),
  ...HTTP,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

const COLOURS: Record<Severity, string> = { low: '#5b7083', medium: '#b7791f', high: '#c2410c', critical: '#b91c1c' };
const VERBS: Record<Notice['cause'], string> = {
  raised: '',
  worsened: 'Worse: ',
  updated: 'Goes on: ',
  resolved: 'Over: ',
  changed: '',
};

/** Slack and what is compatible with it. */
export const slack: OutputDefinition<Settings> = {
  settings,
  open: (options, context) => ({
    async send(notice, signal) {
      if (notice !== null)
        await post(options.url, JSON.stringify(messageOf(notice, options, context)), options, signal);
    },
    close: () => Promise.resolve(),
  }),
};

function messageOf({ cause, alert }: Notice, { channel }: Settings, { sensor, link }: OutputContext): object {
  const url = link(alert.id);
  const title = escaped(VERBS[cause] + alert.title);
  const facts = [
    ['Severity', `${alert.severity}, confidence ${Math.round(100 * alert.confidence)} %`],
    ['Detector', [alert.detector, ...alert.attack].join(' ')],
    ['Client', alert.client],
    ['Server', alert.server],
    ['Domain', alert.domain],
    ['Sensor', sensor],
  ];
  return {
    ...(channel !== undefined && { channel }),
    text: `[${alert.severity}] ${title}`,
    attachments: [
      {
        color: cause === 'resolved' ? '#2f855a' : COLOURS[alert.severity],
        fallback: `[${alert.severity}] ${title}`,
        title,
        ...(url !== null && { title_link: url }),
        text: escaped(alert.text),
        fields: facts.flatMap(([name, value]) =>
          value === null ? [] : [{ title: name, value: escaped(value), short: true }],
        ),
        ts: Math.floor(Date.parse(alert.updated) / 1000),
      },
    ],
  };
}

/** The three characters that mean something there; names from the wire cannot make links or call people. */
function escaped(written: string): string {
  return written.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
