import { word } from '../core/address.ts';
import { type Carrier, DNS, TCP, UDP } from '../core/carrier.ts';
import { type CapturedInterface, type FrameBatch, NO_PACKET } from '../core/frames.ts';
import { FATE as FATES, type Ledger } from '../core/ledger.ts';
import { isUdpChecksumWrong } from './checksum.ts';
import { ALL_CLIENTS, isInSample } from './client-sample.ts';
import * as L from './cursor.ts';
import { COMPLETE, Defragmenter, Fragment } from './defrag.ts';
import { EncryptedFlows, type SeenFlow } from './encrypted-flows.ts';
import { ClearHttp2, Dnscrypt, isDnscryptResponse, isPublicResolver, isQuicLong } from './encrypted.ts';
import { UdpFlows } from './udp-flows.ts';
import { DnsHeuristic } from './heuristic.ts';
import { isIcmpError, isUnreachable } from './icmp.ts';
import { extensions, fillEnds4, fillEnds6 } from './ip.ts';
import { LAYERS } from './layers.ts';
import { ETHERNET_LINK, linkLayer } from './link-types.ts';
import * as Ports from './ports.ts';
import type { Unseal } from './quic-initial.ts';
import { Sharing } from './shard.ts';
import { Segment, TcpStreams } from './streams.ts';

/** Who receives what the dissector finds. The carrier is filled again for the next message: copy what you keep. */
export interface DissectHandler {
  /** A whole message (or all of it that was captured), in order of the frames that complete them. */
  message(carrier: Carrier): void;
  /** A message quoted in an ICMP error (`carrier.quoted`): source and destination are those of the quoted packet. */
  unreachable(carrier: Carrier): void;
  /** Every frame with its fate (FATE…) as known when it was read; only called when set (`--unit packet`). */
  frame?(carrier: Carrier, fate: number): void;
  /** Clients that speak encrypted DNS; nothing is looked for when absent. */
  encrypted?: { found(flow: SeenFlow): void; unseal?: Unseal | undefined };
}

export interface DissectOptions {
  /** Further ports to take for DNS (`-d udp.port==N,dns`). */
  udpPorts?: readonly number[];
  tcpPorts?: readonly number[];
  /** Find DNS on other UDP ports by a strict heuristic: on for files, off live. */
  heuristic?: boolean;
  /** Most bytes kept in reassembly buffers (default 64 MiB). */
  reassemblyBytes?: number;
  /** Number the flows (`carrier.stream`): costs a look-up per packet. */
  streams?: boolean;
  /** Check every UDP checksum (`carrier.badChecksum`); those of reassembled datagrams are checked always. */
  checksums?: boolean;
  /** Take only the frames of this worker, of so many (see shard.ts). */
  shard?: number;
  shards?: number;
  /** How many shards it takes, from `shard` on (default 1). */
  taken?: number;
  /** Only one in so many clients (`Dissector.sample`). */
  sample?: number;
}

