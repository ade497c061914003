import type { CapturedInterface } from '../core/frames.ts';
import type { DropCounts } from './format.ts';

/** Longest interface name or description kept, in bytes: they are text for people, and files may hold thousands. */
const MAX_TEXT = 256;

/** One interface of a section: its link type, and how its 64-bit times become seconds and nanoseconds. */
export class PcapngInterface {
  readonly captured: CapturedInterface;
  readonly link: number;
  /** Index in the run's list. */
  index = 0;
  /** The time of the last `toTime`. */
  seconds = 0;
  nanos = 0;

  /** Units per second, where double arithmetic is exact (10^3 … 10^9), else 0. */
  readonly #units: number;
  readonly #nanosPerUnit: number;
  readonly #unitsPerSecond: bigint;
  readonly #offsetSeconds: number;

  /** `resolution` is the if_tsresol octet: 10^−n, or 2^−n with the top bit set. */
  constructor(captured: CapturedInterface, resolution: number, offsetSeconds: number) {
    this.captured = captured;
    this.link = captured.link;
    this.#offsetSeconds = offsetSeconds;
    const power = resolution & 0x7f;
    const exact = resolution < 0x80 && power >= 3 && power <= 9;
    this.#units = exact ? 10 ** power : 0;
    this.#nanosPerUnit = exact ? 10 ** (9 - power) : 0;
    this.#unitsPerSecond = resolution < 0x80 ? 10n ** BigInt(power) : 1n << BigInt(power);
  }

  /** Converts a time of two 32-bit words exactly, finer units rounded down. */
  toTime(high: number, low: number): void {
    if (this.#units === 0) {
      this.#toTimeSlowly(high, low);
      return;
    }
    // The quotient of doubles is at most one off; the remainder, exact modulo 2^32, tells which way.
    let seconds = Math.floor((high * 4294967296 + low) / this.#units);
    let rest = (low - Math.imul(seconds, this.#units)) | 0;
    if (rest < 0) {
      seconds--;
      rest += this.#units;
    } else if (rest >= this.#units) {
      seconds++;
      rest -= this.#units;
    }
    this.seconds = seconds + this.#offsetSeconds;
    this.nanos = rest * this.#nanosPerUnit;
  }

  #toTimeSlowly(high: number, low: number): void {
    const time = (BigInt(high) << 32n) | BigInt(low);
    this.seconds = Number(time / this.#unitsPerSecond) + this.#offsetSeconds;
    this.nanos = Number(((time % this.#unitsPerSecond) * 1_000_000_000n) / this.#unitsPerSecond);
  }
}

/** Interface description block at `block`, `length` bytes (≥ 20) long. */
export function readInterface(view: DataView, block: number, length: number, little: boolean): PcapngInterface {
  const captured: CapturedInterface = {
    link: view.getUint16(block + 8, little),
    snaplen: view.getUint32(block + 12, little),
  };
  let resolution = 6;
  let offsetSeconds = 0;
  eachOption(view, block + 16, block + length - 4, little, (code, at, size) => {
    if (code === 2) captured.name = text(view, at, size);
    else if (code === 3) captured.description = text(view, at, size);
    else if (code === 9 && size >= 1) resolution = view.getUint8(at);
    else if (code === 14 && size >= 8) offsetSeconds = Number(view.getBigInt64(at, little));
  });
  return new PcapngInterface(captured, resolution, offsetSeconds);
}

/** Options of an interface statistics block: totals, so the latest block of an interface is the one that counts. */
export function readStatistics(view: DataView, at: number, end: number, little: boolean, into: DropCounts): void {
  eachOption(view, at, end, little, (code, value, size) => {
    if (size < 8) return;
    const count = Number(view.getBigUint64(value, little));
    if (code === 4) into.received = count;
    else if (code === 5) into.interface = count;
    else if (code === 7) into.system = count;
  });
}

/** Frames lost just before this one on its interface, as the options of an enhanced packet block say. */
export function dropsBeside(view: DataView, at: number, end: number, little: boolean): number {
  while (end - at >= 4) {
    const code = view.getUint16(at, little);
    const size = view.getUint16(at + 2, little);
    if (code === 0 || size > end - at - 4) return 0;
    if (code === 4 && size >= 8) return Number(view.getBigUint64(at + 4, little));
    at += 4 + ((size + 3) & ~3);
  }
  return 0;
}

/** Walks options until their end mark, the end of the block, or one that does not fit. */
function eachOption(
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  take: (code: number, at: number, size: number) => void,
): void {
  while (end - at >= 4) {
    const code = view.getUint16(at, little);
    const size = view.getUint16(at + 2, little);
    if (code === 0 || size > end - at - 4) return;
    take(code, at + 4, size);
    at += 4 + ((size + 3) & ~3);
  }
}

const utf8 = new TextDecoder();

function text(view: DataView, at: number, size: number): string {
  const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + at, Math.min(size, MAX_TEXT));
  const nul = bytes.indexOf(0);
  return utf8.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}
