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
/** Records collected at once: some 150 octets each. */
const CAPACITY = 200_000;
/** Octets of keys and texts collected at once. */
const MOST_OCTETS = 32 << 20;
/** Numbers of a key. */
const NUMBERS = { ints: 6, doubles: 3 };
/** Words of a key's numbers: form of its rdata, 1 = seen without aliases, index of its sensor, texts. */
export const INT = { form: 0, own: 1, sensor: 2, texts: 3, dataLength: 4, cnamesLength: 5 } as const;
/** Doubles of a key's numbers: times in ms, sightings. */
export const DOUBLE = { first: 0, last: 1, count: 2 } as const;
/** Rdata is an address, or one name, as it lies in the key; or its text is among the texts. */
export const FORM = { address: 0, name: 1, text: 2 } as const;
/** Octets before the name in a key: type and length. Rdata follows the name. */
export const KEY_HEADER = 4;
const utf8 = new TextEncoder();

/** What a collector had when it was taken. */
export interface PassiveSightings {
  readonly keys: KeyTable;
  readonly texts: Uint8Array<ArrayBuffer>;
  readonly sensors: readonly string[];
}

/** Collects records of answers, and addresses at the end of a chain of aliases under the name asked too. */
export class PassiveCollector {
  /** With what changes with every sighting. */
  #keys = new KeyTable(CAPACITY, NUMBERS);
  #keyOctets = 0;
  /** Texts of rdata and aliases, one behind the other. */
  #texts = new Uint8Array(1 << 16);
  #used = 0;
  #sensors: string[] = [];
  #sensor = 0;
  readonly #key = new Uint8Array(8 + 600 + 65_536 + 8);
  readonly #words = new Int32Array(this.#key.buffer, 0, this.#key.length >>> 2);
  readonly #chain = new Int32Array(MAX_CHAIN);

  get full(): boolean {
    return this.#keys.full || this.#keyOctets + this.#used >= MOST_OCTETS;
  }

  /** Takes what was collected. */
  take(): PassiveSightings {
    const taken = { keys: this.#keys, texts: this.#texts, sensors: this.#sensors };
    this.#keys = new KeyTable(CAPACITY, NUMBERS);
    this.#texts = new Uint8Array(1 << 16);
    this.#sensors = [];
    this.#keyOctets = this.#used = 0;
    return taken;
  }

  /** Adds the answers of a response; `time` in ms. Messages of other protocols than DNS are left out by the caller. */
  add(view: MessageView, time: number, sensor: string): void {
    const { records, section, type } = view;
    if (this.#sensors[this.#sensor] !== sensor) this.#sensor = this.#sensorOf(sensor);
    let aliases = 0;
    for (let r = 0; r < records; r++) {
      if (section[r] !== ANSWER) break;
      if (LEFT_OUT.has(type[r])) continue;
      if (type[r] === CNAME && aliases < MAX_CHAIN && isWholeName(view, r)) this.#chain[aliases++] = r;
      this.#record(view, r, view.owner[r], 0, time);
    }
    if (aliases > 0 && view.questions > 0) this.#folded(view, aliases, time);
  }

  /** Addresses at the end of the chain from the name asked. */
  #folded(view: MessageView, aliases: number, time: number): void {
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
      this.#record(view, r, view.questionName[0], length, time);
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

  #sensorOf(sensor: string): number {
    const known = this.#sensors.indexOf(sensor);
    return known >= 0 ? known : this.#sensors.push(sensor) - 1;
  }

  #record(view: MessageView, r: number, owner: number, chain: number, time: number): void {
    const { bytes, start } = view;
    const key = this.#key;
    const type = view.type[r];
    let n = KEY_HEADER + copyName(bytes, owner, start, key, KEY_HEADER, true);
    const from = view.rdata[r];
    const length = view.rdlength[r];
    let form: number = (type === A && length === 4) || (type === AAAA && length === 16) ? FORM.address : FORM.text;
    let text: string | undefined;
    if (ONE_NAME.has(type) && isWholeName(view, r)) {
      n += copyName(bytes, from, start, key, n, true);
      form = FORM.name;
    } else if (WITH_NAMES.has(type)) {
      text = recordValue(view, r, DNS)?.data.toLowerCase();
      if (text === undefined) return;
      n += utf8.encodeInto(text, key.subarray(n)).written;
    } else if (length > 64) {
      key.set(bytes.subarray(from, from + length), n);
      n += length;
    } else for (let i = 0; i < length; i++) key[n++] = bytes[from + i];
    this.#words[0] = type | (n << 16);
    // Whole words: the octets behind the key are zeros.
    for (let i = n; (i & 3) !== 0; i++) key[i] = 0;
    if (!this.#sighted((n + 3) >>> 2, time, chain === 0)) return;
    const { words, int } = this.#keys;
    words[int + INT.form] = form;
    words[int + INT.sensor] = this.#sensor;
    words[int + INT.texts] = this.#used;
    if (form === FORM.text) words[int + INT.dataLength] = this.#keep(text ?? this.#dataOf(view, r));
    if (chain > 0) words[int + INT.cnamesLength] = this.#keep(this.#names(view, chain));
  }

  /** Counts a sighting of the key at hand; true when it is a new one. */
  #sighted(words: number, time: number, isOwn: boolean): boolean {
    const keys = this.#keys;
    // Records of a message that is seen again come in the order in which they came before.
    let isNew = false;
    if (keys.size === 0 || keys.findNext(this.#words, 0, words) < 0) {
      const hash = hashOf(this.#words, 0, words);
      isNew = keys.find(this.#words, 0, words, hash) < 0;
      if (isNew && keys.insert(this.#words, 0, words, hash) < 0) return false;
      if (isNew) this.#keyOctets += words * 4;
    }
    const { doubles, double } = keys;
    if (isNew || time < doubles[double + DOUBLE.first]) doubles[double + DOUBLE.first] = time;
    if (isNew || time > doubles[double + DOUBLE.last]) doubles[double + DOUBLE.last] = time;
    doubles[double + DOUBLE.count]++;
    if (isOwn) keys.words[keys.int + INT.own] = 1;
    return isNew;
  }

  /** Keeps a text behind the others; its octets. */
  #keep(text: string): number {
    const most = this.#used + text.length * 3;
    if (most > this.#texts.length) {
      const wider = new Uint8Array(Math.max(most, this.#texts.length * 2));
      wider.set(this.#texts);
      this.#texts = wider;
    }
    const { written } = utf8.encodeInto(text, this.#texts.subarray(this.#used));
    this.#used += written;
    return written;
  }

  #dataOf(view: MessageView, r: number): string {
    const data = recordValue(view, r, DNS)?.data ?? '';
    return ONE_NAME.has(view.type[r]) ? data.toLowerCase() : data;
  }

  #names(view: MessageView, chain: number): string {
    const names = Array.from(this.#chain.subarray(0, chain), (r) => nameText(view.bytes, view.rdata[r], view.start));
    return names.join(' ').toLowerCase();
  }
}

/** That the rdata of a record is one sound name, and nothing else. */
function isWholeName(view: MessageView, r: number): boolean {
  const end = view.rdata[r] + view.rdlength[r];
  return skipName(view.bytes, view.rdata[r], view.start, end) === end;
}
