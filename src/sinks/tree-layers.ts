import { ipv4Text, ipv6Text, word } from '../core/address.ts';
import { type Carrier, TCP } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import { transportName } from './captured-message.ts';
import type { OutputOptions } from './output.ts';
import type { TreeLines } from './tree-lines.ts';

const ETHERTYPES = new Map([
  [0x0800, 'IPv4'],
  [0x86dd, 'IPv6'],
  [0x8100, '802.1Q'],
  [0x88a8, '802.1ad'],
  [0x8847, 'MPLS'],
  [0x8863, 'PPPoE'],
  [0x8864, 'PPPoE'],
]);
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** dnstap's Message.Type by number. */
const TAP_TYPES = ['AUTH', 'RESOLVER', 'CLIENT', 'FORWARDER', 'STUB', 'TOOL', 'UPDATE'].flatMap((who) => [
  `${who}_QUERY`,
  `${who}_RESPONSE`,
]);

/** The layers below the message: frame, Ethernet, VLAN, IP, UDP or TCP. */
export function layers(lines: TreeLines, carrier: Carrier, options: OutputOptions): void {
  const { number, seconds, nanos, wireLength, capturedLength, frameAt, tapType } = carrier;
  const time = timeText(seconds, nanos);
  if (tapType > 0) {
    const value = `${TAP_TYPES[tapType - 1] ?? tapType} over ${transportName(carrier)}, ${time}`;
    lines.field({ depth: 0, name: `dnstap message ${number}`, value });
    return;
  }
  const name = options.interfaces[carrier.interfaceId]?.name;
  const on = name === undefined ? '' : ` on ${name}`;
  const value = `${wireLength} octets${on}, ${capturedLength} captured, ${time}`;
  lines.field({ depth: 0, name: `Frame ${number}`, value, at: frameAt, length: capturedLength });
  if (carrier.ethernetAt >= 0) ethernet(lines, carrier);
  else lines.field({ depth: 0, name: 'Link', value: `type ${carrier.link}` });
  if (carrier.vlanAt >= 0) vlan(lines, carrier);
  if (carrier.ipAt >= 0) ip(lines, carrier);
  if (carrier.transportAt >= 0) transport(lines, carrier);
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

function mac(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 6), (octet) => octet.toString(16).padStart(2, '0')).join(':');
}

function ethernet(lines: TreeLines, { frame, ethernetAt: at }: Carrier): void {
  const type = u16(frame, at + 12);
  const named = type < 0x600 ? `length ${type}` : `${ETHERTYPES.get(type) ?? 'type'} (${hex16(type)})`;
  const [source, destination] = [mac(frame, at + 6), mac(frame, at)];
  lines.field({ depth: 0, name: 'Ethernet', value: `${source} → ${destination}, ${named}`, at, length: 14 });
  if (!lines.offsets) return;
  lines.field({ depth: 1, name: 'Destination', value: destination, meaning: 'Station it is for', at, length: 6 });
  lines.field({ depth: 1, name: 'Source', value: source, meaning: 'Station that sent it', at: at + 6, length: 6 });
  lines.field({ depth: 1, name: 'Type', value: named, meaning: 'What follows', at: at + 12, length: 2 });
}

function vlan(lines: TreeLines, { frame, vlanAt: at }: Carrier): void {
  const tag = u16(frame, at);
  const value = `${tag & 0xfff}, priority ${tag >> 13}`;
  lines.field({ depth: 0, name: 'VLAN', value, meaning: 'IEEE 802.1Q tag', at, length: 2 });
}

function ip(lines: TreeLines, { frame, frameAt, capturedLength, ipAt: at }: Carrier): void {
  const end = frameAt + capturedLength;
  const isIpv4 = frame[at] >> 4 === 4;
  if (at + (isIpv4 ? 20 : 40) > end) return;
  if (isIpv4) ipv4(lines, frame, at);
  else ipv6(lines, frame, at);
}

