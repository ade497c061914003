import { EXIT } from '../core/errors.ts';
import { jsonLine, numberText, percentText, plainText } from '../core/figures.ts';
import type { ProbeResult } from '../core/probe.ts';
import type { Bound } from '../probes/fail-on.ts';
import { type BoundReport, junitText, type TargetReport } from '../probes/junit.ts';
import { LoopDelay } from '../probes/loop-delay.ts';
import type { ProbeDefinition } from '../probes/probe.ts';
import { Runner } from '../probes/runner.ts';
import { Scheduler } from '../probes/scheduler.ts';
import { Tally } from '../probes/tally.ts';
import { http } from '../probes/http.ts';
import { warmUp } from '../probes/warm-up.ts';
import { usualSettings } from '../app/probe-settings.ts';
import { Session } from './session.ts';
import { writeStdout } from './stdout.ts';

export interface ProbePlan {
  definition: ProbeDefinition;
  targets: readonly string[];
  settings: unknown;
  /** Checks of each target; 0 = until stopped. */
  count: number;
  everyMs: number;
  spreadMs: number;
  timeoutMs: number;
  concurrency: number;
  perTarget: number;
  bounds: readonly Bound[];
  format: 'text' | 'json' | 'junit';
  quiet: boolean;
  color: boolean;
  version: string;
}

/** A summary names so many targets. */
const MOST_NAMED = 20;
const GREEN = '\x1b[32m';
const RED = '\x1b[31m';
const PLAIN = '\x1b[0m';

/** Checks by a plan, tells each, sums up. */
export class ProbeRun {
  readonly #plan: ProbePlan;
  readonly #all = new Tally();
  readonly #targets: Map<string, TargetReport>;
  readonly #session = new Session();
  readonly #delay = new LoopDelay();
  readonly #encoder = new TextEncoder();
  #notSent = 0;

  constructor(plan: ProbePlan) {
    this.#plan = plan;
    this.#targets = new Map(plan.targets.map((target) => [target, { target, tally: new Tally(), failure: null }]));
  }

  /** Resolves with the exit code: 0 all is well, 1 a check or a bound failed, 2 nothing could be checked. */
  async run(): Promise<number> {
    const { concurrency, perTarget, version } = this.#plan;
    const runner = new Runner(version);
    const scheduler = new Scheduler({ concurrency, perTarget });
    try {
      await warmUp(runner, usualSettings(http));
      this.#delay.start();
      await this.#check(runner, scheduler);
    } finally {
      scheduler.stop();
      await runner.close();
      this.#session.close();
      this.#delay.close();
    }
    return this.#end(scheduler.skipped);
  }

