import {
  type Dimension,
  DISTRIBUTIONS,
  type Measure,
  type StatisticsQuery,
  type StatisticsRow,
} from '../store/store.ts';
import type { Api } from './api.ts';
import { bucketsOf, rowsByTime, sharesOf } from './columns.ts';
import type { Share, Summary } from './schema/common.ts';
import { type Distributions, type PageSeries, totals, type Totals } from './schema/pages.ts';
import { type Range, stepFor, timeOf, timeOrNull } from './times.ts';

const TOTALS = Object.keys(totals.shape) as (keyof Totals)[];
const SERIES: readonly Measure[] = ['transactions', 'nxdomain', 'unanswered', 'clients', 'names', 'latency'];
const MOST_POINTS = 120;
const MOST_SHARES = 15;

/** What is asked for a page of a name or a client: the same questions, of one filter. */
export class PageData {
  readonly f: string;
  readonly #api: Api;
  readonly #range: Range;
  readonly #signal: AbortSignal;

  constructor(api: Api, f: string, range: Range, signal: AbortSignal) {
    this.#api = api;
    this.f = f;
    this.#range = range;
    this.#signal = signal;
  }

  /** What both pages show. */
  async shared() {
    const { from, to } = this.#range;
    const [totals, series, seen] = await Promise.all([this.#totals(), this.#series(), this.#seen()]);
    return { from: timeOf(from), to: timeOf(to), f: this.f, ...totals, series, ...seen };
  }

  async rows(query: Omit<StatisticsQuery, 'from' | 'to' | 'filter'>): Promise<StatisticsRow[]> {
    const { rows } = await this.#api.statistics({ ...this.#range, filter: this.f, ...query }, this.#signal);
    return rows;
  }

  async top(
    dimension: Extract<Dimension, 'type' | 'rcode' | 'outcome' | 'client' | 'server' | 'domain' | 'name'>,
    filter: (key: string) => string | null,
  ): Promise<Share[]> {
    const rows = await this.rows({ group: [dimension], measures: ['transactions'], limit: 1000 });
    return sharesOf(rows, dimension, filter).slice(0, MOST_SHARES);
  }

  /** Transactions by day of the week (Monday first) and hour, UTC. */
  async heatmap(): Promise<number[][]> {
    const days = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
    for (const row of await this.rows({ group: ['hour_of_week'], measures: ['transactions'], limit: 168 })) {
      const hour = Number(row.hour_of_week);
      if (hour >= 0 && hour < 168) days[Math.floor(hour / 24)][hour % 24] = row.transactions ?? 0;
    }
    return days;
  }

  /** What the client was called last; null where it has no name. */
  async clientName(): Promise<string | null> {
    const query = { ...this.#range, filter: this.f, limit: 1 };
    for await (const { rows } of this.#api.services.store.transactions(query, this.#signal)) {
      if (rows.length > 0) return rows[0].client_name ?? null;
    }
    return null;
  }

  async #totals(): Promise<{ totals: Totals; statistics: Distributions }> {
    const [row = {}] = await this.rows({ measures: [...TOTALS, ...DISTRIBUTIONS] });
    return {
      totals: Object.fromEntries(TOTALS.map((name) => [name, row[name] ?? 0])) as Totals,
      statistics: {
        latency: row.latency ?? emptySummary('ms'),
        size: row.size ?? emptySummary('bytes'),
        ttl: row.ttl ?? emptySummary('s'),
        answers: row.answers ?? emptySummary(''),
      },
    };
  }

  async #series(): Promise<PageSeries> {
    const step = Math.max(60, stepFor(this.#range, MOST_POINTS));
    const rows = await this.rows({ step, measures: SERIES });
    const byTime = rowsByTime(rows);
    const times = bucketsOf(this.#range, step);
    const at = times.map((time): StatisticsRow => byTime.get(time) ?? {});
    return {
      step,
      time: times.map(timeOf),
      transactions: at.map(({ transactions = 0 }) => transactions),
      nxdomain: at.map(({ nxdomain = 0 }) => nxdomain),
      unanswered: at.map(({ unanswered = 0 }) => unanswered),
      clients: at.map(({ clients = 0 }) => clients),
      names: at.map(({ names = 0 }) => names),
      latency_p50: at.map(({ latency }) => latency?.p50 ?? null),
      latency_p95: at.map(({ latency }) => latency?.p95 ?? null),
    };
  }

  /** First and last time in everything that is kept, to the hour: the hours that hold any. */
  async #seen(): Promise<{ first_seen: string | null; last_seen: string | null }> {
    const { oldest, newest } = await this.#api.services.store.status();
    if (oldest === null || newest === null) return { first_seen: null, last_seen: null };
    const { rows } = await this.#api.statistics(
      { from: oldest, to: newest + 1, filter: this.f, step: 3600, measures: ['transactions'], limit: 1000 },
      this.#signal,
    );
    const times = rows.filter(({ transactions = 0 }) => transactions > 0).map(({ time = 0 }) => time);
    if (times.length === 0) return { first_seen: null, last_seen: null };
    const last = Math.max(...times);
    return {
      first_seen: timeOrNull(Math.max(oldest, Math.min(...times))),
      last_seen: timeOrNull(await this.#newestIn(last, newest)),
    };
  }

  /** The newest transaction from an hour on, exactly: it is one look at the newest rows. */
  async #newestIn(hour: number, newest: number): Promise<number> {
    const query = { from: hour, to: newest + 1, filter: this.f, limit: 1 };
    for await (const { rows } of this.#api.services.store.transactions(query, this.#signal)) {
      if (rows.length > 0) return Date.parse(rows[0].time);
    }
    return hour;
  }
}

/** A statistic of nothing. */
export function emptySummary(unit: string): Summary {
  return { n: 0, mean: null, variance: null, min: null, max: null, p50: null, p95: null, p99: null, unit };
}
