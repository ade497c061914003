import type { Needle } from '../filter/needles.ts';
import type { Transaction } from '../rr/transaction.ts';
import { ALL, type Condition, during, MOST_RANGES, rowTest, type TimeRange, whereOf } from './condition.ts';
import { AT } from './row-columns.ts';
import { decodeRows, messagesOf, recordOf, type StoredRows } from './rows.ts';
import { TRANSACTION_COLUMNS } from './schema.ts';
import type { RowStore, Session, SqlValue } from './session.ts';
import type { RelatedTransactions, StoredTransaction, TransactionsPage, TransactionsQuery } from './store.ts';

const DEFAULT_LIMIT = 100;
const MOST = 10_000;
/** A window is made larger or smaller so that it takes about this long. */
const WINDOW_MS = 150;
/** Rows of the first window: few where all rows are wanted, many where a filter is to be looked for. */
const FIRST_ROWS = 4_000;
const FIRST_FILTERED_ROWS = 100_000;

/** Rows that columns leave open, taken besides those that are wanted. */
const MAYBE = 200;
/** Place of the column behind those of a transaction. */
const SURE = TRANSACTION_COLUMNS.length;

interface Cursor {
  time: bigint;
  id: bigint;
}

export function cursorText({ time, id }: Cursor): string {
  return `${time}-${id}`;
}

/** Reads a cursor; undefined when it is none (a client's text). */
export function readCursor(text: string | undefined): Cursor | undefined {
  const match = /^(-?\d{1,19})-(\d{1,20})$/.exec(text ?? '');
  return match === null ? undefined : { time: BigInt(match[1]), id: BigInt(match[2]) };
}

/**
 * Transactions, newest first: window after window of time, each as large as is answered at once, so that what is found
 * comes early and an abort is heard. `rangesOf`: where the values looked for may be, where the engine knows.
 */
export async function* findTransactions(
  store: RowStore,
  query: TransactionsQuery,
  condition: Condition,
  signal?: AbortSignal,
  rangesOf?: (needles: readonly Needle[], range: TimeRange) => Promise<readonly TimeRange[] | undefined>,
): AsyncGenerator<TransactionsPage> {
  const limit = Math.min(MOST, Math.max(1, query.limit ?? DEFAULT_LIMIT));
  let cursor = readCursor(query.after);
  const top = cursor === undefined ? query.to : Math.min(query.to, Number(cursor.time / 1_000_000n) + 1);
  const { needles } = condition;
  const ranges = needles === undefined ? undefined : await rangesOf?.(needles, { from: query.from, to: top });
  let upper = nextUpper(store, ranges, { from: query.from, to: top });
  const least = firstWidth(store, condition, limit);
  let width = least;
  let found = 0;
  let scanned = 0;
  while (upper > query.from && found < limit) {
    signal?.throwIfAborted();
    const { lower, among } = windowOf(ranges, { from: query.from, to: upper }, width);
    const began = performance.now();
    const window = { from: lower, to: upper, cursor, limit: limit - found };
    const wanted = among === undefined ? condition : during(condition, among);
    const { rows, last } = await store.readers.use((c) => readWindow(store, c, wanted, window), signal);
    if (last !== undefined) cursor = last;
    found += rows.length;
    scanned += Math.round(store.parts.rowsBetween(lower, upper));
    const took = performance.now() - began;
    width = Math.max(least, width * (took < WINDOW_MS / 2 ? 2 : took > WINDOW_MS * 2 ? 0.5 : 1));
    upper = found < limit ? nextUpper(store, ranges, { from: query.from, to: lower }) : lower;
    const done = found >= limit || upper <= query.from;
    const scannedTo = done && found < limit ? query.from : lower;
    yield {
      rows,
      scannedTo,
      scanned,
      found,
      share: query.to > query.from ? (query.to - scannedTo) / (query.to - query.from) : 1,
      next: found >= limit && cursor !== undefined ? cursorText(cursor) : null,
      done,
    };
    if (done) return;
  }
  yield { rows: [], scannedTo: query.from, scanned, found, share: 1, next: null, done: true };
}

