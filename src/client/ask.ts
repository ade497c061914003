import { readFileSync } from 'node:fs';
import { UserError, reasonOf } from '../core/errors.ts';
import { type Connections } from './connections.ts';
import type { CookieJar } from './cookies.ts';
import { decodeMessage } from '../rr/encode.ts';
import { exchange, type Exchange, type ExchangeOptions } from './exchange.ts';
import type { Question } from './question.ts';
import type { Server } from './server.ts';
import type { TlsOptions } from './stream.ts';
import { locateServer, systemSettings } from './system.ts';
import type { TsigKey } from './tsig.ts';
import type { QueryWords } from './words.ts';

/** What is the same for all questions of a command. */
export interface AskContext {
  connections: Connections;
  cookies: CookieJar;
  source?: { address?: string; port?: number } | undefined;
  tsig?: TsigKey | undefined;
  signal?: AbortSignal | undefined;
}

/** Where dig's words want to ask: the servers named, else this machine's. Throws `UserError`. */
export async function serversOf(words: QueryWords): Promise<Server[]> {
  const { port, family, transport, tls, path } = words;
  const texts = words.servers.length > 0 ? words.servers : systemSettings().servers.map((host) => ({ host }));
  const found = await Promise.all(texts.map((text) => locateServer(text, transport, { port, family })));
  return found.flat().map((server) => ({
    ...server,
    ...(tls.name !== undefined && { name: tls.name }),
    ...(path !== undefined && { path }),
  }));
}

/** Asks one question as dig's words say: the servers one after another, until one answers. */
export async function askWords(
  words: QueryWords,
  question: Question,
  servers: readonly Server[],
  context: AskContext,
): Promise<Exchange> {
  const options = exchangeOptions(words, context);
  const attempts: Exchange['attempts'] = [];
  for (const [i, server] of servers.entries()) {
    const result = await exchange(question, { ...options, server });
    attempts.push(...result.attempts);
    // Like dig: SERVFAIL makes it try the next server.
    const isLast = i === servers.length - 1;
    const isGood = result.response !== null && result.outcome === 'answered' && result.response.rcode !== 'SERVFAIL';
    if (isGood || isLast) return { ...result, attempts };
  }
  throw new UserError('There is no server to ask. Name one: @192.0.2.53.');
}

/** Options of exchanges as the words say. */
export function exchangeOptions(words: QueryWords, context: AskContext): Omit<ExchangeOptions, 'server'> {
  const { transport, edns, timeoutMs, tries, opcode } = words;
  const isHidden = transport === 'tls' || transport === 'https';
  // Whoever hides the message hides its size, too (RFC 8467).
  const padded = edns !== null && isHidden ? { padding: true, ...edns } : edns;
  return {
    transport,
    recursionDesired: words.recursionDesired,
    flags: [...words.flags],
    edns: padded,
    fallbackToTcp: words.fallbackToTcp,
    ednsFallback: words.ednsFallback,
    caseRandom: words.caseRandom,
    httpGet: words.httpGet,
    tls: tlsOptions(words),
    ...(opcode !== undefined && { opcode }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(tries !== undefined && { tries }),
    ...(context.source !== undefined && { source: context.source }),
    ...(context.tsig !== undefined && { tsig: context.tsig }),
    ...(context.signal !== undefined && { signal: context.signal }),
    connections: context.connections,
    cookies: context.cookies,
  };
}

/** How the words want certificates checked. Throws `UserError` when the file of authorities cannot be read. */
export function tlsOptions({ tls: { verify, ca, pin } }: QueryWords): TlsOptions {
  return { verify, ...(ca !== undefined && { ca: readAuthorities(ca) }), ...(pin !== undefined && { pin }) };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot open ${path}: ${reasonOf(error)}.`, 3, { cause: error });
  }
}

/** The names a question stands for: with the machine's search list where that is wanted (resolver(5)). */
export function candidates({ name, ...rest }: Question, useSearch: boolean): Question[] {
  if (!useSearch || name.endsWith('.')) return [{ name, ...rest }];
  const { search, ndots } = systemSettings();
  const below = search.map((domain) => ({ name: `${name}.${domain}`, ...rest }));
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [{ name, ...rest }, ...below] : [...below, { name, ...rest }];
}

/**
 * Bytes that a UDP answer was told to fit into, where a server sent more (RFC 6891 §6.2.5): what others may not get. Null
 * where all is well.
 */
export function roomExceeded({ query, bytes, transport }: Exchange): number | null {
  if (transport !== 'udp' || bytes === null) return null;
  const room = Math.max(512, decodeMessage(query).edns?.udp_size ?? 512);
  return bytes.length > room ? room : null;
}
