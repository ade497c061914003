import { TCP, UDP } from '../../core/carrier.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FieldType, type FilterField, once } from './field.ts';
import { type At, type Declared, isTcp, segmentLength, tcp, u16, u8, udp, type When } from './layer.ts';

/** Whether a field needs flows to be followed (`DissectOptions.streams`): their numbers and their times. */
export function isOfFlow(name: string): boolean {
  return /^(?:udp|tcp)\.(?:stream|time_relative|time_delta)$/.test(name);
}

const FIN = 1;
const SYN = 2;

/** Nanoseconds of the flow of each header, where flows are followed; `which` of `Carrier.trailNanos`. */
function time(declared: Declared, group: 'udp' | 'tcp', which: 0 | 1, at: At): FilterField {
  const layer = group === 'udp' ? udp : tcp;
  const number = group === 'udp' ? UDP : TCP;
  return columnField(
    declared,
    { group, stored: false },
    {
      next: (s, from) => {
        if (Number.isNaN(at(s))) return -1;
        return from < layer.outers(s) + (s.carrier.transport === number ? 1 : 0) ? from : -1;
      },
      at: (s, index) => (index < layer.outers(s) ? s.carrier.trailNanos[2 * layer.outer(s, index) + which] : at(s)),
    },
  );
}

const TIMES: readonly FilterField[] = (['udp', 'tcp'] as const).flatMap((group) => [
  time(
    [`${group}.time_relative`, 'FT_RELATIVE_TIME', 'Time since the first frame of the flow'],
    group,
    0,
    ({ carrier }) => carrier.flowNanos,
  ),
  time(
    [`${group}.time_delta`, 'FT_RELATIVE_TIME', 'Time since the frame of the flow before'],
    group,
    1,
    ({ carrier }) => carrier.flowDeltaNanos,
  ),
]);

const takesNumber = (s: Subject, at: number): boolean => (u8(s, at + 13) & (SYN | FIN)) !== 0;
const isSyn = (s: Subject, at: number): boolean => (u8(s, at + 13) & SYN) !== 0;

const NUMBERS: readonly FilterField[] = [
  tcp.number(['tcp.seq', 'FT_UINT32', 'Sequence Number, from where the connection began'], (s) => s.carrier.sequence),
  tcp.number(
    ['tcp.nxtseq', 'FT_UINT32', 'Next Sequence Number'],
    (s, at) => (s.carrier.sequence + segmentLength(s) + (takesNumber(s, at) ? 1 : 0)) >>> 0,
    { when: (s) => segmentLength(s) > 0 },
  ),
  tcp.number(
    ['tcp.ack', 'FT_UINT32', 'Acknowledgment Number, from where the connection began'],
    (s) => s.carrier.acknowledgment,
  ),
  tcp.number(
    ['tcp.window_size', 'FT_UINT32', 'Window, scaled where the handshake was seen'],
    (s, at) => u16(s, at + 14) * (isSyn(s, at) ? 1 : Math.max(1, s.carrier.windowFactor)),
  ),
  tcp.number(
    ['tcp.window_size_scalefactor', 'FT_INT32', 'Factor of the window: −1 unknown, −2 none'],
    (s) => s.carrier.windowFactor,
    { when: (s, at) => !isSyn(s, at) },
  ),
];

type Frames = (s: Subject) => readonly number[];
const NONE: readonly number[] = [];

/** The list of frames that a message came in, one by one, their number and that there is a list. */
function frameList(group: 'ip' | 'ipv6' | 'tcp', one: string, type: FieldType, frames: Frames): FilterField[] {
  const parts = `${one}s`;
  const column: Column = {
    next: (s, from) => (from < frames(s).length ? from : -1),
    at: (s, index) => frames(s)[index],
  };
  const has: When = (s) => frames(s).length > 0;
  return [
    field([`${group}.${parts}`, type, `The ${parts} of the message`], { group, stored: false }, (s, out) => {
      const { bytes, at, length, transport } = s.carrier;
      if (has(s)) out.add(bytes.subarray(Math.max(0, at - (transport === UDP ? 8 : 2)), at + length));
    }),
    columnField([`${group}.${one}`, 'FT_FRAMENUM', `Frame of each of the ${parts}`], { group, stored: false }, column),
    columnField(
      [`${group}.${one}.count`, 'FT_UINT32', `Number of ${parts}`],
      { group, stored: false },
      once(has, (s) => frames(s).length),
    ),
  ];
}

const fragments =
  (family: 4 | 6): Frames =>
  ({ carrier }) =>
    carrier.fragmented && carrier.family === family ? carrier.fragmentFrames : NONE;
/** A message that came in one segment was not put together. */
const segments: Frames = ({ carrier }) =>
  carrier.transport === TCP && carrier.segmented && carrier.segmentFrames.length > 1 ? carrier.segmentFrames : NONE;

/** The message with what stands before it, put together: the UDP header, or the length of a message over TCP. */
function reassembled(declared: Declared, group: string, before: number, when: When): FilterField {
  return field(declared, { group, stored: false }, (s, out) => {
    const { bytes, at, length } = s.carrier;
    if (when(s) && at >= before) out.add(bytes.subarray(at - before, at + length));
  });
}
const isJoined =
  (family: 4 | 6): When =>
  ({ carrier: c }) =>
    c.transport === UDP && c.family === family && c.fragmented && c.fragmentFrames.length > 0;

const PIECES: readonly FilterField[] = [
  ...frameList('ip', 'fragment', 'FT_BYTES', fragments(4)),
  ...frameList('ipv6', 'fragment', 'FT_NONE', fragments(6)),
  reassembled(['ip.reassembled.data', 'FT_BYTES', 'UDP datagram put together'], 'ip', 8, isJoined(4)),
  reassembled(['ipv6.reassembled.data', 'FT_BYTES', 'UDP datagram put together'], 'ipv6', 8, isJoined(6)),
  ...frameList('tcp', 'segment', 'FT_NONE', segments),
  columnField(
    ['tcp.reassembled.length', 'FT_UINT32', 'Octets of the message with its length, put together'],
    { group: 'tcp', stored: false },
    once(
      (s) => isTcp(s) && segments(s).length > 0,
      (s) => s.carrier.length + 2,
    ),
  ),
  reassembled(
    ['tcp.reassembled.data', 'FT_BYTES', 'Message with its length, put together'],
    'tcp',
    2,
    (s) => segments(s).length > 0,
  ),
];

/** What is known of a message from the frames before it: its flow, its fragments, its segments. */
export const FLOW_FIELDS: readonly FilterField[] = [...TIMES, ...NUMBERS, ...PIECES];
