import type { Transporter } from 'nodemailer';
import { choice, form, group, list, secret, span, text, type ValueOf } from '../../core/settings.ts';
import { UserError } from '../../core/errors.ts';
import { Refused } from '../../sinks/target.ts';
import { COMMON, type Notice, type OutputContext, type OutputDefinition } from './output.ts';

const settings = group('E-mail over SMTP.', {
  server: form('The mail server.', 'HOST or HOST:PORT', readServer, {
    required: true,
    example: 'mail.example.net:587',
  }),
  tls: choice(
    'Encryption: from the first byte, after STARTTLS (or not at all), or none.',
    ['always', 'starttls', 'none'],
    {
      default: 'starttls',
    },
  ),
  from: text('Sender.', { required: true, example: 'nametap@example.net' }),
  to: list('Receivers.', text('Address.'), { example: ['soc@example.net'] }),
  user: text('Name to sign in with.', { example: 'nametap' }),
  password: secret('Its password.', { example: { file: '/etc/nametap/smtp.password' } }),
  timeout: span('An answer is waited for so long.', { default: '30s', least: 100 }),
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** Mail to people. */
export const email: OutputDefinition<Settings> = {
  settings,
  open(options, context) {
    if (options.to.length === 0) throw new UserError(`The output ${context.name} needs somebody to write to (to).`);
    let transport: Transporter | undefined;
    return {
      async send(notice) {
        if (notice === null) return;
        transport ??= await transportOf(options);
        try {
          await transport.sendMail(mailOf(notice, options, context));
        } catch (error) {
          const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
          // A permanent refusal (RFC 5321 §4.2.1) of this message; 535 and the like are about us, and can be put right.
          if (code >= 550 && code < 560) throw new Refused(String(error));
          throw error;
        }
      },
      close: async () => transport?.close(),
    };
  },
};

async function transportOf({ server, tls, user, password, timeout }: Settings): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host: server.host,
    port: server.port ?? (tls === 'always' ? 465 : 587),
    secure: tls === 'always',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
  });
}

function mailOf({ cause, alert, at }: Notice, { from, to }: Settings, { sensor, link }: OutputContext) {
  const prefix = { raised: '', worsened: 'worse: ', updated: 'goes on: ', resolved: 'over: ', changed: '' }[cause];
  const thread = `<${alert.id}@nametap.invalid>`;
  const about = [alert.client, alert.server, alert.domain].filter((one) => one !== null).join(' · ');
  const evidence = alert.evidence.map(
    ({ time, client, server, name = '', type = '' }) => `  ${time}  ${client} → ${server}  ${name} ${type}`,
  );
  const url = link(alert.id);
  const lines = [
    alert.title,
    '',
    alert.text,
    '',
    `Severity:   ${alert.severity} (score ${alert.score.toFixed(2)}, confidence ${alert.confidence.toFixed(2)})`,
    `Detector:   ${[alert.detector, ...alert.attack].join(' ')}`,
    `About:      ${about}`,
    `Seen:       ${alert.first_seen} to ${alert.last_seen}, ${alert.count} transactions`,
    `Sensor:     ${sensor}`,
    ...(alert.proposal === null ? [] : [`Suggestion: ${alert.proposal.text}`]),
    ...(url === null ? [] : [`Page:       ${url}`]),
    '',
    'Evidence:',
    ...evidence,
  ];
  return {
    from,
    to,
    subject: oneLine(`[nametap] ${prefix}${alert.severity}: ${alert.title}`),
    messageId: cause === 'raised' ? thread : `<${alert.id}.${cause}.${at}@nametap.invalid>`,
    // Mail programs show what happens to one alert as one conversation.
    ...(cause !== 'raised' && { inReplyTo: thread, references: thread }),
    date: new Date(at),
    text: `${lines.join('\n')}\n`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Nametap-Alert': alert.id },
  };
}

function oneLine(written: string): string {
  return written.replace(/\s+/g, ' ').slice(0, 200);
}

function readServer(written: string): { host: string; port?: number } {
  const [, six, host, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/i.exec(written) ?? [];
  const name = six ?? host;
  if (name === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1) {
    throw new UserError(`"${written}" is no mail server.`);
  }
  return { host: name, ...(port !== undefined && { port: Number(port) }) };
}
