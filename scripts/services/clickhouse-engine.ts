/**
 * ClickHouse's engine (npm `chdb`) behind ClickHouse's HTTP interface, in a process of its own:
 * `clickhouse-engine.ts MODULES FOLDER [PORT]`; prints the port once it listens. Query, settings and parameters from the URL
 * or the body, bodies in any format, gzip, user and password (environment), errors with code and text as the server has
 * them. What a server does besides answering queries (Keeper, other nodes, users in SQL, cancelling) is not here.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

interface Answer {
  bytes: Uint8Array;
  rowsRead: number;
  bytesRead: number;
}
interface Engine {
  CreateConnection(path: string, args?: readonly string[]): unknown;
  CloseConnection(connection: unknown): void;
  QueryAsyncConnection(
    connection: unknown,
    sql: string,
    format: string,
    params?: Record<string, string>,
  ): Promise<Answer>;
}

const [modules, folder, port = '0'] = process.argv.slice(2);
const { NAMETAP_TEST_USER: user = 'default', NAMETAP_TEST_PASSWORD: password = '' } = process.env;
const require = createRequire(`${modules}/`);
const engine = require(
  `@chdb/lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`,
) as Engine;
const connection = engine.CreateConnection(folder);
/** Where the body of an insert lies while it is read: one at a time. */
const BODY = join(folder, 'insert.native');

/** What the URL says that is no setting. */
const WORDS = new Set([
  'query',
  'database',
  'query_id',
  'session_id',
  'default_format',
  'compress',
  'user',
  'password',
]);
/** Settings of the HTTP interface and of a server that an engine without one does not take. */
const IGNORED = /^(?:enable_http_compression|http_|send_progress|wait_end_of_query|cancel_http|session_|role$)/;
const INSERT = /^(\s*INSERT\s+INTO\s.+?)\s(FORMAT\s+\w+)\s*$/is;
const NO_SETTINGS = /^\s*(?:CREATE|DROP|ALTER|TRUNCATE|SYSTEM|USE|SET|RENAME)\b/i;

/** Parameters of a query are the engine's, not a query's: one query with parameters at a time. */
let line: Promise<unknown> = Promise.resolve();
function alone<T>(run: () => Promise<T>): Promise<T> {
  const result = line.then(run);
  line = result.catch(() => {});
  return result;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

async function run(url: URL, body: Buffer): Promise<{ bytes: Uint8Array; summary: object; format: string }> {
  const settings: string[] = [];
  const params: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) params[name.slice(6)] = value;
    else if (!WORDS.has(name) && !IGNORED.test(name)) settings.push(`${name} = ${quoted(value)}`);
  }
  const query = url.searchParams.get('query') ?? '';
  const database = url.searchParams.get('database') ?? 'default';
  const insert = INSERT.exec(query);
  const clause = settings.length > 0 ? ` SETTINGS ${settings.join(', ')}` : '';
  return alone(async () => {
    await engine.QueryAsyncConnection(connection, `USE \`${database}\``, 'TSV');
    if (insert !== null) {
      // Data within a statement ends at an empty line here; in a file it does not.
      writeFileSync(BODY, body);
      const sql = `${insert[1]} FROM INFILE '${BODY}' COMPRESSION 'none'${clause} ${insert[2]}`;
      await engine.QueryAsyncConnection(connection, sql, 'TSV');
      return { bytes: new Uint8Array(0), format: 'TabSeparated', summary: {} };
    }
    const text = `${query}${query === '' ? '' : '\n'}${body.toString('utf8')}`.trim().replace(/;$/, '');
    const named = /\sFORMAT\s+(\w+)\s*$/i.exec(text);
    const format = named?.[1] ?? url.searchParams.get('default_format') ?? 'TabSeparated';
    const plain = named === null ? text : text.slice(0, named.index);
    const sql = NO_SETTINGS.test(plain) ? plain : `${plain}${clause}`;
    const found = await engine.QueryAsyncConnection(
      connection,
      sql,
      format,
      ...(Object.keys(params).length > 0 ? [params] : []),
    );
    return {
      bytes: found.bytes,
      format,
      summary: { read_rows: String(found.rowsRead), read_bytes: String(found.bytesRead) },
    };
  });
}

/** User and password as the interface takes them. */
function isKnown({ headers }: IncomingMessage, url: URL): boolean {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  const [name, word] =
    basic !== undefined
      ? Buffer.from(basic, 'base64').toString().split(':')
      : [
          headers['x-clickhouse-user'] ?? url.searchParams.get('user') ?? 'default',
          headers['x-clickhouse-key'] ?? url.searchParams.get('password') ?? '',
        ];
  return name === user && word === password;
}

const STATUS: Readonly<Record<string, number>> = { 47: 404, 60: 404, 81: 404, 62: 400, 202: 500, 516: 403 };

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  const body = await bodyOf(request);
  try {
    if (!isKnown(request, url)) {
      throw new Error(`Code: 516. DB::Exception: ${user}: Authentication failed. (AUTHENTICATION_FAILED)`);
    }
    const { bytes, summary, format } = await run(url, body);
    const isGzip =
      url.searchParams.get('enable_http_compression') === '1' &&
      /gzip/.test(String(request.headers['accept-encoding']));
    response.writeHead(200, {
      'X-ClickHouse-Query-Id': url.searchParams.get('query_id') ?? '',
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Summary': JSON.stringify(summary),
      ...(isGzip && { 'Content-Encoding': 'gzip' }),
    });
    response.end(isGzip ? gzipSync(bytes, { level: 1 }) : bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const code = /Code: (\d+)/.exec(text)?.[1] ?? '1002';
    response.writeHead(STATUS[code] ?? 500, { 'X-ClickHouse-Exception-Code': code });
    response.end(`${text}\n`);
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.keepAliveTimeout = 10_000;
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close(() => {
      void line.finally(() => {
        engine.CloseConnection(connection);
        process.exit(0);
      });
    });
    server.closeAllConnections();
  });
}
