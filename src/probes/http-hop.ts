import { type ClientRequest, type IncomingMessage, request as requestPlain, type RequestOptions } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
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
  tls: { version: string; expires: number } | null;
}

export interface HopOptions {
  url: URL;
  method: string;
  settings: HttpSettings;
  authority: Buffer | undefined;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  address: string;
  trial: Trial;
  context: ProbeContext;
}

/** Asks once, at an address that was resolved already. Parts are added to the trial as they end. */
export async function askHttp(options: HopOptions): Promise<Hop | Failure> {
  const isTls = options.url.protocol === 'https:';
  const request = isTls ? (await import('node:https')).request : requestPlain;
  return new Promise((resolve) => new HopRun(options, isTls, resolve).start(request));
}

class HopRun {
  readonly #options: HopOptions;
  readonly #isTls: boolean;
  readonly #resolve: (result: Hop | Failure) => void;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mark = performance.now();
  #stage: 'connect' | 'tls' | 'first_byte' | 'transfer' = 'connect';
  #chunks: Buffer[] = [];
  #held = 0;
  #bytes = 0;
  #isOver = false;

  constructor(options: HopOptions, isTls: boolean, resolve: (result: Hop | Failure) => void) {
    this.#options = options;
    this.#isTls = isTls;
    this.#resolve = resolve;
  }

  start(make: (options: RequestOptions) => ClientRequest): void {
    const { context, trial } = this.#options;
    this.#timer = setTimeout(() => this.#timeout(), Math.max(0, context.timeoutMs - trial.elapsed));
    context.signal.addEventListener('abort', this.#aborted, { once: true });
    try {
      const request = make(this.#requestOptions());
      this.#request = request;
      request.on('error', (error) => this.#end(socketFailure(error, this.#stage === 'tls')));
      request.once('socket', (socket) => this.#follow(socket));
      request.once('response', (response) => this.#read(response));
      request.end(this.#options.body);
    } catch (error) {
      this.#end({ outcome: 'not_sent', text: error instanceof Error ? error.message : String(error) });
    }
  }

  #requestOptions(): RequestOptions {
    const { url, method, settings, headers, authority, address, context } = this.#options;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const given = Object.keys(headers).map((name) => name.toLowerCase());
    const auth = url.username === '' ? null : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return {
      host: address,
      port: url.port === '' ? (this.#isTls ? 443 : 80) : Number(url.port),
      family: isIP(address),
      path: `${url.pathname}${url.search}`,
      method,
      agent: false,
      auth,
      headers: {
        ...(!given.includes('host') && { Host: url.host }),
        ...(!given.includes('user-agent') && { 'User-Agent': `nametap/${context.version}` }),
        ...(!given.includes('accept') && { Accept: '*/*' }),
        ...headers,
      },
      ...(this.#isTls && {
        servername: isIP(host) === 0 ? host : '',
        rejectUnauthorized: settings.verify,
        ...(authority !== undefined && { ca: authority }),
      }),
    };
  }

  #follow(socket: Socket): void {
    const { trial } = this.#options;
    socket.setNoDelay(true);
    socket.once('connect', () => {
      this.#lap('connect');
      this.#stage = this.#isTls ? 'tls' : 'first_byte';
    });
    socket.once('secureConnect', () => {
      this.#lap('tls');
      this.#stage = 'first_byte';
    });
    trial.address = this.#options.address;
  }

  #lap(phase: 'connect' | 'tls' | 'first_byte' | 'transfer'): void {
    const now = performance.now();
    this.#options.trial.spent(phase, now - this.#mark);
    this.#mark = now;
  }

  #read(response: IncomingMessage): void {
    this.#lap('first_byte');
    this.#stage = 'transfer';
    const { body_limit } = this.#options.settings;
    const tls = this.#isTls ? certificateOf(response.socket as TLSSocket) : null;
    response.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
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
        tls,
      });
    });
  }

  readonly #aborted = () => this.#end({ outcome: 'not_sent', text: 'given up' });

  #timeout(): void {
    const { timeoutMs } = this.#options.context;
    if (this.#stage !== 'transfer') this.#end({ outcome: 'timeout', text: timeoutText(timeoutMs) });
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

/** TLS version as others name it, and when the first certificate of the chain expires (seconds since 1970). */
export function certificateOf(socket: TLSSocket): { version: string; expires: number } {
  let expires = Number.POSITIVE_INFINITY;
  let certificate = socket.getPeerCertificate(true);
  // A chain ends in itself; one that is longer than this is no chain.
  for (let i = 0; i < 10 && certificate?.valid_to !== undefined; i++) {
    expires = Math.min(expires, Date.parse(certificate.valid_to) / 1000);
    if (certificate.issuerCertificate === certificate || certificate.issuerCertificate === undefined) break;
    certificate = certificate.issuerCertificate;
  }
  const version = (socket.getProtocol() ?? '').replace(/^TLSv(1(?:\.\d)?)$/, 'TLS $1').replace(/^TLS 1$/, 'TLS 1.0');
  return { version, expires: Number.isFinite(expires) ? expires : Number.NaN };
}
