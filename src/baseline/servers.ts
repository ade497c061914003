import { binomialTail, BUCKETS, quantile, quantileBucket, weightOf } from './latency.ts';
import { FIRST, HOUR, LAST, ModelTable, MUTED, OWN, SAMPLES } from './model-table.ts';
import { clearSeason, hourOfWeek, learnHour, SEASON_FLOATS, WEEK_BINS } from './season.ts';
import type { BaselineConfig } from './settings.ts';

/** What is counted of a server's transactions. */
export const COUNTERS = [
  'queries',
  'answers',
  'data',
  'nxdomain',
  'servfail',
  'refused',
  'unanswered',
  'unreachable',
  'truncated',
  'authoritative',
  'validated',
  'recursive',
  'bogus',
] as const;
export type Counter = (typeof COUNTERS)[number];
const COUNTS = COUNTERS.length;

/** Where things lie in a model's floats. Latencies: lately (half-life 1 d), usual (14 d), of 5 minutes, of this minute. */
const FAST = 0;
const SLOW = BUCKETS;
const RECENT = 2 * BUCKETS;
const MINUTE = 3 * BUCKETS;
const SEASON = 4 * BUCKETS;
/** Median latency by hour of the week. */
const WEEK_LATENCY = SEASON + SEASON_FLOATS;
/** Counters: of 5 minutes (all transactions), of this minute (those that count), usual. */
const RECENT_COUNTS = WEEK_LATENCY + WEEK_BINS;
const MINUTE_COUNTS = RECENT_COUNTS + COUNTS;
const USUAL_COUNTS = MINUTE_COUNTS + COUNTS;
const HOUR_ROWS = USUAL_COUNTS + COUNTS;
/** The 95th percentile of five minutes, and how far it usually lies from that; milliseconds. */
const P95 = HOUR_ROWS + 1;
const P95_SPREAD = HOUR_ROWS + 2;
/** Minutes in a row that were too strange to be learnt. */
const STRANGE = HOUR_ROWS + 3;
const FLOATS = HOUR_ROWS + 4;

/** Own doubles: the hour up to which it has faded, second of its last answer. */
const FADED = OWN;
const ANSWERED_AT = OWN + 1;
const DOUBLES = OWN + 2;

/** What is left of five minutes after another one: a window that slides without steps. */
const KEEP = 0.8;
/** Below this a window is empty. */
const NOTHING = 0.05;
/** Samples from which a minute can be strange, how unlikely it then is, and for how long at most it is not learnt. */
const KNOWN = 200;
const UNLIKELY = 1e-4;
const STRANGE_MINUTES = 60;
const FAILURES = (['servfail', 'refused', 'unanswered', 'unreachable'] as const).map((one) => COUNTERS.indexOf(one));
/** Single precision counts exactly up to 2^24. */
const MOST_WEIGHT = 2 ** 22;

/** Models of servers (and of all traffic, as one): latency, outcomes, rate. */
export class ServerModels {
  readonly table: ModelTable;
  readonly #config: BaselineConfig;
  /** Servers that had transactions within the last minutes. */
  readonly active = new Set<number>();

  constructor(capacity: number, config: BaselineConfig) {
    this.table = new ModelTable(capacity, { doubles: DOUBLES, floats: FLOATS, ints: 0 });
    this.table.onMade = (place, now) => this.#begin(place, now);
    this.table.onEvict = (place) => this.active.delete(place);
    this.#config = config;
  }

