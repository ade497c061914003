/** Active checks of names, services and hosts as plain data: one vocabulary for probes, API, commands and page. */

/** Parts of a check, in their order. */
export const PROBE_PHASES = ['resolve', 'connect', 'tls', 'first_byte', 'transfer'] as const;
export type ProbePhase = (typeof PROBE_PHASES)[number];

/** What a check came to; all but `ok` are failures. */
export const PROBE_OUTCOMES = [
  'ok',
  /** Nothing came in time. */
  'timeout',
  /** An answer began and was not complete in time. */
  'slow',
  /** Nobody listens there. */
  'refused',
  /** No way there. */
  'unreachable',
  /** The name of the target has no address. */
  'unresolved',
  /** Packets went missing, more than may. */
  'lost',
  /** The certificate is expired, for another name, or of an unknown authority. */
  'certificate',
  'tls_failed',
  /** The connection ended before the answer was complete. */
  'closed',
  /** What came is not of the protocol. */
  'garbage',
  /** The answer came, and is not as it has to be. */
  'unexpected',
  /** This machine could not ask. */
  'not_sent',
  /** The target may not be asked (`probes.allow`). */
  'not_allowed',
] as const;
export type ProbeOutcome = (typeof PROBE_OUTCOMES)[number];

/** A number, a text or a yes that a check found out: `status`, `redirects`, `certificate_expires` (seconds since 1970). */
export type ProbeFacts = Readonly<Record<string, number | string | boolean | undefined>>;

/** One check of one target. */
export interface ProbeResult {
  /** Milliseconds since 1970 at which it began. */
  time: number;
  outcome: ProbeOutcome;
  /** Milliseconds (monotonic clock): what the check measures, `null` where nothing came. */
  ms: number | null;
  /** A few words: `200`, `connection refused`. */
  text: string;
  /** Where the target is. */
  address?: string;
  /** Milliseconds of each part that was reached. */
  phases: Partial<Record<ProbePhase, number>>;
  /** Of a check that sends several packets: milliseconds of each in order, null where nothing came back. */
  trips?: (number | null)[];
  facts: ProbeFacts;
}

/** A number in the exposition of a check. */
export interface ProbeMetric {
  name: string;
  help: string;
  value: number;
  labels?: Readonly<Record<string, string>>;
}

/** What a check came to over a piece of time: a minute, or a beat of the page's strip. */
export interface ProbeBeat {
  /** Milliseconds since 1970. */
  time: number;
  checks: number;
  failed: number;
  /** Share of packets, or of checks, without an answer, 0 … 1. */
  loss: number;
  /** Milliseconds; null without an answer. */
  min: number | null;
  p25: number | null;
  p50: number | null;
  p75: number | null;
  max: number | null;
  /** Mean milliseconds of each part. */
  phases: Partial<Record<ProbePhase, number>>;
  /** What the last failure was; absent without one. */
  outcome?: ProbeOutcome;
  text?: string;
}

/** A target under watch. */
export interface ProbeState {
  /** Name of the check in the configuration, its kind, and the target. */
  check: string;
  type: string;
  target: string;
  everyMs: number;
  /** The last result; null before the first. */
  last: ProbeResult | null;
  /** Oldest first: the last results, one beat each. */
  beats: ProbeBeat[];
  /** Failures in a row until now, and since when (ms since 1970) it is as it is. */
  failing: number;
  since: number | null;
  /** Traffic of the same server or name as it is seen: a display filter; null where there is none to compare with. */
  passive: { kind: 'server' | 'name'; value: string } | null;
}

/** How the checks as a whole are doing. */
export interface ProbeLoad {
  targets: number;
  running: number;
  waiting: number;
  /** Checks that were due while the one before still ran, or waited for its turn: left out. */
  skipped: number;
  /** Results that memory or the store had no room for. */
  dropped: number;
  /** Transactions seen that nametap's own checks made: left out of baselines and detectors. */
  own: number;
  /** Milliseconds that the event loop was late, of the last minute: what measurements may be off by. */
  loopDelay: { p50: number; p99: number; max: number };
  /** How ICMP is sent here, or why it is not. */
  icmp: string | null;
}

/** What a probe of somebody else's choice came to. */
export interface ProbeAnswer {
  result: ProbeResult;
  metrics: ProbeMetric[];
  /** Seconds in all. */
  seconds: number;
}

/** Checks at work, for the server. */
export interface Probes {
  states(): ProbeState[];
  load(): ProbeLoad;
  /** Minutes of a target between two times (ms), oldest first. */
  history(check: string, target: string, from: number, to: number): Promise<ProbeBeat[]>;
  /**
   * Checks a target at once, as a check of the configuration (or a kind of probe) does. Null without such a module.
   * Throws `UserError` where the target is none.
   */
  probe(module: string, target: string, timeoutMs: number): Promise<ProbeAnswer | null>;
}
