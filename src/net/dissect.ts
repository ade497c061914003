import { word } from '../core/address.ts';
import { type Carrier, DNS, TCP, UDP } from '../core/carrier.ts';
import { type FrameBatch, NO_PACKET } from '../core/frames.ts';
import { FATE, type Ledger } from '../core/ledger.ts';
import * as L from './cursor.ts';
import { LAYERS } from './layers.ts';
import { linkLayer } from './link-types.ts';
import * as P from './ports.ts';
import { shardOf } from './shard.ts';

/** Who receives what the dissector finds. The carrier is filled again for the next message: copy what you keep. */
export interface DissectHandler {
  /** A whole message (or all of it that was captured), in order of the frames that complete them. */
  message(carrier: Carrier): void;
  /** A message quoted in an ICMP error (`carrier.quoted`): source and destination are those of the quoted packet. */
  unreachable(carrier: Carrier): void;
  /** Every frame with its fate (FATE…) as known when it was read; only called when set (`--unit packet`). */
  frame?(carrier: Carrier, fate: number): void;
}

export interface DissectOptions {
  /** Further ports to take for DNS (`-d udp.port==N,dns`). */
  udpPorts?: readonly number[];
  tcpPorts?: readonly number[];
  /** Find DNS on other UDP ports by a strict heuristic: on for files, off live. */
  heuristic?: boolean;
  /** Most bytes kept in reassembly buffers (default 64 MiB). */
  reassemblyBytes?: number;
  /** Take only the frames of this worker, of so many (see shard.ts). */
  shard?: number;
  shards?: number;
}

const ETHERNET_LINK = 1;
/** Layers walked in one frame; deeper nesting is an attack. */
const MAX_LAYERS = 48;
const MAX_PACKETS = 8;

/** Frames → messages: link layers, tunnels, IP, fragments, UDP, TCP streams. */
export class Dissector {
  readonly #handler: DissectHandler;
  readonly #ledger: Ledger;
  readonly #cursor = new L.Cursor();
  readonly #udpKinds: Uint8Array;
  readonly #tcpKinds: Uint8Array;
  readonly #shard: number;
  readonly #shards: number;

  constructor(handler: DissectHandler, ledger: Ledger, options: DissectOptions = {}) {
    this.#handler = handler;
    this.#ledger = ledger;
    this.#udpKinds = P.udpPortKinds(options.udpPorts ?? []);
    this.#tcpKinds = P.tcpPortKinds(options.tcpPorts ?? []);
    this.#shard = options.shard ?? 0;
    this.#shards = options.shards ?? 1;
  }

