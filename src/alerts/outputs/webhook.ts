import { createHmac } from 'node:crypto';
import { group, secret, type ValueOf } from '../../core/settings.ts';
import { HTTP, post, urlSetting } from './http.ts';
import { COMMON, type OutputDefinition } from './output.ts';

const settings = group('A POST of JSON to an address, signed.', {
  url: urlSetting('Where to.', 'https://example.net/alerts'),
  secret: secret(
    'Key of the signature: X-Nametap-Signature is sha256= and the HMAC-SHA256 in hex over X-Nametap-Timestamp, a full stop and the body.',
    { example: { file: '/etc/nametap/hook.secret' } },
  ),
  ...HTTP,
  ...COMMON,
});

/** Whatever listens to JSON. */
export const webhook: OutputDefinition<ValueOf<typeof settings>> = {
  settings,
  open: (options, { sensor, link }) => ({
    async send(notice, signal) {
      if (notice === null) return;
      const { cause, alert, at } = notice;
      const body = JSON.stringify({ event: cause, sensor, url: link(alert.id), alert });
      const timestamp = String(Math.floor(Date.now() / 1000));
      const headers: Record<string, string> = {
        ...options.headers,
        'X-Nametap-Event': cause,
        // The same for every attempt: who sees it twice can tell.
        'X-Nametap-Delivery': `${alert.id}-${cause}-${at}`,
        'X-Nametap-Timestamp': timestamp,
      };
      if (options.secret !== undefined) {
        headers['X-Nametap-Signature'] = `sha256=${signatureOf(options.secret, timestamp, body)}`;
      }
      await post(options.url, body, { ...options, headers }, signal);
    },
    close: () => Promise.resolve(),
  }),
};

/** HMAC-SHA256 over time and body, in hex: a message cannot be forged, nor an old one be sent again. */
export function signatureOf(key: string, timestamp: string, body: string): string {
  return createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
}
