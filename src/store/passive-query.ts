import { TYPES } from '../wire/iana.ts';
import { addressHalves, addressOctets, halvesText } from './addresses.ts';
import { nameOf, prefixEnd, reversedName, storedName } from './passive-names.ts';
import { MISSING_KINDS } from './schema.ts';
import type { NameHistoryRow, PassiveMatch, PassivePage, PassiveQuery, PassiveRow } from './store.ts';

const A = 1;
const AAAA = 28;
/** Names that share an rdata, up to which it counts as rare. */
const RARE = 3;
const DEFAULT_LIMIT = 200;
const MOST = 10_000;
type Value = string | number | bigint;

/** A row of passive DNS as the tables have it (PASSIVE_COLUMNS). */
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

/** How an engine keeps passive DNS. Placeholders are `?`. */
export interface PassiveEngine {
  /** SQL of a table with PASSIVE_COLUMNS, a row per key or more; `byData`: rdata is asked for. */
  rows(byData: boolean): string;
  /** The same of a table with MISSING_COLUMNS. */
  readonly missing: string;
  /** Type of unsigned numbers of 64 bits. */
  readonly u64: string;
  /** Over the rows of a key: when it was first seen, which sensor did, how often, as a whole number. */
  readonly first: string;
  readonly sensor: string;
  readonly count: string;
  endsWith(text: string, end: string): string;
  all<T>(sql: string, params: readonly Value[], signal?: AbortSignal): Promise<T[]>;
}

const KEY = 'reversed, type, data, prefix, suffix';

/** Looks passive DNS up. Order: name, type, rdata; `after` goes on behind a row. */
export async function findPassiveIn(
  engine: PassiveEngine,
  query: PassiveQuery,
  signal?: AbortSignal,
): Promise<PassivePage> {
  const where = whereOf(query.match, engine);
  if (where === undefined) return { rows: [], next: null };
  const limit = Math.min(MOST, Math.max(1, query.limit ?? DEFAULT_LIMIT));
  const conditions = [where.sql];
  const params = [...where.params];
  if (query.type !== undefined) {
    conditions.push('type = ?');
    params.push(BigInt(typeNumber(query.type)));
  }
  const after = readAfter(query.after);
  if (after !== undefined) {
    conditions.push(`(${KEY}) > (?, ?, ?, ?::${engine.u64}, ?::${engine.u64})`);
    params.push(...after);
  }
  const having: string[] = [];
  if (query.firstAfter !== undefined) {
    having.push(`${engine.first} >= ?`);
    params.push(query.firstAfter);
  }
  if (query.lastBefore !== undefined) {
    having.push('max(last) <= ?');
    params.push(query.lastBefore);
  }
  const isByData = query.match.kind === 'addresses' || query.match.kind === 'rdata';
  const sql = `SELECT ${KEY}, min(cnames) AS cnames, ${engine.sensor} AS sensor, ${engine.first} AS first,
    max(last) AS last, ${engine.count} AS count FROM ${engine.rows(isByData)} WHERE ${conditions.join(' AND ')}
    GROUP BY ${KEY}${having.length > 0 ? ` HAVING ${having.join(' AND ')}` : ''} ORDER BY ${KEY} LIMIT ${limit + 1}`;
  const rows = await engine.all<Found>(sql, params, signal);
  const page = rows.slice(0, limit);
  const shared = await namesByAddress(engine, page, signal);
  const last = page.at(-1);
  return {
    rows: page.map((row) => passiveRow(row, shared.get(`${row.prefix} ${row.suffix}`) ?? 0)),
    next: rows.length > limit && last !== undefined ? afterText(last) : null,
  };
}

/** When a name had no answer, by type and kind: the latest first. */
export async function nameHistoryIn(engine: PassiveEngine, text: string, limit = 100): Promise<NameHistoryRow[]> {
  const name = storedName(text);
  const rows = await engine.all<{ type: number; kind: number; first: number; last: number; count: number }>(
    `SELECT type, kind, min(first) AS first, max(last) AS last, ${engine.count} AS count FROM ${engine.missing} WHERE name = ?
     GROUP BY type, kind ORDER BY max(last) DESC, type, kind LIMIT ${Math.min(MOST, Math.max(1, Math.floor(limit)))}`,
    [name],
  );
  return rows.map(({ type, kind, first, last, count }) => ({
    name,
    type: TYPES.name(type),
    kind: MISSING_KINDS[kind],
    time_first: first,
    time_last: last,
    count,
  }));
}