  /** Dissects the frames of a batch; only those of this shard when the batch is shared between workers. */
  frames(batch: FrameBatch): void {
    const { bytes, at, captured, wire, link, number, seconds, nanos, interfaceId } = batch;
    const carrier = this.#cursor.carrier;
    const ledger = this.#ledger;
    const { frames } = ledger;
    const handler = this.#handler;
    const shared = this.#shards > 1;
    for (let i = 0; i < batch.count; i++) {
      const from = at[i];
      const end = from + captured[i];
      if (shared && this.#shardOfFrame(bytes, from, end, link[i]) !== this.#shard) continue;
      carrier.number = number[i];
      carrier.seconds = seconds[i];
      carrier.nanos = nanos[i];
      carrier.frame = bytes;
      carrier.frameAt = from;
      carrier.capturedLength = captured[i];
      carrier.wireLength = wire[i];
      carrier.link = link[i];
      carrier.interfaceId = interfaceId[i];
      ledger.received++;
      let fate = link[i] === ETHERNET_LINK && captured[i] === wire[i] ? this.#common(bytes, from, end) : -1;
      if (fate < 0) fate = this.#walk(bytes, from, end, wire[i]);
      frames[fate]++;
      if (handler.frame !== undefined) handler.frame(carrier, fate);
    }
  }

  /** Packet time has reached this: expires fragments and streams. */
  advance(seconds: number, nanos: number): void {
    void seconds;
    void nanos;
  }

  /** The run has ended: what is held is given up and counted. */
  finish(): void {}

  /**
   * The common case without a walk: a whole frame of Ethernet, at most one VLAN tag, an IP header without options or
   * fragments, UDP with a DNS port, and all lengths in agreement. Returns the fate, −1 when the frame is none of it.
   */
  #common(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number): number {
    const { carrier } = this.#cursor;
    let ipAt = from + 14;
    if (end - from < 14 + 20 + 8 + 1) return -1;
    let type = (bytes[from + 12] << 8) | bytes[from + 13];
    let vlan = -1;
    if (type === 0x8100) {
      vlan = ((bytes[from + 14] << 8) | bytes[from + 15]) & 0xfff;
      type = (bytes[from + 16] << 8) | bytes[from + 17];
      ipAt = from + 18;
      if (end - from < 18 + 20 + 8 + 1) return -1;
    }
    let udpAt: number;
    let room: number;
    if (type === 0x0800) {
      if (bytes[ipAt] !== 0x45 || bytes[ipAt + 9] !== UDP) return -1;
      // Neither offset nor more fragments.
      if (((bytes[ipAt + 6] & 0x3f) | bytes[ipAt + 7]) !== 0) return -1;
      room = ((bytes[ipAt + 2] << 8) | bytes[ipAt + 3]) - 20;
      udpAt = ipAt + 20;
    } else if (type === 0x86dd) {
      if (bytes[ipAt] >> 4 !== 6 || bytes[ipAt + 6] !== UDP) return -1;
      room = (bytes[ipAt + 4] << 8) | bytes[ipAt + 5];
      udpAt = ipAt + 40;
    } else return -1;
    if (room <= 8 || udpAt + room > end) return -1;
    const sourcePort = (bytes[udpAt] << 8) | bytes[udpAt + 1];
    const destinationPort = (bytes[udpAt + 2] << 8) | bytes[udpAt + 3];
    const length = (bytes[udpAt + 4] << 8) | bytes[udpAt + 5];
    if (length <= 8 || length > room) return -1;
    const kind = P.kindOf(this.#udpKinds, sourcePort, destinationPort);
    if (kind === P.NO_KIND || kind > P.NBNS_KIND) return -1;
    if (type === 0x0800) this.#ipv4Ends(bytes, ipAt);
    else this.#ipv6Ends(bytes, ipAt);
    carrier.ethernetAt = from;
    carrier.vlanAt = vlan < 0 ? -1 : from + 14;
    carrier.vlan = vlan;
    carrier.ipAt = ipAt;
    carrier.transportAt = udpAt;
    carrier.sourcePort = sourcePort;
    carrier.destinationPort = destinationPort;
    carrier.transport = UDP;
    carrier.protocol = kind - 1;
    carrier.bytes = bytes;
    carrier.at = udpAt + 8;
    carrier.length = carrier.claimedLength = length - 8;
    carrier.messageInFrame = 1;
    carrier.fragmented = carrier.segmented = carrier.quoted = carrier.badChecksum = false;
    const ledger = this.#ledger;
    ledger.packets++;
    ledger.segments++;
    this.#handler.message(carrier);
    return FATE.carried;
  }

  #ipv4Ends(bytes: Uint8Array<ArrayBufferLike>, at: number): void {
    const { carrier } = this.#cursor;
    carrier.family = 4;
    carrier.source0 = carrier.source1 = carrier.source2 = 0;
    carrier.source3 = word(bytes, at + 12);
    carrier.destination0 = carrier.destination1 = carrier.destination2 = 0;
    carrier.destination3 = word(bytes, at + 16);
  }

