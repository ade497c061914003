import { TYPES } from '../wire/iana.ts';
import { addressOctets, addressPrefix } from './addresses.ts';
import type { SqlValue } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { appendPassive } from './learning.ts';
import { prefixEnd, reversedName, storedName } from './passive-names.ts';
import { MISSING_KINDS } from './schema.ts';
import { transaction } from './setup.ts';
import type { NameHistoryRow, PassiveMatch, PassivePage, PassiveQuery, PassiveRow } from './store.ts';

const DEFAULT_LIMIT = 200;
const MOST = 10_000;
const A = 1;
const AAAA = 28;
/** Names that share an rdata, up to which it counts as rare. */
const RARE = 3;
const ALL = '(SELECT * FROM passive UNION ALL SELECT * FROM passive_new)';

interface Found {
  name: string;
  type: number;
  data: string;
  cnames: string;
  sensor: string;
  first: number;
  last: number;
  count: number;
  names: number;
}

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export async function findPassive(
  store: EmbeddedStore,
  query: PassiveQuery,
  signal?: AbortSignal,
): Promise<PassivePage> {
  const where = whereOf(query.match);
  if (where === undefined) return { rows: [], next: null };
  const limit = Math.min(MOST, Math.max(1, query.limit ?? DEFAULT_LIMIT));
  const conditions = [where.sql];
  const params = [...where.params];
  if (query.type !== undefined) {
    conditions.push('type = ?');
    params.push(typeNumber(query.type));
  }
  const having: string[] = [];
  const bounds: SqlValue[] = [];
  if (query.firstAfter !== undefined) {
    having.push('min(first) >= ?');
    bounds.push(query.firstAfter);
  }
  if (query.lastBefore !== undefined) {
    having.push('max(last) <= ?');
    bounds.push(query.lastBefore);
  }
  const after = readAfter(query.after);
  if (after !== undefined) {
    conditions.push('(reversed, type, data) > (?, ?, ?)');
    params.push(...after);
  }
  const sql = `SELECT any_value(name) AS name, reversed, type, data, min(cnames) AS cnames, arg_min(sensor, first) AS sensor,
    min(first) AS first, max(last) AS last, sum(count)::BIGINT AS count FROM ${ALL} WHERE ${conditions.join(' AND ')}
    GROUP BY reversed, type, data${having.length > 0 ? ` HAVING ${having.join(' AND ')}` : ''}
    ORDER BY reversed, type, data LIMIT ${limit + 1}`;
  const rows = await store.readers.use(
    (connection) => connection.all<Omit<Found, 'names'> & { reversed: string }>(sql, [...params, ...bounds]),
    signal,
  );
  const page = rows.slice(0, limit);
  const shared = await namesByAddress(store, page, signal);
  const last = page.at(-1);
  return {
    rows: page.map((row) => passiveRow({ ...row, names: shared.get(row.data) ?? 0 })),
    next: rows.length > limit && last !== undefined ? JSON.stringify([last.reversed, last.type, last.data]) : null,
  };
}

function readAfter(text: string | undefined): [string, number, string] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length !== 3) return undefined;
    return [String(value[0]), Number(value[1]), String(value[2])];
  } catch {
    return undefined;
  }
}

