/** How common pieces of names are among domains that people chose: log2 of one more than how often each was met. */
export interface Pieces {
  /** Of the three, or four, characters at an offset. */
  three(text: string, at: number): number;
  four(text: string, at: number): number;
}

/** Letters, digits, hyphen, the ends `^` `$`, and one for all others. */
const LETTERS = '^$abcdefghijklmnopqrstuvwxyz0123456789-_';
const WIDTH = LETTERS.length;
/** Places of pieces of three: each has its own. Two to an octet, in halves of a unit. */
export const THREES = WIDTH ** 3;
const MOST_LEVEL = 15;
/** Places of pieces of four, by hash; four to an octet, in units from the second one on. */
export const FOURS = 1 << 17;
const MOST_STEP = 3;

const COLUMN = Uint8Array.from({ length: 256 }, (_, c) => {
  const at = LETTERS.indexOf(String.fromCharCode(c));
  return at < 0 ? WIDTH - 1 : at;
});

function columnAt(text: string, at: number): number {
  return COLUMN[text.charCodeAt(at) & 255];
}

/** Place of a piece of three. */
export function threeAt(text: string, at: number): number {
  return (columnAt(text, at) * WIDTH + columnAt(text, at + 1)) * WIDTH + columnAt(text, at + 2);
}

/** Place of a piece of four. */
export function fourAt(text: string, at: number): number {
  let h = threeAt(text, at) * WIDTH + columnAt(text, at + 3);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) & (FOURS - 1);
}

/** What is kept of how often a piece of three was met, and of one of four. */
export function levelOf(count: number): number {
  return Math.min(MOST_LEVEL, Math.round(2 * Math.log2(1 + count)));
}
export function stepOf(count: number): number {
  return Math.min(MOST_STEP, Math.max(0, Math.floor(Math.log2(1 + count))));
}

/** Pieces as they are kept: two tables, packed. */
export class PackedPieces implements Pieces {
  readonly #threes: Uint8Array;
  readonly #fours: Uint8Array;

  constructor(threes: Uint8Array, fours: Uint8Array) {
    this.#threes = threes;
    this.#fours = fours;
  }

  three(text: string, at: number): number {
    const place = threeAt(text, at);
    return ((this.#threes[place >> 1] >> (4 * (place & 1))) & 15) / 2;
  }

  four(text: string, at: number): number {
    const place = fourAt(text, at);
    return (this.#fours[place >> 2] >> (2 * (place & 3))) & 3;
  }
}
