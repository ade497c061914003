import { UserError } from '../core/errors.ts';
import type { Message, RecordData } from '../rr/value.ts';
import { type AliasChain, aliasSentence, followAliases, MOST_ALIASES } from './alias.ts';
import { AnswerCache, type CacheCounts } from './cache.ts';
import { Connections } from './connections.ts';
import { CookieJar } from './cookies.ts';
import { exchange, type Exchange, type ExchangeOptions } from './exchange.ts';
import type { Outcome } from './outcome.ts';
import type { EdnsRequest, Question } from './question.ts';
import { checkRewriting } from './rewriting.ts';
import { type Server, serverOf, type TransportName } from './server.ts';
import { systemSettings } from './system.ts';
import { askSystem } from './system-resolver.ts';
import type { TlsOptions } from './stream.ts';
import type { Dial } from './udp.ts';

/** How a resolver asks. What is left out is usual. */
export interface ResolverOptions {
  /** Addresses as `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`, `tls://…`, `https://…`; those of resolv.conf unless told. */
  servers?: readonly string[];
  /** Asks this machine's own resolver by node:dns instead: hosts file and all, but no more than it tells. */
  system?: boolean;
  /** For servers whose text names none; UDP unless told. */
  transport?: TransportName;
  /** Of each try; 5000 unless told. */
  timeoutMs?: number;
  /** At each server; 2 unless told. */
  tries?: number;
  /** One server after another until one answers (default), or all at once and the first answer counts. */
  strategy?: 'ordered' | 'parallel';
  /** False keeps nothing; a number keeps so many answers, 10,000 unless told. */
  cache?: boolean | number;
  /** Opens the way to a server (`udp` or `tcp`, `host:port`) in the place of the system. */
  dial?: Dial;
  edns?: EdnsRequest | null;
  caseRandom?: boolean;
  tls?: TlsOptions;
  source?: { address?: string };
  /** Finds servers that make up answers to names that do not exist, and takes those for NXDOMAIN; off unless told. */
  detectRewriting?: boolean;
}

/** How a resolution ended: an exchange's outcome, or what the answers amount to. */
export type ResolutionOutcome = Outcome | 'alias_loop' | 'rewritten';

/** What is known of a name. */
export interface Resolution {
  question: Question;
  outcome: ResolutionOutcome;
  /** NOERROR, NXDOMAIN …; null without an answer. */
  rcode: string | null;
  /** Records of the asked type at the end of the aliases. */
  records: RecordData[];
  /** Names from the asked one to that of the records. */
  names: string[];
  /** Plain words of how it ended. */
  sentence: string;
  /** True when nobody had to be asked. */
  isCached: boolean;
  ms: number;
  /** The whole answer; null without one, and from node:dns. */
  message: Message | null;
  /** What was asked for it, in order. */
  exchanges: Exchange[];
}

/** Why there are no records. `code`: a response code, `NODATA`, or a `ResolutionOutcome`. */
export class ResolveError extends Error {
  readonly code: string;
  readonly resolution: Resolution;

  constructor(resolution: Resolution) {
    const { rcode, outcome, question, sentence } = resolution;
    const isAnswered = outcome === 'answered';
    const code = isAnswered ? (rcode === 'NOERROR' ? 'NODATA' : (rcode ?? 'SERVFAIL')) : outcome;
    super(isAnswered ? `${question.name} ${question.type}: ${code}. ${sentence}` : sentence);
    this.name = 'ResolveError';
    this.code = code;
    this.resolution = resolution;
  }
}

