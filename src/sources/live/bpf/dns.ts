import { type Assembler, type Label, OP } from './assembler.ts';

/** Which ports are DNS (CONTRACTS: Which packets are DNS). */
export const DNS_UDP_PORTS = [53, 5353, 5355, 137];
export const DNS_TCP_PORTS = [53, 5353, 5355];

/** EtherTypes of VLAN tags. */
export const VLAN_TYPES = [0x8100, 0x88a8, 0x9100, 0x9200];
const MAX_TAGS = 3;
const MAX_EXTENSION_HEADERS = 4;

const UDP = 17;
const TCP = 6;

/** Scratch memory that holds the type of the next IPv6 header. */
const NEXT_HEADER = 0;

interface Ends {
  yes: Label;
  no: Label;
}

/** Where the parts of the program begin. */
interface Parts extends Ends {
  udp: Label;
  tcp: Label;
}

export interface DnsPorts {
  udp?: readonly number[];
  tcp?: readonly number[];
  /** Ports to which packets are taken, of either transport, but not what comes back. */
  to?: readonly number[];
}

/** Encrypted DNS that is let through: its own ports, or also what goes to the web's. */
export type EncryptedPorts = 'off' | 'dns' | 'web';

/** Further ports of DNS and the ports of encrypted DNS (RFC 7858 §3.1, RFC 9250 §4.1.1 and its drafts). */
export function dnsPorts(udp: readonly number[], tcp: readonly number[], encrypted: EncryptedPorts): DnsPorts {
  if (encrypted === 'off') return { udp, tcp };
  return { udp: [...udp, 853, 784, 8853], tcp: [...tcp, 853], to: encrypted === 'web' ? [443] : [] };
}

/** Places to go on with the offset of an IP header in X. */
export interface IpLabels {
  ipv4: Label;
  ipv6: Label;
  no: Label;
}

/**
 * Takes what may be DNS, X = offset of the IP header: UDP and TCP by either port, later fragments of both (they hold no
 * ports), IPv6 behind extension headers, and ICMP errors that quote any of these.
 */
export function dnsTests(asm: Assembler, ends: Ends, extra: DnsPorts = {}): IpLabels {
  const parts: Parts = {
    ...ends,
    udp: portTest(asm, [...DNS_UDP_PORTS, ...(extra.udp ?? [])], extra.to ?? [], ends),
    tcp: portTest(asm, [...DNS_TCP_PORTS, ...(extra.tcp ?? [])], extra.to ?? [], ends),
  };
  const quoted4 = ipv4(asm, parts, ends.no);
  const quoted6 = ipv6(asm, parts, ends.no);
  const ipv4Errors = icmpError(asm, [3, 4, 5, 11, 12], quoted4, ends.no);
  const ipv6Errors = icmpError(asm, [1, 2, 3, 4], quoted6, ends.no);
  return { ipv4: ipv4(asm, parts, ipv4Errors), ipv6: ipv6(asm, parts, ipv6Errors), no: ends.no };
}

/** Finds the IP header of an Ethernet frame behind up to three tags in the frame itself. */
export function ethernetToIp(asm: Assembler, { ipv4, ipv6, no }: IpLabels): Label {
  let tagged = no;
  let entry = no;
  for (let tags = MAX_TAGS; tags >= 0; tags--) {
    const at = 14 + 4 * tags;
    const toIpv4 = ipv4 === no ? no : asm.op(OP.setX, at, ipv4);
    const toIpv6 = ipv6 === no ? no : asm.op(OP.setX, at, ipv6);
    const types = asm.oneOf(VLAN_TYPES, tagged, no);
    const notIpv4 = asm.test(OP.jumpEqual, 0x86dd, toIpv6, types);
    entry = asm.op(OP.loadHalf, at - 2, asm.test(OP.jumpEqual, 0x0800, toIpv4, notIpv4));
    tagged = entry;
  }
  return entry;
}