/** Before when the next rows may be: not between parts, nor where the values looked for are not. */
function nextUpper(store: RowStore, ranges: readonly TimeRange[] | undefined, { from, to }: TimeRange): number {
  let next = from;
  for (const { rows, first, last } of store.parts.list) {
    if (rows > 0 && first < to) next = Math.max(next, Math.min(to, last + 1));
  }
  const range = ranges?.find((one) => one.from < next);
  return ranges === undefined ? next : range === undefined ? from : Math.min(next, range.to);
}

/** How far down a window goes that holds `width` ms of the ranges, and which of them. */
function windowOf(
  ranges: readonly TimeRange[] | undefined,
  { from, to }: TimeRange,
  width: number,
): { lower: number; among?: readonly TimeRange[] } {
  if (ranges === undefined) return { lower: Math.max(from, to - width) };
  const among: TimeRange[] = [];
  let lower = to;
  let left = width;
  for (const range of ranges) {
    if (range.from >= to) continue;
    if (left <= 0 || range.to <= from || among.length === MOST_RANGES) break;
    const upper = Math.min(to, range.to);
    lower = Math.max(from, range.from, upper - left);
    among.push({ from: lower, to: upper });
    left -= upper - lower;
  }
  return { lower, among };
}

/** Milliseconds that hold about as many rows as are good for a start. */
function firstWidth(store: RowStore, condition: Condition, limit: number): number {
  const rows = condition.sql === 'true' ? Math.max(FIRST_ROWS, limit * 2) : FIRST_FILTERED_ROWS;
  const { list } = store.parts;
  const all = list.reduce((sum, part) => sum + part.rows, 0);
  const span = list.reduce((sum, part) => sum + (part.rows > 0 ? part.last - part.first + 1 : 0), 0);
  return all === 0 ? 60_000 : Math.max(1, (span / all) * rows);
}

interface Window {
  from: number;
  to: number;
  cursor: Cursor | undefined;
  limit: number;
}

/** Rows of a window, newest first: one scan, which also gives the rows that columns leave open. */
async function readWindow(
  store: RowStore,
  connection: Session,
  condition: Condition,
  { from, to, cursor, limit }: Window,
): Promise<{ rows: Transaction[]; last: Cursor | undefined }> {
  const source = store.parts.source(store.parts.between(from, to));
  const where = whereOf(condition, from, to);
  const after = cursor === undefined ? '' : ' AND (time < ? OR (time = ? AND transaction < ?))';
  const sure = condition.isExact ? 'true' : `(${condition.sure.sql}) IS TRUE`;
  const place = cursor === undefined ? [] : [cursor.time, cursor.time, keptId(store, cursor.id)];
  const params = [...(condition.isExact ? [] : condition.sure.params), ...where.params, ...place];
  const order = 'ORDER BY time DESC, transaction DESC';
  const narrow = [...where.params, ...place];
  const test = rowTest(condition);
  // More than wanted where some may not pass; if too few do, again with more.
  for (let most = condition.isExact ? limit : limit + MAYBE; ; most *= 8) {
    const rows: Transaction[] = [];
    let last: Cursor | undefined;
    let seen = 0;
    // First where they are, which reads few columns; then all of them, there.
    const there = await connection.one<{ low: string | null; high: string | null }>(
      `SELECT min(time)::VARCHAR AS low, max(time)::VARCHAR AS high FROM
       (SELECT time FROM (${source}) AS t WHERE ${where.sql}${after} ${order} LIMIT ${most}) AS found`,
      narrow,
    );
    if (there?.low === undefined || there.low === null) return { rows, last };
    const sql = `SELECT *, ${sure} AS sure FROM (${source}) AS t WHERE time >= ${there.low} AND time <= ${there.high}
      AND ${where.sql}${after} ${order} LIMIT ${most}`;
    for await (const chunk of connection.chunks(sql, params)) {
      const stored = decodeRows(chunk);
      const times = chunk.numbers(AT.time) as BigInt64Array;
      const ids = chunk.numbers(AT.transaction) as BigUint64Array;
      const isSure = chunk.numbers(SURE);
      seen += chunk.count;
      for (let i = 0; i < chunk.count && rows.length < limit; i++) {
        if (isSure[i] === 0 && !test(stored, i)) continue;
        rows.push(recordOf(stored, i));
        last = { time: times[i], id: ids[i] };
      }
    }
    if (rows.length >= limit || seen < most) return { rows, last };
  }
}

