import type { CapturedInterface, FrameBatch } from '../core/frames.ts';
import { NO_PACKET } from '../core/frames.ts';
import { openFiles } from '../sources/files.ts';

/** One captured frame as a plain value that stays valid. */
export interface Frame {
  /** From 1, over all files, as Wireshark counts (custom pcapng blocks, which are no packets, have numbers too). */
  number: number;
  /** Capture time since 1970 in UTC; absent when the file holds none (simple packet block). */
  time?: { seconds: number; nanos: number };
  interface: CapturedInterface;
  /** LINKTYPE_ value: what `bytes` begins with (1 = Ethernet). */
  link: number;
  /** The captured bytes, copied. */
  bytes: Uint8Array;
  /** Bytes the frame had on the wire (more than `bytes` when the snapshot length cut it). */
  wireLength: number;
}

export interface ReadFramesOptions {
  /** Ends the reading early. */
  signal?: AbortSignal;
  /** Told once for each file that is cut or corrupt; everything before the damage was delivered. */
  onDamage?: (damage: { file: string; offset: number; reason: string }) => void;
}

/**
 * Frames of capture files, in time order: pcap or pcapng, plain or compressed (gzip, zstd, lz4, xz); `-` is standard
 * input. Throws UserError when a file cannot be opened or is no capture.
 *
 * @example for await (const frame of readFrames('dns.pcapng')) console.log(frame.number, frame.bytes.length);
 */
export async function* readFrames(path: string | string[], options: ReadFramesOptions = {}): AsyncGenerator<Frame> {
  const signal = options.signal ?? new AbortController().signal;
  const source = await openFiles(typeof path === 'string' ? [path] : path);
  for await (const batch of source.batches(signal)) {
    for (let i = 0; i < batch.count; i++) {
      if (batch.link[i] !== NO_PACKET) yield frameOf(batch, i, source.interfaces);
    }
  }
  for (const damage of source.damage) options.onDamage?.(damage);
}

/** Frame `i` of a batch as a value of its own. */
export function frameOf(batch: FrameBatch, i: number, interfaces: readonly CapturedInterface[]): Frame {
  const time = batch.untimed[i] === 1 ? undefined : { seconds: batch.seconds[i], nanos: batch.nanos[i] };
  return {
    number: batch.number[i],
    ...(time === undefined ? {} : { time }),
    interface: interfaces[batch.interfaceId[i]],
    link: batch.link[i],
    bytes: batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]),
    wireLength: batch.wire[i],
  };
}
