import type { StatisticsRow } from '../store/store.ts';
import { type Band, countBand, isOutside, ratioBand, usualOver, valueBand } from './bands.ts';
import { FILTER } from './filters.ts';
import type { Tile } from './schema/overview.ts';
import type { Range } from './times.ts';
import { ratioOf, type UsualNumbers } from './usual.ts';

export interface TileInputs {
  range: Range;
  now: StatisticsRow;
  previous: StatisticsRow;
  usual: UsualNumbers | null;
  fresh: number | null;
  loss: number | null;
  /** Of what is kept, ms; null = nothing is. */
  oldest: number | null;
}

/** `expected` null: nothing is known of like hours. */
function tile(
  [key, unit, f]: readonly [Tile['key'], string, string | null],
  value: number | null,
  previous: number | null,
  expected: Band | null,
): Tile {
  const delta = value === null || previous === null ? null : value - previous;
  return { key, value, unit, previous, delta, expected, anomalous: isOutside(value, expected), f };
}

/** The numbers of the first screen, beside those of the period before and what is usual at this hour. */
export function tilesOf({ range, now, previous, usual, fresh, loss, oldest }: TileInputs): Tile[] {
  const { from, to } = range;
  const seconds = (to - from) / 1000;
  const hours = seconds / 3600;
  // A range that begins before anything was seen is no longer than what was: else a first hour looks quiet.
  const seen = Math.max(1, (to - Math.min(to, Math.max(from, oldest ?? from))) / 1000);
  const n = now.transactions ?? 0;
  // Without a single transaction before there is no period to compare with.
  const hasPrevious = (previous.transactions ?? 0) > 0;
  const ratio = (
    key: 'nxdomain_ratio' | 'servfail_ratio' | 'unanswered_ratio',
    of: 'nxdomain' | 'servfail' | 'unanswered',
  ) => {
    const like = usualOver(usual?.[key], from, to);
    const before = hasPrevious ? ratioOf(previous[of], previous.transactions) : null;
    return tile([key, 'ratio', FILTER[of]], ratioOf(now[of], n), before, like && n > 0 ? ratioBand(like, n) : null);
  };
  const latency = (part: 'p50' | 'p95' | 'p99') => {
    const like = usualOver(usual?.[`latency_${part}`], from, to);
    return tile(
      [`latency_${part}`, 'ms', null],
      now.latency?.[part] ?? null,
      previous.latency?.[part] ?? null,
      like && valueBand(like),
    );
  };
  const rate = usualOver(usual?.transactions, from, to);
  const rateBand = rate && countBand(rate, hours);
  // Distinct counts do not add up over hours: only about one hour can be compared with hours.
  const isHour = hours > 0.9 && hours < 1.1;
  const clients = isHour ? usualOver(usual?.clients, from, to) : null;
  return [
    tile(
      ['qps', '1/s', null],
      n / seen,
      hasPrevious ? (previous.transactions ?? 0) / seconds : null,
      rateBand && { low: rateBand.low / seconds, high: rateBand.high / seconds },
    ),
    ratio('nxdomain_ratio', 'nxdomain'),
    ratio('servfail_ratio', 'servfail'),
    latency('p50'),
    latency('p95'),
    latency('p99'),
    ratio('unanswered_ratio', 'unanswered'),
    tile(
      ['clients', '', null],
      now.clients ?? 0,
      hasPrevious ? (previous.clients ?? null) : null,
      clients && countBand(clients, 1),
    ),
    tile(['new_domains', '', null], fresh, null, null),
    tile(['capture_loss', 'ratio', null], loss, null, null),
  ];
}
