import type { Evidence } from '../../core/alert.ts';
import { DNS } from '../../core/carrier.ts';
import { NO_KIND, ROLES } from '../../core/transactions.ts';
import { Bounded, countOf, type TableCount } from '../bounded.ts';
import type { DetectServices } from '../detector.ts';
import type { Ahead, Domain, Entities, Host } from '../entities.ts';
import { DATA, ERROR, type Kept, NXDOMAIN, type Observation } from '../observation.ts';
import { Distinct, secretHash } from './distinct.ts';
import { FEW, FewNames, type First } from './few-names.ts';
import { Sliding } from './sliding.ts';
import { spellingBits } from './spelling.ts';
import { isAddressName, isLocalAnswer, isRareType, isTextType } from './traits.ts';

// What is summed over the last hour, of names that are new; every count in names unless told.
/** Bytes of text in front of the domain. */
const BYTES = 0;
const NAMES = 1;
/** Questions for names that are known. */
const REPEATS = 2;
/** Letters, and the bits that they cost (`spellingBits`). */
const LETTERS = 3;
const BITS = 4;
/** Asked with types that hardly anybody asks for, and with those that carry text. */
const RARE = 5;
const TEXT = 6;
/** Answered with data; of those, with addresses in 127/8, and with what is no address. */
const ANSWERED = 7;
const LOCAL = 8;
const DOWN = 9;
/** Names that do not exist, or that nobody could answer for. */
const FAILED = 10;
const COUNTERS = 11;

const HOUR = 3600;
const DAY = 86_400;
const STEPS = 12;
/** Clients of a domain that are told apart, and who stands for others, and for several. */
const MOST_CLIENTS = 8;
const OTHERS = 8;
const SEVERAL = 9;
/** A pause this long ends a burst of new names. */
const PAUSE = 10;
const MOST_EVIDENCE = 10;
/** Below so many bytes nothing is kept to be shown. */
const SHOWN_FROM = 128;

const ITERATIVE = ROLES.indexOf('iterative');
const TYPE_A = 1;
const TYPE_AAAA = 28;
const TYPE_HTTPS = 65;

/** What a domain's sub-names have been, of late. */
export interface Traffic {
  /** Bytes of distinct sub-names, new within the hour and the day, that one client brings: the one with most of them. */
  hourBytes: number;
  dayBytes: number;
  names: number;
  /** That client; undefined where it is one of many. */
  client: Host | undefined;
  /** That client asks for others: it is a resolver. */
  isResolver: boolean;
  /** Clients that bring a tenth of that or more. */
  clients: number;
  /** Share of questions that were for a new name. */
  uniqueShare: number;
  /** Bits that a letter costs: about 4 for words, 6 to 7.5 for data. */
  bitsPerLetter: number;
  meanLength: number;
  rareShare: number;
  textShare: number;
  localShare: number;
  downShare: number;
  failedShare: number;
  /** New names a second in the burst at hand, and how many it has. */
  rate: number;
  burst: number;
}

/** What has to be known of names elsewhere. */
type World = Pick<DetectServices, 'isPopular' | 'hostingSuffix'>;

/** The sub-names of one domain. */
export class Cell {
  readonly domain: Domain;
  /** What was noted before there was a cell. */
  #few: First | null;
  readonly #sums = new Sliding(COUNTERS, HOUR, STEPS);
  #names = new Distinct();
  /** Those of the day before: they are not new. */
  #before: Distinct | null = null;
  #day = 0;
  #dayBytes = 0;
  readonly #clients: Host[] = [];
  /** Bits of clients that turned out to be resolvers: others ask them for the same domain. */
  #relays = 0;
  /** Bits of clients that ask without wanting recursion, as resolvers do. */
  #iterative = 0;
  /** Bits of clients without a number of their own, to count them. */
  #others = 0;
  #lastNew = 0;
  #burstFrom = 0;
  #burst = 0;
  #lastTime = Number.NEGATIVE_INFINITY;
  readonly #evidence: Kept[] = [];
  readonly firstSeen: number;
  lastSeen = 0;
  /** Transactions with a new name. */
  count = 0;
  /** For who counts bytes: of the hour's when it was last told, and when the next look is due. */
  raisedBytes = 0;
  lookAt = 0;

