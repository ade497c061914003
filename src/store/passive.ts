import { TYPES } from '../wire/iana.ts';
import { addressHalves, addressOctets, halvesText } from './addresses.ts';
import type { SqlValue } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { appendPassive } from './learning.ts';
import { nameOf, prefixEnd, reversedName, storedName } from './passive-names.ts';
import { MISSING_KINDS } from './schema.ts';
import { transaction } from './sql-transaction.ts';
import type { NameHistoryRow, PassiveMatch, PassivePage, PassiveQuery, PassiveRow } from './store.ts';

const DEFAULT_LIMIT = 200;
const MOST = 10_000;
const A = 1;
const AAAA = 28;
/** Names that share an rdata, up to which it counts as rare. */
const RARE = 3;
const ALL = '(SELECT * FROM passive UNION ALL SELECT * FROM passive_new)';

interface Found {
  reversed: string;
  type: number;
  data: string;
  prefix: bigint;
  suffix: bigint;
  cnames: string;
  sensor: string;
  first: number;
  last: number;
  count: number;
}

/** Rdata as text. */
function dataOf({ type, data, prefix, suffix }: Found): string {
  if (data !== '' || (type !== A && type !== AAAA)) return data;
  return halvesText(type === A ? 4 : 6, prefix, suffix);
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
    conditions.push('(reversed, type, data, prefix, suffix) > (?, ?, ?, ?::UBIGINT, ?::UBIGINT)');
    params.push(...after);
  }
  const key = 'reversed, type, data, prefix, suffix';
  const sql = `SELECT ${key}, min(cnames) AS cnames, arg_min(sensor, first) AS sensor,
    min(first) AS first, max(last) AS last, sum(count)::BIGINT AS count FROM ${ALL} WHERE ${conditions.join(' AND ')}
    GROUP BY ${key}${having.length > 0 ? ` HAVING ${having.join(' AND ')}` : ''} ORDER BY ${key} LIMIT ${limit + 1}`;
  const rows = await store.readers.use((connection) => connection.all<Found>(sql, [...params, ...bounds]), signal);
  const page = rows.slice(0, limit);
  const shared = await namesByAddress(store, page, signal);
  const last = page.at(-1);
  return {
    rows: page.map((row) => passiveRow(row, shared.get(`${row.prefix} ${row.suffix}`) ?? 0)),
    next: rows.length > limit && last !== undefined ? afterText(last) : null,
  };
}

function afterText({ reversed, type, data, prefix, suffix }: Found): string {
  return JSON.stringify([reversed, type, data, String(prefix), String(suffix)]);
}

/** Where a client says that it is; nothing when that is no place. */
function readAfter(text: string | undefined): SqlValue[] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length !== 5) return undefined;
    const [reversed, type, data, prefix, suffix] = value.map(String);
    return [reversed, Number(type), data, BigInt(prefix), BigInt(suffix)];
  } catch {
    return undefined;
  }
}

/** How many names lead to the addresses of a page, by their halves: few are worth a look. */
async function namesByAddress(
  store: EmbeddedStore,
  page: readonly Found[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const prefixes = [...new Set(page.filter(({ type }) => type === A || type === AAAA).map(({ prefix }) => prefix))];
  if (prefixes.length === 0 || prefixes.length > 50) return new Map();
  const suffixes = [...new Set(page.map(({ suffix }) => suffix))];
  const marks = (list: readonly bigint[]) => list.map(() => '?::UBIGINT').join(', ');
  const rows = await store.readers.use(
    (connection) =>
      connection.all<{ prefix: bigint; suffix: bigint; names: number }>(
        `SELECT prefix, suffix, count(DISTINCT reversed) AS names FROM ${ALL}
         WHERE type IN (${A}, ${AAAA}) AND prefix IN (${marks(prefixes)}) AND suffix IN (${marks(suffixes)})
         GROUP BY prefix, suffix`,
        [...prefixes, ...suffixes],
      ),
    signal,
  );
  return new Map(rows.map(({ prefix, suffix, names }) => [`${prefix} ${suffix}`, names]));
}

function passiveRow(found: Found, names: number): PassiveRow {
  const { reversed, type, cnames, sensor, first, last, count } = found;
  return {
    rrname: nameOf(reversed),
    rrtype: TYPES.name(type),
    rdata: dataOf(found),
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
  if (match.kind === 'rdata') {
    const isAddress = addressOctets(match.text) !== undefined;
    return isAddress ? addressWhere(match.text, match.text) : { sql: 'data = ?', params: [match.text] };
  }
  if (match.kind === 'addresses') return addressWhere(match.low, match.high);
  const name = storedName(match.name);
  const reversed = reversedName(name);
  if (match.kind === 'name') return { sql: 'reversed = ?', params: [reversed] };
  // `x.*`: what the reversed name ends with.
  if (match.kind === 'beginning') return { sql: 'ends_with(reversed, ?)', params: [`.${reversed}`] };
  if (reversed === '') return { sql: `reversed <> ''`, params: [] };
  return { sql: 'reversed > ? AND reversed < ?', params: [reversed, prefixEnd(reversed)] };
}

function addressWhere(lowText: string, highText: string): { sql: string; params: SqlValue[] } | undefined {
  const low = addressOctets(lowText);
  const high = addressOctets(highText);
  if (low === undefined || high === undefined || low.length !== high.length) return undefined;
  const from = addressHalves(low);
  const to = addressHalves(high);
  const type = low.length === 4 ? A : AAAA;
  const bounds = [from.prefix, to.prefix];
  const range = `type = ${type} AND data = '' AND prefix BETWEEN ?::UBIGINT AND ?::UBIGINT`;
  if (type === A) return { sql: range, params: bounds };
  return {
    sql: `${range} AND (prefix > ?::UBIGINT OR suffix >= ?::UBIGINT) AND (prefix < ?::UBIGINT OR suffix <= ?::UBIGINT)`,
    params: [...bounds, from.prefix, from.suffix, to.prefix, to.suffix],
  };
}

/** Merges what was learnt elsewhere into passive DNS. */
export async function importPassive(store: EmbeddedStore, rows: readonly PassiveRow[]): Promise<number> {
  // Not while passive DNS is merged.
  await store.work((connection) =>
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