  #ipv6Ends(bytes: Uint8Array<ArrayBufferLike>, at: number): void {
    const { carrier } = this.#cursor;
    carrier.family = 6;
    carrier.source0 = word(bytes, at + 8);
    carrier.source1 = word(bytes, at + 12);
    carrier.source2 = word(bytes, at + 16);
    carrier.source3 = word(bytes, at + 20);
    carrier.destination0 = word(bytes, at + 24);
    carrier.destination1 = word(bytes, at + 28);
    carrier.destination2 = word(bytes, at + 32);
    carrier.destination3 = word(bytes, at + 36);
  }

  /** Any other frame: layer after layer. Returns the fate. */
  #walk(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, wire: number): number {
    const cursor = this.#cursor;
    this.#start(bytes, from, end, wire);
    const { link } = cursor.carrier;
    let next = link === NO_PACKET ? L.NOT_IP : linkLayer(cursor, link);
    for (let layers = 0; next >= 0; layers++) {
      if (layers === MAX_LAYERS || cursor.packets > MAX_PACKETS) {
        next = L.MALFORMED;
        break;
      }
      next = this.#layer(next);
    }
    if (cursor.packets > 0) this.#ledger.packets++;
    return ~next;
  }

  #start(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, wire: number): void {
    const cursor = this.#cursor;
    const { carrier } = cursor;
    cursor.bytes = bytes;
    cursor.at = from;
    cursor.end = end;
    cursor.wireEnd = Math.max(end, from + wire);
    cursor.reassembled = false;
    cursor.packets = 0;
    carrier.ethernetAt = carrier.vlanAt = carrier.vlan = carrier.ipAt = carrier.transportAt = -1;
    carrier.family = 0;
    carrier.sourcePort = carrier.destinationPort = 0;
    carrier.transport = 0;
    carrier.protocol = DNS;
    carrier.stream = -1;
    carrier.at = carrier.length = carrier.claimedLength = 0;
    carrier.messageInFrame = 1;
    carrier.fragmented = carrier.segmented = carrier.quoted = carrier.badChecksum = false;
  }

  #layer(next: number): L.Next {
    switch (next) {
      case L.UDP_LAYER:
        return this.#udp();
      case L.TCP_LAYER:
        return this.#tcp();
      case L.ICMP_LAYER:
      case L.ICMP6_LAYER:
        return this.#icmp(next === L.ICMP6_LAYER);
      case L.FRAGMENT_LAYER:
        return this.#fragment();
      default: {
        const layer = LAYERS[next];
        return layer === undefined ? L.NOT_DNS : layer(this.#cursor);
      }
    }
  }

  /** UDP (RFC 768). A length of 0 is a jumbogram's (RFC 2675) or an offloaded one: the rest of the packet. */
  #udp(): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    if (c.at + 8 > c.end) return c.short(8);
    carrier.transport = UDP;
    carrier.transportAt = c.reassembled ? -1 : c.at;
    carrier.sourcePort = c.u16(0);
    carrier.destinationPort = c.u16(2);
    const length = c.u16(4);
    const kind = P.kindOf(this.#udpKinds, carrier.sourcePort, carrier.destinationPort);
    const dns = kind !== P.NO_KIND && kind <= P.NBNS_KIND;
    if (dns) this.#ledger.segments++;
    if (length !== 0 && length < 8) return L.MALFORMED;
    if (length !== 0) c.limit(length);
    c.at += 8;
    if (kind >= P.TUNNEL_KIND) return kind - P.TUNNEL_KIND;
    if (!dns) return L.NOT_DNS;
    carrier.protocol = kind - 1;
    return this.#datagram(length === 0 ? c.wireEnd - c.at : length - 8);
  }

  /** Hands over the message that the datagram carries; `length` is what its header said. */
  #datagram(length: number): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    // A quoted datagram is longer than its quote; any other ends with the packet around it.
    const claimed = carrier.quoted ? length : c.wireEnd - c.at;
    if (claimed <= 0) return ~FATE.no_payload;
    carrier.bytes = c.bytes;
    carrier.at = c.at;
    carrier.length = c.end - c.at;
    carrier.claimedLength = claimed;
    if (carrier.quoted) {
      this.#handler.unreachable(carrier);
      return ~FATE.icmp;
    }
    if (carrier.length <= 0) return L.CUT;
    this.#handler.message(carrier);
    return ~FATE.carried;
  }

  #tcp(): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    if (c.at + 20 > c.end && !(carrier.quoted && c.at + 4 <= c.end)) return c.short(20);
    carrier.transport = TCP;
    carrier.transportAt = c.reassembled ? -1 : c.at;
    carrier.sourcePort = c.u16(0);
    carrier.destinationPort = c.u16(2);
    const kind = P.kindOf(this.#tcpKinds, carrier.sourcePort, carrier.destinationPort);
    if (kind === P.NO_KIND || kind > P.NBNS_KIND) return L.NOT_DNS;
    if (carrier.quoted) return ~FATE.icmp;
    this.#ledger.segments++;
    return ~FATE.stream_gap;
  }

  /** ICMP and ICMPv6 errors quote the packet they are about (RFC 792, RFC 4443 §3). */
  #icmp(v6: boolean): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    if (carrier.quoted) return L.NOT_DNS;
    if (c.at + 8 > c.end) return c.short(8);
    if (!isIcmpError(c.bytes[c.at], v6)) return L.NOT_DNS;
    carrier.quoted = true;
    c.at += 8;
    return L.IP_LAYER;
  }

  #fragment(): L.Next {
    return ~FATE.fragment_unfinished;
  }

  /** Shard of a frame: by its outermost pair of addresses, an ICMP error by the pair it quotes; 0 for all else. */
  #shardOfFrame(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, link: number): number {
    let ipAt = -1;
    if (link === ETHERNET_LINK && end - from >= 14 + 20) {
      const type = (bytes[from + 12] << 8) | bytes[from + 13];
      if (type === 0x0800 || type === 0x86dd) ipAt = from + 14;
    }
    if (ipAt < 0) ipAt = this.#outermost(bytes, from, end, link);
    return ipAt < 0 ? 0 : shardOf(pairAt(bytes, ipAt, end), this.#shards);
  }

  /** Offset of the outermost IP header, −1 without; for frames that are not plain Ethernet. */
  #outermost(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, link: number): number {
    const cursor = this.#cursor;
    this.#start(bytes, from, end, end - from);
    let next = link === NO_PACKET ? L.NOT_IP : linkLayer(cursor, link);
    for (let layers = 0; next >= 0 && layers < MAX_LAYERS; layers++) {
      const layer = LAYERS[next];
      if (next === L.IPV4_LAYER || next === L.IPV6_LAYER) return cursor.at;
      if (layer === undefined) return -1;
      next = layer(cursor);
    }
    return -1;
  }
}

