import { type Condition, rowTest, whereOf } from '../condition.ts';
import { decodeRows } from '../rows.ts';
import type { RowStore } from '../session.ts';
import type { ExportQuery } from '../store.ts';
import { ParquetRows } from '../parquet-rows.ts';

/** Writes what a query finds to a Parquet file, as the embedded store would. */
export function exportParquet({
  store,
  query,
  condition,
  path,
  signal,
}: {
  store: RowStore;
  query: ExportQuery;
  condition: Condition;
  path: string;
  signal?: AbortSignal;
}): Promise<{ rows: number; bytes: number }> {
  const where = whereOf(condition, query.from, query.to);
  const test = rowTest(condition);
  const most = query.limit ?? Number.POSITIVE_INFINITY;
  return store.readers.use(async (session) => {
    const file = await ParquetRows.open();
    try {
      const sql = `${store.parts.source([])} WHERE ${where.sql} ORDER BY time, transaction`;
      for await (const chunk of session.chunks(sql, where.params)) {
        const rows = decodeRows(chunk);
        for (let i = 0; i < chunk.count && file.rows < most; i++) if (test(rows, i)) file.add(rows, i);
        if (file.rows >= most) break;
      }
      return await file.write(path);
    } finally {
      file.close();
    }
  }, signal);
}
