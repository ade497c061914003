import { LLMNR, MDNS, NBNS } from '../core/carrier.ts';
import { CLASSES, NBNS_OPCODES, OPCODES, TYPES } from './iana.ts';

// Bits of the header, highest first, as each protocol calls them.
const DNS_FLAGS: readonly (readonly [mask: number, name: string])[] = [
  [0x8000, 'qr'],
  [0x0400, 'aa'],
  [0x0200, 'tc'],
  [0x0100, 'rd'],
  [0x0080, 'ra'],
  [0x0040, 'z'],
  [0x0020, 'ad'],
  [0x0010, 'cd'],
];
// LLMNR: conflict and tentative in the place of AA and RD (RFC 4795 §2.1.1).
const LLMNR_FLAGS: typeof DNS_FLAGS = [
  [0x8000, 'qr'],
  [0x0400, 'c'],
  [0x0200, 'tc'],
  [0x0100, 't'],
];
// NetBIOS: broadcast in the place of CD (RFC 1002 §4.2.1.1).
const NBNS_FLAGS: typeof DNS_FLAGS = [
  [0x8000, 'qr'],
  [0x0400, 'aa'],
  [0x0200, 'tc'],
  [0x0100, 'rd'],
  [0x0080, 'ra'],
  [0x0010, 'b'],
];

/** Names and masks of a protocol's header flags, highest bit first. `protocol` = `DNS`, `MDNS`, `LLMNR`, `NBNS`. */
export function flagBits(protocol: number): readonly (readonly [mask: number, name: string])[] {
  return protocol === LLMNR ? LLMNR_FLAGS : protocol === NBNS ? NBNS_FLAGS : DNS_FLAGS;
}

/** Names of the flags that are set, such as `['qr', 'rd', 'ra']`. */
export function flagNames(flags: number, protocol: number): string[] {
  const list: string[] = [];
  for (const [mask, name] of flagBits(protocol)) if ((flags & mask) !== 0) list.push(name);
  return list;
}

/** Operation of a header's flags by name. */
export function operationName(flags: number, protocol: number): string {
  return (protocol === NBNS ? NBNS_OPCODES : OPCODES).name((flags >> 11) & 15);
}

/** Name of an RR type: on NetBIOS, 32 and 33 are NB and NBSTAT, not NIMLOC and SRV (RFC 1002 §4.2.1.3). */
export function protocolTypeName(type: number, protocol: number): string {
  if (protocol === NBNS) {
    if (type === 32) return 'NB';
    if (type === 33) return 'NBSTAT';
  }
  return TYPES.name(type);
}

/** Class without mDNS's top bit. */
export function plainClass(value: number, protocol: number): number {
  return protocol === MDNS ? value & 0x7fff : value;
}

/** Class by name, without mDNS's top bit. */
export function protocolClassName(value: number, protocol: number): string {
  return CLASSES.name(plainClass(value, protocol));
}

/** mDNS's top bit of a class: unicast response wanted (QU) in a question, cache flush in a record (RFC 6762 §5.4, §10.2). */
export function topClassBit(value: number, protocol: number): boolean {
  return protocol === MDNS && value >= 0x8000;
}

/**
 * The NetBIOS name of a first-level encoded label of 32 letters A to P, such as `WORKSTATION<00>` (RFC 1001 §14.1), with
 * the scope's labels behind it; undefined when the text is no such name. `text` = the name as `nameText` gives it.
 */
export function netbiosName(text: string): string | undefined {
  const label = /^([A-P]{32})(\..*)?$/i.exec(text);
  if (label === null) return undefined;
  const half = label[1].toUpperCase();
  let name = '';
  for (let i = 0; i < 30; i += 2) name += netbiosOctet(half, i);
  const suffix = netbiosCode(half, 30).toString(16).padStart(2, '0');
  return `${name.replace(/(?: |\\000)+$/, '')}<${suffix}>${label[2] ?? ''}`;
}

function netbiosCode(half: string, at: number): number {
  return ((half.charCodeAt(at) - 65) << 4) | (half.charCodeAt(at + 1) - 65);
}

function netbiosOctet(half: string, at: number): string {
  const c = netbiosCode(half, at);
  return c >= 0x20 && c < 0x7f && c !== 0x5c ? String.fromCharCode(c) : `\\${String(c).padStart(3, '0')}`;
}
