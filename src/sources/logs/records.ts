import { isIP } from 'node:net';
import { UserError } from '../../core/errors.ts';
import { addressWords } from '../../core/network.ts';
import type { EncodedRecords } from '../../rr/exchange.ts';
import { TYPES } from '../../wire/iana.ts';
import { parseName } from '../../wire/writer.ts';

const A = 1;
const NS = 2;
const CNAME = 5;
const SOA = 6;
const PTR = 12;
const MX = 15;
const TXT = 16;
const AAAA = 28;
const SRV = 33;
const ANY = 255;

const MOST_BYTES = 60_000;
const MOST_CACHED = 1 << 15;
/** The name asked, as a pointer to behind the header. */
const ASKED = Uint8Array.of(0xc0, 0x0c);

/** 4, 6, or 0 for a text that is no address. */
export function familyOf(text: string): 0 | 4 | 6 {
  return isIP(text) as 0 | 4 | 6;
}

const names = new Map<string, Uint8Array | null>();

/** Wire form of a name as text; null where it cannot be written (a label over 63 octets …). */
export function wireName(text: string): Uint8Array | null {
  const known = names.get(text);
  if (known !== undefined) return known;
  let wire: Uint8Array | null = null;
  try {
    wire = parseName(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  if (names.size >= MOST_CACHED) names.clear();
  names.set(text, wire);
  return wire;
}

/** Number of an RR type: a mnemonic, `TYPE123` or a number; −1 for anything else. */
export function logType(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text) < 65_536 ? Number(text) : -1;
  if (text === '*') return ANY;
  return TYPES.number(text.toUpperCase());
}

/** Puts answers that a log gives as texts into wire form. One is used again for every row. */
export class RecordsBuilder {
  readonly #bytes = new Uint8Array(MOST_BYTES + 512);
  #length = 0;
  #count = 0;
  /** Owner of the next record: an alias moves it on. */
  #owner: Uint8Array = ASKED;

  begin(): void {
    this.#length = this.#count = 0;
    this.#owner = ASKED;
  }

  /** What was added; undefined for nothing. */
  result(): EncodedRecords | undefined {
    if (this.#count === 0) return undefined;
    return { bytes: this.#bytes.slice(0, this.#length), answers: this.#count, authority: 0, additional: 0 };
  }

  /**
   * An answer to a question of type `asked`, as a log without types has it: an address, a name, or text. What makes no
   * record of any type is left out.
   */
  answer(data: string, asked: number, ttl: number): void {
    const family = familyOf(data);
    if (family === 4) this.record(A, data, ttl);
    else if (family === 6) this.record(AAAA, data, ttl);
    else if (asked === TXT) this.record(TXT, data, ttl);
    else if (asked === NS || asked === PTR || asked === MX || asked === SRV || asked === SOA)
      this.record(asked, data, ttl);
    else this.record(CNAME, data, ttl);
  }

  /** A record by type. Names of MX and SRV stand alone, as most logs have them. */
  record(type: number, data: string, ttl: number): void {
    if (this.#length > MOST_BYTES - data.length * 2 - 300) return;
    if (type === A || type === AAAA) this.#address(type, data, ttl);
    else if (type === TXT) this.#text(data, ttl);
    else if (type === MX) this.#name(type, data.replace(/^\d+ /, ''), ttl, 2);
    else if (type === SRV) this.#name(type, data.replace(/^\d+ \d+ \d+ /, ''), ttl, 6);
    else if (type === CNAME || type === NS || type === PTR) this.#name(type, data, ttl, 0);
  }

  #address(type: number, data: string, ttl: number): void {
    const family = type === A ? 4 : 6;
    if (familyOf(data) !== family) return;
    const words = addressWords(family, data);
    const at = this.#open(this.#owner, type, ttl, family === 4 ? 4 : 16);
    for (let k = 0; k < (family === 4 ? 1 : 4); k++) this.#put32(at + k * 4, words[family === 4 ? 3 : k]);
  }

  #name(type: number, data: string, ttl: number, before: number): void {
    const target = wireName(data);
    if (target === null) return;
    const at = this.#open(this.#owner, type, ttl, before + target.length);
    this.#bytes.fill(0, at, at + before);
    this.#bytes.set(target, at + before);
    if (type === CNAME) this.#owner = target;
  }

  #text(data: string, ttl: number): void {
    const octets = Buffer.from(data, 'latin1');
    const strings = Math.max(1, Math.ceil(octets.length / 255));
    let at = this.#open(this.#owner, TXT, ttl, octets.length + strings);
    for (let k = 0; k < strings; k++) {
      const part = octets.subarray(k * 255, k * 255 + 255);
      this.#bytes[at++] = part.length;
      this.#bytes.set(part, at);
      at += part.length;
    }
  }

  /** The record up to its data, for which room is left; where the data begins. */
  #open(owner: Uint8Array, type: number, ttl: number, length: number): number {
    let at = this.#length;
    this.#bytes.set(owner, at);
    at += owner.length;
    this.#put16(at, type);
    this.#put16(at + 2, 1);
    this.#put32(at + 4, ttl >>> 0);
    this.#put16(at + 8, length);
    this.#length = at + 10 + length;
    this.#count++;
    return at + 10;
  }

  #put16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  #put32(at: number, value: number): void {
    this.#put16(at, value >>> 16);
    this.#put16(at + 2, value & 0xffff);
  }
}
