import type { ProbeBeat, ProbePhase, ProbeResult } from '../core/probe.ts';
import { summarize, type Summary } from '../sketch/summary.ts';

/** Times that one tally keeps; beyond, a sample of them. */
const MOST = 100_000;

/** Counts results: passed, failed, lost, times. In bounded memory: of very many times a uniform sample is kept. */
export class Tally {
  checks = 0;
  failed = 0;
  /** Packets, or checks where a check is one question. */
  sent = 0;
  lost = 0;
  readonly #times: number[] = [];
  #seen = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  add({ outcome, ms, trips }: ProbeResult): void {
    this.checks++;
    if (outcome !== 'ok') this.failed++;
    if (trips === undefined) {
      this.sent++;
      if (ms === null) this.lost++;
      else this.#keep(ms);
      return;
    }
    for (const trip of trips) {
      this.sent++;
      if (trip === null) this.lost++;
      else this.#keep(trip);
    }
  }

  get times(): Summary {
    return summarize(this.#times, 'ms');
  }

  /** Share without an answer, 0 … 1. */
  get loss(): number {
    return this.sent === 0 ? 0 : this.lost / this.sent;
  }

  /** Mean difference between one time and the next; null below two. */
  get jitter(): number | null {
    const times = this.#times;
    if (times.length < 2 || this.#seen > MOST) return null;
    let sum = 0;
    for (let i = 1; i < times.length; i++) sum += Math.abs(times[i] - times[i - 1]);
    return sum / (times.length - 1);
  }

  #keep(ms: number): void {
    this.#seen++;
    if (this.#times.length < MOST) this.#times.push(ms);
    else {
      const at = Math.floor(this.#random() * this.#seen);
      if (at < MOST) this.#times[at] = ms;
    }
  }
}

/** Several results, at least one, as one beat. */
export function beatOf(results: readonly ProbeResult[], time: number): ProbeBeat {
  const times: number[] = [];
  const phases: Partial<Record<ProbePhase, { sum: number; n: number }>> = {};
  let failure: ProbeResult | undefined;
  let sent = 0;
  let failed = 0;
  for (const result of results) {
    const { outcome, ms, trips } = result;
    const each = trips ?? [ms];
    sent += each.length;
    for (const trip of each) if (trip !== null) times.push(trip);
    if (outcome !== 'ok') {
      failed++;
      failure = result;
    }
    for (const [name, value] of Object.entries(result.phases)) {
      const of = (phases[name as ProbePhase] ??= { sum: 0, n: 0 });
      of.sum += value;
      of.n++;
    }
  }
  times.sort((a, b) => a - b);
  const rank = (q: number) => (times.length === 0 ? null : times[Math.max(1, Math.ceil(q * times.length)) - 1]);
  const means = Object.entries(phases).map(([name, { sum, n }]) => [name, rounded(sum / n)]);
  return {
    time,
    checks: results.length,
    failed,
    loss: sent === 0 ? 0 : (sent - times.length) / sent,
    min: roundedOrNull(times[0] ?? null),
    p25: roundedOrNull(rank(0.25)),
    p50: roundedOrNull(rank(0.5)),
    p75: roundedOrNull(rank(0.75)),
    max: roundedOrNull(times.at(-1) ?? null),
    phases: Object.fromEntries(means) as ProbeBeat['phases'],
    ...(failure !== undefined && { outcome: failure.outcome, text: failure.text.slice(0, 200) }),
  };
}

/** Microseconds are enough to be kept. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function roundedOrNull(ms: number | null): number | null {
  return ms === null ? null : rounded(ms);
}
