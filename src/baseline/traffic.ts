import type { UsualHour, UsualSeries } from '../core/usual.ts';
import { OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { clearSeason, learnHour, SEASON_FLOATS, usualAt, WEEK_BINS, WEEKS_WANTED } from './season.ts';

const UNANSWERED = OUTCOMES.indexOf('unanswered');
const SERVFAIL = 2;
const NXDOMAIN = 3;
/** Days with a like hour that have to be known. */
const LEAST_DAYS = 3;
/** Makes the mean distance the standard deviation of a normal distribution. */
const DISTANCE_TO_SIGMA = Math.sqrt(Math.PI / 2);
/** So much of the spread is still what it began with, after one more hour that taught it. */
const KEPT = 0.7;

/** Where the series of an hour lie: the count, and what is a part of it. */
const SERIES: readonly UsualSeries[] = ['transactions', 'nxdomain_ratio', 'servfail_ratio', 'unanswered_ratio'];

/** What was saved; plain data. */
export interface SavedTraffic {
  seasons: Float32Array;
  /** The first hour that was learnt, since 1970. */
  since: number;
}

/**
 * How much all traffic is by the hour of the week, and which parts of it fail: what the first screen shows as expected. It
 * counts every transaction, also those that detectors have no time for. An hour with an alarm teaches nothing.
 */
export class TrafficModel {
  readonly #seasons = new Float32Array(SERIES.length * SEASON_FLOATS);
  /** Of the hour at hand: transactions, and those that are NXDOMAIN, SERVFAIL, unanswered. */
  readonly #counts = new Float64Array(SERIES.length);
  #hour = Number.NEGATIVE_INFINITY;
  #since = Number.POSITIVE_INFINITY;
  /** The hour at hand was seen from its begin, and nothing unusual is known of it. */
  #teaches = false;

  constructor() {
    for (let i = 0; i < SERIES.length; i++) clearSeason(this.#seasons, i * SEASON_FLOATS);
  }

  /** Takes rows [from, to), in order of closing; those of nametap's own client are none of the traffic's. */
  rows({ col }: TransactionBatch, from: number, to: number, own: ReadonlySet<number> | null = null): void {
    const { rcode, outcome, closeSeconds } = col;
    const counts = this.#counts;
    for (let i = from; i < to; i++) {
      if (closeSeconds[i] >= (this.#hour + 1) * 3600) this.tick(closeSeconds[i]);
      if (own?.has(i) === true) continue;
      counts[0]++;
      if (rcode[i] === NXDOMAIN) counts[1]++;
      else if (rcode[i] === SERVFAIL) counts[2]++;
      if (outcome[i] === UNANSWERED) counts[3]++;
    }
  }

  /** Time passes, in seconds since 1970 on the packets' clock: an hour that is over is learnt. */
  tick(seconds: number): void {
    const hour = Math.floor(seconds / 3600);
    if (hour <= this.#hour) return;
    const before = this.#hour;
    if (this.#teaches) {
      this.#learn(before);
      // Nothing came in these hours: that is known too.
      this.#counts.fill(0);
      for (let quiet = Math.max(before + 1, hour - WEEK_BINS); quiet < hour; quiet++) this.#learn(quiet);
    }
    this.#counts.fill(0);
    this.#hour = hour;
    // The first hour began before we came.
    this.#teaches = before !== Number.NEGATIVE_INFINITY;
  }

  /** There is an alarm: this hour is none to learn from. */
  disturb(): void {
    this.#teaches = false;
  }

  /** What is usual at an hour since 1970 that was not learnt yet; null for others, and where too little is known. */
  usual(series: UsualSeries, hour: number): UsualHour | null {
    if (hour < this.#hour) return null;
    const weeks = Math.max(0, (hour - this.#since) / WEEK_BINS);
    const found = usualAt(this.#seasons, SERIES.indexOf(series) * SEASON_FLOATS, hour, weeks);
    if (found === null || (found.bins < LEAST_DAYS && weeks < WEEKS_WANTED)) return null;
    const learnt = 1 - KEPT ** Math.max(1, found.bins - 1);
    return { level: found.level, sigma: (DISTANCE_TO_SIGMA * found.spread) / (found.bins === 1 ? 1 : learnt) };
  }

  save(): SavedTraffic {
    return { seasons: this.#seasons, since: this.#since };
  }

  /** Goes on with what was saved; the hours since then were not seen. False for what is none. */
  load(saved: SavedTraffic): boolean {
    if (!(saved.seasons instanceof Float32Array) || saved.seasons.length !== this.#seasons.length) return false;
    this.#seasons.set(saved.seasons);
    this.#since = saved.since;
    return true;
  }

  #learn(hour: number): void {
    const [all, ...parts] = this.#counts;
    if (this.#since > hour) this.#since = hour;
    learnHour(this.#seasons, 0, hour, all);
    if (all > 0) parts.forEach((n, i) => learnHour(this.#seasons, (i + 1) * SEASON_FLOATS, hour, n / all));
  }
}
