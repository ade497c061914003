import { type Condition, exactly, rowTest, whereOf } from './condition.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { Connection } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { AT } from './row-columns.ts';
import { decodeRows } from './rows.ts';
import type { Scope } from './store.ts';
import { narrowed } from './stretches.ts';

/**
 * Runs with a condition that columns alone decide. Where a filter asks for more, the messages of the rows that columns
 * leave open are read first, and the condition becomes: surely, or one of those found.
 */
export async function withMatches<T>(
  store: EmbeddedStore,
  connection: Connection,
  asked: Condition,
  scope: Scope,
  run: (exact: Condition) => Promise<T>,
): Promise<T> {
  const condition = await narrowed(connection, store.parts, asked, scope);
  if (condition.isExact) return run(condition);
  const { sure } = condition;
  const ids = await matchingIds(store, connection, condition, scope);
  if (ids.length === 0) return run(exactly(sure.sql, sure.params));
  await connection.run('CREATE OR REPLACE TEMP TABLE matches (id UBIGINT)');
  try {
    const writer = new ChunkWriter([{ type: 'UBIGINT' }]);
    const appender = connection.temporaryAppender('matches');
    for (const id of ids) {
      writer.numbers[0][writer.count++] = id;
      if (writer.full) writer.flush(appender);
    }
    writer.flush(appender);
    appender.close();
    return await run(exactly(`(${sure.sql}) OR transaction IN (SELECT id FROM matches)`, sure.params));
  } finally {
    await connection.run('DROP TABLE IF EXISTS matches');
  }
}

/** Ids of the rows that columns leave open and that pass. */
async function matchingIds(
  store: EmbeddedStore,
  connection: Connection,
  condition: Condition,
  { from, to }: Scope,
): Promise<bigint[]> {
  const test = rowTest(condition);
  const where = whereOf(condition, from, to);
  const source = store.parts.source(store.parts.between(from, to));
  const open = `SELECT * FROM (${source}) WHERE ${where.sql} AND (${condition.sure.sql}) IS NOT TRUE`;
  const ids: bigint[] = [];
  for await (const chunk of connection.chunks(open, [...where.params, ...condition.sure.params])) {
    const rows = decodeRows(chunk);
    const column = chunk.numbers(AT.transaction) as BigUint64Array;
    for (let i = 0; i < chunk.count; i++) if (test(rows, i)) ids.push(column[i]);
  }
  return ids;
}
