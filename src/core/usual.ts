/** What is usual here, as plain data: one vocabulary for baseline, API, commands and reports. */

export const USUAL_KINDS = ['whole', 'server', 'client', 'domain'] as const;
export type UsualKind = (typeof USUAL_KINDS)[number];

/** A distribution of times; milliseconds. Percentiles are off by at most 6 % of their value. */
export interface UsualLatency {
  /** Weight of what it was taken from: what is old counts for less. */
  n: number;
  mean: number;
  variance: number;
  stddev: number;
  median: number;
  mad: number;
  p5: number;
  p25: number;
  p75: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
}

/** What is usual for a key. */
export interface Usual {
  key: string;
  kind: UsualKind;
  /** Seconds since 1970. */
  firstSeen: number;
  lastSeen: number;
  /** Transactions that were learnt from, and whether that is enough for it to count. */
  samples: number;
  isWarm: boolean;
  /** The same in sentences. */
  words: string[];
  latency: UsualLatency | null;
  /** Weights by latency: from, to in milliseconds, weight. */
  histogram: [number, number, number][];
  /** Answers from a cache: their share, the medians of both kinds, and the valley between them in milliseconds. */
  cache: { share: number; fast: number; slow: number; valley: number } | null;
  /** Milliseconds that hardly any answer is faster than. */
  floor: number | null;
  /** Distance of the last day from what is usual, 0 … 1. */
  drift: number | null;
  /** Transactions an hour: now, usually at this hour with the spread, and by hour of the week from Monday 00 UTC. */
  rate: { level: number; spread: number; week: (number | null)[] } | null;
  /** Parts of the transactions, by outcome, 0 … 1. */
  shares: { name: string; share: number }[];
  /** What there is most of: domains, servers, shapes of names … */
  lists: { title: string; rows: { key: string; share: number | null }[] }[];
}

/** A line of the list. */
export interface UsualLine {
  key: string;
  kind: UsualKind;
  samples: number;
  lastSeen: number;
  isWarm: boolean;
}

/** A baseline as it was, to go back to. */
export interface BaselineSnapshot {
  name: string;
  /** Milliseconds since 1970. */
  time: number;
  bytes: number;
}

/** What is known of all traffic by the hour: transactions an hour, and parts of them, 0 … 1. */
export type UsualSeries = 'transactions' | 'nxdomain_ratio' | 'servfail_ratio' | 'unanswered_ratio';

/** What is usual in an hour, and its standard deviation. */
export interface UsualHour {
  level: number;
  sigma: number;
}

/** What can be asked of, and done with, what is usual. */
export interface Baselines {
  /** What is known of a key: an address may be a server and a client. Empty when nothing is. */
  show(key: string): Usual[];
  /** Those with the most samples. */
  list(kind: UsualKind, limit: number): UsualLine[];
  /** What is expected of all traffic in an hour (since 1970) that is not over; null while too little is known. */
  expected(series: UsualSeries, hour: number): UsualHour | null;
  snapshots(): BaselineSnapshot[];
  /** Keeps what is usual now. Throws UserError. */
  snapshot(): BaselineSnapshot;
  /** Goes back to what was usual then. Throws UserError for a name that is none. */
  rollback(name: string): void;
}
