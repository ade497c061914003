import type { Pieces } from './pieces.ts';

/** Places of the model's weights. */
export const PLACES = 1 << 15;
/** Longest piece of a name that has a weight. */
const LONGEST = 4;
const MOST_CHARACTERS = 63;

/** Features of one name: places in the weights, and how much each counts. One instance, filled again by every name. */
export class NameFeatures {
  readonly place = new Uint16Array(LONGEST * (MOST_CHARACTERS + 2) + 32);
  readonly value = new Float64Array(this.place.length);
  count = 0;
  /** Has to be set before a name is read. */
  pieces: Pieces;

  constructor(pieces: Pieces) {
    this.pieces = pieces;
  }

  /**
   * Of a registrable domain: `label` is what was registered (folded text), `suffix` the public suffix. Pieces of one to
   * four characters, with the ends marked; length, digits, vowels and runs of consonants; the suffix; how common its pieces are
   * among domains that people chose, which tells names of no language that nobody has seen before.
   */
  read(label: string, suffix: string): void {
    const text = `^${label.slice(0, MOST_CHARACTERS)}$`;
    this.count = 0;
    for (let size = 1; size <= LONGEST; size++) {
      const pieces = text.length - size + 1;
      if (pieces <= 0) break;
      const value = 1 / Math.sqrt(pieces);
      for (let at = 0; at < pieces; at++) this.#add(hash(text, at, size), value);
    }
    const { digits, vowels, run, hyphens } = shapeOf(label);
    const n = label.length;
    this.#add(mark(1, Math.min(n, 40)), 1);
    this.#add(mark(2, Math.round((10 * digits) / n)), 0.7);
    this.#add(mark(3, Math.round((10 * vowels) / n)), 0.7);
    this.#add(mark(4, Math.min(run, 10)), 0.7);
    this.#add(mark(5, Math.min(hyphens, 3)), 0.5);
    this.#add(hash(`~${suffix}`, 0, suffix.length + 1), 1);
    this.#familiar(text, n, digits, vowels);
  }

  /** How common pieces are, as such and for names so long, with so many digits and vowels. */
  #familiar(text: string, n: number, digits: number, vowels: number): void {
    let threes = 0;
    let fours = 0;
    for (let at = 0; at + 3 <= text.length; at++) threes += this.pieces.three(text, at);
    for (let at = 0; at + 4 <= text.length; at++) fours += this.pieces.four(text, at);
    const three = Math.min(12, Math.round((2 * threes) / Math.max(1, text.length - 2)));
    const four = Math.min(12, Math.round((3 * fours) / Math.max(1, text.length - 3)));
    const size = Math.floor(Math.min(n, 30) / 3);
    this.#add(mark(10, three), 1);
    this.#add(mark(11, four), 1);
    this.#add(mark(20 + size, three), 1);
    this.#add(mark(40 + size, four), 1);
    this.#add(mark(60 + Math.min(3, digits), four), 0.7);
    this.#add(mark(70 + Math.round((8 * vowels) / n), four), 0.7);
  }

  #add(hashed: number, value: number): void {
    this.place[this.count] = hashed & (PLACES - 1);
    this.value[this.count++] = value;
  }
}

function shapeOf(label: string): { digits: number; vowels: number; run: number; hyphens: number } {
  const shape = { digits: 0, vowels: 0, run: 0, hyphens: 0 };
  let run = 0;
  for (let i = 0; i < label.length; i++) {
    const c = label.charCodeAt(i);
    const isDigit = c >= 0x30 && c <= 0x39;
    const isVowel = c === 0x61 || c === 0x65 || c === 0x69 || c === 0x6f || c === 0x75 || c === 0x79;
    if (isDigit) shape.digits++;
    if (isVowel) shape.vowels++;
    if (c === 0x2d) shape.hyphens++;
    run = isDigit || isVowel || c === 0x2d ? 0 : run + 1;
    if (run > shape.run) shape.run = run;
  }
  return shape;
}

function hash(text: string, at: number, size: number): number {
  let h = 0x811c9dc5 ^ size;
  for (let i = at; i < at + size; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return spread(h);
}

function mark(kind: number, bucket: number): number {
  return spread(Math.imul(kind * 64 + bucket + 1, 0x9e3779b1));
}

function spread(h: number): number {
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

/** 1 / (1 + e^−x) by multiplication and division alone: the same on every machine. */
export function logistic(x: number): number {
  const z = Math.max(-30, Math.min(30, x));
  let power = 1 - z / 4096;
  for (let i = 0; i < 12; i++) power *= power;
  return 1 / (1 + power);
}
