import { DNS } from '../core/carrier.ts';
import { recordValue } from '../rr/value.ts';
import { hashOf, KeyTable } from '../sketch/key-table.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { copyName, equalNames, nameText, skipName } from '../wire/name.ts';

const A = 1;
const NS = 2;
const CNAME = 5;
const SOA = 6;
const PTR = 12;
const MX = 15;
const AAAA = 28;
const DNAME = 39;
const OPT = 41;
/** Signatures and denials say nothing of where a name leads, and are never the same twice. */
const LEFT_OUT = new Set([OPT, 46, 47, 50, 249, 250]);
/** Rdata whose names may be compressed (RFC 3597 §4): keyed by its text. */
const WITH_NAMES = new Set([3, 4, SOA, 7, 8, 9, 14, MX, 17, 18, 21, 26, 33, 35, 36, DNAME]);
/** Rdata that is one name. */
const ONE_NAME = new Set([NS, CNAME, PTR]);
const MAX_CHAIN = 16;
/** Records collected at once: each is an object with its texts, some 400 octets. */
const CAPACITY = 300_000;
/** Octets of keys collected at once: a batch that comes on top still fits into the table. */
const MOST_OCTETS = 128 << 20;
/** Numbers of a key: 1 = seen without aliases; first, last (ms), count. */
const NUMBERS = { ints: 1, doubles: 3 };
const FIRST = 0;
const LAST = 1;
const COUNT = 2;
/** Octets before the name in a key: type and length. */
const KEY_HEADER = 4;

/** What was seen of (name, type, rdata) since the last write. */
export interface PassiveDelta {
  name: string;
  type: number;
  data: string;
  /** Octets where it is an address: `data` is not needed then. */
  address: Uint8Array | null;
  /** Aliases from the name to the record's owner. */
  cnames: string[] | null;
  sensor: string;
  first: number;
  last: number;
  count: number;
}

/** Collects records of answers, and addresses at the end of a chain of aliases under the name asked too. */
export class PassiveCollector {
  /** With what changes with every sighting. */
  #keys = new KeyTable(CAPACITY, NUMBERS);
  #octets = 0;
  /** By number of the key. */
  #rows: PassiveDelta[] = [];
  readonly #key = new Uint8Array(8 + 600 + 65_536 + 8);
  readonly #words = new Int32Array(this.#key.buffer, 0, this.#key.length >>> 2);
  readonly #utf8 = new TextEncoder();
  readonly #chain = new Int32Array(MAX_CHAIN);

  get full(): boolean {
    return this.#keys.full || this.#octets >= MOST_OCTETS;
  }

  /** Takes what was collected. */
  take(): PassiveDelta[] {
    const rows = this.#rows;
    const keys = this.#keys;
    rows.forEach((row, i) => {
      keys.seek(i);
      if (keys.words[keys.int] === 1) row.cnames = null;
      row.first = keys.doubles[keys.double + FIRST];
      row.last = keys.doubles[keys.double + LAST];
      row.count = keys.doubles[keys.double + COUNT];
    });
    this.#rows = [];
    this.#keys = new KeyTable(CAPACITY, NUMBERS);
    this.#octets = 0;
    return rows;
  }

  /** Adds the answers of a response; `time` in ms. Messages of other protocols than DNS are left out by the caller. */
  add(view: MessageView, time: number, sensor: string): void {
    const { records, section, type } = view;
    let aliases = 0;
    for (let r = 0; r < records; r++) {
      if (section[r] !== ANSWER) break;
      if (LEFT_OUT.has(type[r])) continue;
      if (type[r] === CNAME && aliases < MAX_CHAIN && isWholeName(view, r)) this.#chain[aliases++] = r;
      this.#record(view, r, view.owner[r], 0, time, sensor);
    }
    if (aliases > 0 && view.questions > 0) this.#folded(view, aliases, time, sensor);
  }