/** A transaction by its id, the latest parts first. */
export async function findTransaction(store: RowStore, id: string): Promise<StoredTransaction | null> {
  const number = idNumber(store, id);
  if (number === undefined) return null;
  return store.readers.use(async (connection) => {
    for (const part of [...store.parts.list].reverse()) {
      if (part.rows === 0) continue;
      const sql = `SELECT * FROM (${store.parts.source([part])}) AS t WHERE transaction = ? LIMIT 1`;
      const [row] = await rowsOf(connection, sql, [number]);
      if (row === undefined) continue;
      const { stored, i } = row;
      const c = stored.batch.col;
      const from = c.openSeconds[i] * 1000 + c.openNanos[i] / 1e6;
      const last = c.lastSeconds[i] * 1000 + c.lastNanos[i] / 1e6;
      const answer = c.responses[i] > 0 ? c.answerSeconds[i] * 1000 + c.answerNanos[i] / 1e6 : from;
      return { record: recordOf(stored, i), ...messagesOf(stored, i), from, to: Math.max(from, last, answer) };
    }
    return null;
  });
}

/** What belongs to a transaction: looked for within a minute around it. */
export async function findRelated(store: RowStore, id: string): Promise<RelatedTransactions> {
  const found = await findTransaction(store, id);
  if (found === null) return { parent: null, children: [], tcp_retry: null, siblings: [] };
  const { record, from } = found;
  const list = (sql: string | ((source: string) => string), params: readonly SqlValue[], span: number) =>
    store.readers.use(async (connection) => {
      // Anew for every try: parts are moved and dropped.
      const source = store.parts.source(store.parts.between(from - 60_000, from + 60_000));
      const { sql: range } = whereOf(ALL, from - span, from + span);
      const query = `SELECT * FROM (${source}) AS t WHERE ${range} AND ${typeof sql === 'string' ? sql : sql(source)} ORDER BY time LIMIT 50`;
      return (await rowsOf(connection, query, params)).map(({ stored, i }) => recordOf(stored, i));
    });
  const one = async (other: string | undefined) => {
    const number = idNumber(store, other ?? '');
    return number === undefined ? null : ((await list('transaction = ?', [number], 60_000))[0] ?? null);
  };
  const number = idNumber(store, id) ?? 0n;
  const same = (source: string) =>
    ['name', 'client']
      .map((column) => `${column} = (SELECT ${column} FROM (${source}) AS same WHERE transaction = ? LIMIT 1)`)
      .join(' AND ') + ' AND transaction <> ?';
  return {
    parent: await one(record.parent),
    children: await list('parent = ?', [idNumber({}, id) ?? 0n], 60_000),
    tcp_retry: await one(record.tcp_retry),
    siblings: record.name === undefined ? [] : await list(same, [number, number, number], 5000),
  };
}

async function rowsOf(
  connection: Session,
  sql: string,
  params: readonly SqlValue[],
): Promise<{ stored: StoredRows; i: number }[]> {
  const rows: { stored: StoredRows; i: number }[] = [];
  for await (const chunk of connection.chunks(sql, params)) {
    const stored = decodeRows(chunk);
    for (let i = 0; i < chunk.count; i++) rows.push({ stored, i });
  }
  return rows;
}

/** The number of an id of 16 hex digits, as the store keeps it. */
function idNumber(store: Pick<RowStore, 'idOf'>, id: string): bigint | undefined {
  return /^[0-9a-f]{1,16}$/i.test(id) ? keptId(store, BigInt(`0x${id}`)) : undefined;
}

function keptId({ idOf }: Pick<RowStore, 'idOf'>, id: bigint): bigint {
  return idOf === undefined ? id : idOf(id);
}
