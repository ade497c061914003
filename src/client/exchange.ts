import { decodeMessage } from '../rr/encode.ts';
import type { Message } from '../rr/value.ts';
import type { Connections } from './connections.ts';
import { CookieJar } from './cookies.ts';
import { QueryFit } from './fit.ts';
import { type Attempt, type Discarded, nothingDiscarded, type Outcome, sentenceOf } from './outcome.ts';
import { encodeQuery, type EdnsRequest, type QueryForm, type Question, randomId, randomizeCase } from './question.ts';
import type { Server, TransportName } from './server.ts';
import type { TlsOptions } from './stream.ts';
import { askByTcp } from './tcp.ts';
import { type TsigKey, TsigSession } from './tsig.ts';
import { askByUdp, type Dial, type Tried } from './udp.ts';

/** How a question is put. What is left out is usual: RD, no EDNS, 5 s, three tries, TCP where the answer was cut. */
export interface ExchangeOptions extends QueryForm {
  server: Server;
  transport: TransportName;
  /** Of each try, all of it: connecting, TLS, the answer. */
  timeoutMs?: number;
  tries?: number;
  /** End to ask from. */
  source?: { address?: string; port?: number };
  /** 0x20: letters in random cases, which the answer has to repeat. */
  caseRandom?: boolean;
  /** Ask again over TCP where the answer was cut (TC). */
  fallbackToTcp?: boolean;
  /** Ask again where a server does not understand EDNS, or not its version. */
  ednsFallback?: boolean;
  tls?: TlsOptions;
  /** DoH with GET, which caches may keep (RFC 8484 §4.1). */
  httpGet?: boolean;
  tsig?: TsigKey;
  signal?: AbortSignal;
  dial?: Dial;
  /** Streams that stay open between questions; without, each question has a connection of its own. */
  connections?: Connections;
  /** Where the cookies of servers are kept between questions. */
  cookies?: CookieJar;
}

/** A question, all that was tried, and what came of it. */
export interface Exchange {
  question: Question;
  attempts: Attempt[];
  /** The answer; of outcome `truncated` what came before the cut, else null without an answer. */
  response: Message | null;
  /** The same as it came. */
  bytes: Uint8Array | null;
  /** The query as it was sent last. */
  query: Uint8Array;
  outcome: Outcome;
  /** Plain words of what happened. */
  sentence: string;
  discarded: Discarded;
  /** Milliseconds of the attempt that answered (monotonic clock); of the last one without an answer. */
  ms: number;
  /** Both timings of an answer that was cut over UDP and asked for again over TCP. */
  udpMs?: number;
  tcpMs?: number;
  /** Where and how the last attempt asked. */
  server: Server;
  transport: TransportName;
}

export const DEFAULT_TIMEOUT_MS = 5000;
export const DEFAULT_TRIES = 3;

const NO_RETRY: ReadonlySet<Outcome> = new Set([
  'refused',
  'unreachable',
  'certificate',
  'tls_failed',
  'http_failed',
  'not_sent',
  'aborted',
  'slow',
  'bad_signature',
]);

/**
 * One question to one server over one transport: tries, fallbacks and TC → TCP included, each an attempt that is told.
 * Never throws for what the network does: the outcome says it. Throws `UserError` for a question that cannot be put.
 */
export function exchange(question: Question, options: ExchangeOptions): Promise<Exchange> {
  return new Run(question, options).run();
}

class Run {
  readonly #question: Question;
  readonly #options: ExchangeOptions;
  readonly #attempts: Attempt[] = [];
  readonly #discarded = nothingDiscarded();
  readonly #cookies: CookieJar;
  #edns: EdnsRequest | null;
  #transport: TransportName;
  #query: Uint8Array = new Uint8Array(0);
  #tsig: TsigSession | undefined;
  /** The answer that was cut, while TCP is asked. */
  #cut: { bytes: Uint8Array; ms: number } | undefined;
  #hasRetriedCookie = false;

  constructor(question: Question, options: ExchangeOptions) {
    this.#question = question;
    this.#options = options;
    this.#edns = options.edns ?? null;
    this.#transport = options.transport;
    this.#cookies = options.cookies ?? new CookieJar();
  }

  async run(): Promise<Exchange> {
    const { tries = DEFAULT_TRIES } = this.#options;
    for (let tried = 0; ; ) {
      const { attempt, bytes } = await this.#try();
      this.#attempts.push(attempt);
      if (bytes === null || attempt.outcome !== 'answered') {
        tried++;
        if (tried < tries && !NO_RETRY.has(attempt.outcome)) continue;
        return this.#failed(attempt, bytes);
      }
      const message = decodeMessage(bytes);
      const problem = this.#tsig?.problem(bytes, Date.now() / 1000) ?? null;
      if (problem !== null) {
        attempt.outcome = 'bad_signature';
        attempt.reason = problem;
        return this.#result('bad_signature', message, bytes);
      }
      if (this.#edns?.cookie === true && !this.#cookies.learn(this.#options.server, message)) {
        // It carries a cookie of somebody else's: not for us (RFC 7873 §5.3).
        attempt.outcome = 'wrong_question';
        this.#discarded.wrongQuestion++;
        if (++tried < tries) continue;
        return this.#failed(attempt, null);
      }
      if (this.#mustAskAgain(attempt, message, bytes)) {
        tried = 0;
        continue;
      }
      return this.#result(attempt.outcome, message, bytes);
    }
  }

