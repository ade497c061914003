import type { Connection } from './duckdb.ts';

/** Runs statements as one transaction. */
export async function transaction(connection: Connection, run: () => Promise<void>): Promise<void> {
  await connection.run('BEGIN');
  try {
    await run();
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
