import { createHmac } from 'node:crypto';
import type { Block } from '../core/block.ts';
import { form, group, secret, span, type ValueOf } from '../core/settings.ts';
import { reasonOf, UserError } from '../core/errors.ts';
import { targetKey } from './target.ts';
import type { Action, ActionContext, ActionDefinition } from './action.ts';

const settings = group('Tells another program by HTTP what begins and ends: a firewall, a controller, a ticket.', {
  url: form('Where to send it, by POST.', 'an address such as https://fw.example.net/hook', urlOf, {
    required: true,
    example: 'https://fw.example.net/hook',
  }),
  secret: secret(
    'Key of the signature, the same as of webhooks for alerts: X-Nametap-Signature is sha256= and the HMAC-SHA256 in hex over X-Nametap-Timestamp, a full stop and the body.',
    { example: { file: '/etc/nametap/hook.secret' } },
  ),
  timeout: span('A request that takes longer is tried again.', { default: '10s', least: 100, most: 120_000 }),
});
type Settings = ValueOf<typeof settings>;

/** A webhook: what has begun and ended since the last one that was taken. */
export const webhookAction: ActionDefinition<Settings> = {
  settings,
  open: (options, context) => new Webhook(options, context),
};

class Webhook implements Action {
  readonly kinds = ['domain', 'client', 'address'] as const;
  readonly #options: Settings;
  readonly #context: ActionContext;
  /** What the receiver knows of. */
  #told = new Map<string, Block>();

  constructor(options: Settings, context: ActionContext) {
    this.#options = options;
    this.#context = context;
  }

  async apply(blocks: readonly Block[]): Promise<void> {
    const wanted = new Map(blocks.map((block) => [targetKey(block), block]));
    const blocked = blocks.filter((block) => this.#told.get(targetKey(block))?.until !== block.until);
    const ended = [...this.#told.values()].filter((block) => !wanted.has(targetKey(block)));
    if (blocked.length > 0 || ended.length > 0)
      await this.#send({ blocked: blocked.map(told), ended: ended.map(told) });
    this.#told = wanted;
  }

  async close(): Promise<void> {}

  async #send(change: { blocked: object[]; ended: object[] }): Promise<void> {
    const { url, secret: key, timeout } = this.#options;
    const body = JSON.stringify({ time: new Date(this.#context.now()).toISOString(), ...change });
    const timestamp = String(Math.floor(this.#context.now() / 1000));
    const headers: Record<string, string> = { 'Content-Type': 'application/json', 'X-Nametap-Timestamp': timestamp };
    if (key !== undefined) {
      // With the time in it, so that an old one cannot be sent again.
      const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
      headers['X-Nametap-Signature'] = `sha256=${signature}`;
    }
    const signal = AbortSignal.timeout(timeout);
    const response = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' }).catch(
      // What fetch says itself is only that it failed.
      (error: Error) => {
        throw new Error(`${url.host} cannot be reached: ${reasonOf(error.cause ?? error)}`, { cause: error });
      },
    );
    await response.body?.cancel();
    if (!response.ok) throw new Error(`${url.host} answers ${response.status}`);
  }
}

function told({ id, kind, value, since, until, by, reason }: Block): object {
  const time = (ms: number) => new Date(ms).toISOString();
  return { id, kind, value, since: time(since), until: time(until), by, reason };
}

function urlOf(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new UserError('It is no address.');
  return url;
}
