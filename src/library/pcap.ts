/**
 * `nametap/pcap`: frames of capture files and live interfaces with their layers, and back into files.
 */
import type { CapturedInterface, SourceLoss } from '../core/frames.ts';
import { FrameBatch, type Source } from '../core/frames.ts';
import { createCaptureFile } from '../sinks/capture-file.ts';
import { openFiles } from '../sources/files.ts';
import { openLive as openSource } from '../sources/live/source.ts';
import { type CapturedFrame, type Frame, FrameReader } from './frame-reader.ts';

export { EXIT, type ExitCode, UserError } from '../core/errors.ts';
export type { CapturedInterface, SourceLoss } from '../core/frames.ts';
export type { FrameFate } from '../core/ledger.ts';
export type { CapturedFrame, Frame } from './frame-reader.ts';
export type {
  DnsLayer,
  EthernetLayer,
  Ipv4Layer,
  Ipv6Layer,
  Layers,
  TcpLayer,
  UdpLayer,
  VlanLayer,
} from './layers.ts';

/** Which packets are taken for DNS besides those with the ports 53, 5353, 5355 and 137. */
export interface DnsPorts {
  udpPorts?: readonly number[];
  tcpPorts?: readonly number[];
  /** Also find DNS on other UDP ports, by a strict look at the message; true unless told. */
  heuristic?: boolean;
}

/** Frames decoded at once: few, so that they are garbage while they are young. */
const BATCH_FRAMES = 64;

export interface ReadFramesOptions extends DnsPorts {
  /** Ends the reading early. */
  signal?: AbortSignal;
  /** Told once for each file that is cut or corrupt; everything before the damage was delivered. */
  onDamage?: (damage: { file: string; offset: number; reason: string }) => void;
}

/**
 * Frames of capture files with their layers, in time order: pcap or pcapng, plain or compressed (gzip, zstd, lz4, xz);
 * `-` is standard input. Throws UserError (exit 3) when a file cannot be opened or is no capture.
 *
 * @example
 * import { readFrames } from 'nametap/pcap';
 *
 * for await (const { number, source, destination, layers } of readFrames('lookups.pcapng')) {
 *   const question = layers.dns[0]?.message.questions[0];
 *   console.log(number, source, '→', destination, layers.udp?.destinationPort, question?.name);
 * }
 */
export async function* readFrames(
  path: string | readonly string[],
  options: ReadFramesOptions = {},
): AsyncGenerator<Frame, void> {
  const signal = options.signal ?? new AbortController().signal;
  const source = await openFiles(typeof path === 'string' ? [path] : path, { capacity: BATCH_FRAMES });
  yield* framesOf(source, signal, options);
  for (const damage of source.damage) options.onDamage?.(damage);
}

/**
 * The layers of one frame given as bytes, on its own: no fragments or streams are joined. `link` is its LINKTYPE_ value
 * (1 = Ethernet, 101 = IP). Never throws: what is cut or malformed ends the layers, and `fate` says so.
 *
 * @example
 * import { decodeFrame } from 'nametap/pcap';
 *
 * const bytes = Buffer.from('4500003d00010000401166ac0a0000010a000002' +
 *   'c0000035002900002b9b0100000100000000000003777777076578616d706c6503636f6d0000010001', 'hex');
 * const { source, destination, layers } = decodeFrame(bytes, 101);
 * console.log(source, '→', destination, layers.udp?.destinationPort); // → 10.0.0.1 → 10.0.0.2 53
 */
export function decodeFrame(bytes: Uint8Array, link = 1, ports: DnsPorts = {}): Frame {
  const batch = new FrameBatch(1);
  // A Buffer's slice would not copy.
  batch.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  batch.captured[0] = batch.wire[0] = bytes.length;
  batch.link[0] = link;
  batch.untimed[0] = 1;
  batch.number[0] = 1;
  batch.count = 1;
  const frames = new FrameReader(ports).read(batch, [{ link, snaplen: 0 }]);
  return frames[0];
}

/** What a live capture takes. */
export interface LiveOptions extends DnsPorts {
  /** One interface or several, by name; `any` is all of them. */
  interface: string | readonly string[];
  /** Most bytes kept of a frame; 262,144 unless told. */
  snaplen?: number;
  /** Also frames for other stations; true unless told. */
  promiscuous?: boolean;
  /** Longest wait for a part-filled block of the ring, milliseconds. */
  timeoutMs?: number;
  /** Capture filter in tcpdump's language; the kernel leaves out what does not pass. Absent: every frame. */
  filter?: string;
  /** Memory of the kernel's ring, bytes. */
  ringBytes?: number;
  /** Told in a sentence when an interface goes down, comes back or disappears. */
  onNotice?: (text: string) => void;
  /** Ends after so many frames. */
  count?: number;
  /** Ends the capture. */
  signal?: AbortSignal;
}