  async #try(): Promise<Tried> {
    const options = this.#options;
    const cookie = this.#edns?.cookie === true ? this.#cookies.cookieFor(options.server) : undefined;
    const form: QueryForm = { ...options, edns: this.#edns };
    const { connections, server } = options;
    const transport = this.#transport;
    const shared = transport === 'tcp' || transport === 'tls' ? connections : undefined;
    // RFC 8484 §4.1: the same question is the same request, for caches.
    const id = transport === 'https' ? 0 : (shared?.reserveId(transport, server) ?? randomId());
    try {
      return await this.#send(id, form, cookie);
    } finally {
      shared?.releaseId(transport, server, id);
    }
  }

  async #send(id: number, form: QueryForm, cookie: string | undefined): Promise<Tried> {
    const options = this.#options;
    const plain = encodeQuery(this.#question, form, id, cookie);
    if (options.caseRandom === true) randomizeCase(plain);
    this.#tsig = options.tsig === undefined ? undefined : new TsigSession(options.tsig);
    this.#query = this.#tsig?.sign(plain, Date.now() / 1000) ?? plain;
    const discarded = nothingDiscarded();
    const trial = {
      server: options.server,
      query: this.#query,
      fit: new QueryFit(plain, options.caseRandom === true),
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      source: options.source,
      signal: options.signal,
      dial: options.dial,
      discarded,
    };
    const tried = await this.#ask(trial);
    for (const cause of Object.keys(discarded) as (keyof Discarded)[]) this.#discarded[cause] += discarded[cause];
    return tried;
  }

  async #ask(trial: Parameters<typeof askByUdp>[0]): Promise<Tried> {
    const { connections, tls, httpGet } = this.#options;
    if (this.#transport === 'udp') return askByUdp(trial);
    if (this.#transport === 'https') {
      const { askByHttps } = await import('./https.ts');
      return askByHttps({ ...trial, tls: tls ?? {}, isGet: httpGet === true }, connections);
    }
    return askByTcp({ ...trial, tls: this.#transport === 'tls' ? (tls ?? {}) : undefined }, connections);
  }

  /** Whether an answer is a reason to ask in another way; says so in its attempt. */
  #mustAskAgain(attempt: Attempt, message: Message, bytes: Uint8Array): boolean {
    const { ednsFallback = true, fallbackToTcp = true } = this.#options;
    const edns = this.#edns;
    if (ednsFallback && edns !== null && (message.rcode === 'FORMERR' || message.rcode === 'NOTIMP') && !message.edns) {
      attempt.outcome = 'formerr_fallback';
      this.#edns = null;
      return true;
    }
    if (ednsFallback && edns !== null && message.rcode === 'BADVERS') {
      const theirs = message.edns?.version ?? 0;
      if (theirs < (edns.version ?? 0)) {
        attempt.outcome = 'badvers_fallback';
        this.#edns = { ...edns, version: theirs };
        return true;
      }
    }
    if (edns?.cookie === true && message.rcode === 'BADCOOKIE' && this.#transport === 'udp') {
      // Once more with what the server gave; where it refuses that, too, TCP needs none (RFC 7873 §5.3).
      attempt.outcome = 'badcookie_retry';
      if (this.#hasRetriedCookie) this.#transport = 'tcp';
      this.#hasRetriedCookie = true;
      return true;
    }
    if (!message.flags.includes('tc') || this.#transport !== 'udp') return false;
    attempt.outcome = 'truncated';
    if (!fallbackToTcp) return false;
    this.#cut = { bytes, ms: attempt.ms };
    this.#transport = 'tcp';
    return true;
  }

  #failed(attempt: Attempt, bytes: Uint8Array | null): Exchange {
    if (this.#cut === undefined)
      return this.#result(attempt.outcome, bytes === null ? null : decodeMessage(bytes), bytes);
    // What came before the cut is better than nothing.
    return this.#result('truncated', decodeMessage(this.#cut.bytes), this.#cut.bytes);
  }

  #result(outcome: Outcome, response: Message | null, bytes: Uint8Array | null): Exchange {
    const attempts = this.#attempts;
    const last = attempts[attempts.length - 1];
    const isAfterCut = this.#cut !== undefined;
    return {
      question: this.#question,
      attempts,
      response,
      bytes,
      query: this.#query,
      outcome,
      sentence: sentenceOf(attempts, outcome, this.#discarded),
      discarded: this.#discarded,
      ms: last.ms,
      ...(this.#cut !== undefined && { udpMs: this.#cut.ms }),
      ...(isAfterCut && outcome === 'answered' && { tcpMs: last.ms }),
      server: last.server,
      transport: last.transport,
    };
  }
}
