import { z } from '@hono/zod-openapi';
import type { PassiveMatch, PassiveRow } from '../../store/store.ts';
import type { Call, Endpoint } from '../endpoint.ts';
import { endpoint } from '../endpoint.ts';
import { nameInput } from '../names.ts';
import { cofEntries, fencesOf, matchInput, ndjson } from '../passive.ts';
import { ProblemError } from '../problem.ts';

/** Clients send more than we read (their own name and version). */
const lookupQuery = z.object({
  limit: z.coerce.number().int().min(0).max(1_000_000).default(1000),
  time_first_after: z.coerce.number().optional(),
  time_first_before: z.coerce.number().optional(),
  time_last_after: z.coerce.number().optional(),
  time_last_before: z.coerce.number().optional(),
  swclient: z.string().max(200).optional(),
  version: z.string().max(200).optional(),
  id: z.string().max(200).optional(),
  aggr: z.string().max(5).optional(),
  humantime: z.string().max(5).optional(),
  max_count: z.coerce.number().optional(),
  offset: z.coerce.number().int().min(0).max(0).optional(),
});
type LookupQuery = z.output<typeof lookupQuery>;
interface LookupParams {
  value: string;
  type?: string | undefined;
  bailiwick?: string | undefined;
}
type Lookup = Call<LookupParams, LookupQuery, unknown>;

const V1 = 'application/json';
const V2 = 'application/x-ndjson';
const KINDS = {
  'rrset/name': { summary: 'records of a name', match: (value: string) => matchInput(value, 'value') },
  'rdata/name': { summary: 'names whose record is a name', match: rdataName },
  'rdata/ip': { summary: 'names of an address, block or range', match: rdataAddress },
  'rdata/raw': { summary: 'names of rdata in hex', match: rdataRaw },
} as const;
type Kind = keyof typeof KINDS;

const value = z.string().min(1).max(1100);
const type = z.string().max(20);

/** Lookups as DNSDB answers them: version 1 plain, version 2 framed; with and without type. */
export const DNSDB: readonly Endpoint[] = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
  (['', '/dnsdb/v2'] as const).flatMap((version) => {
    const media = [version === '' ? V1 : V2];
    const shared = { method: 'get', root: true, tag: 'passive dns', query: lookupQuery, media } as const;
    const summary = `DNSDB version ${version === '' ? 1 : 2}: ${KINDS[kind].summary}`;
    const path = `${version}/lookup/${kind}/{value}`;
    const run = (call: Lookup) => lookup(kind, version === '' ? 1 : 2, call);
    return [
      endpoint({ ...shared, path, summary, params: z.object({ value }), run }),
      endpoint({ ...shared, path: `${path}/{type}`, summary, params: z.object({ value, type }), run }),
      ...(kind === 'rrset/name'
        ? [
            endpoint({
              ...shared,
              path: `${path}/{type}/{bailiwick}`,
              summary,
              params: z.object({ value, type, bailiwick: value }),
              run,
            }),
          ]
        : []),
    ];
  }),
);

async function lookup(kind: Kind, version: 1 | 2, { params, query, api, now, signal }: Lookup): Promise<Response> {
  const limit = query.limit === 0 ? 10_000 : Math.min(query.limit, 10_000);
  const seconds = now / 1000;
  const page = await api.ask(() =>
    api.services.store.passive(
      { match: KINDS[kind].match(params.value), ...fencesOf({ type: params.type }, now), limit: limit + 1 },
      signal,
    ),
  );
  const rows = page.rows.filter((row) => isWithin(row, query, seconds));
  const entries = cofEntries(rows.slice(0, limit));
  const isCut = rows.length > limit || page.next !== null;
  if (version === 1) {
    if (entries.length === 0) throw new ProblemError(404, 'No record was found.');
    return new Response(ndjson(entries), { headers: { 'Content-Type': V1, 'Cache-Control': 'no-store' } });
  }
  const end = isCut ? { cond: 'limited', msg: 'Result limit reached' } : { cond: 'succeeded' };
  const lines = [{ cond: 'begin' }, ...entries.map((obj) => ({ obj })), end];
  return new Response(ndjson(lines), { headers: { 'Content-Type': V2, 'Cache-Control': 'no-store' } });
}

/** The fences of DNSDB: seconds since 1970, or before now when negative. */
function isWithin(row: PassiveRow, query: LookupQuery, now: number): boolean {
  const bound = (seconds: number | undefined) =>
    seconds === undefined ? undefined : (seconds < 0 ? now + seconds : seconds) * 1000;
  const [firstAfter, firstBefore, lastAfter, lastBefore] = [
    bound(query.time_first_after),
    bound(query.time_first_before),
    bound(query.time_last_after),
    bound(query.time_last_before),
  ];
  return (
    (firstAfter === undefined || row.time_first >= firstAfter) &&
    (firstBefore === undefined || row.time_first <= firstBefore) &&
    (lastAfter === undefined || row.time_last >= lastAfter) &&
    (lastBefore === undefined || row.time_last <= lastBefore)
  );
}

function rdataName(text: string): PassiveMatch {
  return { kind: 'rdata', text: nameInput(text) };
}

/** `192.0.2.1`, `192.0.2.0,24` (a slash would end the path), `192.0.2.1-192.0.2.9`. */
function rdataAddress(text: string): PassiveMatch {
  const match = matchInput(text.replace(',', '/'), 'value');
  if (match.kind !== 'addresses')
    throw new ProblemError(400, 'This is no address, block or range.', { parameter: 'value' });
  return match;
}

function rdataRaw(hex: string): PassiveMatch {
  const octets = /^([0-9a-f]{2})+$/i.test(hex) ? Buffer.from(hex, 'hex') : Buffer.alloc(0);
  if (octets.length === 4) return rdataAddress(octets.join('.'));
  if (octets.length === 16) return rdataAddress(hex.replace(/(.{4})(?!$)/g, '$1:'));
  throw new ProblemError(422, 'Of raw rdata only addresses (4 or 16 octets) can be looked for.', {
    parameter: 'value',
  });
}
