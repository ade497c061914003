import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Transaction } from '../../rr/transaction.ts';
import { type Scope, type Store, TEMPORARY_FOLDER } from '../../store/store.ts';
import { endpoint } from '../endpoint.ts';
import { historyFilter, historyOf, refuseCounted } from '../filters.ts';
import { ProblemError } from '../problem.ts';
import { exportQuery } from '../schema/meta.ts';
import type { ServerServices } from '../services.ts';
import { readRange } from '../times.ts';

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  pcapng: 'application/x-pcapng',
} as const;

/** What a filter finds, as a file. */
export const exported = endpoint({
  method: 'get',
  path: '/export',
  tag: 'history',
  summary: 'What a filter finds as CSV, NDJSON, Parquet, or pcapng of exactly its packets',
  query: exportQuery,
  media: Object.values(TYPES),
  async run({ query, api, now, signal, identity, remote }) {
    refuseCounted(api.services);
    const range = readRange(query, now);
    const { format, limit } = query;
    // Of what only packets tell, packets can be given.
    const { filter, history } =
      format === 'pcapng'
        ? await historyOf(api.services, query.f, range.from)
        : { filter: historyFilter(query.f), history: api.services.store };
    const scope = { ...range, ...(filter !== undefined && { filter }), ...(limit !== undefined && { limit }) };
    const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
    const headers = {
      'Content-Type': TYPES[format],
      'Content-Disposition': `attachment; filename="nametap-${stamp}.${format}"`,
      'Cache-Control': 'no-store',
    };
    const deed = { user: identity.user, address: remote, action: 'export', subject: format, detail: query.f ?? '' };
    if (format === 'pcapng') {
      const body = packets(api.services, history, scope, signal);
      await api.audit.change(deed);
      return new Response(body, { headers });
    }
    await api.audit.change(deed);
    return fileResponse(
      api.services,
      (path) => api.ask(() => api.services.store.export({ ...scope, format }, path, signal)),
      headers,
    );
  },
});

/** Writes below the store, whose disk has the room, and takes the file away once it is sent; a start does after a crash. */
async function fileResponse(
  { store, log }: ServerServices,
  write: (path: string) => Promise<unknown>,
  headers: Record<string, string>,
): Promise<Response> {
  const { path } = await store.status();
  const parent = path === null ? tmpdir() : join(path, TEMPORARY_FOLDER);
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'export-'));
  const remove = () =>
    rm(folder, { recursive: true, force: true }).catch((err: unknown) =>
      log.error({ err, folder }, 'the file of an export could not be taken away'),
    );
  try {
    const file = join(folder, 'file');
    await write(file);
    const { size } = await stat(file);
    const stream = createReadStream(file);
    stream.once('close', () => void remove());
    const body = Readable.toWeb(stream) as ReadableStream<Uint8Array>;
    return new Response(body, { headers: { ...headers, 'Content-Length': String(size) } });
  } catch (error) {
    await remove();
    throw error;
  }
}

function packets(
  { packets: source, privacy }: ServerServices,
  history: Pick<Store, 'transactions'>,
  scope: Scope & { limit?: number },
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  if (source === null) {
    const why =
      privacy.level > 0
        ? `at privacy level ${privacy.level} packets are not kept: they would hold what the level hides`
        : "packets are kept only with 'packets.keep' of layer 'store'";
    throw new ProblemError(422, `There is no pcapng of history: ${why}.`, { parameter: 'format' });
  }
  return Readable.toWeb(Readable.from(source.export(pages(history, scope, signal)))) as ReadableStream<Uint8Array>;
}

async function* pages(
  store: Pick<Store, 'transactions'>,
  scope: Scope & { limit?: number },
  signal: AbortSignal,
): AsyncGenerator<readonly Transaction[]> {
  const { limit = Number.POSITIVE_INFINITY, ...range } = scope;
  let left = limit;
  let after: string | undefined;
  while (left > 0) {
    let next: string | null = null;
    const query = { ...range, limit: Math.min(left, 1000), ...(after !== undefined && { after }) };
    for await (const page of store.transactions(query, signal)) {
      if (page.rows.length > 0) yield page.rows;
      left -= page.rows.length;
      if (page.done) next = page.next;
    }
    if (next === null) return;
    after = next;
  }
}
