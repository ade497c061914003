import type { Transaction } from '../rr/transaction.ts';
import { ALL, type Condition, rowTest, whereOf } from './condition.ts';
import type { Connection } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { AT } from './row-columns.ts';
import { decodeRows, messagesOf, recordOf, type StoredRows } from './rows.ts';
import { TRANSACTION_COLUMNS } from './schema.ts';
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
 * comes early and an abort is heard.
 */
export async function* findTransactions(
  store: EmbeddedStore,
  query: TransactionsQuery,
  condition: Condition,
  signal?: AbortSignal,
): AsyncGenerator<TransactionsPage> {
  const limit = Math.min(MOST, Math.max(1, query.limit ?? DEFAULT_LIMIT));
  let cursor = readCursor(query.after);
  const top = cursor === undefined ? query.to : Math.min(query.to, Number(cursor.time / 1_000_000n) + 1);
  let upper = skipGap(store, query.from, top);
  const least = firstWidth(store, condition, limit);
  let width = least;
  let found = 0;
  let scanned = 0;
  while (upper > query.from && found < limit) {
    signal?.throwIfAborted();
    const lower = Math.max(query.from, upper - width);
    const began = performance.now();
    const window = { from: lower, to: upper, cursor, limit: limit - found };
    const { rows, last } = await store.readers.use((c) => readWindow(store, c, condition, window), signal);
    if (last !== undefined) cursor = last;
    found += rows.length;
    scanned += Math.round(store.parts.rowsBetween(lower, upper));
    const took = performance.now() - began;
    width = Math.max(least, width * (took < WINDOW_MS / 2 ? 2 : took > WINDOW_MS * 2 ? 0.5 : 1));
    upper = found < limit ? skipGap(store, query.from, lower) : lower;
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

/** Where the next rows before `upper` may be. */
function skipGap(store: EmbeddedStore, from: number, upper: number): number {
  let next = from;
  for (const { rows, first, last } of store.parts.list) {
    if (rows > 0 && first < upper) next = Math.max(next, Math.min(upper, last + 1));
  }
  return next;
}

/** Milliseconds that hold about as many rows as are good for a start. */
function firstWidth(store: EmbeddedStore, condition: Condition, limit: number): number {
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
  store: EmbeddedStore,
  connection: Connection,
  condition: Condition,
  { from, to, cursor, limit }: Window,
): Promise<{ rows: Transaction[]; last: Cursor | undefined }> {
  const source = store.parts.source(store.parts.between(from, to));
  const where = whereOf(condition, from, to);
  const after = cursor === undefined ? '' : ' AND (time < ? OR (time = ? AND transaction < ?))';
  const sure = condition.isExact ? 'true' : `(${condition.sure.sql}) IS TRUE`;
  const params = [
    ...(condition.isExact ? [] : condition.sure.params),
    ...where.params,
    ...(cursor === undefined ? [] : [cursor.time, cursor.time, cursor.id]),
  ];
  const order = 'ORDER BY time DESC, transaction DESC';
  const narrow = [...where.params, ...(cursor === undefined ? [] : [cursor.time, cursor.time, cursor.id])];
  const test = rowTest(condition);
  // More than wanted where some may not pass; if too few do, again with more.
  for (let most = condition.isExact ? limit : limit + MAYBE; ; most *= 8) {
    const rows: Transaction[] = [];
    let last: Cursor | undefined;
    let seen = 0;
    // First where they are, which reads few columns; then all of them, there.
    const there = await connection.one<{ low: string | null; high: string | null }>(
      `SELECT min(time)::VARCHAR AS low, max(time)::VARCHAR AS high FROM
       (SELECT time FROM (${source}) WHERE ${where.sql}${after} ${order} LIMIT ${most})`,
      narrow,
    );
    if (there?.low === undefined || there.low === null) return { rows, last };
    const sql = `SELECT *, ${sure} AS sure FROM (${source}) WHERE time >= ${there.low} AND time <= ${there.high}
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
export async function findTransaction(store: EmbeddedStore, id: string): Promise<StoredTransaction | null> {
  const number = idNumber(id);
  if (number === undefined) return null;
  return store.readers.use(async (connection) => {
    for (const part of [...store.parts.list].reverse()) {
      if (part.rows === 0) continue;
      const sql = `SELECT * FROM (${store.parts.source([part])}) WHERE transaction = ? LIMIT 1`;
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
export async function findRelated(store: EmbeddedStore, id: string): Promise<RelatedTransactions> {
  const found = await findTransaction(store, id);
  if (found === null) return { parent: null, children: [], tcp_retry: null, siblings: [] };
  const { record, from } = found;
  const list = (sql: string | ((source: string) => string), params: readonly (string | bigint)[], span: number) =>
    store.readers.use(async (connection) => {
      // Anew for every try: parts are moved and dropped.
      const source = store.parts.source(store.parts.between(from - 60_000, from + 60_000));
      const { sql: range } = whereOf(ALL, from - span, from + span);
      const query = `SELECT * FROM (${source}) WHERE ${range} AND ${typeof sql === 'string' ? sql : sql(source)} ORDER BY time LIMIT 50`;
      return (await rowsOf(connection, query, params)).map(({ stored, i }) => recordOf(stored, i));
    });
  const one = async (other: string | undefined) => {
    const number = idNumber(other ?? '');
    return number === undefined ? null : ((await list('transaction = ?', [number], 60_000))[0] ?? null);
  };
  const number = idNumber(id) ?? 0n;
  const same = (source: string) =>
    'name = (SELECT any_value(name) FROM (' +
    `${source}) WHERE transaction = ?) AND client = (SELECT any_value(client) FROM (${source}) WHERE transaction = ?) AND transaction <> ?`;
  return {
    parent: await one(record.parent),
    children: await list('parent = ?', [number], 60_000),
    tcp_retry: await one(record.tcp_retry),
    siblings: record.name === undefined ? [] : await list(same, [number, number, number], 5000),
  };
}

async function rowsOf(
  connection: Connection,
  sql: string,
  params: readonly (string | bigint)[],
): Promise<{ stored: StoredRows; i: number }[]> {
  const rows: { stored: StoredRows; i: number }[] = [];
  for await (const chunk of connection.chunks(sql, params)) {
    const stored = decodeRows(chunk);
    for (let i = 0; i < chunk.count; i++) rows.push({ stored, i });
  }
  return rows;
}

/** The number of an id of 16 hex digits. */
function idNumber(id: string): bigint | undefined {
  return /^[0-9a-f]{1,16}$/i.test(id) ? BigInt(`0x${id}`) : undefined;
}