/**
 * Resolves names by asking servers of your choice, never by a blocking call. Answers are kept as long as their TTL allows,
 * questions under way are shared, connections over TCP, TLS and HTTPS stay open. `close` when done.
 */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #servers: (Server & { transport: TransportName })[];
  readonly #cache: AnswerCache | undefined;
  readonly #connections = new Connections();
  readonly #cookies = new CookieJar();
  readonly #underWay = new Map<string, Promise<Resolution>>();
  /** What each server makes up, by its text. */
  readonly #madeUp = new Map<string, Promise<string[]>>();

  /** Throws `UserError` for a server that is none. */
  constructor(options: ResolverOptions = {}) {
    this.#options = options;
    const { servers, system, transport = 'udp', cache = true } = options;
    const texts = system === true ? [] : (servers ?? systemSettings().servers);
    if (texts.length === 0 && system !== true)
      throw new UserError('A resolver needs a server: name one or more, or leave servers out.');
    this.#servers = texts.map((text) => serverOf(text, transport));
    if (cache !== false) this.#cache = new AnswerCache(cache === true ? undefined : cache);
  }

  get cache(): CacheCounts {
    return this.#cache?.counts ?? { entries: 0, hits: 0, misses: 0, evicted: 0 };
  }

  /** Everything about one question; never throws for what the network does. */
  async query(name: string, type = 'A', { signal }: { signal?: AbortSignal } = {}): Promise<Resolution> {
    const key = `${name.toLowerCase()} ${type}`;
    const known = signal === undefined ? this.#underWay.get(key) : undefined;
    if (known !== undefined) return known;
    const resolution = this.#resolve({ name, type }, signal);
    if (signal !== undefined) return resolution;
    this.#underWay.set(key, resolution);
    try {
      return await resolution;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Data of the records, as text. Throws `ResolveError` when there are none. */
  async resolve(name: string, type = 'A', options: { signal?: AbortSignal } = {}): Promise<string[]> {
    const resolution = await this.query(name, type, options);
    if (resolution.records.length === 0) throw new ResolveError(resolution);
    return resolution.records.map(({ data }) => data);
  }

  /** IPv6 and IPv4 addresses. Throws `ResolveError` when there is none of either. */
  async addresses(name: string, options: { signal?: AbortSignal } = {}): Promise<string[]> {
    const both = await Promise.all(['AAAA', 'A'].map((type) => this.query(name, type, options)));
    const found = both.flatMap(({ records }) => records.map(({ data }) => data));
    if (found.length === 0) throw new ResolveError(both.find(({ outcome }) => outcome !== 'answered') ?? both[1]);
    return found;
  }

  /** Closes the connections that are open. */
  close(): void {
    this.#connections.close();
  }

  async #resolve(question: Question, signal: AbortSignal | undefined): Promise<Resolution> {
    const began = performance.now();
    const exchanges: Exchange[] = [];
    const names: string[] = [];
    let asked = question.name;
    for (;;) {
      const step = await this.#answer({ ...question, name: asked }, exchanges, signal);
      const common = {
        question,
        exchanges,
        isCached: exchanges.length === 0 && this.#options.system !== true,
        ms: performance.now() - began,
        message: step.message,
        rcode: step.message?.rcode ?? step.rcode,
      };
      if (step.message === null) {
        return { ...common, outcome: step.outcome, records: step.records, names: [asked], sentence: step.sentence };
      }
      const chain = followAliases(asked, question.type, step.message);
      names.push(...chain.names.slice(names.length > 0 ? 1 : 0));
      const problem = problemOf(names, chain);
      if (problem !== null) {
        const sentence = aliasSentence({ names, records: [], problem });
        return { ...common, outcome: 'alias_loop', records: [], names, sentence };
      }
      const end = chain.names[chain.names.length - 1];
      // An alias whose target the server did not look up: asked for next.
      if (
        chain.records.length === 0 &&
        chain.names.length > 1 &&
        step.message.rcode === 'NOERROR' &&
        !isNegative(step.message)
      ) {
        asked = end;
        continue;
      }
      const { outcome, sentence } = step;
      return { ...common, outcome, sentence, records: outcome === 'rewritten' ? [] : chain.records, names };
    }
  }

  async #answer(question: Question, exchanges: Exchange[], signal: AbortSignal | undefined): Promise<Answer> {
    if (this.#options.system === true) return askSystem(question);
    const of = question.class ?? 'IN';
    const kept = this.#cache?.get(question.name, question.type, of);
    if (kept !== undefined)
      return { message: kept, rcode: null, records: [], outcome: 'answered', sentence: 'It was kept from before.' };
    const result = await (this.#options.strategy === 'parallel'
      ? this.#askAll(question, signal)
      : this.#askInTurn(question, exchanges, signal));
    if (this.#options.strategy === 'parallel') exchanges.push(result);
    const { response, outcome, sentence } = result;
    if (response !== null && (await this.#isMadeUp(result))) {
      const why = `${result.server.address}#${result.server.port} made this answer up: the name does not exist.`;
      return {
        message: { ...response, rcode: 'NXDOMAIN', answers: [] },
        rcode: null,
        records: [],
        outcome: 'rewritten',
        sentence: why,
      };
    }
    if (response !== null && outcome === 'answered') this.#cache?.put(question.name, question.type, of, response);
    return { message: response, rcode: null, records: [], outcome, sentence };
  }

  async #askInTurn(question: Question, exchanges: Exchange[], signal: AbortSignal | undefined): Promise<Exchange> {
    let last: Exchange | undefined;
    for (const server of this.#servers) {
      last = await exchange(question, this.#exchangeOptions(server, signal));
      exchanges.push(last);
      if (isGood(last) || signal?.aborted === true) break;
    }
    if (last === undefined) throw new TypeError('A resolver needs a server.');
    return last;
  }

  async #askAll(question: Question, signal: AbortSignal | undefined): Promise<Exchange> {
    const others = new AbortController();
    const stop = signal === undefined ? others.signal : AbortSignal.any([signal, others.signal]);
    const all = this.#servers.map((server) => exchange(question, this.#exchangeOptions(server, stop)));
    try {
      return await Promise.any(
        all.map(async (one) => {
          const result = await one;
          if (!isGood(result)) throw new NotGood();
          return result;
        }),
      );
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      // None is good: the first that said anything.
      const results = await Promise.all(all);
      return results.find(({ response }) => response !== null) ?? results[0];
    } finally {
      others.abort();
    }
  }

  #exchangeOptions(server: Server & { transport: TransportName }, signal: AbortSignal | undefined): ExchangeOptions {
    const { timeoutMs = 5000, tries = 2, edns = { cookie: true }, caseRandom, tls, source, dial } = this.#options;
    return {
      server,
      transport: server.transport,
      timeoutMs,
      tries,
      edns,
      ...(caseRandom !== undefined && { caseRandom }),
      ...(tls !== undefined && { tls }),
      ...(source !== undefined && { source }),
      ...(dial !== undefined && { dial }),
      ...(signal !== undefined && { signal }),
      connections: this.#connections,
      cookies: this.#cookies,
    };
  }

  async #isMadeUp({ server, transport, response }: Exchange): Promise<boolean> {
    if (this.#options.detectRewriting !== true || response === null || response.answers.length === 0) return false;
    const key = `${transport} ${server.address} ${server.port}`;
    let known = this.#madeUp.get(key);
    if (known === undefined) {
      known = checkRewriting(this.#exchangeOptions({ ...server, transport }, undefined)).then((check) =>
        check.isRewriting === true ? check.data : [],
      );
      this.#madeUp.set(key, known);
    }
    const data = await known;
    return data.length > 0 && response.answers.every((record) => data.includes(record.data));
  }
}

class NotGood extends Error {}

/** What one step of a resolution got; without a message what node:dns told. */
export interface Answer {
  message: Message | null;
  rcode: string | null;
  records: RecordData[];
  outcome: ResolutionOutcome;
  sentence: string;
}

/** A server that cannot or will not answer is no reason to give up: the next may. */
function isGood({ response, outcome }: Exchange): boolean {
  return (
    outcome === 'answered' &&
    response !== null &&
    !['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'].includes(response.rcode)
  );
}

function isNegative({ authority }: Message): boolean {
  return authority.some(({ type }) => type === 'SOA');
}

function problemOf(names: readonly string[], { problem }: AliasChain): AliasChain['problem'] {
  if (problem !== null) return problem;
  if (new Set(names).size < names.length) return 'loop';
  return names.length > MOST_ALIASES ? 'long' : null;
}