function ipv4(lines: TreeLines, bytes: Uint8Array, at: number): void {
  const length = (bytes[at] & 15) * 4;
  const source = ipv4Text(word(bytes, at + 12));
  const destination = ipv4Text(word(bytes, at + 16));
  const flags = u16(bytes, at + 6);
  const parts = [
    `${source} → ${destination}`,
    `length ${u16(bytes, at + 2)}`,
    `id ${hex16(u16(bytes, at + 4))}`,
    ...((flags & 0x4000) !== 0 ? ['DF'] : []),
    ...((flags & 0x2000) !== 0 ? ['MF'] : []),
    ...((flags & 0x1fff) !== 0 ? [`offset ${(flags & 0x1fff) * 8}`] : []),
    `TTL ${bytes[at + 8]}`,
  ];
  lines.field({ depth: 0, name: 'IPv4', value: parts.join(', '), at, length });
  if (!lines.offsets) return;
  lines.field({ depth: 1, name: 'Version', value: '4', meaning: 'IP version', at, bits: 4 });
  lines.field({ depth: 1, name: 'Header length', value: `${length} octets`, meaning: 'In words of 4', at, bits: 4 });
  const service = `0x${bytes[at + 1].toString(16).padStart(2, '0')}`;
  lines.field({ depth: 1, name: 'DSCP, ECN', value: service, meaning: 'Service', at: at + 1, length: 1 });
  const total = String(u16(bytes, at + 2));
  lines.field({ depth: 1, name: 'Total length', value: total, meaning: 'Header and data', at: at + 2, length: 2 });
  const id = hex16(u16(bytes, at + 4));
  lines.field({ depth: 1, name: 'Identification', value: id, meaning: 'Joins fragments', at: at + 4, length: 2 });
  const fragment = `${(flags & 0x1fff) * 8}${(flags & 0x2000) !== 0 ? ', more follow' : ''}`;
  lines.field({ depth: 1, name: 'Fragment', value: fragment, meaning: 'Flags, offset', at: at + 6, length: 2 });
  lines.field({ depth: 1, name: 'TTL', value: String(bytes[at + 8]), meaning: 'Hops left', at: at + 8, length: 1 });
  const protocol = String(bytes[at + 9]);
  lines.field({ depth: 1, name: 'Protocol', value: protocol, meaning: 'What follows', at: at + 9, length: 1 });
  const checksum = hex16(u16(bytes, at + 10));
  lines.field({ depth: 1, name: 'Checksum', value: checksum, meaning: 'Of the header', at: at + 10, length: 2 });
  lines.field({ depth: 1, name: 'Source', value: source, meaning: 'Sender', at: at + 12, length: 4 });
  lines.field({ depth: 1, name: 'Destination', value: destination, meaning: 'Receiver', at: at + 16, length: 4 });
}

function ipv6(lines: TreeLines, bytes: Uint8Array, at: number): void {
  const address = (from: number) =>
    ipv6Text(word(bytes, from), word(bytes, from + 4), word(bytes, from + 8), word(bytes, from + 12));
  const source = address(at + 8);
  const destination = address(at + 24);
  const payload = u16(bytes, at + 4);
  const value = `${source} → ${destination}, payload ${payload}, hop limit ${bytes[at + 7]}`;
  lines.field({ depth: 0, name: 'IPv6', value, at, length: 40 });
  if (!lines.offsets) return;
  lines.field({ depth: 1, name: 'Version', value: '6', meaning: 'IP version', at, bits: 4 });
  const flow = `0x${(word(bytes, at) & 0xfffffff).toString(16).padStart(7, '0')}`;
  lines.field({ depth: 1, name: 'Traffic class, flow', value: flow, meaning: 'Service, flow label', at, bits: 28 });
  const length = String(payload);
  lines.field({ depth: 1, name: 'Payload length', value: length, meaning: 'Octets behind', at: at + 4, length: 2 });
  const next = String(bytes[at + 6]);
  lines.field({ depth: 1, name: 'Next header', value: next, meaning: 'What follows', at: at + 6, length: 1 });
  const hops = String(bytes[at + 7]);
  lines.field({ depth: 1, name: 'Hop limit', value: hops, meaning: 'Hops left', at: at + 7, length: 1 });
  lines.field({ depth: 1, name: 'Source', value: source, meaning: 'Sender', at: at + 8, length: 16 });
  lines.field({ depth: 1, name: 'Destination', value: destination, meaning: 'Receiver', at: at + 24, length: 16 });
}

