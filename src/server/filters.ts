import { isIP } from 'node:net';
import { compileFilter } from '../filter/compile.ts';
import { findField } from '../filter/fields/registry.ts';
import type { Store } from '../store/store.ts';
import { ProblemError } from './problem.ts';
import type { ServerServices } from './services.ts';

/** Filters that show what a number counts. Values come from the wire: they are quoted here and nowhere else. */
export const FILTER = {
  client: (address: string) => end('src', 'dst', address),
  server: (address: string) => end('dst', 'src', address),
  type: (type: string) => `dns.qry.type == ${quoted(type)}`,
  rcode: (rcode: string) => `dns.flags.rcode == ${quoted(rcode)}`,
  /** The name itself and everything below it. */
  name: (name: string) =>
    name === '.' ? 'dns.qry.name' : `dns.qry.name == ${quoted(name)} or dns.qry.name matches ${quoted(below(name))}`,
  exactName: (name: string) => `dns.qry.name == ${quoted(name)}`,
  nxdomain: 'dns.flags.rcode == 3',
  servfail: 'dns.flags.rcode == 2',
  unanswered: 'dns.response_missing',
} as const;

/** Both filters hold; empty ones hold always. */
export function both(a: string | undefined, b: string | undefined): string {
  if (a === undefined || a.trim() === '') return b ?? '';
  if (b === undefined || b.trim() === '') return a;
  return `(${a}) and (${b})`;
}

/** A transaction of this client or server, whichever of its messages is looked at. */
function end(ofQuery: string, ofResponse: string, address: string): string {
  const family = isIP(address) === 6 ? 'ipv6' : 'ip';
  const on = (side: string) => `${family}.${side} == ${isIP(address) === 0 ? quoted(address) : address}`;
  return `(dns.flags.response == 0 and ${on(ofQuery)}) or (dns.flags.response == 1 and ${on(ofResponse)})`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function below(name: string): string {
  return `\\.${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
}

/** Throws 422 at the privacy level that keeps only counts: nobody sees a single transaction. */
export function refuseCounted({ privacy }: Pick<ServerServices, 'privacy'>): void {
  if (privacy.level < 5) return;
  throw new ProblemError(422, 'At privacy level 5 only counts are kept: there are no single transactions to show.');
}

/** The first field of a filter that no stored transaction has. Throws FilterError. */
function unstoredField(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  return compileFilter(text).fields.find((name) => findField(name)?.stored === false);
}

/**
 * Who answers a filter of a range from `from` (ms): the store, or for fields of the frame the packets where all that the
 * store remembers is still held. Throws as `historyFilter` does.
 */
export async function historyOf(
  { store, packets }: Pick<ServerServices, 'store' | 'packets'>,
  text: string | undefined,
  from: number,
): Promise<{ filter: string | undefined; history: Pick<Store, 'transactions'> }> {
  if (packets !== null && unstoredField(text) !== undefined) {
    const { oldest } = await store.status();
    if (oldest === null || packets.covers(Math.max(from, oldest))) return { filter: text, history: packets };
  }
  return { filter: historyFilter(text), history: store };
}

/**
 * A filter of history, checked before the store is asked: FilterError where it is none, 422 where it asks for what is
 * not stored. Undefined for an empty one.
 */
export function historyFilter(text: string | undefined): string | undefined {
  const missing = unstoredField(text);
  if (text === undefined || text.trim() === '') return undefined;
  if (missing === undefined) return text;
  const offset = text.indexOf(missing);
  throw new ProblemError(
    422,
    `'${missing}' is not in the store: history is of messages, not of frames. 'nametap fields' marks what is stored.`,
    { parameter: 'f', ...(offset >= 0 && { at: { offset, length: missing.length } }) },
  );
}
