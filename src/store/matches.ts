import { ALL, type Condition, rowTest, whereOf } from './condition.ts';
import { ChunkWriter, type Connection } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { decodeRows } from './rows.ts';
import type { Scope } from './store.ts';

/**
 * Runs with a condition that columns alone decide. Where a filter asks for more, the messages of the rows that it is not
 * sure of are read first, and the condition becomes: sure, or one of those found.
 */
export async function withMatches<T>(
  store: EmbeddedStore,
  connection: Connection,
  condition: Condition,
  { from, to }: Scope,
  run: (exact: Condition) => Promise<T>,
): Promise<T> {
  if (condition.isExact) return run(condition);
  const test = rowTest(condition);
  const { sure } = condition;
  const where = whereOf(condition, from, to);
  const unsure = `${where.sql} AND NOT (${sure.sql})`;
  const source = store.parts.source(store.parts.between(from, to));
  await connection.run('CREATE OR REPLACE TEMP TABLE matches (id UBIGINT)');
  try {
    // Collected first: a statement that streams and one that writes cannot share a connection.
    const ids: bigint[] = [];
    for await (const chunk of connection.chunks(`SELECT * FROM (${source}) WHERE ${unsure}`, [
      ...where.params,
      ...sure.params,
    ])) {
      const rows = decodeRows(chunk);
      const column = chunk.numbers(4) as BigUint64Array;
      for (let i = 0; i < chunk.count; i++) if (test(rows, i)) ids.push(column[i]);
    }
    const writer = new ChunkWriter([{ type: 'UBIGINT' }]);
    const appender = connection.temporaryAppender('matches');
    for (const id of ids) {
      writer.numbers[0][writer.count++] = id;
      if (writer.full) writer.flush(appender);
    }
    writer.flush(appender);
    appender.close();
    const found = 'transaction IN (SELECT id FROM matches)';
    return await run({ ...ALL, sql: `(${sure.sql} OR ${found})`, params: sure.params });
  } finally {
    await connection.run('DROP TABLE IF EXISTS matches');
  }
}
