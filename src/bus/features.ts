import { NO_RCODE, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { copyName, hashName } from '../wire/name.ts';
import { AddressTable, ByteTable, hashOctets } from './byte-table.ts';
import { ColumnReader, ColumnWriter } from './columns.ts';
import { refuse } from './error.ts';
import { bodyOf, type BusHeader, headerOf, SCHEMA_FEATURES, sealed } from './header.ts';
import { plainName } from './message-parts.ts';

/** Seconds of a window. */
export const WINDOW = 10;
/** Hashes of names that are kept of each feature: exact up to so many, an estimate beyond. */
export const MOST_NAMES = 16;
const VERSION = 1;
const MOST_FEATURES = 8192;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const ANSWERED = OUTCOMES.indexOf('answered');

const COUNTS = ['transactions', 'unanswered', 'nxdomain', 'servfail', 'queryBytes', 'responseBytes'] as const;
type Counts = Record<(typeof COUNTS)[number], number>;

/**
 * What one client asked of one registrable domain in one window: what detectors need to know that look at a domain over all
 * of its clients, wherever these are read. Features of a key add up; of names the smallest hashes are kept together.
 */
export interface DomainFeature extends Counts {
  /** Seconds since 1970 of its begin. */
  window: number;
  /** Folded wire form. */
  domain: Uint8Array;
  family: number;
  /** Address as four words. */
  client: readonly [number, number, number, number];
  /** The smallest hashes (`hashName`) of different names asked for, at most `MOST_NAMES`, rising. */
  names: readonly number[];
}

/** Where a name's registrable domain begins; −1: it has none. */
export type RegistrableStart = (name: Uint8Array, at?: number) => number;

/** Different names behind hashes that were kept, estimated where there may be more. */
export function distinctNames(names: readonly number[]): number {
  const { length } = names;
  return length < MOST_NAMES ? length : Math.round(((length - 1) * 0x1_0000_0000) / Math.max(1, names[length - 1]));
}

/** Hashes of two features of a key as those of one. */
export function joinedNames(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, MOST_NAMES);
}

/** Gathers the features of a line, and makes a batch of them. */
export class FeatureWriter {
  readonly #domains = new ByteTable(MOST_FEATURES);
  readonly #clients = new AddressTable(MOST_FEATURES);
  readonly #places = new Map<string, number>();
  readonly #windows = new Float64Array(MOST_FEATURES);
  readonly #domainOf = new Uint32Array(MOST_FEATURES);
  readonly #clientOf = new Uint32Array(MOST_FEATURES);
  readonly #counts = Object.fromEntries(COUNTS.map((name) => [name, new Uint32Array(MOST_FEATURES)])) as Record<
    keyof Counts,
    Uint32Array
  >;
  readonly #names: number[][] = [];
  readonly #out = new ColumnWriter();

  get count(): number {
    return this.#names.length;
  }

  get isFull(): boolean {
    return this.count === MOST_FEATURES;
  }

