import type { RowStore, Stretch } from '../session.ts';
import { TRANSACTION_COLUMNS } from '../schema.ts';
import type { Connection } from './connection.ts';
import { STEPS } from './schema.ts';

const SOURCE = `SELECT ${TRANSACTION_COLUMNS.map(({ name }) => name).join(', ')} FROM transactions`;
/** Hours of a range that are looked at for where its rows are. */
const MOST_HOURS = 20_000;
const DAY_MS = 86_400_000;
/** Times that the store can keep, ms. */
const FARTHEST = 9.2e12;

/** The transactions as `explore.ts` and `export.ts` of all stores ask for them. `list`: where there are some, earliest first. */
function rowStore(connection: Connection, list: readonly Stretch[]): RowStore {
  const one = ({ first, last }: Stretch) => `${SOURCE} WHERE time >= ${first}000000 AND time < ${last + 1}000000`;
  return {
    parts: {
      list,
      between: (from, to) => list.filter(({ first, last }) => last >= from && first < to),
      rowsBetween: (from, to) => rowsBetween(list, from, to),
      source: (parts) => (parts.length === 1 ? one(parts[0]) : SOURCE),
    },
    readers: { use: (run, signal) => run(connection.session(signal)) },
  };
}

/** About how many rows a range of ms has. */
export function rowsBetween(list: readonly Stretch[], from: number, to: number): number {
  let sum = 0;
  for (const { first, last, rows } of list) {
    const share = (Math.min(to, last + 1) - Math.max(from, first)) / (last + 1 - first);
    sum += rows * Math.max(0, Math.min(1, share));
  }
  return sum;
}

/** With how many rows there are by hour, for going through a range window by window. */
export async function hourlyRows(
  connection: Connection,
  { from, to }: { from: number; to: number },
  signal?: AbortSignal,
): Promise<RowStore> {
  const hours = await connection.all<{ time: number; n: number }>(
    `SELECT time, sum(transactions) AS n FROM hours WHERE time > ? AND time < ? GROUP BY time ORDER BY time DESC LIMIT ${MOST_HOURS}`,
    [whole(from - STEPS.hours), whole(to)],
    signal,
  );
  const list = hours.map(({ time, n }) => ({ rows: n, first: time, last: time + STEPS.hours - 1 })).reverse();
  return rowStore(connection, list);
}

/** For what may be anywhere, and is likely to be recent: a day, a week, everything. */
export function anyRows(connection: Connection, now: number): RowStore {
  const edges = [-FARTHEST, now - 7 * DAY_MS, now - DAY_MS, FARTHEST];
  const list = edges.slice(1).map((to, k) => ({ rows: 1, first: edges[k], last: to - 1 }));
  return rowStore(connection, list);
}

function whole(ms: number): bigint {
  return BigInt(Math.round(Math.max(-FARTHEST, Math.min(FARTHEST, ms))));
}
