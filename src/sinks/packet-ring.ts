import { chownSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Carrier } from '../core/carrier.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { FATE } from '../core/ledger.ts';
import { emptyFrame, type FrameToWrite, PcapngWriter, setFrame } from './frame-writers.ts';

/** A bounded ring of raw packets on the disk, as plain data (workers get it too). */
export interface PacketRingPlan {
  /** Holds nothing but the ring. */
  folder: string;
  /** Bytes of all files of all workers, and of one file. */
  bytes: number;
  fileBytes: number;
  /** Seconds of packet time kept; absent = what fits. */
  ageSeconds?: number;
}

/** What a ring has done so far. */
export interface PacketRingCounts {
  /** Packets and bytes of them written. */
  packets: number;
  bytes: number;
  /** Packets that could not be written, and why the last one could not; null = it could. */
  failed: number;
  problem: string | null;
}

/** The counts of all workers together. */
export function ringSum(parts: readonly (PacketRingCounts | undefined)[]): PacketRingCounts {
  const sum: PacketRingCounts = { packets: 0, bytes: 0, failed: 0, problem: null };
  for (const part of parts) {
    if (part === undefined) continue;
    sum.packets += part.packets;
    sum.bytes += part.bytes;
    sum.failed += part.failed;
    sum.problem ??= part.problem;
  }
  return sum;
}

/** One file of a ring. */
export interface RingFile {
  path: string;
  worker: number;
  /** Time of its first packet, ns since 1970. */
  from: bigint;
  bytes: number;
}

const NAME = /^packets-([0-9]{1,3})-([0-9]{19})\.pcapng$/;
/** Frames that can belong to no message. */
const FOREIGN = new Set([FATE.not_ip, FATE.not_dns, FATE.encrypted, FATE.unsupported_link]);
/** After a failed write the disk is tried again so much later. */
const RETRY_MS = 10_000;
/** A ring of one worker has at least so many files: else its end could not be cut off. */
const LEAST_FILES = 4;

/** The files of a ring, the oldest first. None where there is no folder. */
export function ringFiles(folder: string): RingFile[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserError(`Cannot read the packet ring ${folder}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
  const files = names.flatMap((name): RingFile[] => {
    const match = NAME.exec(name);
    if (match === null) return [];
    const path = join(folder, name);
    // Another worker may have removed it meanwhile.
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ path, worker: Number(match[1]), from: BigInt(match[2]), bytes: stat.size }];
  });
  return files.sort((a, b) => (a.from < b.from ? -1 : 1));
}

/**
 * Writes the packets of one worker into its files of a ring, in the thread that captured them. File names hold the time
 * of their first packet: the folder is the index. A packet that cannot be written (disk full) is counted and the
 * capture goes on.
 */
export class PacketRing {
  readonly counts: PacketRingCounts = { packets: 0, bytes: 0, failed: 0, problem: null };
  readonly #plan: PacketRingPlan;
  readonly #interfaces: readonly CapturedInterface[];
  readonly #worker: number;
  readonly #workers: number;
  readonly #fileBytes: number;
  readonly #frame = emptyFrame();
  #writer: PcapngWriter | undefined;
  #retryAt = 0;

  /** `interfaces` may grow. Throws UserError (exit code 3) when the folder cannot be made. */
  constructor(plan: PacketRingPlan, interfaces: readonly CapturedInterface[], worker = 0, workers = 1) {
    this.#plan = plan;
    this.#interfaces = interfaces;
    this.#worker = worker;
    this.#workers = workers;
    this.#fileBytes = Math.min(plan.fileBytes, Math.floor(plan.bytes / workers / LEAST_FILES));
    try {
      mkdirSync(plan.folder, { recursive: true, mode: 0o700 });
      // Whoever captures gives up root's rights before the first file is made.
      const { uid, gid } = statSync(dirname(plan.folder));
      if (process.getuid?.() === 0) chownSync(plan.folder, uid, gid);
    } catch (error) {
      throw new UserError(`Cannot make the packet ring ${plan.folder}: ${reasonOf(error)}.`, EXIT.file, {
        cause: error,
      });
    }
  }

  /** A frame was read, and this became of it (`EngineOutputs.frame`). */
  write(carrier: Carrier, fate: number): void {
    if (FOREIGN.has(fate)) return;
    const { counts } = this;
    if (this.#retryAt > 0 && performance.now() < this.#retryAt) {
      counts.failed++;
      return;
    }
    const frame = this.#frame;
    setFrame(frame, carrier);
    try {
      if (this.#writer === undefined || this.#writer.output.writtenBytes >= this.#fileBytes) this.#next(frame);
      this.#writer?.write(frame);
      counts.packets++;
      counts.bytes += frame.captured;
      this.#retryAt = 0;
      counts.problem = null;
    } catch (error) {
      counts.failed++;
      this.#fail(error);
    }
  }

  /** Writes what is buffered: once a second, so that a reader finds the newest packets. */
  flush(): void {
    try {
      this.#writer?.flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  close(): void {
    try {
      this.#writer?.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#writer = undefined;
  }

  #fail(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    this.counts.problem = error.message;
    this.#retryAt = performance.now() + RETRY_MS;
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return;
    // What is left in its buffer cannot be written either.
    writer.output.used = 0;
    writer.close();
  }

  #next(frame: FrameToWrite): void {
    this.#writer?.close();
    this.#writer = undefined;
    const from = BigInt(Math.max(0, frame.seconds)) * 1_000_000_000n + BigInt(frame.nanos);
    this.#removeOld(from);
    const name = `packets-${this.#worker}-${String(from).padStart(19, '0')}.pcapng`;
    this.#writer = new PcapngWriter(join(this.#plan.folder, name), this.#interfaces);
  }

  /** Makes room for the next file. Files of workers that there are no more belong to the first. */
  #removeOld(now: bigint): void {
    const { folder, bytes, ageSeconds } = this.#plan;
    const own = ringFiles(folder).filter(
      ({ worker }) => worker === this.#worker || (this.#worker === 0 && worker >= this.#workers),
    );
    let sum = own.reduce((total, file) => total + file.bytes, 0);
    const budget = Math.floor(bytes / this.#workers) - this.#fileBytes;
    const oldest = ageSeconds === undefined ? 0n : now - BigInt(Math.ceil(ageSeconds)) * 1_000_000_000n;
    own.forEach((file, i) => {
      // The last packet of a file is older than the first of the next one.
      const end = own.at(i + 1)?.from ?? now;
      if (sum <= budget && end >= oldest) return;
      removeFile(file.path);
      sum -= file.bytes;
    });
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new UserError(`Cannot remove ${path} from the packet ring: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}