  #check(runner: Runner, scheduler: Scheduler): Promise<void> {
    const { definition, settings, timeoutMs, targets, count, everyMs, spreadMs } = this.#plan;
    const { signal } = this.#session;
    const running = new Set<Promise<boolean>>();
    return new Promise((resolve, reject) => {
      let left = targets.length;
      signal.addEventListener('abort', () => {
        scheduler.stop();
        void Promise.all(running).then(() => resolve(), reject);
      });
      for (const target of targets) {
        const run = async (): Promise<boolean> => {
          const result = await runner.check(definition, target, { settings, timeoutMs, signal });
          // What was given up says nothing of its target.
          if (!signal.aborted) this.#take(target, result);
          return result.outcome === 'ok';
        };
        const task = {
          target,
          everyMs,
          ...(count > 0 && { count }),
          run: () => {
            const under = run();
            running.add(under);
            under.then(() => running.delete(under), reject);
            return under;
          },
          ended: () => {
            if (--left === 0 && !signal.aborted) resolve();
          },
        };
        scheduler.add(task, spreadMs);
      }
    });
  }

  #take(target: string, result: ProbeResult): void {
    const report = this.#targets.get(target);
    this.#all.add(result);
    report?.tally.add(result);
    if (result.outcome !== 'ok' && report !== undefined) report.failure = result;
    if (result.outcome === 'not_sent') this.#notSent++;
    const { format, quiet } = this.#plan;
    if (format === 'text' && !quiet) this.#print(this.#line(target, result));
    else if (format === 'json' && !quiet) {
      const { time, ...rest } = result;
      const value = { time: new Date(time).toISOString(), type: this.#plan.definition.type, target, ...rest };
      this.#print(jsonLine(value));
    }
  }

  #line(target: string, { outcome, ms, text }: ProbeResult): string {
    const isOk = outcome === 'ok';
    const word = isOk ? 'ok' : 'FAILED';
    const shown = this.#plan.color ? `${isOk ? GREEN : RED}${word}${PLAIN}` : word;
    return `${shown} ${plainText(target)} ${plainText(text)}${ms === null ? '' : ` ${timeText(ms)}`}\n`;
  }

  #print(text: string): void {
    writeStdout(this.#encoder.encode(text));
  }

  #end(skipped: number): number {
    const { bounds, format, definition } = this.#plan;
    const reports = bounds.map((bound): BoundReport => {
      const value = bound.value(this.#all);
      return {
        text: bound.text,
        isCrossed: bound.isCrossed(this.#all),
        value: value === null ? 'not known' : bound.show(value),
      };
    });
    if (format === 'junit') this.#print(junitText(definition.type, [...this.#targets.values()], reports));
    else if (format === 'json') this.#print(this.#json(skipped, reports));
    else this.#print(this.#summary(skipped, reports));
    const { checks, failed } = this.#all;
    if (checks === 0 || this.#notSent === checks) return EXIT.interface;
    const isFailed = bounds.length > 0 ? reports.some(({ isCrossed }) => isCrossed) : failed > 0;
    return isFailed ? EXIT.usage : EXIT.ok;
  }

  #json(skipped: number, bounds: readonly BoundReport[]): string {
    const { definition } = this.#plan;
    const value = {
      summary: {
        type: definition.type,
        ...tallyValue(this.#all),
        skipped,
        targets: [...this.#targets.values()]
          .slice(0, 1000)
          .map(({ target, tally, failure }) => ({ target, ...tallyValue(tally), failure: failure?.text ?? null })),
        bounds: bounds.map(({ text, isCrossed, value: is }) => ({ bound: text, passed: !isCrossed, value: is })),
        event_loop_delay_ms: this.#delay.read(),
      },
    };
    return jsonLine(value);
  }

  #summary(skipped: number, bounds: readonly BoundReport[]): string {
    const targets = [...this.#targets.values()];
    let text = this.#plan.quiet ? '' : '\n';
    if (targets.length > 1) {
      // Those that failed most come first where there are many.
      const named = targets.length <= MOST_NAMED ? targets : worst(targets);
      for (const { target, tally } of named)
        text += `${plainText(target)}: ${countsText(tally)}; ${timesText(tally)}\n`;
      if (named.length < targets.length) text += `… and ${numberText(targets.length - named.length)} more targets\n`;
      text += `${numberText(targets.length)} targets: `;
    }
    text += `${countsText(this.#all)}\n`;
    const { times, jitter } = this.#all;
    if (times.n > 0) {
      text += `${timesText(this.#all)}, variance ${numberText(times.variance)} ms²`;
      text += jitter === null || targets.length > 1 ? '\n' : `, jitter ${timeText(jitter)}\n`;
    }
    if (skipped > 0) text += `${numberText(skipped)} checks were left out: the one before was still under way\n`;
    const delay = this.#delay.read();
    text += `event loop late by ${timeText(delay.p50)} (p99 ${timeText(delay.p99)}, max ${timeText(delay.max)})\n`;
    for (const { text: bound, isCrossed, value } of bounds) {
      text += `${isCrossed ? 'FAILED' : 'ok'} --fail-on ${bound}: it is ${value}\n`;
    }
    return text;
  }
}

function worst(targets: readonly TargetReport[]): TargetReport[] {
  return targets
    .filter(({ tally }) => tally.failed > 0)
    .sort((a, b) => b.tally.failed - a.tally.failed)
    .slice(0, MOST_NAMED);
}

function tallyValue(tally: Tally) {
  const { checks, failed, loss, jitter, times } = tally;
  return { checks, passed: checks - failed, failed, loss, jitter, ms: times };
}

function countsText({ checks, failed, loss }: Tally): string {
  const share = percentText(loss);
  return `${numberText(checks)} ${checks === 1 ? 'check' : 'checks'}, ${numberText(checks - failed)} passed, ${numberText(failed)} failed, loss ${share}`;
}

function timesText({ times }: Tally): string {
  if (times.n === 0) return 'no times';
  const named = ['min', 'mean', 'max', 'p50', 'p90', 'p95', 'p99'] as const;
  return named.map((name) => `${name} ${timeText(times[name] ?? 0)}`).join(', ');
}

/** `0.42 ms`, `12.3 ms`, `1234 ms`. */
function timeText(ms: number): string {
  return `${Number(ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0))} ms`;
}
