/** What detectors find, and what becomes of it: one vocabulary for detectors, rules, alerts, actions, API and page. */

/** From the least to the most urgent; only `high` and `critical` wake people. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A statistic that moved: what it is, how large it became, and against what that is much. */
export interface Measure {
  /** `distinct sub-name bytes per hour`. */
  name: string;
  value: number;
  /** `B`, `ms`, `names`, `1/s`; empty for pure numbers. */
  unit: string;
  /** What it had to reach. */
  threshold?: number;
  /** What is usual: centre and spread, in the same unit, and of how many observations. */
  usual?: { centre: number; spread: number; n: number };
  /** Share of usual observations below it, 0 … 1 (`0.9997` = p99.97). */
  rank?: number;
}

/** A transaction that shows it. */
export interface Evidence {
  /** Id of the transaction (`Transaction.transaction`). */
  transaction: string;
  /** Seconds since 1970. */
  time: number;
  client: string;
  server: string;
  /** Escaped text; absent without a question. */
  name?: string;
  type?: string;
  /** Frame numbers of its first query and response, as far as there are any. */
  frames?: number[];
  /** Why this one, where it is not plain: `answer 6.6.6.6`. */
  note?: string;
}

/** What could be done about it. A detector proposes; the policy of `actions/` decides. */
export interface Proposal {
  kind: 'domain' | 'client' | 'address';
  value: string;
  /** What people would say: `Block evil.example for an hour`. */
  text: string;
}

/**
 * Something a detector noticed, at the packet time at which it became certain. Findings with the same detector and key
 * are one incident: later ones update it.
 */
export interface Finding {
  detector: string;
  /** What makes it one incident, below the detector: the domain, the client, or both. */
  key: string;
  severity: Severity;
  /** How unusual, 0 … 1, and how sure the detector is that it is what it says, 0 … 1. */
  score: number;
  confidence: number;
  /** Seconds since 1970: now, and of the first and the last transaction that belong to it. */
  time: number;
  firstSeen: number;
  lastSeen: number;
  /** Transactions that belong to it. */
  count: number;
  /** What it is about: a domain, a client, a server, a name. */
  subject: string;
  client?: string;
  server?: string;
  /** Registrable domain, as escaped text. */
  domain?: string;
  /** One line: `4.1 kB of names under evil.example in 12 s`. */
  title: string;
  /** Two or three sentences for who has not read about it: what moved, by how much, what it may mean. */
  text: string;
  measures: Measure[];
  /** The most telling ones, at most `MOST_EVIDENCE`. */
  evidence: Evidence[];
  /** ATT&CK techniques: `T1048.003`. */
  attack: readonly string[];
  proposal?: Proposal;
  /** The protocol itself proves it (a forged answer, an exact hit in a threat list): needs no second signal. */
  isProof?: boolean;
}

export const MOST_EVIDENCE = 10;

export type Raise = (finding: Finding) => void;

/** Larger of two severities. */
export function worse(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}
