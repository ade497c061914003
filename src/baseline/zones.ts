import { ANSWER_KINDS } from '../core/transactions.ts';
import { ANSWER, AUTHORITY, type MessageView } from '../wire/message.ts';
import { hashName } from '../wire/name.ts';
import type { Hop } from './hops.ts';
import { learnTypical, typicalOf } from './latency.ts';
import { FIRST, HOUR, LAST, ModelTable, type ModelTableState, MUTED, OWN, SAMPLES } from './model-table.ts';
import { NameServers, type SavedNameServer, TYPE_NS } from './name-servers.ts';
import { DAY_BINS } from './season.ts';
import type { Seen } from './seen.ts';
import type { BaselineConfig } from './settings.ts';

export const ZONE_COUNTERS = ['queries', 'answers', 'data', 'nxdomain', 'failed', 'unanswered'] as const;
export type ZoneCounter = (typeof ZONE_COUNTERS)[number];
const COUNTS = DAY_BINS;
/** Mean and variance of ln(ms), side by side. */
const MEAN = COUNTS + ZONE_COUNTERS.length;
const HOUR_ROWS = MEAN + 2;
/** Paths by their hops: 1 … 7, 8 and more. */
const LENGTHS = MEAN + 3;
const LENGTH_BINS = 8;
/** Sightings of the set of name servers, of authorities; in a row of strange ones. Validated answers, and those missed in a row. */
const NS_SEEN = LENGTHS + LENGTH_BINS;
const NS_STRANGE = NS_SEEN + 1;
const SERVERS_SEEN = NS_SEEN + 2;
const SERVERS_STRANGE = NS_SEEN + 3;
const VALIDATED = NS_SEEN + 4;
const UNVALIDATED = NS_SEEN + 5;
const FLOATS = NS_SEEN + 6;
/** Hashes: names of name servers, addresses of authorities, the resolver that validates. */
const NS = 0;
const SERVERS = 8;
const MOST = 8;
const VALIDATOR = 16;
const INTS = 17;
const DOUBLES = OWN;

const DATA = ANSWER_KINDS.indexOf('data');
const REFERRAL = ANSWER_KINDS.indexOf('referral');
const TYPE_DS = 43;
const MOST_TEXTS = 8192;
const STABLE_SIGHTINGS = 50;
const FEW_SIGHTINGS = 10;
const STABLE_SECONDS = 14 * 86_400;
/** What is strange this often in a row has become usual. */
const LEARN_AFTER = 12;

/** What is unusual about the path that an answer came by. */
export interface PathVerdict {
  kind: '' | 'name_servers' | 'server' | 'validation' | 'longer';
  /** What it was, and what it is. */
  before: string[];
  now: string[];
  /** Sightings of what it was, since when (seconds since 1970), and of the new in a row. */
  sightings: number;
  since: number;
  strange: number;
  /** Whether addresses of the zone's own name servers are known: then the server is none of them. */
  isOutside: boolean;
}

/** Models of registrable domains: rate, outcomes, latency, who serves them and by which path. */
export class ZoneModels {
  readonly table: ModelTable;
  readonly nameServers = new NameServers();
  readonly verdict: PathVerdict = {
    kind: '',
    before: [],
    now: [],
    sightings: 0,
    since: 0,
    strange: 0,
    isOutside: false,
  };
  readonly #config: BaselineConfig;
  readonly #texts = new Map<number, string>();
  readonly #seen = new Int32Array(MOST);

  constructor(config: BaselineConfig) {
    this.table = new ModelTable(config.domains, { doubles: DOUBLES, floats: FLOATS, ints: INTS });
    this.table.onMade = (place) => this.table.floats.fill(-1, place * FLOATS, place * FLOATS + DAY_BINS);
    this.#config = config;
  }