  /** Addresses at the end of the chain from the name asked. */
  #folded(view: MessageView, aliases: number, time: number, sensor: string): void {
    const { bytes, start } = view;
    let name = view.questionName[0];
    let length = 0;
    for (let next = this.#alias(view, name, 0, aliases); next >= 0; next = this.#alias(view, name, length, aliases)) {
      const r = this.#chain[next];
      this.#chain[next] = this.#chain[length];
      this.#chain[length++] = r;
      name = view.rdata[r];
    }
    if (length === 0) return;
    for (let r = 0; r < view.records && view.section[r] === ANSWER; r++) {
      if (
        (view.type[r] !== A && view.type[r] !== AAAA) ||
        !equalNames(bytes, view.owner[r], start, bytes, name, start)
      ) {
        continue;
      }
      this.#record(view, r, view.questionName[0], length, time, sensor);
    }
  }

  /** Where in `chain[from, to)` the alias of a name is; −1 when there is none. A record serves once, so this ends. */
  #alias(view: MessageView, name: number, from: number, to: number): number {
    const { bytes, start } = view;
    for (let k = from; k < to; k++) {
      if (equalNames(bytes, view.owner[this.#chain[k]], start, bytes, name, start)) return k;
    }
    return -1;
  }

  #record(view: MessageView, r: number, owner: number, chain: number, time: number, sensor: string): void {
    const { bytes, start } = view;
    const key = this.#key;
    const type = view.type[r];
    let n = KEY_HEADER + copyName(bytes, owner, start, key, KEY_HEADER, true);
    const from = view.rdata[r];
    const length = view.rdlength[r];
    let text: string | undefined;
    if (ONE_NAME.has(type) && isWholeName(view, r)) n += copyName(bytes, from, start, key, n, true);
    else if (WITH_NAMES.has(type)) {
      text = recordValue(view, r, DNS)?.data;
      if (text === undefined) return;
      n += this.#utf8.encodeInto(text, key.subarray(n)).written;
    } else if (length > 64) {
      key.set(bytes.subarray(from, from + length), n);
      n += length;
    } else for (let i = 0; i < length; i++) key[n++] = bytes[from + i];
    this.#words[0] = type | (n << 16);
    // Whole words: the octets behind the key are zeros.
    for (let i = n; (i & 3) !== 0; i++) key[i] = 0;
    if (!this.#sighted((n + 3) >>> 2, time, chain === 0)) return;
    const isAddress = (type === A && length === 4) || (type === AAAA && length === 16);
    if (!isAddress) text ??= recordValue(view, r, DNS)?.data;
    text ??= '';
    this.#rows.push({
      name: nameText(bytes, owner, start).toLowerCase(),
      type,
      data: ONE_NAME.has(type) || WITH_NAMES.has(type) ? text.toLowerCase() : text,
      address: isAddress ? bytes.slice(from, from + length) : null,
      cnames: chain === 0 ? null : this.#names(view, chain),
      sensor,
      first: time,
      last: time,
      count: 1,
    });
  }

  /** Counts a sighting of the key at hand; true when it is a new one. */
  #sighted(words: number, time: number, isOwn: boolean): boolean {
    const keys = this.#keys;
    const hash = hashOf(this.#words, 0, words);
    const isNew = keys.find(this.#words, 0, words, hash) < 0;
    if (isNew && keys.insert(this.#words, 0, words, hash) < 0) return false;
    if (isNew) this.#octets += words * 4;
    const { doubles, double } = keys;
    if (isNew || time < doubles[double + FIRST]) doubles[double + FIRST] = time;
    if (isNew || time > doubles[double + LAST]) doubles[double + LAST] = time;
    doubles[double + COUNT]++;
    if (isOwn) keys.words[keys.int] = 1;
    return isNew;
  }

  #names(view: MessageView, chain: number): string[] {
    return Array.from(this.#chain.subarray(0, chain), (r) =>
      nameText(view.bytes, view.rdata[r], view.start).toLowerCase(),
    );
  }
}

/** That the rdata of a record is one sound name, and nothing else. */
function isWholeName(view: MessageView, r: number): boolean {
  const end = view.rdata[r] + view.rdlength[r];
  return skipName(view.bytes, view.rdata[r], view.start, end) === end;
}