  constructor(domain: Domain, first: First) {
    this.domain = domain;
    this.#few = first;
    this.firstSeen = first.time;
  }

  /** Bytes of new names within the hour and the day, whoever brought them. */
  get hourBytes(): number {
    return this.#sums.sum(BYTES);
  }
  get dayBytes(): number {
    return this.#dayBytes;
  }
  get names(): number {
    return this.#sums.sum(NAMES);
  }

  /** Takes the transaction at hand; true when its name is new and counts. */
  note(seen: Observation, world: World): boolean {
    const time = seen.closed;
    this.#sums.advance(time);
    if (time >= this.#day + DAY) this.#nextDay(time);
    const slot = this.#slotOf(seen);
    if (seen.batch.col.role[seen.row] === ITERATIVE) this.#iterative |= 1 << slot;
    this.#takeFew(slot);
    const names = this.#names;
    const hash = hashOf(seen);
    if (!names.isSampled(hash)) return false;
    const known = names.find(hash);
    if (known >= 0) {
      this.#again(known, slot, seen, hash);
      return false;
    }
    const { weight } = names;
    if (this.#before !== null && this.#before.find(hash) >= 0) {
      names.insert(hash, 0, slot);
      this.#sums.add(REPEATS, weight);
      return false;
    }
    const bytes = countedLength(seen, world);
    names.insert(hash, bytes, slot);
    if (bytes === 0) return false;
    this.#lastNew = hash;
    this.#add(seen, bytes, weight);
    return true;
  }

  #nextDay(time: number): void {
    this.#before = this.#day === 0 || time >= this.#day + 2 * DAY ? null : this.#names;
    if (this.#day !== 0) this.#names = new Distinct();
    this.#day = time;
    this.#dayBytes = 0;
  }

  /** What was noted before there was a table. */
  #takeFew(slot: number): void {
    if (this.#few === null) return;
    const { names } = this.#few;
    for (let i = 0; i < names.length; i += 2) {
      this.#names.insert(names[i], names[i + 1], slot);
      this.#sums.add(BYTES, names[i + 1]);
      this.#sums.add(NAMES, 1);
      this.#dayBytes += names[i + 1];
      this.count++;
    }
    this.#few = null;
  }

  /** The client's number. A server that is a client too is a resolver: its questions are those of others. */
  #slotOf({ client, server }: Observation): number {
    const clients = this.#clients;
    // Logs without hosts have one for both.
    const relay = server === client ? -1 : clients.indexOf(server);
    if (relay >= 0) this.#relays |= 1 << relay;
    const slot = clients.indexOf(client);
    if (slot >= 0) return slot;
    if (clients.length < MOST_CLIENTS) return clients.push(client) - 1;
    this.#others |= 1 << ((Math.imul(client.words[3] ^ client.words[1], 0x9e3779b1) >>> 27) & 31);
    return OTHERS;
  }