/** A live capture: its frames by `for await` or callback, and what was lost. */
export interface LiveCapture extends AsyncIterable<Frame> {
  readonly interfaces: readonly CapturedInterface[];
  /** Frames the kernel and the card dropped, so far. */
  loss(): SourceLoss;
  /** Calls `onFrame` with every frame; resolves when the capture has ended. */
  each(onFrame: (frame: Frame) => void): Promise<void>;
}

/**
 * Captures on Linux without libpcap or a compiler (elsewhere through libpcap). Resolves when the sockets are open: rights
 * can then be dropped. Needs the right to capture (`nametap doctor` says how); throws UserError: exit 2 without the right
 * or the interface, exit 4 when the filter is wrong.
 *
 * @example
 * import { openLive } from 'nametap/pcap';
 *
 * const capture = await openLive({
 *   interface: 'lo', snaplen: 1600, promiscuous: false, timeoutMs: 10, filter: 'udp port 53', count: 10,
 *   signal: AbortSignal.timeout(300),
 * });
 * for await (const { source, destination, layers } of capture) {
 *   console.log(source, '→', destination, layers.dns[0]?.message.id);
 * }
 * console.log(capture.loss().kernel, 'frames dropped by the kernel');
 */
export async function openLive(options: LiveOptions): Promise<LiveCapture> {
  const { snaplen, promiscuous, timeoutMs, filter, ringBytes, count = Infinity } = options;
  const signal = options.signal ?? new AbortController().signal;
  const source = await openSource({
    interfaces: typeof options.interface === 'string' ? [options.interface] : [...options.interface],
    snaplen,
    promiscuous,
    blockTimeoutMs: timeoutMs,
    filter,
    ringBytes,
    defaultFilter: 'none',
    notice: options.onNotice ?? (() => {}),
  });
  async function* frames(): AsyncGenerator<Frame, void> {
    let left = count;
    // Also of no frames the sockets have to be closed.
    const until = count < 1 ? AbortSignal.abort() : signal;
    for await (const frame of framesOf(source, until, options)) {
      yield frame;
      if (--left < 1) return;
    }
  }
  return {
    interfaces: source.interfaces,
    loss: () => source.loss(),
    [Symbol.asyncIterator]: frames,
    async each(onFrame) {
      for await (const frame of frames()) onFrame(frame);
    },
  };
}

/** How `writeFrames` writes. */
export interface WriteFramesOptions {
  /** `pcapng` unless told; pcap holds one link type only, and no interfaces. */
  format?: 'pcapng' | 'pcap';
}

/**
 * Writes frames into a capture file (`-` is standard output), nanoseconds kept; resolves with their number. A frame
 * without time gets that of the frame before it. Throws UserError (exit 3) when the file cannot be written.
 *
 * @example
 * import { readFrames, writeFrames } from 'nametap/pcap';
 *
 * const written = await writeFrames('copy.pcapng', readFrames(['lookups.pcapng', 'udp.pcap']));
 * console.log(written, 'frames'); // → 133 frames
 */
export async function writeFrames(
  path: string,
  frames: Iterable<CapturedFrame> | AsyncIterable<CapturedFrame>,
  options: WriteFramesOptions = {},
): Promise<number> {
  const interfaces: CapturedInterface[] = [];
  const writer = createCaptureFile(path, interfaces, options);
  let time = { seconds: 0, nanos: 0 };
  let count = 0;
  try {
    for await (const frame of frames) {
      let interfaceId = interfaces.indexOf(frame.interface);
      if (interfaceId < 0) interfaceId = interfaces.push(frame.interface) - 1;
      time = frame.time ?? time;
      const { bytes, wireLength: wire } = frame;
      writer.write({ bytes, at: 0, captured: bytes.length, wire, ...time, interfaceId });
      count++;
    }
  } finally {
    writer.close();
  }
  return count;
}

async function* framesOf(source: Source, signal: AbortSignal, ports: DnsPorts): AsyncGenerator<Frame, void> {
  const reader = new FrameReader({ ...ports, heuristic: ports.heuristic ?? true });
  for await (const batch of source.batches(signal)) yield* reader.read(batch, source.interfaces);
}