/** How many names lead to the addresses of a page: few are worth a look. */
async function namesByAddress(
  store: EmbeddedStore,
  page: readonly { type: number; data: string }[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const addresses = [...new Set(page.filter(({ type }) => type === A || type === AAAA).map(({ data }) => data))];
  if (addresses.length === 0 || addresses.length > 50) return new Map();
  const prefixes = addresses.flatMap((text) => {
    const octets = addressOctets(text);
    return octets === undefined ? [] : [addressPrefix(octets)];
  });
  const marks = prefixes.map(() => '?::UBIGINT').join(', ');
  const rows = await store.readers.use(
    (connection) =>
      connection.all<{ data: string; names: number }>(
        `SELECT data, count(DISTINCT name) AS names FROM ${ALL} WHERE type IN (1, 28) AND prefix IN (${marks}) GROUP BY data`,
        prefixes,
      ),
    signal,
  );
  return new Map(rows.map(({ data, names }) => [data, names]));
}

function passiveRow({ name, type, data, cnames, sensor, first, last, count, names }: Found): PassiveRow {
  return {
    rrname: name,
    rrtype: TYPES.name(type),
    rdata: data,
    time_first: first,
    time_last: last,
    count,
    ...(sensor !== '' && { sensor }),
    ...(cnames !== '' && { cnames: cnames.split(' ') }),
    ...(names > 0 && names <= RARE && { rare: true }),
  };
}

function typeNumber(text: string): number {
  const number = TYPES.number(text.toUpperCase());
  return Number.isInteger(number) && number >= 0 ? number : -1;
}

function whereOf(match: PassiveMatch): { sql: string; params: SqlValue[] } | undefined {
  if (match.kind === 'rdata') return { sql: 'data = ?', params: [match.text] };
  if (match.kind === 'addresses') return addressWhere(match.low, match.high);
  const name = storedName(match.name);
  const reversed = reversedName(name);
  if (match.kind === 'name') return { sql: 'reversed = ?', params: [reversed] };
  if (match.kind === 'beginning') return { sql: 'name >= ? AND name < ?', params: [`${name}.`, prefixEnd(`${name}.`)] };
  if (reversed === '') return { sql: `reversed <> ''`, params: [] };
  return { sql: 'reversed > ? AND reversed < ?', params: [reversed, prefixEnd(reversed)] };
}

function addressWhere(lowText: string, highText: string): { sql: string; params: SqlValue[] } | undefined {
  const low = addressOctets(lowText);
  const high = addressOctets(highText);
  if (low === undefined || high === undefined || low.length !== high.length) return undefined;
  const params: SqlValue[] = [addressPrefix(low), addressPrefix(high)];
  const range = 'prefix BETWEEN ?::UBIGINT AND ?::UBIGINT';
  if (low.length === 4) return { sql: `type = ${A} AND ${range} AND octet_length(address) = 4`, params };
  return {
    sql: `type = ${AAAA} AND ${range} AND octet_length(address) = 16 AND address BETWEEN ? AND ?`,
    params: [...params, low, high],
  };
}

/** Merges what was learnt elsewhere into passive DNS. */
export async function importPassive(store: EmbeddedStore, rows: readonly PassiveRow[]): Promise<number> {
  await store.readers.use((connection) =>
    transaction(connection, async () => {
      const deltas = rows.map((row) => ({
        name: storedName(row.rrname),
        type: Math.max(0, typeNumber(row.rrtype)),
        data: row.rdata,
        address: addressOctets(row.rdata) ?? null,
        cnames: row.cnames ?? null,
        sensor: row.sensor ?? '',
        first: row.time_first,
        last: row.time_last,
        count: row.count,
      }));
      appendPassive(connection, deltas);
    }),
  );
  return rows.length;
}

/** When a name had no answer, by type and kind. */
export async function nameHistory(store: EmbeddedStore, name: string, limit = 100): Promise<NameHistoryRow[]> {
  const folded = storedName(name);
  const rows = await store.readers.use((connection) =>
    connection.all<{ type: number; kind: number; first: number; last: number; count: number }>(
      `SELECT type, kind, min(first) AS first, max(last) AS last, sum(count)::BIGINT AS count
       FROM (SELECT * FROM missing UNION ALL SELECT * FROM missing_new) WHERE name = ? GROUP BY type, kind
       ORDER BY max(last) DESC, type, kind LIMIT ?`,
      [folded, Math.min(MOST, Math.max(1, limit))],
    ),
  );
  return rows.map(({ type, kind, first, last, count }) => ({
    name: folded,
    type: TYPES.name(type),
    kind: MISSING_KINDS[kind],
    time_first: first,
    time_last: last,
    count,
  }));
}