  #begin(place: number, now: number): void {
    const { doubles, floats } = this.table;
    const at = place * FLOATS;
    clearSeason(floats, at + SEASON);
    floats.fill(-1, at + WEEK_LATENCY, at + WEEK_LATENCY + WEEK_BINS);
    const d = place * DOUBLES;
    doubles[d + FADED] = doubles[d + HOUR];
    doubles[d + ANSWERED_AT] = now;
  }

  /** A transaction: the bucket of its latency (−1 without), its counters as bits; `teaches`: whether it is learnt from. */
  add(place: number, now: number, bucket: number, counters: number, teaches: boolean): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    if (now > doubles[d + LAST]) doubles[d + LAST] = now;
    // It counts from the first of five minutes on.
    if (floats[f + RECENT_COUNTS] === 0) this.active.add(place);
    floats[f + HOUR_ROWS]++;
    if (teaches) doubles[d + SAMPLES]++;
    for (let left = counters; left !== 0; left &= left - 1) {
      const at = f + 31 - Math.clz32(left & -left);
      floats[at + RECENT_COUNTS]++;
      if (teaches) floats[at + MINUTE_COUNTS]++;
    }
    if (bucket < 0) return;
    floats[f + bucket + RECENT]++;
    if (teaches) floats[f + bucket + MINUTE]++;
    doubles[d + ANSWERED_AT] = now;
  }

  /** One counter more of a transaction that was added. */
  count(place: number, counter: number, teaches: boolean): void {
    const { floats } = this.table;
    const at = place * FLOATS + counter;
    floats[at + RECENT_COUNTS]++;
    if (teaches) floats[at + MINUTE_COUNTS]++;
  }

  /** So many minutes have passed, `now` is the end of the first of them: what it brought is learnt unless there is an alarm. */
  endMinute(now: number, minutes: number): void {
    const keep = KEEP ** minutes;
    for (const place of this.active) {
      this.#learn(place, now);
      const { floats } = this.table;
      const f = place * FLOATS;
      for (let i = f + RECENT, end = f + MINUTE; i < end; i++) floats[i] *= keep;
      for (let i = f + RECENT_COUNTS, end = f + MINUTE_COUNTS; i < end; i++) floats[i] *= keep;
      if (floats[f + RECENT_COUNTS] >= NOTHING) continue;
      floats.fill(0, f + RECENT, f + MINUTE);
      floats.fill(0, f + RECENT_COUNTS, f + MINUTE_COUNTS);
      this.active.delete(place);
    }
  }

  #learn(place: number, now: number): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    this.#passHours(place, Math.floor(now / 3600));
    if (now >= doubles[d + MUTED] && !this.#isStrange(f)) {
      let weight = 0;
      for (let i = 0; i < BUCKETS; i++) {
        const n = floats[f + MINUTE + i];
        if (n > 0) {
          floats[f + FAST + i] += n;
          floats[f + SLOW + i] += n;
        }
        weight += floats[f + SLOW + i];
      }
      for (let i = 0; i < COUNTS; i++) floats[f + USUAL_COUNTS + i] += floats[f + MINUTE_COUNTS + i];
      if (weight > MOST_WEIGHT) this.#fade(f, 0.5, 0.5);
      this.#learnP95(f);
    }
    floats.fill(0, f + MINUTE, f + SEASON);
    floats.fill(0, f + MINUTE_COUNTS, f + USUAL_COUNTS);
  }

  /**
   * Whether this minute's failures, or slow answers, are far more than usual: before an alarm is certain it is not to have
   * become usual. After an hour of it, it is learnt all the same.
   */
  #isStrange(f: number): boolean {
    const { floats } = this.table;
    const minute = f + MINUTE_COUNTS;
    const usual = f + USUAL_COUNTS;
    const seen = floats[usual];
    let isStrange = false;
    if (seen >= KNOWN) {
      for (const counter of FAILURES) {
        const p = Math.min(0.99, (2 * (floats[usual + counter] + 1)) / (seen + 20));
        if (binomialTail(floats[minute + counter], floats[minute], p) < UNLIKELY) isStrange = true;
      }
    }
    const n = weightOf(floats, f + MINUTE);
    if (!isStrange && n >= 10 && weightOf(floats, f + SLOW) >= KNOWN) {
      const p95 = quantileBucket(floats, f + SLOW, 0.95);
      let slower = 0;
      for (let i = p95 + 1; i < BUCKETS; i++) slower += floats[f + MINUTE + i];
      isStrange = binomialTail(slower, n, 0.1) < UNLIKELY;
    }
    floats[f + STRANGE] = isStrange ? floats[f + STRANGE] + 1 : 0;
    return isStrange && floats[f + STRANGE] <= STRANGE_MINUTES;
  }

  #learnP95(f: number): void {
    const { floats } = this.table;
    if (weightOf(floats, f + RECENT) < 50) return;
    const p95 = quantile(floats, f + RECENT, 0.95);
    if (floats[f + P95] === 0) floats[f + P95] = p95;
    const distance = Math.abs(p95 - floats[f + P95]);
    floats[f + P95_SPREAD] += 0.05 * (distance - floats[f + P95_SPREAD]);
    floats[f + P95] += 0.05 * (p95 - floats[f + P95]);
  }

  /** Whole hours have passed: their level is learnt (also of those without a transaction), and what was before fades. */
  #passHours(place: number, hour: number): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    const from = doubles[d + HOUR];
    if (hour <= from) return;
    // The first hour is hardly ever a whole one.
    const isWhole = doubles[d + FIRST] < from * 3600 + 60;
    if (isWhole && from * 3600 >= doubles[d + MUTED]) {
      learnHour(floats, f + SEASON, from, floats[f + HOUR_ROWS]);
      const median = this.medianMs(place);
      const bin = f + WEEK_LATENCY + hourOfWeek(from);
      if (median > 0) floats[bin] = floats[bin] < 0 ? median : floats[bin] + 0.3 * (median - floats[bin]);
    }
    for (let one = Math.max(from + 1, hour - WEEK_BINS); one < hour; one++) learnHour(floats, f + SEASON, one, 0);
    floats[f + HOUR_ROWS] = 0;
    doubles[d + HOUR] = hour;
    const hours = hour - doubles[d + FADED];
    doubles[d + FADED] = hour;
    const { fast, slow } = this.#config;
    this.#fade(f, 2 ** ((-hours * 3_600_000) / fast), 2 ** ((-hours * 3_600_000) / slow));
  }

  /** See `ModelTable.skipTo`. */
  skipTo(hour: number): void {
    this.table.skipTo(hour, HOUR_ROWS);
  }

  #fade(f: number, fast: number, slow: number): void {
    const { floats } = this.table;
    for (let i = 0; i < BUCKETS; i++) {
      floats[f + FAST + i] *= fast;
      floats[f + SLOW + i] *= slow;
    }
    for (let i = 0; i < COUNTS; i++) floats[f + USUAL_COUNTS + i] *= slow;
  }

  // ---- what is known ----

  /** Median of the last five minutes, milliseconds; NaN with few answers. */
  medianMs(place: number): number {
    const { floats } = this.table;
    const at = place * FLOATS + RECENT;
    return weightOf(floats, at) < 5 ? Number.NaN : quantile(floats, at, 0.5);
  }

  /** Where latencies lie in `table.floats`: of the last five minutes, of the last day, usual. */
  latencies(place: number, which: 'recent' | 'fast' | 'slow'): number {
    return place * FLOATS + (which === 'recent' ? RECENT : which === 'fast' ? FAST : SLOW);
  }

  /** Transactions of the last five minutes (older ones count for less). */
  recent(place: number, counter: Counter): number {
    return this.table.floats[place * FLOATS + RECENT_COUNTS + COUNTERS.indexOf(counter)];
  }

  usual(place: number, counter: Counter): number {
    return this.table.floats[place * FLOATS + USUAL_COUNTS + COUNTERS.indexOf(counter)];
  }

  /** Where its levels by the hour lie in `table.floats`. */
  season(place: number): number {
    return place * FLOATS + SEASON;
  }

  /** The usual median at an hour since 1970, milliseconds; −1 when it is not known. */
  weekLatency(place: number, hour: number): number {
    return this.table.floats[place * FLOATS + WEEK_LATENCY + hourOfWeek(hour)];
  }

  /** The 95th percentile of five minutes in milliseconds, and its mean distance from that. */
  p95(place: number): { centre: number; spread: number } {
    const f = place * FLOATS;
    return { centre: this.table.floats[f + P95], spread: this.table.floats[f + P95_SPREAD] };
  }

  /** Seconds since 1970 of its last answer. */
  answeredAt(place: number): number {
    return this.table.doubles[place * DOUBLES + ANSWERED_AT];
  }
}
