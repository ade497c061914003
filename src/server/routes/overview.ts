import { endpoint } from '../endpoint.ts';
import { historyFilter } from '../filters.ts';
import { overviewOf } from '../overview.ts';
import { overview as answer, overviewQuery } from '../schema/overview.ts';
import { readRange } from '../times.ts';

/** Everything on the first screen. */
export const overview = endpoint({
  method: 'get',
  path: '/overview',
  tag: 'history',
  summary: 'The first screen in one call: state, tiles, series, heatmap, movers',
  query: overviewQuery,
  answer,
  run({ query, api, now }) {
    const range = readRange(query, now);
    const filter = historyFilter(query.f);
    // Everybody who looks at the same relative range shares the answer of this moment.
    const key = JSON.stringify([query.from, query.to, filter ?? '']);
    return api.overviews.get(key, () => api.ask(() => overviewOf(api, range, filter)));
  },
});
