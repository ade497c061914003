import { word } from '../core/address.ts';
import { DNS, LLMNR, MDNS, NBNS, TCP, UDP } from '../core/carrier.ts';
import { UserError } from '../core/errors.ts';
import { addressWords } from '../core/network.ts';
import type { LEGS } from '../core/transactions.ts';
import { OPCODES, RCODES, TYPES } from '../wire/iana.ts';
import { nameText } from '../wire/name.ts';
import { parseName } from '../wire/writer.ts';
import { encodeMessage, type MessageInput, type RecordInput } from './encode.ts';

/** An address by its words: four in network order, IPv4 in the last. */
export interface Address {
  readonly family: 4 | 6;
  readonly words: readonly [number, number, number, number];
}

/**
 * Records in wire form, to be copied behind any question: owners are whole names, or `C0 0C` for the name asked. Their
 * order is answers, authority, additional.
 */
export interface EncodedRecords {
  readonly bytes: Uint8Array;
  readonly answers: number;
  readonly authority: number;
  readonly additional: number;
  /** Where the TTLs are in `bytes`. */
  readonly ttlsAt?: readonly number[];
}

/** A query and its answer, as they are seen on the wire. What is left out is usual. */
export interface Exchange {
  /** Of the query (without one: of the response): seconds since 1970, to the microsecond; whole where `nanos` is given. */
  time: number;
  nanos?: number;
  /** Text, or words; both ends of one family. */
  client: string | Address;
  server: string | Address;
  /** Default: a new one for every row. */
  clientPort?: number;
  /** Default: the protocol's. */
  serverPort?: number;
  /** Default: UDP. */
  transport?: 'udp' | 'tcp';
  /** `DNS` (default), `MDNS` … */
  protocol?: number;
  /** Default: a new one for every row. */
  id?: number;
  /** Text (RFC 1035 §5.1), or the wire form without compression. */
  name: string | Uint8Array;
  /** Mnemonic or number. Default: A. */
  type?: string | number;
  class?: number;
  opcode?: string;
  /** Mnemonic or number. Default: NOERROR. */
  rcode?: string | number;
  /** Milliseconds until the response; absent: nobody answers. */
  latencyMs?: number | undefined;
  /** Records as values (slow: the message is encoded for each row), or in wire form. */
  answers?: readonly RecordInput[];
  authority?: readonly RecordInput[];
  additional?: readonly RecordInput[];
  records?: EncodedRecords;
  /** Seconds that `records` have been in a cache: their TTLs are lower by that. */
  age?: number;
  /** Header bits. Recursion is desired and available unless said otherwise; `aa`, `ad` and `tc` are the response's. */
  rd?: boolean;
  ra?: boolean;
  aa?: boolean;
  ad?: boolean;
  tc?: boolean;
  cd?: boolean;
  /** EDNS of both messages: its UDP size; 0 (default) is none. `edns` says more of the response's (slow). */
  udpSize?: number;
  isDnssecOk?: boolean;
  edns?: MessageInput['edns'];
  /**
   * A response without a query: nobody asked, the query was answered before, or had been given up; a row of its own. Or an
   * ICMP error that came after `latencyMs` in place of the response.
   */
  fate?: 'orphan' | 'repeated' | 'late' | 'unreachable';
  /** Copies of the query (default 1), and when the last one was sent: milliseconds after the first. */
  queries?: number;
  lastMs?: number;
  /** The response came in IP fragments. */
  isFragmented?: boolean;
  /** Bytes on the wire, where they are known to be others than those of the messages written. */
  queryBytes?: number;
  responseBytes?: number;
  /** Milliseconds that setting up the TCP connection took. */
  setupMs?: number;
  leg?: (typeof LEGS)[number];
  /** The TCP exchange that followed a truncated answer: to be added on its own, with `id` and `clientPort`. */
  retry?: Exchange;
}

const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;
const AD = 0x0020;
const CD = 0x0010;
const DO = 0x8000;
const TYPE_OPT = 41;
const OPT_BYTES = 11;
const HEADER_BYTES = 12;
const MOST_CACHED = 1 << 16;
const NO_RECORDS: EncodedRecords = { bytes: new Uint8Array(0), answers: 0, authority: 0, additional: 0 };

/** Writes the messages of exchanges. Names and addresses given as text are parsed once. */
export class ExchangeEncoder {
  readonly #names = new Map<string, Uint8Array>();
  readonly #addresses = new Map<string, Address>();

  /** The most that both messages of an exchange need. */
  bytesOf(row: Exchange): number {
    const records = row.records?.bytes.length ?? 0;
    return 2 * (HEADER_BYTES + 255 + 4 + OPT_BYTES) + records + (isPlain(row) ? 0 : 65_535);
  }

  /** Writes the query at `at`; where it ends. */
  query(row: Exchange, id: number, bytes: Uint8Array, at: number): number {
    const flags = (row.rd === false ? 0 : RD) | (row.cd === true ? CD : 0) | (opcodeOf(row) << 11);
    return this.#message(row, id, flags, NO_RECORDS, bytes, at);
  }

  /** Writes the response at `at`; where it ends. */
  response(row: Exchange, id: number, bytes: Uint8Array, at: number): number {
    if (isPlain(row)) {
      const flags = responseFlags(row) | (opcodeOf(row) << 11) | rcodeOf(row);
      return this.#message(row, id, flags, row.records ?? NO_RECORDS, bytes, at);
    }
    const message = encodeMessage(responseOf(row, id));
    bytes.set(message, at);
    return at + message.length;
  }

