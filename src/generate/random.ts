/** Random numbers of a seed: the same seed gives the same sequence everywhere (sfc32). Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #n = 1;

  constructor(seed: string | number) {
    let h = 0x811c9dc5;
    for (const character of String(seed)) h = Math.imul(h ^ character.charCodeAt(0), 0x01000193);
    this.#a = h;
    this.#b = Math.imul(h ^ 0x9e3779b9, 0x85ebca6b);
    this.#c = Math.imul(h ^ 0x7f4a7c15, 0xc2b2ae35);
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 random bits. */
  bits(): number {
    const t = (this.#a + this.#b + this.#n++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    return t >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** Whole, in [0, n). */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** In [from, to); whole numbers give whole numbers only with `Math.floor`. */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)];
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  /** `length` characters of an alphabet. */
  text(alphabet: string, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += alphabet[this.int(alphabet.length)];
    return text;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.bits() >>> 24);
  }
}

/** Ranks 0 … n−1 with Zipf's weights 1 / (rank + 1)^s, drawn in constant time (alias method, Vose 1991). */
export class Zipf {
  readonly #share: Float64Array;
  readonly #other: Uint32Array;

  constructor(n: number, s: number) {
    const weights = Float64Array.from({ length: n }, (_, i) => (i + 1) ** -s);
    const sum = weights.reduce((a, b) => a + b, 0);
    this.#share = weights.map((w) => (w / sum) * n);
    this.#other = new Uint32Array(n);
    const small: number[] = [];
    const large: number[] = [];
    this.#share.forEach((share, i) => void (share < 1 ? small : large).push(i));
    for (;;) {
      const less = small.pop();
      const more = large.at(-1);
      if (less === undefined || more === undefined) break;
      this.#other[less] = more;
      this.#share[more] -= 1 - this.#share[less];
      if (this.#share[more] < 1) small.push(large.pop() ?? more);
    }
    for (const i of [...small, ...large]) this.#share[i] = 1;
  }

  draw(random: Random): number {
    const i = random.int(this.#share.length);
    return random.next() < this.#share[i] ? i : this.#other[i];
  }
}
