/** What a number is usually: median ± k·MAD of like hours. */
export interface Band {
  low: number;
  high: number;
}

/** One hour of the past. */
export interface PastHour {
  /** Begin, ms since 1970. */
  time: number;
  value: number | null;
}

/** Like hours that have to be known before a band is shown. */
export const LEAST_HOURS = 3;
const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const WEEK_HOURS = 168;
/** Makes the median absolute deviation the standard deviation of a normal distribution. */
const MAD_TO_SIGMA = 1.4826;
/** Standard deviations on each side. */
const SIGMAS = 4;

export interface Usual {
  median: number;
  /** Robust standard deviation. */
  sigma: number;
}

/** What is usual by the hour. */
export interface UsualHours {
  /** In the hour of this time (ms since 1970); null until enough is known. */
  at(time: number): Usual | null;
}

/** Median and spread of every kind of hour: of the same hour of the week, else of the same hour of the day. */
export class LikeHours implements UsualHours {
  readonly #byWeek = new Map<number, number[]>();
  readonly #byDay = new Map<number, number[]>();

  constructor(hours: readonly PastHour[]) {
    for (const { time, value } of hours) {
      if (value === null) continue;
      push(this.#byWeek, hourOf(time, WEEK_HOURS), value);
      push(this.#byDay, hourOf(time, DAY_HOURS), value);
    }
  }

  /** What is usual in the hour of this time; null until enough like hours are known. */
  at(time: number): Usual | null {
    const values = [this.#byWeek.get(hourOf(time, WEEK_HOURS)), this.#byDay.get(hourOf(time, DAY_HOURS))].find(
      (list) => list !== undefined && list.length >= LEAST_HOURS,
    );
    if (values === undefined) return null;
    const median = medianOf(values);
    return { median, sigma: MAD_TO_SIGMA * medianOf(values.map((value) => Math.abs(value - median))) };
  }
}

/** What is usual in [from, to): the mean over its hours; null when one of them is not known. */
export function usualOver(hours: UsualHours | undefined, from: number, to: number): Usual | null {
  if (hours === undefined) return null;
  let [median, sigma, weight] = [0, 0, 0];
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour < to; hour += HOUR_MS) {
    const usual = hours.at(hour);
    if (usual === null) return null;
    const part = Math.min(to, hour + HOUR_MS) - Math.max(from, hour);
    median += usual.median * part;
    sigma += usual.sigma * part;
    weight += part;
  }
  return weight === 0 ? null : { median: median / weight, sigma: sigma / weight };
}

/** A count in a part of an hour: like hours, and chance (a count varies by its root). */
export function countBand(usual: Usual, hours: number): Band {
  const expected = usual.median * hours;
  return around(expected, Math.hypot(usual.sigma * hours, Math.sqrt(Math.max(expected, 1))), Number.POSITIVE_INFINITY);
}

/** A part of `n`, 0 … 1. */
export function ratioBand(usual: Usual, n: number): Band {
  const chance = n > 0 ? Math.sqrt(Math.max(usual.median * (1 - usual.median), 1 / n) / n) : 1;
  return around(usual.median, Math.hypot(usual.sigma, chance), 1);
}

/** Any other number; at least a twentieth of it on each side is chance. */
export function valueBand(usual: Usual): Band {
  return around(usual.median, Math.hypot(usual.sigma, usual.median / 20), Number.POSITIVE_INFINITY);
}

function around(middle: number, sigma: number, most: number): Band {
  return { low: Math.max(0, middle - SIGMAS * sigma), high: Math.min(most, middle + SIGMAS * sigma) };
}

export function isOutside(value: number | null, band: Band | null): boolean {
  return value !== null && band !== null && (value < band.low || value > band.high);
}

function hourOf(time: number, of: number): number {
  return Math.floor(time / HOUR_MS) % of;
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
