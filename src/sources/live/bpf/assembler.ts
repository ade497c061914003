import { EXIT, UserError } from '../../../core/errors.ts';

/** One instruction of classic BPF: `struct sock_filter`. */
export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

/** Operation codes (linux/bpf_common.h), those that are used. */
export const OP = {
  loadWord: 0x20,
  loadHalf: 0x28,
  loadByte: 0x30,
  loadWordX: 0x40,
  loadHalfX: 0x48,
  loadByteX: 0x50,
  loadMemory: 0x60,
  setX: 0x01,
  loadMemoryX: 0x61,
  /** X = 4 × the low nibble of a byte: length of an IPv4 header. */
  headerLengthX: 0xb1,
  store: 0x02,
  storeX: 0x03,
  set: 0x00,
  add: 0x04,
  addX: 0x0c,
  multiply: 0x24,
  and: 0x54,
  shiftLeft: 0x64,
  shiftRight: 0x74,
  xorX: 0xac,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpAbove: 0x25,
  jumpAtLeast: 0x35,
  jumpSet: 0x45,
  return: 0x06,
  returnA: 0x16,
  moveToX: 0x07,
} as const;

/** Offsets of what the kernel knows beside the packet's bytes (linux/filter.h). */
export const KERNEL = {
  protocol: 0xfffff000,
  packetType: 0xfffff004,
  interface: 0xfffff008,
  hardwareType: 0xfffff01c,
  vlanTag: 0xfffff02c,
  vlanTagPresent: 0xfffff030,
  /** Added to an offset: counts from the network header. */
  network: 0xfff00000,
} as const;

/** The kernel takes no longer program (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4096;

/** A place in a program: what comes after it is known already. */
export type Label = number;

/**
 * Builds a program from its end to its start, because all jumps go forward: each call puts an instruction before those
 * there are and returns its label.
 */
export class Assembler {
  /** Last instruction first. */
  readonly #reversed: Instruction[] = [];

  /** Ends with this number of bytes kept; 0 drops the packet. */
  accept(bytes: number): Label {
    return this.#push(OP.return, bytes);
  }

  /** Ends with what is in A. */
  returnA(): Label {
    return this.#push(OP.returnA, 0);
  }

  /** An instruction after which `next` comes. */
  op(code: number, k: number, next: Label): Label {
    this.#goTo(next);
    return this.#push(code, k);
  }

  /** Compares A with k. */
  test(code: number, k: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    const near = this.#reach(yes, 1);
    const alsoNear = this.#reach(no, 0);
    const here = this.#reversed.length;
    // A detour for `no` may have moved `yes` one further; `#reach` has left room for it.
    return this.#push(code, k, here - near - 1, here - alsoNear - 1);
  }

  /** Loads into A, then compares for equality. */
  equal(load: number, at: number, value: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    return this.op(load, at, this.test(OP.jumpEqual, value, yes, no));
  }

  /** Compares A with each of some values. */
  oneOf(values: readonly number[], yes: Label, no: Label): Label {
    return values.reduceRight((next, value) => this.test(OP.jumpEqual, value, yes, next), no);
  }

  /** A whole program whose own returns end the run. */
  embed(program: readonly Instruction[]): Label {
    for (let i = program.length - 1; i >= 0; i--) this.#reversed.push({ ...program[i] });
    return this.#reversed.length - 1;
  }

  /** The program that starts at `entry`. Throws UserError when it is too long for the kernel. */
  program(entry: Label): Instruction[] {
    this.#goTo(entry);
    const program = this.#reversed.toReversed();
    if (program.length > MAX_INSTRUCTIONS) {
      throw new UserError(
        `The capture filter needs ${program.length} instructions; the kernel takes ${MAX_INSTRUCTIONS}. ` +
          'Use a shorter -f, and a display filter (-Y) for the rest.',
        EXIT.filter,
      );
    }
    return program;
  }

  #push(code: number, k: number, jt = 0, jf = 0): Label {
    return this.#reversed.push({ code, jt, jf, k: k >>> 0 }) - 1;
  }

  /** Makes `next` what follows. */
  #goTo(next: Label): void {
    if (next !== this.#reversed.length - 1) this.#push(OP.jump, this.#reversed.length - next - 1);
  }

  /** The label itself where a conditional jump (8 bits) still reaches it `further` on, else that of a jump to it. */
  #reach(label: Label, further: number): Label {
    const distance = this.#reversed.length - label - 1 + further;
    return distance <= 255 ? label : this.#push(OP.jump, distance - further);
  }
}

/** The program as the kernel reads it: 8 bytes an instruction, in the machine's byte order. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const halves = new Uint16Array(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    halves[i * 4] = code;
    bytes[i * 8 + 2] = jt;
    bytes[i * 8 + 3] = jf;
    words[i * 2 + 1] = k;
  });
  return bytes;
}

/** Reads a program of `count` instructions. */
export function decodeProgram(bytes: Uint8Array<ArrayBuffer>, count: number): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  return Array.from({ length: count }, (_, i) => ({
    code: view.getUint16(i * 8, little),
    jt: view.getUint8(i * 8 + 2),
    jf: view.getUint8(i * 8 + 3),
    k: view.getUint32(i * 8 + 4, little),
  }));
}
