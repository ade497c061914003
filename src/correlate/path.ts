import { DNS } from '../core/carrier.ts';
import { LEGS, OUTCOMES, TransactionBatch } from '../core/transactions.ts';
import { isInNetwork, type Network } from '../core/network.ts';
import { ANSWER, MessageView } from '../wire/message.ts';
import { equalNames, hashName, mix } from '../wire/name.ts';

export interface PathOptions {
  /** Own resolvers. Others are learned from the traffic. */
  resolvers?: readonly Network[];
  /** An upstream row waits this long for the client transaction that caused it (default 6 s of packet time). */
  holdNanos?: number;
  /** Most upstream rows that wait (default 16,384); the oldest goes on without a parent and is counted. */
  limit?: number;
}

const CLIENT_LEG = LEGS.indexOf('client');
const UPSTREAM_LEG = LEGS.indexOf('upstream');
const ORPHAN = OUTCOMES.indexOf('orphan');
/** A linked row waits this much longer: of several clients that asked the same, the first is the cause. */
const SETTLE_SECONDS = 0.1;
/** Packets of both legs are stamped within this of each other. */
const SKEW_SECONDS = 0.001;
/** Rows from the start during which an address is taken for a resolver because it asks with RD=0. */
const LEARNING_ROWS = 65_536;
const MAX_RESOLVERS = 65_536;
const ENDS = ['client', 'server'] as const;
const MAX_SAME_NAME = 64;
const MAX_BATCHES = 16;

/** How a row's question relates to the client's: the higher wins. */
const ALONE = 1; // another name (a name server's address), while no other client's query was open there
const WITHIN = 2; // an ancestor (QNAME minimisation, RFC 9156; DNSKEY and DS of a zone above), or a name of its CNAME chain
const SAME = 3;

interface Waiting {
  batch: TransactionBatch;
  row: number;
  resolver: string;
  key: number;
  open: number;
  relation: number;
  /** When the best parent so far opened, when this row may go, and how many clients' transactions were open with it. */
  parentOpen: number;
  due: number;
  clients: number;
}

/** Rows [from, to) of a batch, in order. */
type Rows = (batch: TransactionBatch, from: number, to: number) => void;

/**
 * Links what a resolver asks (leg `upstream`, with `parent`) to the client's query that caused it (leg `client`), where
 * both are seen. A stage over rows in closing order, in one place behind all workers: the two legs have other ends.
 *
 * A resolver is an address that answers queries with RD=1 and sends queries itself, or one given by configuration. Its
 * upstream rows close before the client's, so they wait, and with them all rows behind: order stays. Traffic without
 * such an address passes untouched, save for the first rows of a run, where whoever asks with RD=0 may turn out to be one.
 */
export class PathLinker {
  /** Upstream rows that found their client transaction, and those that did not. */
  linked = 0;
  unlinked = 0;
  readonly #out: Rows;
  readonly #hold: number;
  readonly #limit: number;
  /** Addresses that answer RD=1 queries; those of them that ask too. */
  readonly #servers = new Set<string>();
  readonly #resolvers = new Set<string>();
  readonly #own: readonly Network[];
  #waiting: Waiting[] = [];
  #first = 0;
  readonly #byName = new Map<number, Waiting[]>();
  readonly #byResolver = new Map<string, Waiting[]>();
  /** Rows held, in order; the first `#given` of the first batch are gone. */
  #batches: TransactionBatch[] = [];
  #given = 0;
  #rows = 0;
  readonly #view = new MessageView();
  readonly #queryView = new MessageView();

  constructor(out: Rows, options: PathOptions = {}) {
    this.#out = out;
    this.#hold = (options.holdNanos ?? 6e9) / 1e9;
    this.#limit = options.limit ?? 16_384;
    this.#own = options.resolvers ?? [];
  }