function transport(lines: TreeLines, carrier: Carrier): void {
  const { frame, frameAt, capturedLength, transportAt: at } = carrier;
  const end = frameAt + capturedLength;
  const ports = `${carrier.sourcePort} → ${carrier.destinationPort}`;
  if (carrier.transport === TCP) {
    if (at + 20 <= end) tcp(lines, frame, at, ports);
  } else if (at + 8 <= end) udp(lines, frame, at, ports);
}

function portFields(lines: TreeLines, bytes: Uint8Array, at: number): void {
  const [source, destination] = [String(u16(bytes, at)), String(u16(bytes, at + 2))];
  lines.field({ depth: 1, name: 'Source port', value: source, meaning: 'Sender', at, length: 2 });
  lines.field({ depth: 1, name: 'Destination port', value: destination, meaning: 'Receiver', at: at + 2, length: 2 });
}

function udp(lines: TreeLines, bytes: Uint8Array, at: number, ports: string): void {
  const length = String(u16(bytes, at + 4));
  lines.field({ depth: 0, name: 'UDP', value: `${ports}, length ${length}`, at, length: 8 });
  if (!lines.offsets) return;
  portFields(lines, bytes, at);
  lines.field({ depth: 1, name: 'Length', value: length, meaning: 'Header and data', at: at + 4, length: 2 });
  const checksum = hex16(u16(bytes, at + 6));
  lines.field({ depth: 1, name: 'Checksum', value: checksum, meaning: '0x0000: none', at: at + 6, length: 2 });
}

function tcp(lines: TreeLines, bytes: Uint8Array, at: number, ports: string): void {
  const length = (bytes[at + 12] >> 4) * 4;
  const flags = TCP_FLAGS.filter((_, bit) => (bytes[at + 13] & (1 << bit)) !== 0).join(' ');
  const sequence = String(word(bytes, at + 4) >>> 0);
  lines.field({ depth: 0, name: 'TCP', value: `${ports}, sequence ${sequence}, ${flags}`, at, length });
  if (!lines.offsets) return;
  portFields(lines, bytes, at);
  lines.field({ depth: 1, name: 'Sequence', value: sequence, meaning: 'Of the first octet', at: at + 4, length: 4 });
  const next = String(word(bytes, at + 8) >>> 0);
  lines.field({ depth: 1, name: 'Acknowledgement', value: next, meaning: 'Octet expected', at: at + 8, length: 4 });
  const header = `${length} octets`;
  lines.field({ depth: 1, name: 'Header length', value: header, meaning: 'In words of 4', at: at + 12, bits: 4 });
  lines.field({ depth: 1, name: 'Flags', value: flags, meaning: 'State', at: at + 13, length: 1 });
  const window = String(u16(bytes, at + 14));
  lines.field({ depth: 1, name: 'Window', value: window, meaning: 'Room, before scaling', at: at + 14, length: 2 });
  const checksum = hex16(u16(bytes, at + 16));
  lines.field({ depth: 1, name: 'Checksum', value: checksum, meaning: 'Of header and data', at: at + 16, length: 2 });
  const urgent = String(u16(bytes, at + 18));
  lines.field({ depth: 1, name: 'Urgent', value: urgent, meaning: 'Unused by DNS', at: at + 18, length: 2 });
  if (length > 20) lines.field({ depth: 1, name: 'Options', value: '', at: at + 20, length: length - 20 });
}
