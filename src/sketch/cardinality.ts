const EXACT = 64;
const P = 12;
const M = 1 << P;

/**
 * How many different things were seen, from 32-bit hashes of them: exact up to 64, then HyperLogLog with 4096 registers
 * (standard error 1.04/√4096 = 1.6 %). Mergeable; the result does not depend on order.
 */
export class Cardinality {
  /** Standard error of `value` once it is no longer exact. */
  static readonly ERROR = 1.04 / Math.sqrt(M);
  #few: Set<number> | null;
  #registers: Uint8Array | null;

  constructor(state: CardinalityState = { few: [], registers: null }) {
    this.#few = state.few === null ? null : new Set(state.few);
    this.#registers = state.registers;
  }

  /** Hashes must be spread well (`mix`). */
  add(hash: number): void {
    if (this.#registers !== null) {
      this.#register(this.#registers, hash);
      return;
    }
    const few = this.#few as Set<number>;
    few.add(hash | 0);
    if (few.size > EXACT) this.#widen();
  }

  #widen(): Uint8Array {
    const registers = new Uint8Array(M);
    for (const hash of this.#few ?? []) this.#register(registers, hash);
    this.#few = null;
    this.#registers = registers;
    return registers;
  }

  #register(registers: Uint8Array, hash: number): void {
    // First bits choose the register, the rest gives the run of zeros; the 1 behind them ends every run.
    const rank = Math.clz32((hash << P) | (M >>> 1)) + 1;
    const at = hash >>> (32 - P);
    if (rank > registers[at]) registers[at] = rank;
  }

  get exact(): boolean {
    return this.#few !== null;
  }

  get value(): number {
    if (this.#few !== null) return this.#few.size;
    const registers = this.#registers as Uint8Array;
    let sum = 0;
    let zeros = 0;
    for (let i = 0; i < M; i++) {
      sum += 2 ** -registers[i];
      if (registers[i] === 0) zeros++;
    }
    const estimate = ((0.7213 / (1 + 1.079 / M)) * M * M) / sum;
    if (estimate <= 2.5 * M && zeros > 0) return Math.round(M * Math.log(M / zeros));
    // 32-bit hashes of very many things collide: corrected as in the original paper.
    if (estimate > 2 ** 32 / 30)
      return Math.round(-(2 ** 32) * Math.log(1 - Math.min(estimate, 2 ** 32 - 1) / 2 ** 32));
    return Math.round(estimate);
  }

  merge(other: Cardinality): void {
    if (other.#few !== null) {
      for (const hash of other.#few) this.add(hash);
      return;
    }
    const mine = this.#registers ?? this.#widen();
    const theirs = other.#registers as Uint8Array;
    for (let i = 0; i < M; i++) if (theirs[i] > mine[i]) mine[i] = theirs[i];
  }

  state(): CardinalityState {
    return { few: this.#few === null ? null : [...this.#few], registers: this.#registers };
  }
}

export interface CardinalityState {
  few: number[] | null;
  registers: Uint8Array | null;
}