  #message(row: Exchange, id: number, flags: number, records: EncodedRecords, out: Uint8Array, at: number): number {
    const hasOpt = (row.udpSize ?? 0) > 0;
    at = put16(out, at, id);
    at = put16(out, at, flags);
    at = put16(out, at, 1);
    at = put16(out, at, records.answers);
    at = put16(out, at, records.authority);
    at = put16(out, at, records.additional + (hasOpt ? 1 : 0));
    const name = this.name(row.name);
    at = put(out, at, name);
    at = put16(out, at, typeOf(row));
    at = put16(out, at, row.class ?? 1);
    put(out, at, records.bytes);
    if (row.age !== undefined) lowerTtls(out, at, records, row.age);
    at += records.bytes.length;
    if (!hasOpt) return at;
    out[at++] = 0;
    at = put16(out, at, TYPE_OPT);
    at = put16(out, at, row.udpSize ?? 0);
    at = put16(out, at, 0);
    at = put16(out, at, row.isDnssecOk === true ? DO : 0);
    return put16(out, at, 0);
  }

  name(name: string | Uint8Array): Uint8Array {
    if (typeof name !== 'string') return name;
    let wire = this.#names.get(name);
    if (wire === undefined) {
      wire = parseName(name);
      if (this.#names.size >= MOST_CACHED) this.#names.clear();
      this.#names.set(name, wire);
    }
    return wire;
  }

  address(address: string | Address): Address {
    if (typeof address !== 'string') return address;
    let known = this.#addresses.get(address);
    if (known === undefined) {
      const family = address.includes(':') ? 6 : 4;
      known = { family, words: addressWords(family, address) };
      if (this.#addresses.size >= MOST_CACHED) this.#addresses.clear();
      this.#addresses.set(address, known);
    }
    return known;
  }
}

/** Whether the row is a response alone. */
export function isUnasked({ fate }: Exchange): boolean {
  return fate === 'orphan' || fate === 'repeated' || fate === 'late';
}

/** IP protocol number of an exchange's transport, and the port it is answered on. */
export function transportOf(row: Exchange): number {
  return row.transport === 'tcp' ? TCP : UDP;
}

export function serverPortOf(row: Exchange): number {
  if (row.serverPort !== undefined) return row.serverPort;
  const protocol = row.protocol ?? DNS;
  return protocol === MDNS ? 5353 : protocol === LLMNR ? 5355 : protocol === NBNS ? 137 : 53;
}

export function typeOf({ type = 1 }: Exchange): number {
  return typeof type === 'number' ? type : known(TYPES.number(type), 'an RR type', type);
}

/** Whether the response can be written without encoding values. */
function isPlain({ answers, authority, additional, edns }: Exchange): boolean {
  return answers === undefined && authority === undefined && additional === undefined && edns === undefined;
}

function responseOf(row: Exchange, id: number): MessageInput {
  const { name, type = 1, class: rowClass = 1, answers, authority, additional, edns, udpSize = 0 } = row;
  const flags = responseFlags(row);
  const bits: [string, number][] = [
    ['qr', QR],
    ['aa', AA],
    ['tc', TC],
    ['rd', RD],
    ['ra', RA],
    ['ad', AD],
    ['cd', CD],
  ];
  return {
    id,
    opcode: row.opcode ?? 'QUERY',
    rcode: typeof row.rcode === 'number' ? RCODES.name(row.rcode) : (row.rcode ?? 'NOERROR'),
    flags: bits.filter(([, bit]) => (flags & bit) !== 0).map(([flag]) => flag),
    questions: [
      {
        name: typeof name === 'string' ? name : nameText(name, 0, 0),
        type: typeof type === 'number' ? TYPES.name(type) : type,
        class: `CLASS${rowClass}`,
      },
    ],
    ...(answers !== undefined && { answers }),
    ...(authority !== undefined && { authority }),
    ...(additional !== undefined && { additional }),
    ...(edns !== undefined ? { edns } : udpSize > 0 && { edns: { udp_size: udpSize, do: row.isDnssecOk === true } }),
  };
}

function responseFlags(row: Exchange): number {
  return (
    QR |
    (row.aa === true ? AA : 0) |
    (row.tc === true ? TC : 0) |
    (row.rd === false ? 0 : RD) |
    (row.ra === false ? 0 : RA) |
    (row.ad === true ? AD : 0) |
    (row.cd === true ? CD : 0)
  );
}

function opcodeOf({ opcode }: Exchange): number {
  return opcode === undefined ? 0 : known(OPCODES.number(opcode), 'an operation', opcode) & 15;
}

function rcodeOf({ rcode }: Exchange): number {
  if (rcode === undefined || typeof rcode === 'number') return (rcode ?? 0) & 15;
  return known(RCODES.number(rcode), 'a response code', rcode) & 15;
}

function known(number: number, what: string, text: string): number {
  if (number < 0) throw new UserError(`'${text}' is not ${what}.`);
  return number;
}

function put16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

function put(bytes: Uint8Array, at: number, from: Uint8Array): number {
  // A call of `set` costs more than copying a short run by hand.
  if (from.length > 160) bytes.set(from, at);
  else for (let i = 0; i < from.length; i++) bytes[at + i] = from[i];
  return at + from.length;
}

function lowerTtls(bytes: Uint8Array, from: number, { ttlsAt = [] }: EncodedRecords, age: number): void {
  for (const offset of ttlsAt) {
    const at = from + offset;
    const ttl = Math.max(0, word(bytes, at) - Math.floor(age));
    put16(bytes, put16(bytes, at, ttl >>> 16), ttl & 0xffff);
  }
}
