import { UserError } from '../core/errors.ts';
import { choice, flag, form, group, list, secret, size, span, text, type ValueOf, whole } from '../core/settings.ts';
import { idText, type TransactionBatch } from '../core/transactions.ts';
import type { ByteWriter } from './byte-writer.ts';
import { Delivery, type Encoding } from './delivery.ts';
import { ecs } from './ecs.ts';
import { outputOptions } from './file-sink.ts';
import { reasonIn, SearchService } from './opensearch-http.ts';
import { type IndexPlan, setUp } from './opensearch-setup.ts';
import { TLS_SETTINGS } from './peer.ts';
import { COMMON, NETWORK, type SinkContext, type SinkDefinition } from './sink.ts';
import { type Chunk, type Receipt, Refused, type Target } from './target.ts';

const settings = group('OpenSearch or Elasticsearch: a document in the Elastic Common Schema for each transaction.', {
  nodes: list('Addresses; after a failure the next one is asked.', form('Address.', 'https://HOST:PORT', readNode), {
    required: true,
    example: ['https://search.example.net:9200'],
  }),
  index: form('Name of the data stream, or of daily indices (NAME-YYYY.MM.DD).', 'a name in lower case', readIndex, {
    default: 'nametap-dns',
  }),
  layout: choice(
    'A data stream, or an index for each day (UTC): there a repeat is always known, also after a rollover.',
    ['data_stream', 'daily'],
    { default: 'data_stream' },
  ),
  set_up: flag('Index template, policy and data stream are put in place with the first connection.', { default: true }),
  keep: span('The policy deletes indices after so long.', { default: '30d', least: 3_600_000 }),
  shards: whole('Primary shards of an index.', { default: 1, least: 1, most: 1024 }),
  replicas: whole('Copies of each.', { default: 1, most: 16 }),
  pipeline: text('Ingest pipeline that documents go through.', { example: 'enrich' }),
  user: text('Name to sign in with.', { example: 'nametap' }),
  password: secret('Its password.', { example: { file: '/etc/nametap/search.password' } }),
  api_key: secret('Key of the API, instead of name and password.', { example: { file: '/etc/nametap/search.key' } }),
  batch: size('Most bytes of one request.', { default: '4MiB', least: 65_536, most: 64 << 20 }),
  timeout: span('An answer is waited for so long.', { default: '30s', least: 100 }),
  ...TLS_SETTINGS,
  ...NETWORK,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** Documents in a search service. */
export const openSearchSink: SinkDefinition<Settings> = {
  settings,
  open(options, context) {
    if (options.nodes.length === 0) throw new UserError(`The sink ${context.name} needs an address (nodes).`);
    return new Delivery(new BulkTarget(options, context), encoding(options, context), context, options);
  },
};

/** A record is two lines of a bulk request: `create` with the transaction's id, and the document. */
function encoding({ index, layout }: Settings, context: SinkContext): Encoding {
  return (writer: ByteWriter) => {
    const documents = ecs.transaction?.(outputOptions(context), writer);
    if (documents === undefined) throw new TypeError('ecs has no lines of transactions');
    const isDaily = layout === 'daily';
    return (batch, row, ends) => {
      writer.ascii('{"create":{');
      if (isDaily) writer.ascii(`"_index":"${index}-${dayOf(batch, row)}",`);
      writer.ascii(`"_id":"${idText(batch.col.idHigh[row], batch.col.idLow[row])}"}}\n`);
      documents.batch(batch, row, row + 1);
      ends.push(writer.length);
      return true;
    };
  };
}

/** The day of a transaction (UTC), as names of indices have it. */
function dayOf(batch: TransactionBatch, row: number): string {
  const date = new Date(batch.col.openSeconds[row] * 1000);
  return Number.isNaN(date.getTime()) ? '1970.01.01' : date.toISOString().slice(0, 10).replaceAll('-', '.');
}

/** What a bulk request says of one document. */
interface Item {
  status: number;
  error?: unknown;
}

/** Statuses of documents, and of whole requests, that others can put right: rights, a missing index, an overloaded node. */
const LATER = new Set([401, 403, 404, 408, 429]);
const isLater = (status: number): boolean => LATER.has(status) || status >= 500;

/** Bulk requests: what is there already is known by its id, what failed is tried again, what is refused is told. */
class BulkTarget implements Target {
  readonly sendBytes: number;
  readonly #service: SearchService;
  readonly #path: string;
  readonly #plan: IndexPlan;
  readonly #context: SinkContext;
  #isSetUp: boolean;

  constructor(options: Settings, context: SinkContext) {
    const { nodes, tls, user, password, api_key, timeout, index, layout, keep, shards, replicas, pipeline } = options;
    this.sendBytes = options.batch;
    this.#service = new SearchService({ nodes, tls, user, password, apiKey: api_key, timeoutMs: timeout });
    const query = new URLSearchParams({ filter_path: 'errors,items.*.status,items.*.error.type,items.*.error.reason' });
    if (pipeline !== undefined) query.set('pipeline', pipeline);
    this.#path = `${layout === 'daily' ? '' : `/${index}`}/_bulk?${query.toString()}`;
    this.#plan = { name: index, layout, keepMs: keep, shards, replicas };
    this.#isSetUp = !options.set_up;
    this.#context = context;
  }

  async send(chunk: Chunk, signal: AbortSignal): Promise<Receipt | void> {
    if (chunk.rows === 0) return;
    if (!this.#isSetUp) {
      for (const remark of await setUp(this.#service, this.#plan, signal)) this.#context.notice('warn', remark);
      this.#isSetUp = true;
    }
    const { status, value } = await this.#service.ask('POST', this.#path, chunk.bytes, signal);
    if (status >= 300) {
      const why = `the request is answered ${status}: ${reasonIn(value)}`;
      throw isLater(status) ? new Error(why) : new Refused(why);
    }
    return receiptOf(itemsOf(value, chunk.ends.length));
  }

  async close(): Promise<void> {
    this.#service.close();
  }
}

function itemsOf(value: unknown, count: number): Item[] {
  const { items } = (value ?? {}) as { items?: unknown };
  if (!Array.isArray(items) || items.length !== count) throw new Error('the answer does not tell of each document');
  return items.map((one: unknown) => {
    const [item] = Object.values((one ?? {}) as Record<string, Partial<Item> | null>);
    if (typeof item?.status !== 'number') throw new Error('the answer does not tell of each document');
    return { status: item.status, ...(item.error !== undefined && { error: item.error }) };
  });
}

function receiptOf(items: readonly Item[]): Receipt {
  const refused: { record: number; why: string }[] = [];
  const later: number[] = [];
  let known = 0;
  let why = '';
  for (const [record, { status, error }] of items.entries()) {
    if (status < 300) continue;
    if (status === 409) known++;
    else if (isLater(status)) {
      later.push(record);
      why ||= `documents are answered ${status}: ${reasonIn({ error })}`;
    } else refused.push({ record, why: `${status}, ${reasonIn({ error })}` });
  }
  return { known, refused, ...(later.length > 0 && { later: { records: later, why } }) };
}

function readNode(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new UserError(`"${written}" is no web address.`);
  }
  return written;
}

function readIndex(written: string): string {
  // What both products allow, without what would have to be escaped.
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(written)) throw new UserError(`"${written}" is no name of an index.`);
  return written;
}
