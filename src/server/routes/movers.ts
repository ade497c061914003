import { endpoint } from '../endpoint.ts';
import { historyFilter } from '../filters.ts';
import { moversBy } from '../overview.ts';
import { movers as answer, moversQuery } from '../schema/overview.ts';
import { readRange } from '../times.ts';

/** The first screen's movers, for the lists of domains and clients. */
export const movers = endpoint({
  method: 'get',
  path: '/movers',
  tag: 'history',
  summary: 'Domains or clients that changed most against usual',
  query: moversQuery,
  answer,
  run: ({ query, api, now }) =>
    api.ask(async () => ({
      rows: await moversBy(api, readRange(query, now), historyFilter(query.f), query.of),
    })),
});
