import { z } from '@hono/zod-openapi';
import { endpoint } from '../endpoint.ts';
import { both, FILTER, historyFilter } from '../filters.ts';
import { nameInput } from '../names.ts';
import { PageData } from '../page-data.ts';
import { passiveValue } from '../passive.ts';
import { namePage, pageQuery } from '../schema/pages.ts';
import { readRange, timeOf } from '../times.ts';

const MOST_SUBDOMAINS = 200;
const MOST_RECORDS = 500;
const MOST_MISSES = 100;

/** A name and everything below it. */
export const names = endpoint({
  method: 'get',
  path: '/names/{name}',
  tag: 'history',
  summary: 'A name and what is below it: counts over time, tops, subdomains, records, misses',
  params: z.object({ name: z.string().min(1).max(1100) }),
  query: pageQuery,
  answer: namePage,
  run({ params, query, api, now, signal }) {
    const name = nameInput(params.name);
    const range = readRange(query, now);
    const { store, registrableDomain } = api.services;
    const f = both(FILTER.name(name), historyFilter(query.f));
    const data = new PageData(api, f, range, signal);
    const within = (filter: string) => both(f, filter);
    return api.ask(async () => {
      const [shared, types, rcodes, outcomes, clients, servers, below, records, misses] = await Promise.all([
        data.shared(),
        data.top('type', (key) => within(FILTER.type(key))),
        data.top('rcode', (key) => within(FILTER.rcode(key))),
        data.top('outcome', (key) => (key === 'unanswered' ? within(FILTER.unanswered) : null)),
        data.top('client', (key) => within(FILTER.client(key))),
        data.top('server', (key) => within(FILTER.server(key))),
        data.rows({ group: ['name'], measures: ['transactions', 'clients'], limit: MOST_SUBDOMAINS }),
        store.passive({ match: { kind: 'name', name }, limit: MOST_RECORDS }, signal),
        store.nameHistory(name, MOST_MISSES),
      ]);
      return {
        name,
        registrable_domain: registrableDomain(name),
        ...shared,
        top: { types, rcodes, outcomes, clients, servers },
        subdomains: below.flatMap(({ name: key, transactions = 0, clients: askers = 0 }) =>
          key === null || key === undefined || key === name
            ? []
            : [{ name: key, transactions, clients: askers, f: FILTER.exactName(key) }],
        ),
        records: records.rows.map(passiveValue).sort((a, b) => a.time_first.localeCompare(b.time_first)),
        misses: misses.map((miss) => ({
          ...miss,
          time_first: timeOf(miss.time_first),
          time_last: timeOf(miss.time_last),
        })),
      };
    });
  },
});
