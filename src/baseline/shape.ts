/** Runs of one kind of character that a shape tells; longer names end in `…`. */
const MOST_RUNS = 12;
const MOST_KNOWN = 4096;

const LETTER = 1;
const DIGIT = 2;
const HYPHEN = 3;
const OTHER = 4;
const KIND = Uint8Array.from({ length: 256 }, (_, c) => {
  if ((c >= 97 && c <= 122) || (c >= 65 && c <= 90)) return LETTER;
  if (c >= 48 && c <= 57) return DIGIT;
  return c === 45 ? HYPHEN : OTHER;
});
const SIGN = ['', 'a', 'd', '-', '?'];

/**
 * Shapes of names: runs of letters, digits and others with their length, dots between labels. `a3d2.a3` stands for all
 * of `www01.cdn` and `img42.bar`. Only what stands in front of the registrable domain counts.
 */
export class Shapes {
  readonly #texts = new Map<number, string>();

  /** The text of a shape, undefined when it is no longer known. */
  text(shape: number): string | undefined {
    return this.#texts.get(shape);
  }

  /** The number of the shape of the first `end` octets of a wire name; 0 where nothing stands there. */
  of(name: Uint8Array, end: number): number {
    if (end <= 0) return 0;
    let hash = 0x811c9dc5;
    let runs = 0;
    for (let at = 0; at < end && runs < MOST_RUNS; at += name[at] + 1) {
      const labelEnd = at + 1 + name[at];
      for (let i = at + 1; i < labelEnd && runs < MOST_RUNS; runs++) {
        const kind = KIND[name[i]];
        const from = i;
        while (i < labelEnd && KIND[name[i]] === kind) i++;
        hash = Math.imul(hash ^ ((kind << 6) | lengthClass(i - from)), 0x01000193);
      }
      hash = Math.imul(hash ^ 0xff, 0x01000193);
    }
    if (!this.#texts.has(hash)) {
      if (this.#texts.size >= MOST_KNOWN) this.#texts.clear();
      this.#texts.set(hash, shapeText(name, end));
    }
    return hash;
  }

  state(): [number, string][] {
    return [...this.#texts];
  }

  restore(state: readonly [number, string][]): void {
    this.#texts.clear();
    for (const [shape, text] of state.slice(0, MOST_KNOWN)) this.#texts.set(shape, text);
  }
}

/** Long runs are alike: up to 7 told exactly, then 8, 16, 32. */
function lengthClass(length: number): number {
  return length < 8 ? length : length < 16 ? 8 : length < 32 ? 16 : 32;
}

function shapeText(name: Uint8Array, end: number): string {
  let text = '';
  let runs = 0;
  for (let at = 0; at < end; at += name[at] + 1) {
    if (runs >= MOST_RUNS) return `${text}…`;
    const labelEnd = at + 1 + name[at];
    if (at > 0) text += '.';
    for (let i = at + 1; i < labelEnd && runs < MOST_RUNS; runs++) {
      const kind = KIND[name[i]];
      const from = i;
      while (i < labelEnd && KIND[name[i]] === kind) i++;
      const length = lengthClass(i - from);
      text += `${SIGN[kind]}${kind === HYPHEN && length === 1 ? '' : length}${length >= 8 ? '+' : ''}`;
    }
  }
  return text;
}
