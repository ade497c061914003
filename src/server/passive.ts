import { TYPES } from '../wire/iana.ts';
import { passiveMatch } from '../store/passive-match.ts';
import type { PassiveMatch, PassiveQuery, PassiveRow } from '../store/store.ts';
import { ProblemError } from './problem.ts';
import type { CofEntry, PdnsRow } from './schema/pdns.ts';
import { readTime, timeOf } from './times.ts';

/** A row as the API shows it. */
export function passiveValue({ time_first, time_last, ...row }: PassiveRow): PdnsRow {
  return { ...row, time_first: timeOf(time_first), time_last: timeOf(time_last) };
}

/** The fences of a query, from its parameters. */
export function fencesOf(
  query: { type?: string | undefined; first_after?: string | undefined; last_before?: string | undefined },
  now: number,
): Pick<PassiveQuery, 'type' | 'firstAfter' | 'lastBefore'> {
  const { type, first_after: after, last_before: before } = query;
  return {
    ...(type !== undefined && !/^any$/i.test(type) && { type: type.toUpperCase() }),
    ...(after !== undefined && { firstAfter: readTime(after, now, 'first_after') }),
    ...(before !== undefined && { lastBefore: readTime(before, now, 'last_before') }),
  };
}

/**
 * Rows as objects of the passive DNS common output format: those of a name and type whose times and counts are the same
 * are one RRset. Names end in a dot.
 */
export function cofEntries(rows: readonly PassiveRow[]): CofEntry[] {
  const sets = new Map<string, CofEntry & { rdata: string[] }>();
  for (const { rrname, rrtype, rdata, time_first, time_last, count, sensor } of rows) {
    const first = Math.floor(time_first / 1000);
    const last = Math.floor(time_last / 1000);
    const key = JSON.stringify([rrname, rrtype, first, last, count, sensor]);
    const known = sets.get(key);
    if (known !== undefined) {
      known.rdata.push(dotted(rrtype, rdata));
      continue;
    }
    sets.set(key, {
      rrname: withDot(rrname),
      rrtype: rrtype.startsWith('TYPE') ? TYPES.number(rrtype) : rrtype,
      rdata: [dotted(rrtype, rdata)],
      time_first: first,
      time_last: last,
      count,
      ...(sensor !== undefined && { sensor_id: sensor }),
    });
  }
  return [...sets.values()];
}

/** Types whose rdata is, or ends in, a name: other tools write it with a dot at its end, the store has none. */
export const NAME_LAST = new Set(['NS', 'CNAME', 'PTR', 'DNAME', 'MX', 'SRV', 'AFSDB', 'KX', 'RT']);

function dotted(type: string, rdata: string): string {
  return NAME_LAST.has(type) && !rdata.startsWith('\\#') ? withDot(rdata) : rdata;
}

function withDot(name: string): string {
  return /(?<!\\)\.$/.test(name) ? name : `${name}.`;
}

/** One JSON object a line. */
export function ndjson(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** What to look for, as people type it. Throws ProblemError. */
export function matchInput(text: string, parameter: string): PassiveMatch {
  const match = passiveMatch(text.trim());
  if (match !== undefined) return match;
  throw new ProblemError(400, 'This is no name, wildcard, address, block or range of addresses.', { parameter });
}
