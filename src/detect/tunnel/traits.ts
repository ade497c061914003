import { ANSWER } from '../../wire/message.ts';
import type { Observation } from '../observation.ts';

const A = 1;
const CNAME = 5;
const NULL = 10;
const MX = 15;
const TXT = 16;
const KEY = 25;
const SRV = 33;
/** Types from here on are for private use (RFC 6895 §3.1), or unassigned. */
const FIRST_PRIVATE = 65_280;
const FIRST_UNASSIGNED = 1024;
const TA = 32_768;
const DLV = 32_769;

/** Types that hardly anybody asks for by name, and that carry what one likes. */
export function isRareType(type: number): boolean {
  if (type === NULL || type === KEY || type === CNAME || type >= FIRST_PRIVATE) return true;
  return type >= FIRST_UNASSIGNED && type !== TA && type !== DLV;
}

/** Types in wide use whose data is text, or a name chosen freely. */
export function isTextType(type: number): boolean {
  return type === TXT || type === MX || type === SRV;
}

/** True for an answer whose addresses are all in 127/8: how lists say yes. */
export function isLocalAnswer(seen: Observation): boolean {
  const { response } = seen;
  if (response === null) return false;
  let local = 0;
  for (let i = 0; i < response.records; i++) {
    if (response.section[i] !== ANSWER || response.type[i] !== A || response.rdlength[i] !== 4) continue;
    if (response.bytes[response.rdata[i]] !== 127) return false;
    local++;
  }
  return local > 0;
}

/** Whether what stands in front of the domain begins with an address, its octets or nibbles the other way round. */
export function isAddressName(name: Uint8Array, end: number): boolean {
  let at = 0;
  let octets = 0;
  while (octets < 4 && at < end && isOctet(name, at)) {
    at += name[at] + 1;
    octets++;
  }
  if (octets === 4 && at < end && name[at] < 4 && isOctet(name, at)) octets = 0;
  if (octets === 4) return true;
  let nibbles = 0;
  for (at = 0; at < end && name[at] === 1 && isHex(name[at + 1]); at += 2) nibbles++;
  return nibbles === 32;
}

function isOctet(name: Uint8Array, at: number): boolean {
  const length = name[at];
  if (length > 3) return false;
  let value = 0;
  for (let k = 1; k <= length; k++) {
    const digit = name[at + k] - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  return value < 256;
}

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66);
}

/** A domain of the reverse tree, in wire form: its names are addresses. */
export function isReverse(domain: Uint8Array): boolean {
  const n = domain.length;
  return n >= 6 && domain[n - 6] === 4 && domain[n - 5] === 0x61 && domain[n - 4] === 0x72 && domain[n - 3] === 0x70;
}
