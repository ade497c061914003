import type { StatisticsRow } from '../../store/store.ts';
import { sharesOf } from '../columns.ts';
import { emptySummary } from '../page-data.ts';
import { endpoint } from '../endpoint.ts';
import { both, FILTER, historyFilter } from '../filters.ts';
import { servers as answer, type ServerRow, serversQuery } from '../schema/pages.ts';
import { readRange, timeOf } from '../times.ts';

/** Servers by what they answer, and how fast. */
export const servers = endpoint({
  method: 'get',
  path: '/servers',
  tag: 'history',
  summary: 'Servers: counts, response codes, latency and sizes',
  query: serversQuery,
  answer,
  async run({ query, api, now, signal }) {
    const range = readRange(query, now);
    const filter = historyFilter(query.f);
    const scope = { ...range, ...(filter !== undefined && { filter }) };
    const [main, codes] = await api.ask(() =>
      Promise.all([
        api.statistics(
          {
            ...scope,
            group: ['server'],
            measures: [
              'transactions',
              'unanswered',
              'nxdomain',
              'servfail',
              'refused',
              'truncated',
              'retransmissions',
              'latency',
              'size',
            ],
            limit: query.limit,
          },
          signal,
        ),
        api.statistics({ ...scope, group: ['server', 'rcode'], measures: ['transactions'], limit: 1000 }, signal),
      ]),
    );
    const byServer = Map.groupBy(codes.rows, ({ server }) => server);
    return {
      from: timeOf(range.from),
      to: timeOf(range.to),
      rows: main.rows.flatMap((row) => {
        const { server } = row;
        return server === null || server === undefined
          ? []
          : [rowValue(row, server, byServer.get(server) ?? [], filter)];
      }),
    };
  },
});

function rowValue(
  row: StatisticsRow,
  server: string,
  codes: readonly StatisticsRow[],
  f: string | undefined,
): ServerRow {
  const own = both(f, FILTER.server(server));
  return {
    server,
    transactions: row.transactions ?? 0,
    unanswered: row.unanswered ?? 0,
    nxdomain: row.nxdomain ?? 0,
    servfail: row.servfail ?? 0,
    refused: row.refused ?? 0,
    truncated: row.truncated ?? 0,
    retransmissions: row.retransmissions ?? 0,
    latency: row.latency ?? emptySummary('ms'),
    size: row.size ?? emptySummary('bytes'),
    rcodes: sharesOf(codes, 'rcode', (key) => both(own, FILTER.rcode(key))),
    f: own,
  };
}