// The compiler knows its values, those of imported names it reads from memory (decision 10).
const P = { ...Ports };
const FATE = { ...FATES };
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
  readonly #heuristic: DnsHeuristic | null;
  readonly #dnscrypt = new Dnscrypt();
  readonly #http2 = new ClearHttp2();
  readonly #defrag: Defragmenter;
  readonly #fragmentNow = new Fragment();
  readonly #streams: TcpStreams;
  readonly #segment = new Segment();
  readonly #flows: UdpFlows | null;
  readonly #encrypted: EncryptedFlows | null;
  readonly #checksums: boolean;
  /** The ICMP error at hand says that the quoted packet did not arrive. */
  #isUnreachable = false;
  /** Time of the last frame, also of those of other workers. */
  #seconds = 0;
  #nanos = 0;
  readonly #firstShard: number;
  readonly #behindShard: number;
  readonly #sharing: Sharing | null;
  #sampleLimit = ALL_CLIENTS;

  constructor(handler: DissectHandler, ledger: Ledger, options: DissectOptions = {}) {
    this.#handler = handler;
    this.#ledger = ledger;
    this.#udpKinds = P.udpPortKinds(options.udpPorts ?? []);
    this.#tcpKinds = P.tcpPortKinds(options.tcpPorts ?? []);
    this.#heuristic = options.heuristic === false ? null : new DnsHeuristic();
    const bytes = options.reassemblyBytes ?? 64 << 20;
    this.#defrag = new Defragmenter(ledger, { bytes: bytes / 4 });
    this.#streams = new TcpStreams((carrier) => handler.message(carrier), ledger, { bytes: bytes - bytes / 4 });
    this.#flows = options.streams === true ? new UdpFlows() : null;
    const { encrypted } = handler;
    this.#encrypted = encrypted ? new EncryptedFlows((flow) => encrypted.found(flow), encrypted.unseal) : null;
    this.#checksums = options.checksums === true;
    this.#firstShard = options.shard ?? 0;
    this.#behindShard = this.#firstShard + (options.taken ?? 1);
    const shards = options.shards ?? 1;
    this.#sharing = shards > 1 ? new Sharing(shards) : null;
    this.sample = options.sample ?? 1;
  }

  /** Looks from here on at the DNS of one in so many clients; frames of the others are counted as `sampled`. */
  set sample(rate: number) {
    this.#sampleLimit = ALL_CLIENTS / rate;
  }

  get sample(): number {
    return ALL_CLIENTS / this.#sampleLimit;
  }

  #isLeftOut(kinds: Uint8Array): boolean {
    return this.#sampleLimit < ALL_CLIENTS && !isInSample(this.#cursor.carrier, kinds, this.#sampleLimit);
  }

  /** The interfaces that frames were captured on (`carrier.interfaces`); the list may grow. */
  set interfaces(interfaces: readonly CapturedInterface[]) {
    this.#cursor.carrier.interfaces = interfaces;
  }

  /** Dissects the frames of a batch; only those of this shard when the batch is shared between workers. */
  frames(batch: FrameBatch): void {
    const { bytes, at, captured, wire, link, number, seconds, nanos, interfaceId } = batch;
    const carrier = this.#cursor.carrier;
    const ledger = this.#ledger;
    const { frames } = ledger;
    const handler = this.#handler;
    const sharing = this.#sharing;
    for (let i = 0; i < batch.count; i++) {
      const from = at[i];
      const end = from + captured[i];
      if (sharing !== null) {
        const shard = sharing.of(bytes, from, end, link[i]);
        if (shard < this.#firstShard || shard >= this.#behindShard) continue;
      }
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
    if (batch.count > 0) {
      this.#seconds = seconds[batch.count - 1];
      this.#nanos = nanos[batch.count - 1];
    }
  }

  /** Packet time has reached this: expires fragments and streams. */
  advance(seconds: number, nanos: number): void {
    this.#seconds = seconds;
    this.#nanos = nanos;
    this.#defrag.advance(seconds, nanos);
    this.#streams.advance(seconds, nanos);
  }

  /** The run has ended: what is held is given up and counted. */
  finish(): void {
    // Over the frames of all workers: what had waited too long is told from what had not, however they are shared.
    this.advance(this.#seconds, this.#nanos);
    this.#defrag.finish();
    this.#streams.finish();
  }

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
    if (kind === P.NO_KIND || kind > P.NBNS_KIND || this.#checksums) return -1;
    // What may be DNSCrypt is looked at more closely.
    if (bytes[udpAt + 8] === 0x72 && bytes[udpAt + 9] === 0x36) return -1;
    if (type === 0x0800) fillEnds4(carrier, bytes, ipAt);
    else fillEnds6(carrier, bytes, ipAt);
    carrier.ipId = type === 0x0800 ? (bytes[ipAt + 4] << 8) | bytes[ipAt + 5] : 0;
    carrier.ethernetAt = from;
    carrier.vlanAt = vlan < 0 ? -1 : from + 14;
    carrier.vlan = vlan;
    carrier.ipAt = ipAt;
    carrier.transportAt = udpAt;
    carrier.sourcePort = sourcePort;
    carrier.destinationPort = destinationPort;
    carrier.transport = UDP;
    carrier.protocol = kind - 1;
    if (this.#sampleLimit < ALL_CLIENTS && this.#isLeftOut(this.#udpKinds)) {
      carrier.trailLength = 0;
      this.#ledger.packets++;
      return FATE.sampled;
    }
    carrier.bytes = bytes;
    carrier.at = udpAt + 8;
    carrier.length = carrier.claimedLength = length - 8;
    carrier.messageInFrame = 1;
    carrier.fragmented = carrier.segmented = carrier.quoted = carrier.badChecksum = false;
    carrier.setupNanos = Number.NaN;
    carrier.trailLength = 0;
    carrier.stream = this.#flows === null ? -1 : this.#flows.number(carrier);
    this.#ledger.packets++;
    this.#ledger.segments++;
    this.#handler.message(carrier);
    return FATE.carried;
  }

  /** Any other frame: layer after layer. Returns the fate. */
  #walk(bytes: Uint8Array<ArrayBufferLike>, from: number, end: number, wire: number): number {
    const cursor = this.#cursor;
    cursor.begin(bytes, from, end, wire);
    const { link } = cursor.carrier;
    let next = link === NO_PACKET ? L.NOT_IP : linkLayer(cursor, link);
    for (let layers = 0; next >= 0; layers++) {
      if (layers === MAX_LAYERS || cursor.packets > MAX_PACKETS) {
        next = L.MALFORMED;
        break;
      }
      if (!cursor.reassembled) cursor.note(next);
      next = this.#layer(next);
    }
    const { frames } = this.#ledger;
    if (cursor.packets > 0) this.#ledger.packets++;
    // The frames of a datagram that this one completed share its fate; the caller counts the frame itself.
    frames[FATE.held] -= cursor.held;
    frames[~next] += cursor.frames - 1;
    return ~next;
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
      default:
        return LAYERS[next]?.(this.#cursor) ?? L.NOT_DNS;
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
    if (length !== 0 && length < 8) return L.MALFORMED;
    if (length !== 0) c.limit(length);
    if (this.#flows !== null) c.flow(this.#flows.number(carrier));
    if ((c.reassembled || this.#checksums) && c.end === c.wireEnd) {
      carrier.badChecksum = isUdpChecksumWrong(carrier, c.bytes, c.at, c.end - c.at);
    }
    c.at += 8;
    const kind = P.kindOf(this.#udpKinds, carrier.sourcePort, carrier.destinationPort);
    if (kind >= P.TUNNEL_KIND && !carrier.quoted) return kind - P.TUNNEL_KIND;
    if (kind !== P.NO_KIND && kind <= P.NBNS_KIND) {
      if (!carrier.quoted && this.#isLeftOut(this.#udpKinds)) return ~FATE.sampled;
      if (!carrier.quoted) this.#ledger.segments++;
      carrier.protocol = kind - 1;
      if (isDnscryptResponse(c.bytes, c.at, c.end - c.at)) {
        if (!carrier.quoted) this.#encrypted?.known(carrier, 'dnscrypt', true);
        return ~FATE.encrypted;
      }
      return this.#datagram(length === 0 ? c.wireEnd - c.at : length - 8);
    }
    return this.#otherDatagram(kind);
  }

  /** A datagram on a port that is not DNS's own: encrypted DNS, or found by the heuristic. */
  #otherDatagram(kind: number): L.Next {
    const c = this.#cursor;
    const { carrier, bytes, at } = c;
    const length = c.end - at;
    if (carrier.quoted) return L.NOT_DNS;
    const isKnown = kind === P.ENCRYPTED_KIND || (kind === P.WEB_KIND && isPublicResolver(carrier));
    if (isKnown || kind === P.WEB_KIND) this.#encrypted?.datagram(carrier, c, isKnown);
    if (isKnown) return ~FATE.encrypted;
    if (isQuicLong(bytes, at, length)) return L.NOT_DNS;
    if (this.#heuristic !== null && c.end === c.wireEnd && this.#heuristic.accepts(bytes, at, length)) {
      if (this.#isLeftOut(this.#udpKinds)) return ~FATE.sampled;
      this.#ledger.segments++;
      carrier.protocol = DNS;
      return this.#datagram(length);
    }
    if (!this.#dnscrypt.accepts(carrier, bytes, at, length)) return L.NOT_DNS;
    this.#encrypted?.known(carrier, 'dnscrypt', isDnscryptResponse(bytes, at, length));
    return ~FATE.encrypted;
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
    carrier.length = Math.min(c.end - c.at, claimed);
    carrier.claimedLength = claimed;
    if (carrier.quoted) {
      if (this.#isUnreachable) this.#handler.unreachable(carrier);
      return ~FATE.icmp;
    }
    if (carrier.length <= 0) return L.CUT;
    this.#handler.message(carrier);
    return ~FATE.carried;
  }

  /** TCP (RFC 9293 §3.1). */
  #tcp(): L.Next {
    const c = this.#cursor;
    const { carrier, bytes, at } = c;
    // A quote may end behind the ports and the sequence number.
    if (at + (carrier.quoted ? 8 : 20) > c.end) return c.short(20);
    carrier.transport = TCP;
    carrier.transportAt = c.reassembled ? -1 : at;
    carrier.sourcePort = c.u16(0);
    carrier.destinationPort = c.u16(2);
    const kind = P.kindOf(this.#tcpKinds, carrier.sourcePort, carrier.destinationPort);
    const dns = kind !== P.NO_KIND && kind <= P.NBNS_KIND;
    if (carrier.quoted) return dns ? ~FATE.icmp : L.NOT_DNS;
    const header = (bytes[at + 12] >> 4) * 4;
    if (header < 20) return L.MALFORMED;
    if (at + header > c.end) return c.short(header);
    if (!dns && this.#flows === null) return this.#otherSegment(kind, at, at + header);
    const segment = this.#segment;
    segment.headerAt = at;
    segment.flags = bytes[at + 13];
    segment.sequence = word(bytes, at + 4) >>> 0;
    c.at += header;
    segment.bytes = bytes;
    segment.at = c.at;
    segment.length = c.end - c.at;
    segment.claimed = c.wireEnd - c.at;
    segment.frames = c.frames;
    if (!dns) {
      carrier.stream = this.#streams.other(carrier, segment);
      return this.#otherSegment(kind, at, c.at);
    }
    if (this.#isLeftOut(this.#tcpKinds)) return ~FATE.sampled;
    this.#ledger.segments++;
    carrier.protocol = kind - 1;
    return ~this.#streams.segment(carrier, segment);
  }

  #otherSegment(kind: number, header: number, payload: number): L.Next {
    const { carrier, bytes, end } = this.#cursor;
    const isKnown = kind === P.ENCRYPTED_KIND || (kind === P.WEB_KIND && isPublicResolver(carrier));
    if (this.#encrypted !== null && (isKnown || kind === P.WEB_KIND)) {
      const sequence = word(bytes, header + 4);
      this.#encrypted.segment(carrier, { bytes, at: payload, end }, sequence, isKnown);
    }
    if (isKnown) return ~FATE.encrypted;
    if (!this.#http2.accepts(carrier, bytes, payload, end)) return L.NOT_DNS;
    this.#encrypted?.known(carrier, 'doh');
    return ~FATE.encrypted;
  }

  /** ICMP and ICMPv6 errors quote the packet they are about (RFC 792, RFC 4443 §3). */
  #icmp(v6: boolean): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    if (carrier.quoted) return L.NOT_DNS;
    if (c.at + 8 > c.end) return c.short(8);
    const type = c.bytes[c.at];
    if (!isIcmpError(type, v6)) return L.NOT_DNS;
    carrier.quoted = true;
    this.#isUnreachable = isUnreachable(type, c.bytes[c.at + 1], v6);
    c.at += 8;
    return L.IP_LAYER;
  }

  /** A fragment waits for the others; the last to come goes on as the datagram. */
  #fragment(): L.Next {
    const c = this.#cursor;
    const { carrier } = c;
    if (carrier.quoted) return c.fragmentAt === 0 ? this.#afterIp() : L.NOT_DNS;
    const fragment = this.#fragmentNow;
    fragment.protocol = c.protocol;
    fragment.id = c.fragmentId;
    fragment.offset = c.fragmentAt;
    fragment.more = c.moreFragments;
    fragment.bytes = c.bytes;
    fragment.at = c.at;
    fragment.length = c.end - c.at;
    fragment.claimed = c.wireEnd - c.at;
    fragment.frames = c.frames;
    const defrag = this.#defrag;
    const fate = defrag.add(carrier, fragment);
    if (fate !== COMPLETE) return ~fate;
    c.frames = defrag.frames;
    c.held += defrag.held;
    c.reassembled = c.reassembled || defrag.bytes !== c.bytes;
    c.bytes = defrag.bytes;
    c.at = defrag.at;
    c.end = defrag.at + defrag.length;
    c.wireEnd = defrag.at + defrag.claimed;
    c.protocol = defrag.protocol;
    carrier.fragmented = true;
    carrier.fragmentFrames = defrag.origins;
    return this.#afterIp();
  }

  #afterIp(): L.Next {
    return this.#cursor.carrier.family === 6 ? extensions(this.#cursor) : L.PROTOCOL_LAYER;
  }
}
