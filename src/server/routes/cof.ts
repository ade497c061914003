import { z } from '@hono/zod-openapi';
import type { PassivePage, PassiveQuery } from '../../store/store.ts';
import { endpoint } from '../endpoint.ts';
import { cofEntries, fencesOf, matchInput, ndjson } from '../passive.ts';

const NDJSON = 'application/x-ndjson';

/** Passive DNS in the common output format, as CIRCL's and D4's servers answer it. */
export const cofQuery = endpoint({
  method: 'get',
  path: '/query/{q}',
  root: true,
  tag: 'passive dns',
  summary: 'Passive DNS in the common output format, one object a line',
  params: z.object({ q: z.string().min(1).max(1100) }),
  media: [NDJSON],
  async run({ params: { q }, api, request, signal }) {
    const { headers } = request;
    const count = Number(headers.get('dribble-paginate-count'));
    const after = headers.get('dribble-paginate-cursor') ?? undefined;
    const type = headers.get('dribble-filter-rrtype') ?? undefined;
    const query: PassiveQuery = {
      match: matchInput(q, 'q'),
      limit: count >= 1 ? Math.min(count, 10_000) : 1000,
      ...(after !== undefined && { after }),
      ...fencesOf({ type }, 0),
    };
    return answerOf(await api.ask(() => api.services.store.passive(query, signal)));
  },
});

function answerOf({ rows, next }: PassivePage): Response {
  return new Response(ndjson(cofEntries(rows)), {
    headers: {
      'Content-Type': NDJSON,
      'Cache-Control': 'no-store',
      ...(next !== null && { 'X-Dribble-Cursor': next }),
    },
  });
}

/** What the passive DNS is about: D4's clients ask for it. */
export const cofInfo = endpoint({
  method: 'get',
  path: '/info',
  root: true,
  tag: 'passive dns',
  summary: 'What the passive DNS is about',
  answer: z
    .object({ version: z.string(), software: z.string(), stats: z.number(), sensors: z.number() })
    .openapi('CofInfo'),
  async run({ api }) {
    const { services } = api;
    const { tables } = await services.store.status();
    const stats = tables.find(({ name }) => name.startsWith('passive'))?.rows ?? 0;
    return { version: services.version, software: 'nametap', stats, sensors: services.sensors().length };
  },
});
