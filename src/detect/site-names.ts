/** Letters of names, and one for all others; the first stands for the beginning of a label. */
const LETTERS = '^abcdefghijklmnopqrstuvwxyz0123456789-_';
const WIDTH = LETTERS.length;
/** Letters after which half of what was learnt is forgotten. */
const MEMORY = 2_000_000;
/** How much the longer and the shorter pieces count; the rest is spread over all letters. */
const THREE = 0.7;
const TWO = 0.2;
const ONE = 0.09;
const REST = 0.01 / WIDTH;
const LITTLE = 1e-200;

const COLUMN = Uint8Array.from({ length: 256 }, (_, c) => {
  const at = LETTERS.indexOf(String.fromCharCode(c));
  return at < 0 ? WIDTH - 1 : at;
});

/** How names are spelled on this network: which letter follows which two, learnt from the names that are asked for. */
export class SiteNames {
  readonly #ones = new Float32Array(WIDTH);
  readonly #twos = new Float32Array(WIDTH * WIDTH);
  readonly #threes = new Float32Array(WIDTH * WIDTH * WIDTH);
  #letters = 0;

  /** Letters that it was learnt from. */
  get letters(): number {
    return this.#letters;
  }

  /**
   * Bits that a letter of the labels of a folded wire name up to offset `end` costs, on average, by what was known before;
   * NaN without a letter. Learns from it then, unless told otherwise.
   */
  bits(name: Uint8Array, end: number, learns = true): number {
    const ones = this.#ones;
    const twos = this.#twos;
    const threes = this.#threes;
    const letters = Math.max(1, this.#letters);
    let chances = 1;
    let bits = 0;
    let n = 0;
    for (let at = 0; at < end && name[at] > 0; at++) {
      const stop = at + name[at];
      // Every label has a beginning: what follows it has as much of a chance as it came first.
      if (learns) {
        ones[0]++;
        twos[0]++;
      }
      let a = 0;
      let b = 0;
      while (at < stop) {
        const c = COLUMN[name[++at]];
        const pair = b * WIDTH + c;
        const three = (a * WIDTH + b) * WIDTH + c;
        const before = a * WIDTH + b;
        chances *=
          (THREE * threes[three]) / Math.max(1, twos[before]) +
          (TWO * twos[pair]) / Math.max(1, ones[b]) +
          (ONE * ones[c]) / letters +
          REST;
        // A logarithm now and then is enough.
        if (chances < LITTLE) {
          bits -= Math.log2(chances);
          chances = 1;
        }
        if (learns) {
          ones[c]++;
          twos[pair]++;
          threes[three]++;
        }
        n++;
        a = b;
        b = c;
      }
    }
    if (learns) this.#letters += n;
    if (this.#letters > MEMORY) this.#halve();
    return (bits - Math.log2(chances)) / n;
  }

  #halve(): void {
    for (const counts of [this.#ones, this.#twos, this.#threes]) for (let i = 0; i < counts.length; i++) counts[i] /= 2;
    this.#letters /= 2;
  }

  /** Plain data, and back from it. */
  save(): object {
    return { ones: this.#ones, twos: this.#twos, threes: this.#threes, letters: this.#letters };
  }

  load(state: unknown): void {
    if (typeof state !== 'object' || state === null) return;
    const { ones, twos, threes, letters } = state as Record<string, unknown>;
    if (
      typeof letters !== 'number' ||
      !isOf(ones, this.#ones) ||
      !isOf(twos, this.#twos) ||
      !isOf(threes, this.#threes)
    )
      return;
    this.#ones.set(ones);
    this.#twos.set(twos);
    this.#threes.set(threes);
    this.#letters = letters;
  }
}

function isOf(value: unknown, like: Float32Array): value is Float32Array {
  return value instanceof Float32Array && value.length === like.length;
}