  /** Takes rows [from, to) in closing order. */
  add(batch: TransactionBatch, from = 0, to: number = batch.count): void {
    let passed = from;
    for (let i = from; i < to; i++) {
      const upstream = this.#judge(batch, i);
      if (this.#batches.length === 0 && !upstream) continue;
      // From here on rows are copied: the batch may be filled again.
      if (this.#batches.length === 0 && passed < i) this.#out(batch, passed, i);
      passed = i + 1;
      this.#keep(batch, i, upstream);
      this.#release(seconds(batch.col.closeSeconds[i], batch.col.closeNanos[i]));
    }
    if (passed < to) this.#out(batch, passed, to);
  }

  /** Lets go of everything: the run has ended. */
  end(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  /** Time has passed without rows (idle live link): `closeSeconds` and `closeNanos` of rows still to come. */
  advance(closeSeconds: number, closeNanos: number): void {
    this.#release(seconds(closeSeconds, closeNanos));
  }

  /** Learns from a row, links what waits for it; true when the row itself has to wait. */
  #judge(batch: TransactionBatch, i: number): boolean {
    const c = batch.col;
    this.#rows++;
    if (c.protocol[i] !== DNS || c.queryLength[i] < 12 || c.outcome[i] === ORPHAN) return false;
    const recursion = (batch.arena[c.queryAt[i] + 2] & 1) !== 0;
    const server = rowAddress(batch, i, 'server');
    const client = rowAddress(batch, i, 'client');
    if (this.#own.length > 0) for (const end of ENDS) this.#configured(batch, i, end);
    if (recursion && c.responses[i] > 0 && this.#servers.size < MAX_RESOLVERS) this.#servers.add(server);
    const waiting = recursion ? this.#byResolver.get(server) : undefined;
    if (waiting !== undefined) this.#adopt(batch, i, waiting);
    if (recursion && this.#resolvers.has(server)) c.leg[i] = CLIENT_LEG;
    if (client === server) return false;
    if (!this.#servers.has(client)) return !recursion && this.#rows <= LEARNING_ROWS;
    this.#resolvers.add(client);
    return true;
  }

  /** An address of the row that lies in a network given by configuration is a resolver. */
  #configured(batch: TransactionBatch, i: number, end: (typeof ENDS)[number]): void {
    const key = rowAddress(batch, i, end);
    if (this.#resolvers.has(key) || this.#resolvers.size >= MAX_RESOLVERS) return;
    const c = batch.col;
    const words = [c[`${end}0`][i], c[`${end}1`][i], c[`${end}2`][i], c[`${end}3`][i]];
    if (!this.#own.some((network) => isInNetwork(network, c.family[i], words))) return;
    this.#servers.add(key);
    this.#resolvers.add(key);
  }

  /** A client transaction has closed: it becomes the parent of what its resolver asked for it meanwhile. */
  #adopt(batch: TransactionBatch, i: number, waiting: readonly Waiting[]): void {
    const c = batch.col;
    this.#resolvers.add(rowAddress(batch, i, 'server'));
    const query = this.#queryView;
    query.read(batch.arena, c.queryAt[i], c.queryLength[i], c.queryBytes[i]);
    if (query.questions === 0) return;
    const server = hashText(rowAddress(batch, i, 'server'));
    // The name itself and every name above it.
    for (let at = query.questionName[0], relation = SAME; ; at += query.bytes[at] + 1, relation = WITHIN) {
      this.#offer(batch, i, mix(server ^ hashName(query.bytes, at, query.start)), { view: query, at, relation });
      if (query.bytes[at] === 0 || query.bytes[at] >= 0xc0) break;
    }
    if (c.responseLength[i] > 0) {
      const response = this.#view;
      response.read(batch.arena, c.responseAt[i], c.responseLength[i], c.responseBytes[i]);
      for (let r = 0; r < response.records && r < MAX_SAME_NAME && response.section[r] === ANSWER; r++) {
        const at = response.owner[r];
        const key = mix(server ^ hashName(response.bytes, at, response.start));
        this.#offer(batch, i, key, { view: response, at, relation: WITHIN });
      }
    }
    for (let k = Math.max(0, waiting.length - MAX_SAME_NAME); k < waiting.length; k++) {
      const one = waiting[k];
      if (!isOpenWith(batch, i, one)) continue;
      one.clients++;
      if (one.relation === 0 && one.clients === 1) this.#link(batch, i, one, ALONE);
      else if (one.relation === ALONE && one.clients > 1) unlink(one);
    }
  }

  #offer(
    batch: TransactionBatch,
    i: number,
    key: number,
    name: { view: MessageView; at: number; relation: number },
  ): void {
    const list = this.#byName.get(key);
    if (list === undefined) return;
    for (let k = Math.max(0, list.length - MAX_SAME_NAME); k < list.length; k++) {
      const one = list[k];
      if (one.relation > name.relation || !isOpenWith(batch, i, one)) continue;
      const open = seconds(batch.col.openSeconds[i], batch.col.openNanos[i]);
      if (one.relation === name.relation && one.parentOpen <= open) continue;
      if (one.resolver !== rowAddress(batch, i, 'server')) continue;
      const { col, arena } = one.batch;
      const at = col.queryAt[one.row];
      if (!equalNames(arena, at + 12, at, name.view.bytes, name.at, name.view.start)) continue;
      this.#link(batch, i, one, name.relation);
    }
  }

  #link(batch: TransactionBatch, i: number, one: Waiting, relation: number): void {
    const c = batch.col;
    one.relation = relation;
    one.parentOpen = seconds(c.openSeconds[i], c.openNanos[i]);
    if (relation > ALONE) one.due = Math.min(one.due, seconds(c.closeSeconds[i], c.closeNanos[i]) + SETTLE_SECONDS);
    one.batch.col.parentHigh[one.row] = c.idHigh[i];
    one.batch.col.parentLow[one.row] = c.idLow[i];
  }

  // ---- rows that wait ----

  #keep(batch: TransactionBatch, i: number, upstream: boolean): void {
    let last = this.#batches.at(-1);
    if (last === undefined || !last.append(batch, i)) {
      // Rows of 64 KiB fill a batch by the dozen: letting one go rarely frees a batch.
      while (this.#batches.length >= MAX_BATCHES) this.#releaseOldest();
      last = TransactionBatch.create();
      last.append(batch, i);
      this.#batches.push(last);
    }
    if (!upstream) return;
    if (this.#waiting.length - this.#first >= this.#limit) this.#releaseOldest();
    const c = batch.col;
    const resolver = rowAddress(batch, i, 'client');
    const open = seconds(c.openSeconds[i], c.openNanos[i]);
    const one: Waiting = {
      batch: last,
      row: last.count - 1,
      resolver,
      key: mix(hashText(resolver) ^ c.nameHash[i]),
      open,
      relation: 0,
      parentOpen: Number.POSITIVE_INFINITY,
      // On the scale of `closeSeconds`, which goes on when the clock is set back.
      due: seconds(c.closeSeconds[i], c.closeNanos[i]) - Math.max(0, (c.closeSeconds[i] % ERA) - open) + this.#hold,
      clients: 0,
    };
    this.#waiting.push(one);
    push(this.#byName, one.key, one);
    push(this.#byResolver, resolver, one);
  }

  #release(now: number): void {
    while (this.#first < this.#waiting.length && this.#waiting[this.#first].due <= now) this.#settle();
    this.#emit();
  }

  #releaseOldest(): void {
    if (this.#first < this.#waiting.length) this.#settle();
    this.#emit();
  }

  /** The first row that waits is as linked as it will be. */
  #settle(): void {
    const one = this.#waiting[this.#first++];
    const { leg } = one.batch.col;
    if (one.relation > 0) this.linked++;
    else this.unlinked++;
    if (one.relation > 0 || this.#resolvers.has(one.resolver)) leg[one.row] = UPSTREAM_LEG;
    pull(this.#byName, one.key, one);
    pull(this.#byResolver, one.resolver, one);
    // Those that are settled would keep their batches: megabytes for one row of an idle link.
    if (this.#first > 16 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Hands over all rows before the first that waits. */
  #emit(): void {
    const next = this.#waiting.at(this.#first);
    for (let batch = this.#batches.at(0); batch !== undefined; batch = this.#batches.at(0)) {
      const stop = next?.batch === batch ? next.row : batch.count;
      if (stop > this.#given) this.#out(batch, this.#given, stop);
      this.#given = stop;
      if (next?.batch === batch) return;
      this.#batches.shift();
      this.#given = 0;
    }
  }
}

const ERA = 2 ** 40;

/** True when the client transaction of row `i` was open as this was asked. */
function isOpenWith(batch: TransactionBatch, i: number, one: Waiting): boolean {
  const c = batch.col;
  if (one.open < seconds(c.openSeconds[i], c.openNanos[i]) - SKEW_SECONDS) return false;
  const end = c.responses[i] > 0 ? seconds(c.answerSeconds[i], c.answerNanos[i]) : seconds(c.closeSeconds[i] % ERA, 0);
  return one.open <= end + SKEW_SECONDS;
}

function unlink(one: Waiting): void {
  one.relation = 0;
  one.batch.col.parentHigh[one.row] = one.batch.col.parentLow[one.row] = 0;
}

function push<K>(map: Map<K, Waiting[]>, key: K, one: Waiting): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [one]);
  else list.push(one);
}

function pull<K>(map: Map<K, Waiting[]>, key: K, one: Waiting): void {
  const list = map.get(key);
  // The one that leaves is the oldest of its list.
  if (list?.[0] !== one) return;
  if (list.length === 1) map.delete(key);
  else list.shift();
}

/** Text that stands for an address in tables: its words in hex. */
function addressKey(family: number, words: readonly [number, number, number, number]): string {
  return family === 4 ? (words[3] >>> 0).toString(16) : words.map((word) => (word >>> 0).toString(16)).join(':');
}

function rowAddress(batch: TransactionBatch, i: number, end: 'client' | 'server'): string {
  const c = batch.col;
  return addressKey(c.family[i], [c[`${end}0`][i], c[`${end}1`][i], c[`${end}2`][i], c[`${end}3`][i]]);
}

function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Good to a microsecond or so: enough to tell which transactions were open at a time. */
function seconds(whole: number, nanos: number): number {
  return whole + nanos / 1e9;
}
