import { compileFilter } from '../../filter/compile.ts';
import { endpoint } from '../endpoint.ts';
import { tailQuery } from '../schema/overview.ts';

/** Live transactions as they come. */
export const tail = endpoint({
  method: 'get',
  path: '/tail',
  tag: 'live',
  summary: 'Live transactions as server-sent events: rows, gap, state; resumes by Last-Event-ID',
  query: tailQuery,
  media: ['text/event-stream'],
  run({ query: { f = '', rate }, api, request }) {
    // Errors of a filter come with their place, as everywhere.
    if (f.trim() !== '') compileFilter(f);
    const lastEvent = request.headers.get('last-event-id') ?? undefined;
    return api.tails.stream({ f: f.trim(), rate, lastEvent });
  },
});
