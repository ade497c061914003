import type { ProbeFacts, ProbeMetric, ProbeOutcome, ProbePhase, ProbeResult } from '../core/probe.ts';
import type { Setting, ValueOf } from '../core/settings.ts';
import type { HostResolver } from './resolve.ts';
import type { IcmpSource } from './icmp-way.ts';

/** What a check is given besides target and settings. */
export interface ProbeContext {
  /** All of it has to be done in so many milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
  resolver: HostResolver;
  icmp: IcmpSource;
  version: string;
  /** Whether an address may be connected to; every hop is asked for. */
  allows(address: string): boolean;
  /** Whether a redirect may lead from one address to another. */
  mayFollow(from: string, to: string): boolean;
}

/** A kind of check as data: configuration, command, reference and exposition derive from it. */
export interface ProbeDefinition<S extends Setting = Setting> {
  /** `http`. */
  type: string;
  /** A line for people: what it checks. */
  summary: string;
  /** How a target is written: `URL`, `HOST:PORT`. */
  target: string;
  /** A `group(…)` with a default for every key that has one. */
  settings: S;
  /** The target in the one form that it is called by. Throws `UserError` for what is none. */
  read(target: string): string;
  /** Checks once. Never throws for what the network does. */
  run(target: string, settings: ValueOf<S>, context: ProbeContext): Promise<ProbeResult>;
  /** What blackbox_exporter would show of the result, besides what all probes have. */
  metrics(result: ProbeResult): ProbeMetric[];
  /** Traffic to compare it with. */
  passive?(target: string, settings: ValueOf<S>, result: ProbeResult | null): PassiveSubject | null;
}

export interface PassiveSubject {
  kind: 'server' | 'name';
  value: string;
}

/** Keeps the types of a definition together; the list holds them without. */
export function probe<const S extends Setting>(definition: ProbeDefinition<S>): ProbeDefinition {
  return definition;
}

/** A check that is under way: gathers parts as they end, and makes the result. */
export class Trial {
  readonly time = Date.now();
  readonly began = performance.now();
  readonly phases: Partial<Record<ProbePhase, number>> = {};
  readonly facts: Record<string, number | string | boolean | undefined> = {};
  address: string | undefined;

  get elapsed(): number {
    return performance.now() - this.began;
  }

  /** Adds to a part; redirects go through each of them again. */
  spent(phase: ProbePhase, ms: number): void {
    this.phases[phase] = (this.phases[phase] ?? 0) + Math.max(0, ms);
  }

  ok(ms: number, text: string): ProbeResult {
    return this.#result('ok', ms, text);
  }

  /** `ms`: where an answer came that is not as it has to be. */
  failed(outcome: Exclude<ProbeOutcome, 'ok'>, text: string, ms: number | null = null): ProbeResult {
    return this.#result(outcome, ms, text);
  }

  #result(outcome: ProbeOutcome, ms: number | null, text: string): ProbeResult {
    const { time, phases, address } = this;
    const facts: ProbeFacts = this.facts;
    return { time, outcome, ms, text, ...(address !== undefined && { address }), phases, facts };
  }
}

/** A failure on the way to an answer. */
export interface Failure {
  outcome: Exclude<ProbeOutcome, 'ok'>;
  text: string;
}

/** Words for a time that was not kept. */
export function timeoutText(timeoutMs: number): string {
  return `no answer within ${timeoutMs >= 1000 ? `${Number((timeoutMs / 1000).toFixed(2))} s` : `${timeoutMs} ms`}`;
}
