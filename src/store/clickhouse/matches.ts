import { randomUUID } from 'node:crypto';
import { type Condition, exactly, rowTest, whereOf } from '../condition.ts';
import { AT } from '../row-columns.ts';
import { decodeRows } from '../rows.ts';
import type { RowStore, SqlValue } from '../session.ts';
import type { Scope } from '../store.ts';
import type { Connection } from './connection.ts';
import { nativeRows } from './native-writer.ts';

const COLUMNS = [
  { name: 'search', type: 'VARCHAR' },
  { name: 'id', type: 'UBIGINT' },
] as const;
/** Ids that are inserted at once. */
const MOST_IDS = 65_536;

/**
 * A condition that columns alone decide. Where a filter asks for more, the messages of the rows that columns leave open are
 * read first, and the condition becomes: surely, or one of those found (they are kept for an hour in `matches`).
 */
export async function exactCondition(
  connection: Connection,
  rows: RowStore,
  condition: Condition,
  { from, to }: Scope,
  { isCluster, signal }: { isCluster: boolean; signal?: AbortSignal },
): Promise<Condition> {
  if (condition.isExact) return condition;
  const { sure } = condition;
  const test = rowTest(condition);
  const where = whereOf(condition, from, to);
  const search = randomUUID();
  let found = 0;
  let ids: bigint[] = [];
  const keep = async () => {
    await connection.insert(
      'matches',
      COLUMNS,
      nativeRows(
        COLUMNS,
        ids.map((id) => [search, id]),
      ),
    );
    found += ids.length;
    ids = [];
  };
  const sql = `SELECT * FROM (${rows.parts.source([])}) WHERE ${where.sql} AND NOT (${sure.sql})`;
  for await (const block of connection.blocks(sql, [...where.params, ...sure.params], signal)) {
    const stored = decodeRows(block);
    const column = block.numbers(AT.transaction);
    for (let i = 0; i < block.count; i++) if (test(stored, i)) ids.push(BigInt(column[i]));
    if (ids.length >= MOST_IDS) await keep();
  }
  if (ids.length > 0) await keep();
  if (found === 0) return exactly(sure.sql, sure.params);
  const among = `transaction ${isCluster ? 'GLOBAL ' : ''}IN (SELECT id FROM matches WHERE search = ?)`;
  const params: SqlValue[] = [...sure.params, search];
  return exactly(`(${sure.sql}) OR ${among}`, params as readonly (string | number | bigint | Uint8Array)[]);
}
