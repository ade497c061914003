const SEED = 0x811c9dc5;
const PRIME = 0x01000193;

/** Domains, each with everything below it. Lines of a list: comments behind `#`, case and a last dot do not matter. */
export class DomainSet {
  readonly #domains = new Set<string>();
  /** Bits of the hashes of their wire forms: most names are none of them, and need not become text to know. */
  readonly #bits: Uint8Array;

  constructor(lines: Iterable<string>) {
    for (const line of lines) {
      const domain = line.replace(/#.*/, '').trim().toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
      if (domain !== '') this.#domains.add(domain);
    }
    this.#bits = new Uint8Array(2 ** Math.max(3, Math.ceil(Math.log2(this.#domains.size * 4 + 1))));
    for (const domain of this.#domains) this.#mark(domain);
  }

  get size(): number {
    return this.#domains.size;
  }

  #mark(domain: string): void {
    // Escapes are rare: with one every name may be in the set.
    if (!/^[!-[\]-~]+$/.test(domain)) this.#bits.fill(0xff);
    let hash = SEED;
    for (const label of domain.split('.')) {
      hash = Math.imul(hash ^ label.length, PRIME);
      for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), PRIME);
    }
    const bit = bitOf(hash, this.#bits.length);
    this.#bits[bit >>> 3] |= 1 << (bit & 7);
  }

  /** Whether the folded wire name at `start` may be one of them, or lie below one: quicker than `has`, and hardly ever wrong. */
  mayHave(name: Uint8Array, start = 0): boolean {
    const bits = this.#bits;
    for (let from = start; name[from] !== 0; from += name[from] + 1) {
      let hash = SEED;
      let at = from;
      while (name[at] !== 0) {
        const end = at + name[at];
        hash = Math.imul(hash ^ name[at], PRIME);
        while (at < end) hash = Math.imul(hash ^ name[++at], PRIME);
        at++;
      }
      const bit = bitOf(hash, bits.length);
      if ((bits[bit >>> 3] & (1 << (bit & 7))) !== 0) return true;
    }
    return false;
  }

  /** Whether the name (folded, escaped text) is one of them, or lies below one. */
  has(name: string): boolean {
    if (this.#domains.size === 0) return false;
    for (let at = 0; ; ) {
      if (this.#domains.has(at === 0 ? name : name.slice(at))) return true;
      const dot = name.indexOf('.', at);
      if (dot < 0) return false;
      at = dot + 1;
    }
  }
}

/** Which bit of so many bytes, a power of two, a hash stands for. */
function bitOf(hash: number, bytes: number): number {
  return (hash ^ (hash >>> 15)) & (bytes * 8 - 1);
}
