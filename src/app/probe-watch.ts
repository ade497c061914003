import type { Finding } from '../core/alert.ts';
import type { ProbeBeat, ProbeOutcome, ProbeResult, ProbeState } from '../core/probe.ts';
import type { PassiveSubject, ProbeDefinition } from '../probes/probe.ts';
import type { CheckConfig } from '../probes/settings.ts';
import { beatOf } from '../probes/tally.ts';

export const PROBE_DETECTOR = 'OPS-PROBE';
/** Beats that the page's strip shows. */
const MOST_BEATS = 60;
/** Results of one beat of the history; more would only make its percentiles finer. */
const MOST_GATHERED = 600;

/** One target of a check: its last results, and what is gathered for the history. */
export class ProbeWatch {
  readonly check: string;
  readonly target: string;
  readonly config: CheckConfig;
  readonly definition: ProbeDefinition;
  last: ProbeResult | null = null;
  /** Failures in a row. */
  failing = 0;
  /** The last result is a success, and the one before was none, or there was none. */
  isBack = false;
  /** Results by outcome since the start. */
  readonly counts = new Map<ProbeOutcome, number>();
  #since: number | null = null;
  /** Traffic to compare it with, and the address it was found for. */
  #subject: PassiveSubject | null | undefined;
  #subjectOf: string | undefined;
  readonly #beats: ProbeBeat[] = [];
  #gathered: ProbeResult[] = [];

  constructor(check: string, target: string, config: CheckConfig, definition: ProbeDefinition) {
    this.check = check;
    this.target = target;
    this.config = config;
    this.definition = definition;
  }

  /** Takes a result; what is to be raised because of it, or null. */
  take(result: ProbeResult): Finding | null {
    const wasOk = this.last?.outcome === 'ok';
    const isOk = result.outcome === 'ok';
    if (this.last === null || wasOk !== isOk) this.#since = result.time;
    this.last = result;
    this.failing = isOk ? 0 : this.failing + 1;
    this.isBack = isOk && !wasOk;
    this.counts.set(result.outcome, (this.counts.get(result.outcome) ?? 0) + 1);
    this.#beats.push(beatOf([result], result.time));
    if (this.#beats.length > MOST_BEATS) this.#beats.shift();
    if (this.#gathered.length < MOST_GATHERED) this.#gathered.push(result);
    const { alert, fail_after } = this.config;
    return alert && this.failing >= fail_after ? this.#finding(result) : null;
  }

  /** Of the incident that its failures are. */
  get key(): string {
    return `${this.check} ${this.target}`;
  }

  /** What came since the last call of `gather`, as one beat; null without a result. */
  running(): ProbeBeat | null {
    const results = this.#gathered;
    return results.length === 0 ? null : beatOf(results, results[0].time);
  }

  /** The same, and begins the next. */
  gather(): ProbeBeat | null {
    const beat = this.running();
    this.#gathered = [];
    return beat;
  }

  state(): ProbeState {
    const { check, target, config, last, failing } = this;
    return {
      check,
      type: config.type,
      target,
      everyMs: config.every,
      last,
      beats: [...this.#beats],
      failing,
      since: this.#since,
      passive: this.#passive(),
    };
  }

  #passive(): PassiveSubject | null {
    const address = this.last?.address;
    // Found anew only where another address answers: thousands of targets are looked at with each scrape.
    if (this.#subject === undefined || this.#subjectOf !== address) {
      this.#subject = this.definition.passive?.(this.target, this.config, this.last) ?? null;
      this.#subjectOf = address;
    }
    return this.#subject;
  }

  #finding(result: ProbeResult): Finding {
    const { check, target, config, failing } = this;
    const passive = this.#passive();
    const time = result.time / 1000;
    const first = (this.#since ?? result.time) / 1000;
    const measures: Finding['measures'] = [
      { name: 'failures in a row', value: failing, unit: '', threshold: config.fail_after },
    ];
    if (result.ms !== null) measures.push({ name: 'time', value: result.ms, unit: 'ms' });
    return {
      detector: PROBE_DETECTOR,
      key: this.key,
      severity: config.severity,
      score: Math.min(1, 0.5 + failing / 20),
      confidence: 0.95,
      time,
      firstSeen: first,
      lastSeen: time,
      count: failing,
      subject: target,
      ...(passive?.kind === 'server' && { server: passive.value }),
      title: `${target} fails its check ${check}: ${result.text}`,
      text:
        `The ${config.type} check "${check}" of ${target} has failed ${failing} times in a row, ` +
        `the last time with: ${result.text}. It is an active check of nametap's own, not traffic that was seen.`,
      measures,
      evidence: [],
      attack: [],
    };
  }
}
