/** Frames built by hand, layer by layer from the inside out. */
import { FrameBatch } from '../../src/core/frames.ts';
import { Ledger } from '../../src/core/ledger.ts';
import type { Carrier } from '../../src/core/carrier.ts';
import { type DissectOptions, Dissector } from '../../src/net/dissect.ts';

type Bytes = readonly number[];

const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const name = (text: string): number[] => [
  ...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
];

/** A query for `example.com A` with id 0x1234. */
export const QUERY: Bytes = [
  ...u16(0x1234),
  ...u16(0x0100),
  ...u16(1),
  ...zeros(6),
  ...name('example.com'),
  0,
  1,
  0,
  1,
];
export const RESPONSE: Bytes = [...QUERY.slice(0, 2), 0x81, 0x80, ...QUERY.slice(4)];

export const CLIENT4: Bytes = [192, 0, 2, 7];
export const SERVER4: Bytes = [198, 51, 100, 53];
export const CLIENT6: Bytes = [0x20, 1, 0xd, 0xb8, ...zeros(11), 7];
export const SERVER6: Bytes = [0x20, 1, 0xd, 0xb8, ...zeros(11), 0x53];

export const udp = (payload: Bytes, from = 40000, to = 53, length = payload.length + 8): number[] => [
  ...u16(from),
  ...u16(to),
  ...u16(length),
  0,
  0,
  ...payload,
];

export const tcp = (payload: Bytes, sequence: number, flags = 0x18, from = 40000, to = 53): number[] => [
  ...u16(from),
  ...u16(to),
  ...u32(sequence),
  ...u32(1),
  0x50,
  flags,
  ...u16(1000),
  ...zeros(4),
  ...payload,
];

interface Ipv4Shape {
  from?: Bytes;
  to?: Bytes;
  options?: Bytes;
  total?: number;
  /** Flags and fragment offset. */
  fragment?: number;
}

export function ipv4(protocol: number, payload: Bytes, shape: Ipv4Shape = {}): number[] {
  const { from = CLIENT4, to = SERVER4, options = [], fragment = 0 } = shape;
  const header = 20 + options.length;
  const total = shape.total ?? header + payload.length;
  return [
    0x40 | (header / 4),
    0,
    ...u16(total),
    ...u16(77),
    ...u16(fragment),
    64,
    protocol,
    0,
    0,
    ...from,
    ...to,
    ...options,
    ...payload,
  ];
}

export const ipv6 = (next: number, payload: Bytes, from: Bytes = CLIENT6, to: Bytes = SERVER6): number[] => [
  0x60,
  0,
  0,
  0,
  ...u16(payload.length),
  next,
  64,
  ...from,
  ...to,
  ...payload,
];

/** An IPv6 extension header of 8 bytes. */
export const extension = (next: number, payload: Bytes): number[] => [next, 0, ...zeros(6), ...payload];
export const MACS: Bytes = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
export const ethernet = (type: number, payload: Bytes): number[] => [...MACS, ...u16(type), ...payload];
export const vlan = (id: number, type: number, payload: Bytes): number[] => [...u16(id), ...u16(type), ...payload];
export const llcSnap = (type: number, payload: Bytes): number[] => [0xaa, 0xaa, 3, 0, 0, 0, ...u16(type), ...payload];
export const mpls = (payload: Bytes): number[] => [0, 0x10, 0, 64, 0, 0x20, 1, 64, ...payload];
export const gre = (flags: number, type: number, fields: Bytes, payload: Bytes): number[] => [
  ...u16(flags),
  ...u16(type),
  ...fields,
  ...payload,
];
export const pppoe = (payload: Bytes): number[] => [0x11, 0, 0, 1, ...u16(payload.length), ...payload];
export const vxlan = (payload: Bytes): number[] => [8, 0, 0, 0, 0, 0, 9, 0, ...payload];
export const wlan = (payload: Bytes, flags = 1): number[] => [0x08, flags, ...zeros(22), ...payload];
export const wlanQos = (payload: Bytes): number[] => [0x88, 1, ...zeros(22), 0, 0, ...payload];
export { u16, u32, zeros };

/** What came out of one frame (or several). */
export interface Outcome {
  messages: Message[];
  unreachable: Message[];
  ledger: Ledger;
  fates: number[];
}

export interface Message {
  source: string;
  destination: string;
  ports: string;
  text: string;
  length: number;
  claimedLength: number;
  vlan: number;
  stream: number;
  protocol: number;
  /** Offsets within the frame: Ethernet, VLAN, IP, transport. */
  at: number[];
  fragmented: boolean;
}

export interface FrameSpec {
  link?: number;
  bytes: Bytes;
  /** Bytes on the wire, captured bytes unless told. */
  wire?: number;
}

/** Runs frames through a dissector of their own, which lie somewhere within larger memory. */
export function dissect(frames: readonly FrameSpec[], options: DissectOptions = {}): Outcome {
  const out: Outcome = { messages: [], unreachable: [], ledger: new Ledger(), fates: [] };
  const dissector = new Dissector(
    {
      message: (carrier) => out.messages.push(copyOf(carrier)),
      unreachable: (carrier) => out.unreachable.push(copyOf(carrier)),
      frame: (_, fate) => out.fates.push(fate),
    },
    out.ledger,
    { streams: true, ...options },
  );
  feed(dissector, frames);
  dissector.finish();
  return out;
}

/** Hands frames to a dissector in one batch, each a second after the one before. */
export function feed(dissector: Dissector, frames: readonly FrameSpec[]): void {
  const batch = new FrameBatch(Math.max(1, frames.length));
  const filler = [0xee, 0xee, 0xee];
  batch.bytes = Uint8Array.from([...frames.flatMap(({ bytes }) => [...filler, ...bytes]), ...filler]);
  let at = 0;
  for (const [i, { bytes, link = 1, wire = bytes.length }] of frames.entries()) {
    at += filler.length;
    batch.at[i] = at;
    batch.captured[i] = bytes.length;
    batch.wire[i] = wire;
    batch.link[i] = link;
    batch.number[i] = i + 1;
    batch.seconds[i] = 1000 + i;
    at += bytes.length;
  }
  batch.count = frames.length;
  dissector.frames(batch);
}

const word = (value: number) => (value >>> 0).toString(16).padStart(8, '0');

function copyOf(c: Carrier): Message {
  const relative = (offset: number) => (offset < 0 ? -1 : offset - c.frameAt);
  const source = [c.source0, c.source1, c.source2, c.source3];
  const destination = [c.destination0, c.destination1, c.destination2, c.destination3];
  return {
    source: (c.family === 4 ? source.slice(3) : source).map(word).join(''),
    destination: (c.family === 4 ? destination.slice(3) : destination).map(word).join(''),
    ports: `${c.sourcePort}>${c.destinationPort}`,
    text: Buffer.from(c.bytes.subarray(c.at, c.at + c.length)).toString('hex'),
    length: c.length,
    claimedLength: c.claimedLength,
    vlan: c.vlan,
    stream: c.stream,
    protocol: c.protocol,
    at: [c.ethernetAt, c.vlanAt, c.ipAt, c.transportAt].map(relative),
    fragmented: c.fragmented,
  };
}