/** Types of ICMP that quote a packet: unreachable, quench, redirect, exceeded, problem; ICMPv6 errors are below 128. */
function isIcmpError(type: number, v6: boolean): boolean {
  return v6 ? type >= 1 && type <= 4 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** Exclusive or of all words of the addresses at an IP header, of the quoted one in ICMP errors; 0 where cut. */
function pairAt(bytes: Uint8Array<ArrayBufferLike>, at: number, end: number): number {
  let pair = 0;
  let ipAt = at;
  for (let quoted = 0; quoted < 2; quoted++) {
    if (ipAt + 20 > end) return pair;
    let payload: number;
    let icmp: boolean;
    if (bytes[ipAt] >> 4 === 4) {
      pair = word(bytes, ipAt + 12) ^ word(bytes, ipAt + 16);
      icmp = bytes[ipAt + 9] === 1 && ((bytes[ipAt + 6] & 0x1f) | bytes[ipAt + 7]) === 0;
      payload = ipAt + (bytes[ipAt] & 15) * 4;
      if (!icmp || payload + 8 > end || !isIcmpError(bytes[payload], false)) return pair;
    } else {
      if (ipAt + 40 > end) return pair;
      pair = 0;
      for (let i = 8; i < 40; i += 4) pair ^= word(bytes, ipAt + i);
      payload = ipAt + 40;
      if (bytes[ipAt + 6] !== 58 || payload + 8 > end || !isIcmpError(bytes[payload], true)) return pair;
    }
    ipAt = payload + 8;
  }
  return pair;
}
