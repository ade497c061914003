import { z } from '@hono/zod-openapi';
import { endpoint } from '../endpoint.ts';
import { both, FILTER, historyFilter } from '../filters.ts';
import { PageData } from '../page-data.ts';
import { ProblemError } from '../problem.ts';
import { clientPage, pageQuery } from '../schema/pages.ts';
import { readRange } from '../times.ts';
import { isIP } from 'node:net';

/** What one client asks for. Who looks is written down. */
export const clients = endpoint({
  method: 'get',
  path: '/clients/{address}',
  tag: 'history',
  summary: 'A client: counts over time, tops, distributions, hours of the week',
  params: z.object({ address: z.string().min(1).max(64) }),
  query: pageQuery,
  answer: clientPage,
  async run({ params: { address }, query, api, now, signal, identity, remote }) {
    if (isIP(address) === 0) {
      throw new ProblemError(400, 'A client is an IPv4 or IPv6 address.', { parameter: 'address' });
    }
    const range = readRange(query, now);
    const { privacy } = api.services;
    const f = both(FILTER.client(address), historyFilter(query.f));
    const data = new PageData(api, f, range, signal);
    const within = (filter: string) => both(f, filter);
    await api.audit.look({ user: identity.user, address: remote, action: 'client.view', subject: address });
    return api.ask(async () => {
      const [shared, types, rcodes, outcomes, domains, names, servers, heatmap, clientName] = await Promise.all([
        data.shared(),
        data.top('type', (key) => within(FILTER.type(key))),
        data.top('rcode', (key) => within(FILTER.rcode(key))),
        data.top('outcome', (key) => (key === 'unanswered' ? within(FILTER.unanswered) : null)),
        data.top('domain', (key) => within(FILTER.name(key))),
        data.top('name', (key) => within(FILTER.exactName(key))),
        data.top('server', (key) => within(FILTER.server(key))),
        data.heatmap(),
        data.clientName(),
      ]);
      return {
        client: address,
        client_name: clientName,
        ...shared,
        top: { types, rcodes, outcomes, domains, names, servers },
        heatmap,
        privacy,
      };
    });
  },
});
