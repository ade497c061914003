import type { TransactionBatch } from '../core/transactions.ts';
import { PathView, type ResolutionPath } from './paths.ts';

/** A step that resolutions took: a server, what it gave (a referral to a zone, an answer from one), how often, how fast. */
export interface PathStep {
  server: string;
  kind: string;
  zone: string;
  count: number;
  /** Of those with a response; null without. */
  latency_mean_ms: number | null;
  /** Mean place in its paths: 1 = the first question. */
  step_mean: number;
}

/** What the paths of resolutions have in common (`report --paths`). */
export interface PathsValue {
  /** Clients' transactions that a resolver answered: of these, how many made it ask, and how often. */
  transactions: number;
  resolved: number;
  hops: number;
  hops_mean: number | null;
  /** Steps beyond the bound, and transactions whose hops were forgotten: not in `steps`. */
  steps_left_out: number;
  forgotten: number;
  /** In order of their mean place. */
  steps: PathStep[];
}

interface Sum {
  step: Omit<PathStep, 'latency_mean_ms' | 'step_mean'>;
  places: number;
  millis: number;
  answered: number;
}

/** Adds up paths of rows that went through `correlate/path.ts`; at most `limit` different steps. */
export class PathSummary {
  readonly #view: PathView;
  readonly #limit: number;
  readonly #steps = new Map<string, Sum>();
  #transactions = 0;
  #resolved = 0;
  #hops = 0;
  #leftOut = 0;

  constructor(limit = 16_384) {
    this.#limit = limit;
    this.#view = new PathView((path) => this.#add(path));
  }

  add(batch: TransactionBatch, from: number, to: number): void {
    this.#view.add(batch, from, to);
  }

  value(top: number): PathsValue {
    const most = [...this.#steps.values()].sort((a, b) => b.step.count - a.step.count).slice(0, top);
    const steps = most.map(({ step, places, millis, answered }) => ({
      ...step,
      latency_mean_ms: answered === 0 ? null : millis / answered,
      step_mean: places / step.count,
    }));
    return {
      transactions: this.#transactions,
      resolved: this.#resolved,
      hops: this.#hops,
      hops_mean: this.#resolved === 0 ? null : this.#hops / this.#resolved,
      steps_left_out: this.#leftOut,
      forgotten: this.#view.forgotten,
      steps: steps.sort((a, b) => a.step_mean - b.step_mean || b.count - a.count),
    };
  }

  #add({ hops }: ResolutionPath): void {
    this.#transactions++;
    if (hops.length === 0) return;
    this.#resolved++;
    this.#hops += hops.length;
    hops.forEach(({ server, zone = '', kind = 'none', latencyMs }, i) => {
      const key = `${server} ${kind} ${zone}`;
      let sum = this.#steps.get(key);
      if (sum === undefined) {
        if (this.#steps.size >= this.#limit) {
          this.#leftOut++;
          return;
        }
        sum = { step: { server, kind, zone, count: 0 }, places: 0, millis: 0, answered: 0 };
        this.#steps.set(key, sum);
      }
      sum.step.count++;
      sum.places += i + 1;
      if (latencyMs === undefined) return;
      sum.answered++;
      sum.millis += latencyMs;
    });
  }
}