  #isRelay(slot: number): boolean {
    return ((this.#relays >>> slot) & 1) === 1;
  }

  #again(known: number, slot: number, seen: Observation, hash: number): void {
    const names = this.#names;
    const owner = names.ownerAt(known);
    if (owner !== slot) {
      if (this.#isRelay(slot) || owner === SEVERAL) return;
      names.setOwner(known, this.#isRelay(owner) ? slot : SEVERAL);
      return;
    }
    // One look-up is often a question for each family of addresses, and may be seen twice.
    if (seen.type === TYPE_AAAA || seen.type === TYPE_HTTPS || hash === this.#lastNew) return;
    this.#sums.add(REPEATS, names.weight);
  }

  #add(seen: Observation, bytes: number, weight: number): void {
    const sums = this.#sums;
    const { type, closed: time } = seen;
    sums.add(BYTES, bytes * weight);
    sums.add(NAMES, weight);
    sums.add(LETTERS, bytes * weight);
    sums.add(BITS, spellingBits(seen.name, seen.domainAt) * (bytes / seen.subLength) * weight);
    if (isRareType(type)) sums.add(RARE, weight);
    else if (isTextType(type)) sums.add(TEXT, weight);
    if (seen.kind === DATA) {
      sums.add(ANSWERED, weight);
      if (type === TYPE_A && isLocalAnswer(seen)) sums.add(LOCAL, weight);
      else if (type !== TYPE_A && type !== TYPE_AAAA && type !== TYPE_HTTPS) sums.add(DOWN, weight);
    }
    if (seen.kind === NXDOMAIN || seen.kind === ERROR || seen.kind === NO_KIND) sums.add(FAILED, weight);
    this.#dayBytes += bytes * weight;
    this.lastSeen = seen.time;
    this.count += weight;
    if (time > this.#lastTime + PAUSE) {
      this.#burst = 0;
      this.#burstFrom = time;
    }
    this.#lastTime = time;
    this.#burst += weight;
    if (this.hourBytes >= SHOWN_FROM) this.#show(seen);
  }

  /** The first ones, and the last. */
  #show(seen: Observation): void {
    if (this.#evidence.length === MOST_EVIDENCE) this.#evidence.splice(MOST_EVIDENCE / 2, 1);
    this.#evidence.push(seen.keep());
  }

  get evidence(): Evidence[] {
    return this.#evidence.map((one) => one.evidence());
  }

  /** Sums it all up; walks over the names, so not for every transaction. */
  traffic(): Traffic {
    const sums = this.#sums;
    const byOwner = new Float64Array(SEVERAL + 1);
    this.#names.sumByOwner(byOwner);
    // What only a resolver has asked so far will prove to be its clients'.
    if (!this.#onlyRelays()) for (let i = 0; i <= OTHERS; i++) if (this.#isRelay(i)) byOwner[i] = 0;
    const all = byOwner.reduce((sum, bytes) => sum + bytes, 0) || 1;
    // Clients without a number of their own share what they brought.
    const seats = 32 - bitsOf(this.#others);
    byOwner[OTHERS] /= Math.max(1, Math.round(-32 * Math.log(Math.max(0.5, seats) / 32)));
    let top = 0;
    for (let i = 0; i <= OTHERS; i++) if (byOwner[i] > byOwner[top]) top = i;
    const share = byOwner[top] / all;
    const names = Math.max(1, sums.sum(NAMES));
    return {
      hourBytes: sums.sum(BYTES) * share,
      dayBytes: this.#dayBytes * share,
      names: sums.sum(NAMES),
      client: this.#clients[top],
      isResolver: this.#isRelay(top) || ((this.#iterative >>> top) & 1) === 1,
      clients: byOwner.subarray(0, OTHERS + 1).filter((bytes) => bytes > 0 && bytes >= byOwner[top] / 10).length,
      uniqueShare: names / (names + sums.sum(REPEATS)),
      bitsPerLetter: sums.sum(BITS) / Math.max(1, sums.sum(LETTERS)),
      meanLength: sums.sum(BYTES) / names,
      rareShare: sums.sum(RARE) / names,
      textShare: sums.sum(TEXT) / names,
      localShare: sums.sum(LOCAL) / Math.max(1, sums.sum(ANSWERED)),
      downShare: sums.sum(DOWN) / names,
      failedShare: sums.sum(FAILED) / Math.max(1, names - FEW),
      rate: this.#burst / Math.max(1, this.#lastTime - this.#burstFrom),
      burst: this.#burst,
    };
  }

  #onlyRelays(): boolean {
    return bitsOf(this.#relays) === this.#clients.length;
  }
}

function bitsOf(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/**
 * Bytes of a name that may carry something. An address asked of a list (`4.3.2.1.list.example`) that says no, or says
 * yes with 127/8, carries none; a name that a search list has put in front of the domain, and that does not exist,
 * carries what stands in front of the popular domain it is. Where others register, the registration is no data.
 */
function countedLength(seen: Observation, { isPopular, hostingSuffix }: World): number {
  const { subLength, name, domainAt, kind } = seen;
  if (hostingSuffix(seen.nameText) === seen.domain?.text) return Math.max(0, subLength - lastLabel(seen) - 1);
  if (kind === DATA) return isAddressName(name, domainAt) && isLocalAnswer(seen) ? 0 : subLength;
  if (isAddressName(name, domainAt)) return 0;
  if (kind !== NXDOMAIN || name[0] + 1 === domainAt) return subLength;
  let rest = seen.nameText.slice(0, -((seen.domain?.text.length ?? 0) + 1));
  if (!isPopular(rest)) return subLength;
  for (let dot = rest.indexOf('.'); dot >= 0 && isPopular(rest.slice(dot + 1)); dot = rest.indexOf('.')) {
    rest = rest.slice(dot + 1);
  }
  return Math.max(0, subLength - rest.length - 1);
}

function hashOf({ name, domainAt, nameHash }: Observation): number {
  return secretHash(name, 0, domainAt, nameHash);
}

/** Letters of the label right in front of the domain. */
function lastLabel({ name, domainAt }: Observation): number {
  let at = 0;
  while (at + name[at] + 1 < domainAt) at += name[at] + 1;
  return name[at];
}

/** Domains with more than a few sub-names: at most 7 kB each. */
const MOST_CELLS = 2048;

/** The sub-names of all domains: what the detectors of tunnels look at. */
export class SubNames {
  /** Those that had a new name last; the others are found through their domain. */
  readonly #cells = new Bounded<Domain, Cell>(MOST_CELLS, (_, domain) => {
    domain.cell = undefined;
  });
  /** The first names of each domain. */
  readonly #few: FewNames;
  readonly #world: World;
  // The transaction noted last: every detector of tunnels asks for it.
  #batch: object | undefined;
  #row = -1;
  #last: Cell | null = null;

  constructor(entities: Entities, world: World) {
    this.#few = new FewNames(entities);
    this.#world = world;
  }

  /** Domains of which it knows many names, and those that it had to give up. */
  count(): TableCount {
    return countOf('names of domains (TUN-*)', [this.#cells]);
  }

  /** Nobody asks for it any more. */
  clear(): void {
    for (const [domain] of this.#cells) domain.cell = undefined;
    this.#cells.clear();
  }

  /** Reads what rows that come next will read. */
  touch(ahead: Ahead): void {
    this.#few.touch(ahead);
  }

  /** Takes a transaction; the domain's cell where it brought a new name, else null. */
  note(seen: Observation): Cell | null {
    if (seen.subLength === 0 || seen.domain === null || seen.protocol !== DNS) return null;
    if (seen.row === this.#row && seen.batch === this.#batch) return this.#last;
    this.#row = seen.row;
    this.#batch = seen.batch;
    this.#last = this.#note(seen, seen.domain);
    return this.#last;
  }

  #note(seen: Observation, domain: Domain): Cell | null {
    let state = domain.cell;
    if (state === undefined) {
      // Whatever came lately is known.
      if (!seen.isNewName) return null;
      const first = this.#few.note(domain, hashOf(seen), seen.subLength, seen.time);
      if (first === null) return null;
      state = new Cell(domain, first);
      domain.cell = state;
    }
    if (!state.note(seen, this.#world)) return null;
    const cell = state;
    return this.#cells.take(domain, () => cell);
  }
}
