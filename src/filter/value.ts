import { Carrier } from '../core/carrier.ts';
import { MessageJoin } from '../core/join.ts';
import { MessageView } from '../wire/message.ts';

/**
 * What the values of a field are, for comparing: uint, bool and double are numbers; text and name strings (name: escaped,
 * without trailing dot); ipv4, ipv6, ether, eui64, bytes and protocol octets; span a number of ns; time ns since 1970.
 */
export type Kind =
  | 'uint'
  | 'bool'
  | 'double'
  | 'text'
  | 'name'
  | 'bytes'
  | 'ipv4'
  | 'ipv6'
  | 'ether'
  | 'eui64'
  | 'span'
  | 'time'
  | 'protocol';

export type Value = number | bigint | string | Uint8Array;

/** The message under test. One instance is filled again for each message. */
export class Subject {
  carrier = new Carrier();
  view = new MessageView();
  join = new MessageJoin();
}

/** Values of one operand in one message. One instance is filled again for each message. */
export class Values {
  count = 0;
  readonly list: Value[] = [];
  /** Octets as on the wire are wanted instead of values (`@`). */
  readonly raw: boolean;

  constructor(raw = false) {
    this.raw = raw;
  }

  clear(): void {
    this.count = 0;
  }

  /** A value that no octets of the message stand for. */
  add(value: Value): void {
    this.list[this.count++] = value;
  }

  /** A value and the octets it was read from. */
  addFrom(value: Value, bytes: Uint8Array<ArrayBufferLike>, at: number, length: number): void {
    this.list[this.count++] = this.raw ? bytes.subarray(at, at + length) : value;
  }
}

const utf8 = new TextEncoder();

/** Octets of a value, as `contains` and slices see them. */
export function octetsOf(value: Value): Uint8Array {
  if (typeof value === 'object') return value;
  return utf8.encode(String(value));
}

/** −1, 0 or 1: octets in lexical order, everything else by value. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'object' || typeof b === 'object') return compareOctets(octetsOf(a), octetsOf(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Offset of `needle` in `bytes[from, end)`, −1 without. */
export function findOctets(bytes: Uint8Array, from: number, end: number, needle: Uint8Array): number {
  const n = needle.length;
  if (n === 0) return from;
  const first = needle[0];
  for (let i = from; i + n <= end; i++) {
    if (bytes[i] !== first) continue;
    let k = 1;
    while (k < n && bytes[i + k] === needle[k]) k++;
    if (k === n) return i;
  }
  return -1;
}

/** ASCII lower case; other characters are themselves (RFC 4343). */
export function foldText(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()) : text;
}
