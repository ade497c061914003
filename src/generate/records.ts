import type { Address, EncodedRecords } from '../rr/batch-writer.ts';
import { parseName, Writer } from '../wire/writer.ts';

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, NULL: 10, PTR: 12, MX: 15, TXT: 16, KEY: 25, AAAA: 28 } as const;
export const TYPE_HTTPS = 65;
export const TYPE_ANY = 255;
export const NXDOMAIN = 3;
export const SERVFAIL = 2;
const ASKED = new Uint8Array([0xc0, 0x0c]);
const SECTIONS = ['answers', 'authority', 'additional'] as const;
type Section = (typeof SECTIONS)[number];

/** Records of a response, as they are copied behind its question. */
export class RecordList {
  readonly #writer = new Writer();
  readonly #ttlsAt: number[] = [];
  readonly #counts: Record<Section, number> = { answers: 0, authority: 0, additional: 0 };

  /** Sections in their order. `owner`: wire form; absent: the name asked. */
  add(section: Section, type: number, ttl: number, rdata: Uint8Array, owner: Uint8Array = ASKED): this {
    const w = this.#writer;
    w.put(owner);
    w.u16(type);
    w.u16(1);
    this.#ttlsAt.push(w.length);
    w.u32(ttl);
    w.u16(rdata.length);
    w.put(rdata);
    this.#counts[section]++;
    return this;
  }

  address(section: Section, ttl: number, { family, words }: Address, owner?: Uint8Array): this {
    return this.add(section, family === 4 ? TYPE.A : TYPE.AAAA, ttl, addressBytes(family, words), owner);
  }

  done(): EncodedRecords {
    return { bytes: this.#writer.result(), ttlsAt: this.#ttlsAt, ...this.#counts };
  }
}

function addressBytes(family: 4 | 6, words: Address['words']): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word));
  return family === 4 ? bytes.subarray(12) : bytes;
}

/** IPv4 address of a 32-bit word. */
export function ipv4(word: number): Address {
  return { family: 4, words: [0, 0, 0, word >>> 0] };
}

/** IPv4 address of its four octets. */
export function ipv4Of(a: number, b: number, c: number, d: number): Address {
  return ipv4(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

/** One answer with one address. */
export function addressAnswer(address: Address, ttl: number): EncodedRecords {
  return new RecordList().address('answers', ttl, address).done();
}

/** One answer. */
export function oneAnswer(type: number, ttl: number, rdata: Uint8Array): EncodedRecords {
  return new RecordList().add('answers', type, ttl, rdata).done();
}

/** Rdata of a TXT record: strings of at most 255 octets. */
export function txtData(data: Uint8Array): Uint8Array {
  const w = new Writer();
  for (let at = 0; at < data.length || at === 0; at += 255) {
    const part = data.subarray(at, at + 255);
    w.u8(part.length);
    w.put(part);
  }
  return w.result();
}

/** Nothing but the SOA of the zone: NXDOMAIN and NODATA (RFC 2308). */
export function nothing(zone: Uint8Array, ttl: number): EncodedRecords {
  const w = new Writer();
  w.put(parseName('ns1.nic-hosts.net'));
  w.put(parseName('hostmaster.nic-hosts.net'));
  for (const value of [2_026_110_100, 7200, 900, 1_209_600, ttl]) w.u32(value);
  return new RecordList().add('authority', TYPE.SOA, ttl, w.result(), zone).done();
}

const latin1 = new TextEncoder();

/** Text as octets. */
export function octets(text: string): Uint8Array {
  return latin1.encode(text);
}
