import type { Measure, StatisticsResult, StatisticsRow } from '../../store/store.ts';
import { endpoint } from '../endpoint.ts';
import { historyFilter } from '../filters.ts';
import { ProblemError } from '../problem.ts';
import { MEASURES, statistics as answer, statisticsQuery, type Statistics } from '../schema/statistics.ts';
import { type Range, readRange, timeOf } from '../times.ts';

const DEFAULT_MEASURES: readonly Measure[] = ['transactions'];
const MOST_BUCKETS = 10_000;

/** Counts and distributions by up to two dimensions, over time. */
export const statistics = endpoint({
  method: 'get',
  path: '/statistics',
  tag: 'history',
  summary: 'Counts, distinct counts and distributions, grouped and over time',
  query: statisticsQuery,
  answer,
  async run({ query, api, now, signal }) {
    const range = readRange(query, now);
    const filter = historyFilter(query.f);
    const { step, group, measures = DEFAULT_MEASURES, limit } = query;
    if (step !== undefined && (range.to - range.from) / 1000 / step > MOST_BUCKETS) {
      throw new ProblemError(400, `The range has more than ${MOST_BUCKETS} buckets of ${step} s.`, {
        parameter: 'step',
      });
    }
    const order = orderOf(query.order);
    const result = await api.ask(() =>
      api.statistics(
        {
          ...range,
          measures,
          limit,
          ...(filter !== undefined && { filter }),
          ...(step !== undefined && { step }),
          ...(group !== undefined && { group }),
          ...(order !== undefined && { order }),
        },
        signal,
      ),
    );
    return statisticsValue(result, range, step);
  },
});

function orderOf(text: string | undefined): { by: Measure; descending: boolean } | undefined {
  if (text === undefined) return undefined;
  const by = MEASURES.find((measure) => measure === text.replace(/^-/, ''));
  if (by === undefined) throw new ProblemError(400, `'${text}' is no measure.`, { parameter: 'order' });
  return { by, descending: text.startsWith('-') };
}

function statisticsValue(result: StatisticsResult, range: Range, step: number | undefined): Statistics {
  return {
    from: timeOf(range.from),
    to: timeOf(range.to),
    step: step ?? null,
    rows: result.rows.map(rowValue),
    source: result.source,
    complete: result.complete,
  };
}

function rowValue({ time, ...row }: StatisticsRow): Statistics['rows'][number] {
  return time === undefined ? row : { time: timeOf(time), ...row };
}
