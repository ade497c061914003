import type { Instruction } from '../../../src/sources/live/bpf/assembler.ts';

/** What the kernel knows of a frame beside its bytes: values of the loads from 0xfffff000 on, by offset from there. */
export type Aside = Readonly<Record<number, number>>;

/** Offsets from here on count from the network header. */
const NETWORK = 0xfff00000;

/**
 * Runs a classic BPF program on a frame as the kernel does: the number of bytes to keep, 0 = dropped. The network
 * header is at `networkAt`.
 */
export function run(program: readonly Instruction[], frame: Uint8Array, aside: Aside = {}, networkAt = 14): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const memory = new Uint32Array(16);
  let a = 0;
  let x = 0;
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at];
    const operand = (code & 8) !== 0 ? x : k;
    const base = (code & 0xe0) === 0x40 ? (x + k) >>> 0 : k;
    switch (code & 7) {
      case 0: {
        if ((code & 0xe0) === 0) a = k;
        else if ((code & 0xe0) === 0x60) a = memory[k];
        else if ((code & 0xe0) === 0x80) a = frame.length;
        else if (base >= 0xfffff000) {
          const value = aside[base - 0xfffff000];
          if (value === undefined) throw new Error(`the program asks for ${base - 0xfffff000}`);
          a = value;
        } else {
          const size = (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1;
          const from = base >= NETWORK ? base - NETWORK + networkAt : base;
          // A load behind the end drops the packet.
          if (from + size > frame.length) return 0;
          a = size === 4 ? view.getUint32(from) : size === 2 ? view.getUint16(from) : view.getUint8(from);
        }
        break;
      }
      case 1: {
        if ((code & 0xe0) === 0) x = k;
        else if ((code & 0xe0) === 0x60) x = memory[k];
        else if ((code & 0xe0) === 0x80) x = frame.length;
        else if (k >= frame.length) return 0;
        else x = (frame[k] & 15) * 4;
        break;
      }
      case 2:
        memory[k] = a;
        break;
      case 3:
        memory[k] = x;
        break;
      case 4:
        a = arithmetic(code & 0xf0, a, operand);
        break;
      case 5:
        if ((code & 0xf0) === 0) at += k;
        else at += compare(code & 0xf0, a, operand) ? jt : jf;
        break;
      case 6:
        return (code & 0x18) === 0x10 ? a : k;
      default:
        if ((code & 0xf8) === 0x80) a = x;
        else x = a;
    }
  }
}

function arithmetic(operation: number, a: number, b: number): number {
  const results: Record<number, () => number> = {
    0x00: () => a + b,
    0x10: () => a - b,
    0x20: () => Math.imul(a, b),
    0x30: () => (b === 0 ? 0 : Math.floor(a / b)),
    0x40: () => a | b,
    0x50: () => a & b,
    0x60: () => a << b,
    0x70: () => a >>> b,
    0x80: () => -a,
    0x90: () => a % b,
    0xa0: () => a ^ b,
  };
  return results[operation]() >>> 0;
}

function compare(operation: number, a: number, b: number): boolean {
  if (operation === 0x10) return a === b;
  if (operation === 0x20) return a > b;
  if (operation === 0x30) return a >= b;
  return (a & b) !== 0;
}
