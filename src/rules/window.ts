import { summarize } from '../sketch/summary.ts';
import type { Aggregate, Comparison } from './when.ts';

/** A window is so many slices; the oldest goes when a new one begins, so it is this much shorter than told at worst. */
const SLICES = 10;
/** Values and different texts of a slice that are kept; of more, each value has the same chance. */
const MOST_VALUES = 512;
const MOST_DISTINCT = 4096;
/** Windows that say what is usual, and how many there have to be. */
const HISTORY = 48;
const LEAST_HISTORY = 8;
/** Spread below this share of the centre is no spread: two milliseconds more are no alarm. */
const LEAST_SPREAD = 0.1;
/** MAD of a normal distribution to its standard deviation. */
const MAD = 1.4826;

class Slice {
  count = 0;
  /** Per comparison: matches of a ratio, values, different texts. */
  readonly hits: number[] = [];
  readonly values: number[][] = [];
  readonly offered: number[] = [];
  readonly texts: Set<string>[] = [];

  constructor(comparisons: readonly Comparison[]) {
    for (let i = 0; i < comparisons.length; i++) {
      this.hits.push(0);
      this.offered.push(0);
      this.values.push([]);
      this.texts.push(new Set());
    }
  }
}

/** What a row contributes to a comparison. */
export interface Contribution {
  hit(i: number): boolean;
  numbers(i: number): readonly number[];
  texts(i: number): readonly string[];
}

/** The last `seconds` of one key of a rule. */
export class Window {
  readonly #comparisons: readonly Comparison[];
  readonly #seconds: number;
  #slices: Slice[];
  #slice: number;
  readonly began: number;
  lastSeen: number;
  /** Of each comparison with `changed`: its values at the end of earlier windows. */
  readonly #history: number[][];
  #windows = 0;
  raisedAt = Number.NEGATIVE_INFINITY;

  constructor(comparisons: readonly Comparison[], seconds: number, time: number) {
    this.#comparisons = comparisons;
    this.#seconds = seconds;
    this.#slice = this.#number(time);
    this.#slices = [new Slice(comparisons)];
    this.#history = comparisons.map(() => []);
    this.began = time;
    this.lastSeen = time;
  }

  #number(time: number): number {
    return Math.floor((time * SLICES) / this.#seconds);
  }

  /** Moves on to a time; what a full window ends with is remembered. */
  advance(time: number): void {
    const slice = this.#number(time);
    if (slice <= this.#slice) return;
    if (Math.floor(slice / SLICES) > Math.floor(this.#slice / SLICES)) this.#remember(time);
    for (let i = Math.min(SLICES, slice - this.#slice); i > 0; i--) this.#slices.push(new Slice(this.#comparisons));
    this.#slices = this.#slices.slice(-SLICES);
    this.#slice = slice;
  }

  add(time: number, row: Contribution): void {
    this.advance(time);
    if (time > this.lastSeen) this.lastSeen = time;
    const slice = this.#slices[this.#slices.length - 1];
    slice.count++;
    for (const [i, { aggregate }] of this.#comparisons.entries()) {
      if (aggregate === 'count' || aggregate === 'rate') continue;
      if (aggregate === 'ratio') slice.hits[i] += row.hit(i) ? 1 : 0;
      else if (aggregate === 'distinct') {
        for (const text of row.texts(i)) if (slice.texts[i].size < MOST_DISTINCT) slice.texts[i].add(text);
      } else for (const value of row.numbers(i)) this.#keep(slice, i, value);
    }
  }

  /** Algorithm R (Vitter 1985), with a hash of the count for chance: a replay gives the same. */
  #keep(slice: Slice, i: number, value: number): void {
    const n = ++slice.offered[i];
    if (slice.values[i].length < MOST_VALUES) {
      slice.values[i].push(value);
      return;
    }
    const at = (Math.imul(n, 0x9e3779b1) >>> 0) % n;
    if (at < MOST_VALUES) slice.values[i][at] = value;
  }

  get count(): number {
    return this.#slices.reduce((sum, { count }) => sum + count, 0);
  }

  /** The number that comparison `i` asks for; null while there is none. */
  value(i: number): number | null {
    const { aggregate } = this.#comparisons[i];
    const { count } = this;
    if (aggregate === 'count') return count;
    if (aggregate === 'rate') return count / this.#seconds;
    if (aggregate === 'ratio')
      return count === 0 ? null : this.#slices.reduce((sum, { hits }) => sum + hits[i], 0) / count;
    if (aggregate === 'distinct') {
      if (this.#slices.length === 1) return this.#slices[0].texts[i].size;
      const all = new Set<string>();
      for (const { texts } of this.#slices) for (const text of texts[i]) all.add(text);
      return all.size;
    }
    return statistic(
      aggregate,
      this.#slices.flatMap(({ values }) => values[i]),
    );
  }

  /** Median and spread of earlier windows, and how many there are; undefined while there are too few. */
  usual(i: number): { centre: number; spread: number; n: number } | undefined {
    const history = this.#history[i];
    if (history.length < LEAST_HISTORY) return undefined;
    const centre = median(history);
    const mad = MAD * median(history.map((one) => Math.abs(one - centre)));
    return { centre, spread: Math.max(mad, Math.abs(centre) * LEAST_SPREAD), n: history.length };
  }

  #remember(time: number): void {
    this.#windows++;
    // What began in the middle of a window is no window; and an alarm teaches nothing.
    if (this.#windows === 1 || time - this.raisedAt < this.#seconds * 2) return;
    for (const [i, { operator }] of this.#comparisons.entries()) {
      if (operator !== 'changed') continue;
      const value = this.value(i);
      if (value === null) continue;
      this.#history[i].push(value);
      if (this.#history[i].length > HISTORY) this.#history[i].shift();
    }
  }
}

function statistic(aggregate: Aggregate, values: readonly number[]): number | null {
  const summary = summarize(values);
  return aggregate in summary ? summary[aggregate as 'mean'] : null;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
