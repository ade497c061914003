import { summarize, type Summary } from '../sketch/summary.ts';
import { differences, type Difference, type DifferenceKind, type Weight, weightOf } from './difference.ts';
import { exchange, type Exchange, type ExchangeOptions } from './exchange.ts';
import type { Question } from './question.ts';
import type { Server } from './server.ts';

/** One question, and what each server said. */
export interface Compared {
  question: Question;
  /** In the order of the servers. */
  results: Exchange[];
  /** Of each server but the first, to the first. */
  differences: Difference[][];
  weight: Weight | undefined;
}

/** What the comparison of many questions comes to. */
export interface CompareSummary {
  questions: number;
  same: number;
  /** Questions by their weightiest difference. */
  weights: Partial<Record<Weight, number>>;
  kinds: Partial<Record<DifferenceKind, number>>;
  /** Milliseconds of the answers, by server; and how many got none. */
  servers: { server: Server; latency: Summary; silent: number }[];
}

export interface CompareOptions extends Omit<ExchangeOptions, 'server'> {
  /** Questions under way at once; 16 unless told. */
  concurrency?: number;
}

/** Asks each question at all servers at the same time; results come in the order of the questions. */
export async function* compareServers(
  questions: AsyncIterable<Question>,
  servers: readonly Server[],
  options: CompareOptions,
): AsyncGenerator<Compared> {
  const most = Math.max(1, options.concurrency ?? 16);
  const under: Promise<Compared>[] = [];
  for await (const question of questions) {
    under.push(compareOne(question, servers, options));
    if (under.length < most) continue;
    const first = under.shift();
    if (first !== undefined) yield await first;
  }
  for (const one of under) yield await one;
}

async function compareOne(question: Question, servers: readonly Server[], options: CompareOptions): Promise<Compared> {
  const results = await Promise.all(servers.map((server) => exchange(question, { ...options, server })));
  const [first, ...others] = results.map(({ response }) => response);
  const found = others.map((other) => differences(first, other));
  return { question, results, differences: found, weight: weightOf(found.flat()) };
}

/** Most latencies kept for each server; later ones are left out. */
const MOST_LATENCIES = 1_000_000;

/** Counts comparisons. */
export class CompareCount {
  readonly #servers: readonly Server[];
  readonly #latencies: number[][];
  readonly #silent: number[];
  readonly #summary: Pick<CompareSummary, 'questions' | 'same' | 'weights' | 'kinds'> = {
    questions: 0,
    same: 0,
    weights: {},
    kinds: {},
  };

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
    this.#latencies = servers.map(() => []);
    this.#silent = servers.map(() => 0);
  }

  add({ results, differences: found, weight }: Compared): void {
    const summary = this.#summary;
    summary.questions++;
    if (weight === undefined) summary.same++;
    else summary.weights[weight] = (summary.weights[weight] ?? 0) + 1;
    for (const kind of new Set(found.flat().map((one) => one.kind)))
      summary.kinds[kind] = (summary.kinds[kind] ?? 0) + 1;
    for (const [i, { response, ms }] of results.entries()) {
      if (response === null) this.#silent[i]++;
      else if (this.#latencies[i].length < MOST_LATENCIES) this.#latencies[i].push(ms);
    }
  }

  summary(): CompareSummary {
    const servers = this.#servers.map((server, i) => ({
      server,
      latency: summarize(this.#latencies[i], 'ms'),
      silent: this.#silent[i],
    }));
    return { ...this.#summary, servers };
  }
}