/** How many names lead to the addresses of a page, by their halves: few are worth a look. */
async function namesByAddress(
  engine: PassiveEngine,
  page: readonly Found[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const prefixes = [...new Set(page.filter(({ type }) => type === A || type === AAAA).map(({ prefix }) => prefix))];
  if (prefixes.length === 0 || prefixes.length > 50) return new Map();
  const suffixes = [...new Set(page.map(({ suffix }) => suffix))];
  const marks = (list: readonly bigint[]) => list.map(() => `?::${engine.u64}`).join(', ');
  const rows = await engine.all<{ prefix: bigint; suffix: bigint; names: number | bigint }>(
    `SELECT prefix, suffix, count(DISTINCT reversed) AS names FROM ${engine.rows(true)}
     WHERE data = '' AND type IN (${A}, ${AAAA}) AND prefix IN (${marks(prefixes)}) AND suffix IN (${marks(suffixes)})
     GROUP BY prefix, suffix`,
    [...prefixes, ...suffixes],
    signal,
  );
  return new Map(rows.map(({ prefix, suffix, names }) => [`${prefix} ${suffix}`, Number(names)]));
}

/** Rdata as text. */
function dataOf({ type, data, prefix, suffix }: Found): string {
  if (data !== '' || (type !== A && type !== AAAA)) return data;
  return halvesText(type === A ? 4 : 6, prefix, suffix);
}

function afterText({ reversed, type, data, prefix, suffix }: Found): string {
  return JSON.stringify([reversed, type, data, String(prefix), String(suffix)]);
}

/** Where a client says that it is; nothing when that is no place. */
function readAfter(text: string | undefined): Value[] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length !== 5) return undefined;
    const [reversed, type, data, prefix, suffix] = value.map(String);
    return [reversed, BigInt(type), data, BigInt(prefix), BigInt(suffix)];
  } catch {
    return undefined;
  }
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

/** Number of a type's mnemonic; −1 where there is none. */
export function typeNumber(text: string): number {
  const number = TYPES.number(text.toUpperCase());
  return Number.isInteger(number) && number >= 0 ? number : -1;
}

function whereOf(match: PassiveMatch, { u64, endsWith }: PassiveEngine): { sql: string; params: Value[] } | undefined {
  const mark = `?::${u64}`;
  if (match.kind === 'rdata') {
    const isAddress = addressOctets(match.text) !== undefined;
    return isAddress ? addressWhere(match.text, match.text, mark) : { sql: 'data = ?', params: [match.text] };
  }
  if (match.kind === 'addresses') return addressWhere(match.low, match.high, mark);
  const name = storedName(match.name);
  const reversed = reversedName(name);
  if (match.kind === 'name') return { sql: 'reversed = ?', params: [reversed] };
  // `x.*`: what the reversed name ends with.
  if (match.kind === 'beginning') return { sql: endsWith('reversed', '?'), params: [`.${reversed}`] };
  if (reversed === '') return { sql: `reversed <> ''`, params: [] };
  return { sql: 'reversed > ? AND reversed < ?', params: [reversed, prefixEnd(reversed)] };
}

function addressWhere(lowText: string, highText: string, mark: string): { sql: string; params: Value[] } | undefined {
  const low = addressOctets(lowText);
  const high = addressOctets(highText);
  if (low === undefined || high === undefined || low.length !== high.length) return undefined;
  const from = addressHalves(low);
  const to = addressHalves(high);
  const type = low.length === 4 ? A : AAAA;
  const bounds = [from.prefix, to.prefix];
  const range = `type = ${type} AND data = '' AND prefix BETWEEN ${mark} AND ${mark}`;
  if (type === A) return { sql: range, params: bounds };
  return {
    sql: `${range} AND (prefix > ${mark} OR suffix >= ${mark}) AND (prefix < ${mark} OR suffix <= ${mark})`,
    params: [...bounds, from.prefix, from.suffix, to.prefix, to.suffix],
  };
}
