import type { Measure, StatisticsResult, StatisticsRow } from '../store/store.ts';
import type { Api } from './api.ts';
import { heatmapOf, seriesOf, sharesOf } from './columns.ts';
import { both, FILTER } from './filters.ts';
import { countsBy, moversOf } from './movers.ts';
import { alertRows } from './alert-rows.ts';
import type { Share } from './schema/common.ts';
import type { Mover, Overview } from './schema/overview.ts';
import { tilesOf } from './tiles.ts';
import { type Range, stepFor, timeOf } from './times.ts';
import { type UsualNumbers, usualHours, withExpected } from './usual.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Movers are compared with at least so much time before the range; new domains were not seen in so much. */
const MOVERS_PAST_MS = DAY_MS;
const NEW_PAST_MS = 7 * DAY_MS;
const MOST_KEYS = 1000;
const MOST_POINTS = 180;
/** Rollups are of minutes: ranges of this length and more are asked in whole minutes. */
const MINUTES_FROM_MS = 30 * 60_000;

const TOTALS: readonly Measure[] = [
  'transactions',
  'queries',
  'nxdomain',
  'servfail',
  'unanswered',
  'latency',
  'clients',
  'domains',
];

/** The first screen: everything on it in one answer. */
export async function overviewOf(api: Api, range: Range, f: string | undefined): Promise<Overview> {
  const { store } = api.services;
  const ask = new Asker(api, range, f);
  const [health, usual, now, previous, series, heatmap, types, rcodes, domains, clients, fresh, alerts, kept] =
    await Promise.all([
      api.health(),
      f === undefined ? usualOf(api, range.from) : null,
      ask.one(range),
      ask.one({ from: range.from - (range.to - range.from), to: range.from }),
      ask.series(),
      ask.heatmap(),
      ask.breakdown('type', FILTER.type),
      ask.breakdown('rcode', FILTER.rcode),
      ask.movers('domain', FILTER.name),
      ask.movers('client', FILTER.client),
      ask.newDomains(),
      alertRows(api.services.alerts, { limit: 5, state: 'open' }),
      store.status(),
    ]);
  const tiles = tilesOf({ range, now, previous, usual, fresh, loss: health.freshness.loss_ratio, oldest: kept.oldest });
  return {
    from: timeOf(range.from),
    to: timeOf(range.to),
    state: api.state(health, tiles),
    tiles: tiles.map((tile) => (tile.f === null ? tile : { ...tile, f: both(f, tile.f) })),
    series: seriesOf(series, { ...range, step: ask.step }, usual),
    latency_heatmap: heatmapOf(heatmap, ask.step, range),
    movers: { domains, clients },
    types,
    rcodes,
    alerts: { open: health.alertsOpen, top: alerts.rows },
    freshness: health.freshness,
    privacy: api.services.privacy,
    demo: api.services.demo,
  };
}

/** Domains or clients of a range that changed most against usual. */
export function moversBy(api: Api, range: Range, f: string | undefined, of: 'domain' | 'client'): Promise<Mover[]> {
  return new Asker(api, range, f).movers(of, of === 'domain' ? FILTER.name : FILTER.client);
}

/** What is usual in the hours before a time, the same answer for ten minutes; and what is expected now. */
async function usualOf(api: Api, before: number): Promise<UsualNumbers> {
  const hour = Math.floor(before / HOUR_MS);
  const hours = await api.usual.get(String(hour), () => usualHours(api, before));
  return withExpected(hours, api.services.baselines);
}

/** Questions of the first screen to the store. */
class Asker {
  readonly step: number;
  readonly #api: Api;
  readonly #range: Range;
  readonly #filter: { filter?: string };
  readonly #f: string | undefined;

  constructor(api: Api, range: Range, f: string | undefined) {
    this.#api = api;
    this.#range = range;
    this.#f = f;
    this.#filter = f === undefined ? {} : { filter: f };
    const step = stepFor(range, MOST_POINTS);
    this.step = range.to - range.from >= MINUTES_FROM_MS ? Math.max(60, step) : step;
  }

  async one(range: Range): Promise<StatisticsRow> {
    if (range.to <= 0) return {};
    const from = Math.max(0, range.from);
    const { rows } = await this.#api.statistics({ from, to: range.to, ...this.#filter, measures: TOTALS });
    return rows[0] ?? {};
  }

  series(): Promise<StatisticsResult> {
    return this.#api.statistics({
      ...this.#range,
      ...this.#filter,
      step: this.step,
      measures: ['transactions', 'nxdomain', 'servfail', 'unanswered'],
    });
  }

  heatmap(): Promise<StatisticsResult> {
    return this.#api.statistics({
      ...this.#range,
      ...this.#filter,
      step: this.step,
      group: ['latency_bucket'],
      measures: ['transactions'],
      limit: 64,
    });
  }

  async breakdown(dimension: 'type' | 'rcode', filter: (key: string) => string): Promise<Share[]> {
    const { rows } = await this.#api.statistics({
      ...this.#range,
      ...this.#filter,
      group: [dimension],
      measures: ['transactions'],
      limit: MOST_KEYS,
    });
    return sharesOf(rows, dimension, (key) => both(this.#f, filter(key))).slice(0, 12);
  }

  async movers(dimension: 'domain' | 'client', filter: (key: string) => string): Promise<Mover[]> {
    const { from, to } = this.#range;
    const length = to - from;
    const past = Math.max(length, MOVERS_PAST_MS);
    const query = { ...this.#filter, group: [dimension], measures: ['transactions'], limit: MOST_KEYS } as const;
    const [now, before, known] = await Promise.all([
      this.#api.statistics({ from, to, ...query }),
      this.#api.statistics({ from: Math.max(0, from - past), to: from, ...query }),
      this.#api.services.store.status(),
    ]);
    // A store that is younger than the time compared with has seen less of it; without any, nothing is a change.
    const seen = from - Math.max(from - past, known.oldest ?? from);
    if (seen <= 0) return [];
    return moversOf(
      countsBy(now.rows, dimension, MOST_KEYS),
      countsBy(before.rows, dimension, MOST_KEYS),
      length / seen,
      (key) => both(this.#f, filter(key)),
    );
  }

  /** Registrable domains of the range that were not seen in the week before; null where nothing was. */
  async newDomains(): Promise<number | null> {
    const { from, to } = this.#range;
    const past = { from: Math.max(0, from - NEW_PAST_MS), ...this.#filter, measures: ['domains'] } as const;
    const [before, all] = await Promise.all([
      this.#api.statistics({ ...past, to: from }),
      this.#api.statistics({ ...past, to }),
    ]);
    const known = before.rows[0]?.domains ?? 0;
    return known === 0 ? null : Math.max(0, Math.round((all.rows[0]?.domains ?? 0) - known));
  }
}
