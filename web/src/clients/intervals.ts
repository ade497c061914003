/** Edges of the interval histogram, seconds: from one burst to one a day. */
export const INTERVAL_EDGES = [0, 0.01, 0.1, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];

/** Pauses between one event and the next, as counts per bucket [edge, next edge); the last bucket is open. */
export function intervalHistogram(times: readonly number[]): number[] {
  const counts = INTERVAL_EDGES.map(() => 0);
  for (const pause of pauses(times)) {
    let bucket = INTERVAL_EDGES.length - 1;
    while (bucket > 0 && pause / 1000 < INTERVAL_EDGES[bucket]) bucket--;
    counts[bucket]++;
  }
  return counts;
}

/** A domain that is asked like a clock. `period` and `spread` (median distance from the period) in seconds. */
export interface Beat {
  domain: string;
  rounds: number;
  period: number;
  spread: number;
  /** 0 … 1: 1 = every pause is the same. */
  regularity: number;
}

/** Questions closer together than this are one round: A with AAAA, and the names one page load asks for. */
const ROUND_MS = 1000;
const LEAST_ROUNDS = 6;
const LEAST_REGULARITY = 0.8;

/**
 * Domains whose rounds of questions come at even pauses, the most regular first. Not a verdict: updates and clocks beat too.
 * Rows may be in any order; `time` in ms.
 */
export function beats(rows: readonly { domain: string; time: number }[]): Beat[] {
  const byDomain = Map.groupBy(rows, (row) => row.domain);
  const found: Beat[] = [];
  for (const [domain, events] of byDomain) {
    const rounds = roundsOf(events.map((event) => event.time));
    if (rounds.length < LEAST_ROUNDS) continue;
    const between = pauses(rounds);
    const period = median(between);
    const spread = median(between.map((pause) => Math.abs(pause - period)));
    const regularity = Math.max(0, 1 - spread / period);
    // A regular median may hide many odd pauses: three quarters of them must be near it as well.
    const near = between.filter((pause) => Math.abs(pause - period) <= period * 0.25).length / between.length;
    if (regularity >= LEAST_REGULARITY && near >= 0.75) {
      found.push({ domain, rounds: rounds.length, period: period / 1000, spread: spread / 1000, regularity });
    }
  }
  return found.sort((a, b) => b.regularity - a.regularity || b.rounds - a.rounds);
}

function roundsOf(times: readonly number[]): number[] {
  const sorted = [...times].sort((a, b) => a - b);
  const rounds: number[] = [];
  let last = -Infinity;
  for (const time of sorted) {
    if (time - last > ROUND_MS) rounds.push(time);
    last = time;
  }
  return rounds;
}

function pauses(times: readonly number[]): number[] {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.slice(1).map((time, i) => time - sorted[i]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