  /** Counts row `i`, which asked for a name of this hash, below the domain in `domain[0, length)`. */
  add(batch: TransactionBatch, i: number, domain: Uint8Array, length: number, nameHash: number): void {
    const { col: c } = batch;
    const window = Math.floor(c.openSeconds[i] / WINDOW) * WINDOW;
    const d = this.#domains.put(domain, 0, length, hashOctets(domain, 0, length)) || this.#domains.count;
    const { family, client0, client1, client2, client3 } = c;
    const a = this.#clients.put(family[i], client0[i], client1[i], client2[i], client3[i]) || this.#clients.count;
    const key = `${d} ${a} ${window}`;
    let n = this.#places.get(key);
    if (n === undefined) {
      n = this.#names.push([]) - 1;
      this.#places.set(key, n);
      this.#windows[n] = window;
      this.#domainOf[n] = d - 1;
      this.#clientOf[n] = a - 1;
    }
    const counts = this.#counts;
    counts.transactions[n]++;
    if (c.outcome[i] !== ANSWERED || c.rcode[i] === NO_RCODE) counts.unanswered[n]++;
    else if (c.rcode[i] === NXDOMAIN) counts.nxdomain[n]++;
    else if (c.rcode[i] === SERVFAIL) counts.servfail[n]++;
    counts.queryBytes[n] += c.queryBytes[i];
    counts.responseBytes[n] += c.responseBytes[i];
    keepSmallest(this.#names[n], nameHash);
  }

  /** The batch of all that was counted; the writer is empty then. */
  finish(place: { sensor: string; epoch: number; line: number; sequence: number }): Uint8Array<ArrayBuffer> {
    const n = this.count;
    const out = this.#out;
    out.clear();
    const windows = this.#windows.subarray(0, n);
    const first = n === 0 ? 0 : windows.reduce((least, one) => Math.min(least, one));
    const last = n === 0 ? 0 : windows.reduce((most, one) => Math.max(most, one));
    out.wide(
      windows.map((one) => (one - first) / WINDOW),
      n,
    );
    out.word(this.#domains.count);
    out.words(
      Uint32Array.from(this.#domains.starts.subarray(1), (end, k) => end - this.#domains.starts[k]),
      this.#domains.count,
    );
    out.octets(this.#domains.bytes.subarray(0, this.#domains.used));
    out.words(this.#domainOf, n);
    out.word(this.#clients.count);
    for (const column of this.#clients.columns) out.words(column, this.#clients.count);
    out.words(this.#clientOf, n);
    for (const name of COUNTS) {
      out.words(this.#counts[name], n);
      this.#counts[name].fill(0, 0, n);
    }
    out.words(
      Uint32Array.from(this.#names, ({ length }) => length),
      n,
    );
    const hashes = Uint32Array.from(this.#names.flat());
    out.words(hashes, hashes.length);
    const header = {
      schema: SCHEMA_FEATURES,
      version: VERSION,
      rows: n,
      from: first * 1000,
      to: (last + WINDOW) * 1000,
    };
    const bytes = sealed({ ...header, ...place }, out.written);
    this.#domains.clear();
    this.#clients.clear();
    this.#places.clear();
    this.#names.length = 0;
    return bytes;
  }
}

/** Puts a hash among the smallest ones, rising. */
function keepSmallest(names: number[], hash: number): void {
  if (names.length === MOST_NAMES && hash >= names[MOST_NAMES - 1]) return;
  let at = names.length;
  while (at > 0 && names[at - 1] > hash) at--;
  if (at > 0 && names[at - 1] === hash) return;
  names.splice(at, 0, hash);
  if (names.length > MOST_NAMES) names.pop();
}

/** Takes rows apart for features: the registrable domain of what was asked, and the line that domains of its hash go to. */
export class DomainDealer {
  readonly #lines: number;
  readonly #startOf: RegistrableStart;
  readonly #name = new Uint8Array(256);
  readonly #domain = new Uint8Array(256);

  constructor(lines: number, startOf: RegistrableStart) {
    this.#lines = lines;
    this.#startOf = startOf;
  }

  /** Calls back for row `i` unless it asks for nothing below a registrable domain. */
  deal(
    { col: c, arena }: TransactionBatch,
    i: number,
    take: (line: number, domain: Uint8Array, length: number) => void,
  ): void {
    let at = c.queryAt[i];
    let length = plainName(arena, at, c.queryLength[i]);
    if (length === 0) {
      at = c.responseAt[i];
      length = plainName(arena, at, c.responseLength[i]);
    }
    if (length === 0) return;
    copyName(arena, at + 12, at, this.#name, 0, true);
    const start = this.#startOf(this.#name);
    if (start < 0) return;
    for (let k = start; k < length; k++) this.#domain[k - start] = this.#name[k];
    take(hashName(this.#domain, 0, 0) % this.#lines, this.#domain, length - start);
  }
}

/** Features as they were counted. Throws BusError, and nothing else. */
export function readFeatures(bytes: Uint8Array): { header: BusHeader; features: DomainFeature[] } {
  const header = headerOf(bytes);
  if (header.schema !== SCHEMA_FEATURES) refuse(`its schema ${header.schema} is none of features`);
  if (header.version !== VERSION) refuse(`its schema has version ${header.version}, this program reads ${VERSION}`);
  const n = header.rows;
  const reader = new ColumnReader(bodyOf(bytes));
  const windows = new Float64Array(n);
  reader.wide(windows, n);
  const words = (count: number) => {
    const column = new Uint32Array(count);
    reader.words(column, count);
    return column;
  };
  const bounded = (what: string) => {
    const count = reader.word();
    if (count > n) refuse(`it has more ${what} than features`);
    return count;
  };
  const domainCount = bounded('domains');
  const lengths = new Uint8Array(domainCount);
  reader.words(lengths, domainCount);
  const domains = Array.from(lengths, (length) => reader.octets(length));
  const domainOf = words(n);
  const clientCount = bounded('clients');
  const clients = Array.from({ length: 5 }, () => words(clientCount));
  const clientOf = words(n);
  const counts = COUNTS.map(() => words(n));
  const nameCounts = new Uint8Array(n);
  reader.words(nameCounts, n);
  if (nameCounts.some((count) => count > MOST_NAMES)) refuse('a feature has too many names');
  const hashes = words(nameCounts.reduce((sum, count) => sum + count, 0));
  reader.end();
  let at = 0;
  const features = Array.from({ length: n }, (_, i): DomainFeature => {
    const d = domainOf[i];
    const a = clientOf[i];
    if (d >= domainCount || a >= clientCount) refuse('a feature is of nobody');
    const of = Object.fromEntries(COUNTS.map((name, k) => [name, counts[k][i]])) as Counts;
    const names = [...hashes.subarray(at, at + nameCounts[i])];
    at += nameCounts[i];
    const [family, w0, w1, w2, w3] = clients;
    return {
      ...of,
      window: header.from / 1000 + windows[i] * WINDOW,
      domain: domains[d],
      family: family[a],
      client: [w0[a], w1[a], w2[a], w3[a]],
      names,
    };
  });
  return { header, features };
}
