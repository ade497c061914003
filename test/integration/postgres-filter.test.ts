import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { start } from '../../scripts/services/postgres.ts';
import { columnsSql, POSTGRES_COLUMNS } from '../../src/store/postgres/columns.ts';
import { CopyWriter } from '../../src/store/postgres/copy-writer.ts';
import { POSTGRES } from '../../src/store/postgres/dialect.ts';
import { PostgresSession } from '../../src/store/postgres/session.ts';
import { type FilterEngine, fillRows, filterContract } from '../filter/sql-property.ts';

/** The rows of the property test in a real server. */
async function open(): Promise<FilterEngine> {
  const service = await start();
  const pool = new pg.Pool({ connectionString: service.url(), max: 1 });
  const client = await pool.connect();
  const session = new PostgresSession(client);
  await session.run(`CREATE TABLE t (${columnsSql(POSTGRES_COLUMNS)}, place serial)`);
  const writer = new CopyWriter(POSTGRES_COLUMNS);
  await fillRows(writer, () => writer.flush());
  const names = POSTGRES_COLUMNS.map(({ name }) => name).join(', ');
  const copy = client.query(copyFrom(`COPY t (${names}) FROM STDIN (FORMAT binary)`));
  await pipeline(Readable.from(writer.take().blocks), copy);
  return {
    dialect: POSTGRES,
    ask: ({ may, sure }) =>
      session.all(`SELECT (${may.sql}) AS may, (${sure.sql}) AS sure FROM t ORDER BY place`, [
        ...may.params,
        ...sure.params,
      ]),
    close: async () => {
      client.release();
      await pool.end();
      await service.stop();
    },
  };
}

filterContract('PostgreSQL', open, { columns: 300, messages: 200 });