  /** Counts a transaction of a zone. */
  note(place: number, now: number, teaches: boolean): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    const hour = Math.floor(now / 3600);
    if (hour > doubles[d + HOUR]) this.#passHours(place, hour);
    if (now > doubles[d + LAST]) doubles[d + LAST] = now;
    floats[f + HOUR_ROWS]++;
    if (!teaches || now < doubles[d + MUTED]) return;
    doubles[d + SAMPLES]++;
    floats[f + COUNTS]++;
  }

  /** Reads what a transaction of a zone will read. */
  touch(place: number): number {
    const { doubles, floats } = this.table;
    const f = place * FLOATS;
    return doubles[place * DOUBLES + HOUR] + floats[f + COUNTS] + floats[f + HOUR_ROWS] + floats[f + VALIDATED];
  }

  /** What a transaction that teaches was: counter (0 none), ln(ms) (NaN without). */
  learn(place: number, counter: number, ln: number): void {
    const { floats } = this.table;
    const f = place * FLOATS;
    if (counter > 0) floats[f + COUNTS + counter]++;
    if (!Number.isNaN(ln)) learnTypical(floats, f + MEAN, ++floats[f + COUNTS + 1], ln);
  }

  #passHours(place: number, hour: number): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    const from = doubles[d + HOUR];
    for (let one = Math.max(from, hour - DAY_BINS); one < hour; one++) {
      const bin = f + (one % DAY_BINS);
      const level = one === from ? floats[f + HOUR_ROWS] : 0;
      floats[bin] = floats[bin] < 0 ? level : floats[bin] + 0.2 * (level - floats[bin]);
    }
    floats[f + HOUR_ROWS] = 0;
    doubles[d + HOUR] = hour;
    const factor = 2 ** ((-(hour - from) * 3_600_000) / this.#config.slow);
    for (let i = 0; i < ZONE_COUNTERS.length; i++) floats[f + COUNTS + i] *= factor;
  }

  /** See `ModelTable.skipTo`. */
  skipTo(hour: number): void {
    this.table.skipTo(hour, HOUR_ROWS);
  }

  // ---- who serves it ----

  /** Judges and learns what an authority said (a response to a query without RD). Sets `verdict`. */
  judgeAuthority(place: number, seen: Seen, view: MessageView, isAuthoritative: boolean): void {
    const domain = hashName(seen.name, seen.domainAt, 0);
    if (seen.kind === REFERRAL || seen.type === TYPE_NS) this.#judgeNameServers(place, seen, view, domain);
    this.nameServers.learn(view);
    if (isAuthoritative && seen.kind === DATA && seen.type !== TYPE_DS) this.#judgeServer(place, seen);
  }

  #judgeNameServers(place: number, seen: Seen, view: MessageView, domain: number): void {
    let n = 0;
    for (let r = 0; r < view.records && n < MOST; r++) {
      if (view.type[r] !== TYPE_NS || (view.section[r] !== AUTHORITY && view.section[r] !== ANSWER)) continue;
      if (hashName(view.bytes, view.owner[r], view.start) !== domain) continue;
      this.#seen[n++] = this.nameServers.take(view, r).hash;
    }
    if (n === 0) return;
    const { ints, floats, doubles } = this.table;
    const at = place * INTS + NS;
    const f = place * FLOATS;
    const known = this.#known(at, n);
    if (known > 0 || ints[at] === 0) {
      floats[f + NS_SEEN]++;
      floats[f + NS_STRANGE] = 0;
      this.#add(at, n);
      return;
    }
    const strange = ++floats[f + NS_STRANGE];
    const d = place * DOUBLES;
    const since = doubles[d + FIRST];
    // Every answer of the servers that it led to is a sighting of the delegation, which itself is asked for but rarely.
    const sightings = floats[f + NS_SEEN] + floats[f + SERVERS_SEEN];
    const isStable =
      floats[f + NS_SEEN] >= 3 && (sightings >= STABLE_SIGHTINGS || seen.closed - since >= STABLE_SECONDS);
    if (isStable) {
      const { verdict } = this;
      verdict.kind = 'name_servers';
      verdict.before = this.nameServersOf(place);
      verdict.now = Array.from(this.#seen.subarray(0, n), (hash) => this.nameServers.get(hash)?.text ?? '?');
      verdict.sightings = sightings;
      verdict.since = since;
      verdict.strange = strange;
      verdict.isOutside = true;
    }
    if ((isStable && strange < LEARN_AFTER) || seen.closed < doubles[d + MUTED]) return;
    ints.fill(0, at, at + MOST);
    // Its authorities are others now, too.
    ints.fill(0, place * INTS + SERVERS, place * INTS + SERVERS + MOST);
    floats[f + NS_SEEN] = 1;
    floats[f + NS_STRANGE] = floats[f + SERVERS_SEEN] = floats[f + SERVERS_STRANGE] = 0;
    this.#add(at, n);
  }

  #judgeServer(place: number, seen: Seen): void {
    const { ints, floats, doubles } = this.table;
    const at = place * INTS + SERVERS;
    const f = place * FLOATS;
    const { text } = seen.server;
    this.#seen[0] = this.#hashText(text);
    // With as many as fit the zone has more of them than can be told.
    if (ints[at + MOST - 1] !== 0) return;
    if (ints[at] === 0 || this.#known(at, 1) > 0) {
      floats[f + SERVERS_SEEN]++;
      floats[f + SERVERS_STRANGE] = 0;
      this.#add(at, 1);
      return;
    }
    const given = this.#given(place);
    if (given.includes(text)) {
      this.#add(at, 1);
      return;
    }
    const strange = ++floats[f + SERVERS_STRANGE];
    const seenBefore = floats[f + SERVERS_SEEN];
    const isStable = seenBefore >= STABLE_SIGHTINGS;
    if (isStable) {
      const { verdict } = this;
      verdict.kind = 'server';
      verdict.before = this.authoritiesOf(place);
      verdict.now = [text];
      verdict.sightings = seenBefore;
      verdict.since = doubles[place * DOUBLES + FIRST];
      verdict.strange = strange;
      verdict.isOutside = given.length > 0;
    }
    if ((isStable && strange < LEARN_AFTER) || seen.closed < doubles[place * DOUBLES + MUTED]) return;
    floats[f + SERVERS_SEEN] = floats[f + SERVERS_STRANGE] = 0;
    this.#add(at, 1);
  }

  /** Whether a server answered for the zone before, or is one of its name servers; true while too little is known of it. */
  isOwn(place: number, server: string): boolean {
    const { ints, floats } = this.table;
    const at = place * INTS + SERVERS;
    if (ints[at] === 0 || ints[at + MOST - 1] !== 0) return true;
    const hash = this.#hashText(server);
    for (let i = at; i < at + MOST; i++) if (ints[i] === hash) return true;
    const given = this.#given(place);
    return given.length === 0 ? floats[place * FLOATS + SERVERS_SEEN] < FEW_SIGHTINGS : given.includes(server);
  }

  /** Addresses that are known of a zone's name servers. */
  #given(place: number): string[] {
    const { ints } = this.table;
    const found: string[] = [];
    for (let i = place * INTS + NS, end = i + MOST; i < end && ints[i] !== 0; i++) {
      found.push(...(this.nameServers.get(ints[i])?.addresses.keys ?? []));
    }
    return found;
  }

  /** Judges whether an answer that a resolver gave was validated, as it usually is. Sets `verdict`. */
  judgeValidation(place: number, seen: Seen, isValidated: boolean, isWanted: boolean): void {
    const { ints, floats, doubles } = this.table;
    const f = place * FLOATS;
    const at = place * INTS + VALIDATOR;
    if (!isValidated && floats[f + VALIDATED] === 0) return;
    const resolver = this.#hashText(seen.server.text);
    if (isValidated) {
      // Another resolver's validation is another habit.
      if (ints[at] !== resolver) floats[f + VALIDATED] = 0;
      ints[at] = resolver;
      floats[f + VALIDATED]++;
      floats[f + UNVALIDATED] = 0;
      return;
    }
    if (!isWanted || ints[at] !== resolver) return;
    const missed = ++floats[f + UNVALIDATED];
    if (floats[f + VALIDATED] >= STABLE_SIGHTINGS) {
      const { verdict } = this;
      verdict.kind = 'validation';
      verdict.before = ['validated'];
      verdict.now = ['not validated'];
      verdict.sightings = floats[f + VALIDATED];
      verdict.since = doubles[place * DOUBLES + FIRST];
      verdict.strange = missed;
      verdict.isOutside = false;
    }
    if (missed >= 4 * LEARN_AFTER) floats[f + VALIDATED] = floats[f + UNVALIDATED] = 0;
  }

  /** Judges and learns how many servers had to be asked. Sets `verdict` where nothing else is wrong. */
  judgePath(place: number, hops: readonly Hop[], teaches: boolean): void {
    const { floats, doubles } = this.table;
    const at = place * FLOATS + LENGTHS;
    const length = Math.min(LENGTH_BINS, hops.length);
    let n = 0;
    let longest = 0;
    for (let i = 0; i < LENGTH_BINS; i++) {
      n += floats[at + i];
      if (floats[at + i] > 0) longest = i + 1;
    }
    const { verdict } = this;
    if (verdict.kind === '' && n >= STABLE_SIGHTINGS && length >= longest + 2) {
      verdict.kind = 'longer';
      verdict.before = [`${longest} servers at most`];
      verdict.now = [hops.map(({ server }) => server).join(' → ')];
      verdict.sightings = n;
      verdict.since = doubles[place * DOUBLES + FIRST];
      verdict.strange = 1;
      verdict.isOutside = false;
    }
    if (teaches && length > 0) floats[at + length - 1]++;
  }

  #known(at: number, n: number): number {
    const { ints } = this.table;
    let known = 0;
    for (let k = 0; k < n; k++) {
      for (let i = at; i < at + MOST; i++) if (ints[i] === this.#seen[k]) known++;
    }
    return known;
  }

  #add(at: number, n: number): void {
    const { ints } = this.table;
    for (let k = 0; k < n; k++) {
      for (let i = at; i < at + MOST; i++) {
        if (ints[i] === this.#seen[k]) break;
        if (ints[i] !== 0) continue;
        ints[i] = this.#seen[k];
        break;
      }
    }
  }

  /** A number for a text that can be had back, as long as it is not too long ago. */
  #hashText(text: string): number {
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = h | 0 || 1;
    if (!this.#texts.has(h)) {
      if (this.#texts.size >= MOST_TEXTS) this.#texts.clear();
      this.#texts.set(h, text);
    }
    return h;
  }

  // ---- what is known ----
  /** Names of its name servers. */
  nameServersOf(place: number): string[] {
    return this.#textsAt(place * INTS + NS, (hash) => this.nameServers.get(hash)?.text);
  }

  /** Addresses that answered for it with authority. */
  authoritiesOf(place: number): string[] {
    return this.#textsAt(place * INTS + SERVERS, (hash) => this.#texts.get(hash));
  }

  #textsAt(at: number, text: (hash: number) => string | undefined): string[] {
    const { ints } = this.table;
    const list: string[] = [];
    for (let i = at; i < at + MOST && ints[i] !== 0; i++) list.push(text(ints[i]) ?? '?');
    return list;
  }

  usual(place: number, counter: ZoneCounter): number {
    return this.table.floats[place * FLOATS + COUNTS + ZONE_COUNTERS.indexOf(counter)];
  }

  /** Mean and standard deviation of ln(ms) of its answers. */
  latency(place: number): { mean: number; deviation: number } {
    return typicalOf(this.table.floats, place * FLOATS + MEAN);
  }

  /** Transactions an hour by hour of the day; −1 where nothing was learnt. */
  day(place: number): Float32Array {
    return this.table.floats.subarray(place * FLOATS, place * FLOATS + DAY_BINS);
  }

  /** Resolutions by the servers that had to be asked: 1 … 7, 8 and more. */
  lengths(place: number): Float32Array {
    return this.table.floats.subarray(place * FLOATS + LENGTHS, place * FLOATS + LENGTHS + LENGTH_BINS);
  }

  validated(place: number): number {
    return this.table.floats[place * FLOATS + VALIDATED];
  }

  state(): ZoneModelsState {
    return { table: this.table.state(), nameServers: this.nameServers.state(), texts: [...this.#texts.entries()] };
  }

  restore(state: ZoneModelsState): void {
    this.table.restore(state.table);
    this.nameServers.restore(state.nameServers);
    this.#texts.clear();
    for (const [hash, text] of state.texts.slice(0, MOST_TEXTS)) this.#texts.set(hash, text);
  }
}

export interface ZoneModelsState {
  table: ModelTableState;
  nameServers: SavedNameServer[];
  texts: [number, string][];
}