/** Frames that begin with the IP header: by its version. */
export function rawToIp(asm: Assembler, { ipv4, ipv6, no }: IpLabels): Label {
  const notIpv4 = asm.test(OP.jumpEqual, 0x60, ipv6, no);
  const version = asm.op(OP.and, 0xf0, asm.test(OP.jumpEqual, 0x40, ipv4, notIpv4));
  return asm.op(OP.setX, 0, asm.op(OP.loadByte, 0, version));
}

/** X = offset of the transport header. */
function portTest(asm: Assembler, ports: readonly number[], to: readonly number[], { yes, no }: Ends): Label {
  const unique = [...new Set(ports)];
  const destination = asm.op(OP.loadHalfX, 2, asm.oneOf([...new Set([...ports, ...to])], yes, no));
  return asm.op(OP.loadHalfX, 0, asm.oneOf(unique, yes, destination));
}

function ipv4(asm: Assembler, parts: Parts, icmp: Label): Label {
  const transport = (next: Label): Label => {
    const behind = asm.op(OP.addX, 0, asm.op(OP.moveToX, 0, next));
    return asm.op(OP.loadByteX, 0, asm.op(OP.and, 15, asm.op(OP.shiftLeft, 2, behind)));
  };
  const toIcmp = icmp === parts.no ? parts.no : transport(icmp);
  const notTcp = asm.test(OP.jumpEqual, 1, toIcmp, parts.no);
  const notUdp = asm.test(OP.jumpEqual, TCP, transport(parts.tcp), notTcp);
  const first = asm.op(OP.loadByteX, 9, asm.test(OP.jumpEqual, UDP, transport(parts.udp), notUdp));
  const later = asm.op(OP.loadByteX, 9, asm.oneOf([UDP, TCP], parts.yes, parts.no));
  return asm.op(OP.loadHalfX, 6, asm.test(OP.jumpSet, 0x1fff, later, first));
}

function ipv6(asm: Assembler, parts: Parts, icmp: Label): Label {
  let chain = parts.no;
  for (let i = 0; i <= MAX_EXTENSION_HEADERS; i++) chain = ipv6Header(asm, parts, { icmp, chain });
  return asm.op(OP.loadByteX, 6, asm.op(OP.store, NEXT_HEADER, skip(asm, 40, chain)));
}

/** X = offset of the next header, whose type is in memory: a transport header, a fragment header, or one to skip. */
function ipv6Header(asm: Assembler, parts: Parts, to: { icmp: Label; chain: Label }): Label {
  let other = parts.no;
  if (to.chain !== parts.no) {
    // Type of the one behind, then X += (length + 1) × 8.
    const behind = asm.op(OP.addX, 0, asm.op(OP.moveToX, 0, to.chain));
    const length = asm.op(OP.loadByteX, 1, asm.op(OP.add, 1, asm.op(OP.shiftLeft, 3, behind)));
    const option = asm.op(OP.loadByteX, 0, asm.op(OP.store, NEXT_HEADER, length));
    const first = asm.op(OP.loadByteX, 0, asm.op(OP.store, NEXT_HEADER, skip(asm, 8, to.chain)));
    const later = asm.op(OP.loadByteX, 0, asm.oneOf([UDP, TCP, 60], parts.yes, parts.no));
    const fragment = asm.op(OP.loadHalfX, 2, asm.test(OP.jumpSet, 0xfff8, later, first));
    other = asm.test(OP.jumpEqual, 44, fragment, asm.oneOf([0, 43, 60], option, parts.no));
  }
  const notTcp = asm.test(OP.jumpEqual, 58, to.icmp, other);
  const notUdp = asm.test(OP.jumpEqual, TCP, parts.tcp, notTcp);
  return asm.op(OP.loadMemory, NEXT_HEADER, asm.test(OP.jumpEqual, UDP, parts.udp, notUdp));
}

/** X = offset of the ICMP header. */
function icmpError(asm: Assembler, types: readonly number[], quoted: Label, no: Label): Label {
  return asm.op(OP.loadByteX, 0, asm.oneOf(types, skip(asm, 8, quoted), no));
}

/** X += bytes. */
function skip(asm: Assembler, bytes: number, next: Label): Label {
  return asm.op(OP.set, bytes, asm.op(OP.addX, 0, asm.op(OP.moveToX, 0, next)));
}
