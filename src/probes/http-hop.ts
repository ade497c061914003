import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { closeQuietly, openTcp, openTls, type Under } from './connect.ts';
import { socketFailure } from './failure.ts';
import type { HttpSettings } from './http-settings.ts';
import { type Failure, type ProbeContext, timeoutText, type Trial } from './probe.ts';

/** One request and its response. */
export interface Hop {
  status: number;
  headers: IncomingMessage['headers'];
  version: string;
  /** What of the body is looked at, and how long all of it was. */
  body: Buffer;
  bodyBytes: number;
}

export interface HopOptions {
  url: URL;
  method: string;
  settings: HttpSettings;
  authority: Buffer | undefined;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  address: string;
  family: 4 | 6;
  trial: Trial;
  context: ProbeContext;
}

/** A body longer than that is not read to its end, however fast it comes. */
const MOST_BODY = 256 << 20;

/** Asks once, at an address that was resolved already. Parts are added to the trial as they end. */
export async function askHttp(options: HopOptions): Promise<Hop | Failure> {
  const { url, address, family, trial, context, settings, authority } = options;
  const under: Under = { trial, context };
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const connected = await openTcp({ address, family, port }, under);
  if ('outcome' in connected) return connected;
  let { socket } = connected;
  try {
    if (isTls) {
      const secured = await openTls(socket, { name: hostOf(url), verify: settings.verify, authority }, under);
      if ('outcome' in secured) return secured;
      socket = secured;
    }
    return await new Promise((resolve) => new Exchange(options, resolve).start(socket));
  } finally {
    closeQuietly(socket);
    closeQuietly(connected.socket);
    connected.closed();
  }
}

/** Node calls it a reset, too, when a server ends the connection without a word. */
function requestFailure(error: Error): Failure {
  const { outcome, text } = socketFailure(error, false);
  return error.message === 'socket hang up'
    ? { outcome, text: 'it closed the connection without an answer' }
    : { outcome, text };
}

/** An IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** A request on a connection that stands. */
class Exchange {
  readonly #options: HopOptions;
  readonly #resolve: (result: Hop | Failure) => void;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mark = 0;
  #isBody = false;
  #chunks: Buffer[] = [];
  #held = 0;
  #bytes = 0;
  #isOver = false;

  constructor(options: HopOptions, resolve: (result: Hop | Failure) => void) {
    this.#options = options;
    this.#resolve = resolve;
  }

  start(socket: Socket): void {
    const { context, trial, body } = this.#options;
    this.#timer = setTimeout(() => this.#timeout(), Math.max(0, context.timeoutMs - trial.elapsed));
    context.signal.addEventListener('abort', this.#aborted, { once: true });
    this.#mark = performance.now();
    try {
      const made = request({ ...this.#form(), createConnection: () => socket });
      this.#request = made;
      made.on('error', (error) => this.#end(requestFailure(error)));
      made.once('response', (response) => this.#read(response));
      made.once('upgrade', () => this.#end({ outcome: 'garbage', text: 'it changed to a protocol nobody asked for' }));
      made.end(body);
    } catch (error) {
      this.#end({ outcome: 'not_sent', text: error instanceof Error ? error.message : String(error) });
    }
  }

  #form() {
    const { url, method, headers, context } = this.#options;
    const given = Object.keys(headers).map((name) => name.toLowerCase());
    return {
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        ...(!given.includes('host') && { Host: url.host }),
        ...(!given.includes('user-agent') && { 'User-Agent': `nametap/${context.version}` }),
        ...(!given.includes('accept') && { Accept: '*/*' }),
        ...headers,
      },
    };
  }

  #lap(phase: 'first_byte' | 'transfer'): void {
    const now = performance.now();
    this.#options.trial.spent(phase, now - this.#mark);
    this.#mark = now;
  }

  #read(response: IncomingMessage): void {
    this.#lap('first_byte');
    this.#isBody = true;
    const { body_limit } = this.#options.settings;
    response.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > MOST_BODY) {
        return this.#end({ outcome: 'unexpected', text: `more than ${MOST_BODY >> 20} MiB of body: too much to read` });
      }
      if (this.#held >= body_limit) return;
      const kept = chunk.subarray(0, body_limit - this.#held);
      this.#chunks.push(kept);
      this.#held += kept.length;
    });
    response.once('error', (error) => this.#end(socketFailure(error, false)));
    response.once('aborted', () => this.#end({ outcome: 'closed', text: 'the connection ended within the body' }));
    response.once('end', () => {
      this.#lap('transfer');
      this.#end({
        status: response.statusCode ?? 0,
        headers: response.headers,
        version: response.httpVersion,
        body: Buffer.concat(this.#chunks),
        bodyBytes: this.#bytes,
      });
    });
  }

  readonly #aborted = () => this.#end({ outcome: 'not_sent', text: 'given up' });

  #timeout(): void {
    const { timeoutMs } = this.#options.context;
    if (!this.#isBody) this.#end({ outcome: 'timeout', text: timeoutText(timeoutMs) });
    else this.#end({ outcome: 'slow', text: `${this.#bytes} bytes of the body within ${timeoutMs} ms: too slow` });
  }

  #end(result: Hop | Failure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.context.signal.removeEventListener('abort', this.#aborted);
    this.#chunks = [];
    this.#request?.on('error', () => undefined);
    this.#request?.destroy();
    this.#resolve(result);
  }
}
