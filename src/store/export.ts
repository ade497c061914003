import { createWriteStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { csvRow } from '../core/csv.ts';
import type { Transaction } from '../rr/transaction.ts';
import { type Condition, rowTest, whereOf } from './condition.ts';
import type { Connection } from './duckdb.ts';
import type { EmbeddedStore } from './embedded.ts';
import { withMatches } from './matches.ts';
import { decodeRows, recordOf } from './rows.ts';
import type { RowStore } from './session.ts';
import type { ExportQuery } from './store.ts';

interface Export {
  store: EmbeddedStore;
  query: ExportQuery;
  condition: Condition;
  path: string;
  signal: AbortSignal | undefined;
}

/** Writes what a query finds to a file, in order of time. */
export function exportTo(
  store: EmbeddedStore,
  query: ExportQuery,
  condition: Condition,
  path: string,
  signal?: AbortSignal,
): Promise<{ rows: number; bytes: number }> {
  const what = { store, query, condition, path, signal };
  return query.format === 'parquet'
    ? store.readers.use((connection) => exportParquet(connection, what), signal)
    : exportText(what);
}

/** Columns as the store keeps them, addresses and the domain as text beside them: other tools read the file. */
function exportParquet(connection: Connection, { store, query, condition, path }: Export) {
  return withMatches(store, connection, condition, query, async (exact) => {
    const source = store.parts.source(store.parts.between(query.from, query.to));
    const where = whereOf(exact, query.from, query.to);
    const limit = query.limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.floor(query.limit))}`;
    const rows = `SELECT ${PARQUET_COLUMNS} FROM (${source}) WHERE ${where.sql} ORDER BY time${limit}`;
    const file = path.replaceAll("'", "''");
    const [done] = await connection.all<{ Count: number }>(
      `COPY (${rows}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`,
      where.params,
    );
    return { rows: done?.Count ?? 0, bytes: statSync(path).size };
  });
}

/** Columns of a Parquet file, as DuckDB makes them of stored ones. */
export const PARQUET_COLUMNS = `*, make_timestamp_ns(time) AS timestamp, ${addressSql('client')} AS client_text, ${addressSql('server')} AS server_text`;

/** An IPv4 address as dotted text, an IPv6 address as hex. */
function addressSql(column: string): string {
  return `CASE WHEN octet_length(${column}) = 4 THEN ${[0, 1, 2, 3]
    .map((i) => `(('0x' || substr(hex(${column}), ${i * 2 + 1}, 2))::INTEGER)::VARCHAR`)
    .join(` || '.' || `)} ELSE lower(hex(${column})) END`;
}

/** What `exportTo` writes as lines of text, from any engine. */
export function exportText({
  store,
  query,
  condition,
  path,
  signal,
}: Omit<Export, 'store'> & { store: RowStore }): Promise<{ rows: number; bytes: number }> {
  const source = store.parts.source(store.parts.between(query.from, query.to));
  const where = whereOf(condition, query.from, query.to);
  const test = rowTest(condition);
  const most = query.limit ?? Number.POSITIVE_INFINITY;
  const line = query.format === 'csv' ? csvLine : (record: Transaction) => `${JSON.stringify(record)}\n`;
  return store.readers.use(async (session) => {
    let rows = 0;
    async function* texts(): AsyncGenerator<string> {
      if (query.format === 'csv') yield `${CSV.map(([name]) => name).join(',')}\r\n`;
      const sql = `SELECT * FROM (${source}) AS t WHERE ${where.sql} ORDER BY time, transaction`;
      for await (const chunk of session.chunks(sql, where.params)) {
        const stored = decodeRows(chunk);
        let text = '';
        for (let i = 0; i < chunk.count && rows < most; i++) {
          if (!test(stored, i)) continue;
          text += line(recordOf(stored, i));
          rows++;
        }
        yield text;
        if (rows >= most) break;
      }
    }
    const out = createWriteStream(path);
    await pipeline(texts, out, { signal });
    return { rows, bytes: out.bytesWritten };
  }, signal);
}

const CSV: readonly (readonly [string, (record: Transaction) => string | number | undefined])[] = [
  ['time', ({ time }) => time],
  ['client', ({ client }) => client],
  ['client_port', (record) => record.client_port],
  ['server', ({ server }) => server],
  ['server_port', (record) => record.server_port],
  ['transport', ({ transport }) => transport],
  ['sensor', ({ sensor }) => sensor],
  ['name', ({ name }) => name],
  ['registrable_domain', (record) => record.registrable_domain],
  ['type', ({ type }) => type],
  ['rcode', ({ rcode }) => rcode],
  ['outcome', ({ outcome }) => outcome],
  ['answer_kind', (record) => record.answer_kind],
  ['latency_ms', (record) => record.latency_ms],
  ['queries', ({ queries }) => queries],
  ['responses', ({ responses }) => responses],
  ['query_bytes', (record) => record.query_bytes],
  ['response_bytes', (record) => record.response_bytes],
  ['flags', ({ flags }) => flags.join(' ')],
  ['cnames', ({ cnames }) => cnames?.join(' ')],
  ['answers', ({ answers }) => answers?.map(({ type, data }) => `${type} ${data}`).join('; ')],
  ['ttl_min', (record) => record.ttl_min],
  ['transaction', ({ transaction }) => transaction],
  ['is_suspicious', (record) => String(record.is_suspicious === true)],
  ['rules', ({ rules }) => rules?.join('; ')],
];

function csvLine(record: Transaction): string {
  return csvRow(CSV.map(([, value]) => value(record)));
}
