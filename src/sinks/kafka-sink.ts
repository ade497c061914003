import { hostname } from 'node:os';
import { headerOf, SCHEMA_FEATURES } from '../bus/header.ts';
import { DomainDealer, FeatureWriter, WINDOW } from '../bus/features.ts';
import { Dealer, lineOf } from '../bus/lines.ts';
import { TransactionWriter } from '../bus/transaction-writer.ts';
import { choice, flag, group, span, text, type ValueOf, whole } from '../core/settings.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { COMPRESSIONS, KafkaProducer } from '../transport/kafka-producer.ts';
import { KAFKA_SETTINGS } from '../transport/settings.ts';
import { NotTaken, type OutRecord, type Producer } from '../transport/transport.ts';
import { Delivery, type Encoding } from './delivery.ts';
import { outputOptions } from './file-sink.ts';
import { ndjson } from './ndjson.ts';
import { COMMON, NETWORK, type Sink, type SinkContext, type SinkDefinition, type SinkStatus } from './sink.ts';
import { type Chunk, Refused, type Target } from './target.ts';

/** What goes onto the bus, and how. */
const BUS_SINK = {
  topic: text('Topic; made where it is not there yet.', { default: 'nametap' }),
  partitions: whole(
    'Lines into which transactions are dealt by client, and partitions of the topic where it is made. Change it only ' +
      'while nobody reads: clients move.',
    { default: 8, least: 1, most: 4096 },
  ),
  format: choice(
    'What records hold: `columnar`, batches for nametap work; `json`, a transaction each, for other readers.',
    ['columnar', 'json'],
    { default: 'columnar' },
  ),
  features: flag(
    'Also counts what clients ask of each registrable domain, and sends that to TOPIC.domains, partitioned by domain: for ' +
      'those who look at a domain over all of its clients.',
    { default: false },
  ),
  linger: span('A batch that is not full is sent after so long.', { default: '200ms', least: 1, most: 60_000 }),
  compression: choice('Compression of JSON records; columnar batches are compressed already.', COMPRESSIONS, {
    default: 'zstd',
  }),
} as const;

/** All of a sink's keys. */
export const KAFKA_SINK = { ...KAFKA_SETTINGS, ...BUS_SINK, ...NETWORK, ...COMMON } as const;

const settings = group('Kafka: all transactions of a client in order in one partition, each once.', KAFKA_SINK);
type Settings = ValueOf<typeof settings>;

/** Transactions to Kafka. */
export const kafkaSink: SinkDefinition<Settings> = {
  settings,
  open(options, context) {
    const { topic, partitions, format } = options;
    const producer = new KafkaProducer({
      settings: options,
      name: `nametap-${printable(context.sensor ?? hostname())}`,
      compression: format === 'json' ? options.compression : 'none',
      topics: [{ name: topic, partitions }, ...(options.features ? [{ name: topic + DOMAINS, partitions }] : [])],
    });
    if (format === 'columnar') return new ColumnarSink(options, context, producer);
    return new Delivery(jsonTarget(topic, producer), jsonEncoding(options, context), context, options);
  },
};

/** What is behind the name of the topic that features go to. */
const DOMAINS = '.domains';

/** Names of clients have no blanks. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]+/g, '_');
}

/** Rows of all lines together that wait in memory for their batch to fill up. */
const ROWS_AHEAD = 65_536;
const LEAST_ROWS = 512;

/**
 * Rows as columnar batches: dealt into lines by client, a batch when one is full, or after a while. Where the source can
 * be read again and gives the same, batches are cut by their rows alone: what is sent twice has the same numbers then.
 */
class ColumnarSink implements Sink {
  readonly #options: Settings;
  readonly #context: SinkContext;
  readonly #delivery: Delivery;
  readonly #dealer: Dealer;
  readonly #lines: ({ writer: TransactionWriter; sequence: number } | undefined)[];
  readonly #epoch: number;
  readonly #rowsOfLine: number;
  readonly #features: FeatureLines | null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: Settings, context: SinkContext, producer: Producer) {
    this.#options = options;
    this.#context = context;
    this.#delivery = new Delivery(columnarTarget(options.topic, producer), () => () => false, context, options);
    this.#dealer = new Dealer(options.partitions);
    this.#lines = new Array<undefined>(options.partitions).fill(undefined);
    this.#rowsOfLine = Math.max(LEAST_ROWS, Math.floor(ROWS_AHEAD / options.partitions));
    this.#epoch = context.epoch ?? Date.now();
    this.#features = options.features ? new FeatureLines(options, context, producer, this.#epoch) : null;
  }

  rows(batch: TransactionBatch, from: number, to: number): void {
    this.#dealer.deal(batch, from, to, this.#context.passes, (line, rows, count) => {
      const { writer } = (this.#lines[line] ??= { writer: new TransactionWriter(this.#rowsOfLine), sequence: 0 });
      for (let at = 0; at < count; ) {
        at = writer.add(batch, rows, at, count);
        if (writer.isFull) this.#cut(line);
      }
    });
    this.#features?.rows(batch, from, to);
    if (this.#context.epoch === undefined) this.#timer ??= setTimeout(() => this.#flush(), this.#options.linger);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let line = 0; line < this.#lines.length; line++) this.#cut(line);
  }

  /** Makes a batch of what has come. */
  #cut(line: number): void {
    const state = this.#lines[line];
    if (state === undefined || state.writer.count === 0) return;
    const { sensor = hostname(), interfaces, marks = [] } = this.#context;
    const rows = state.writer.count;
    const origin = { sensor, interfaces: interfaces.map(({ name }) => name), marks };
    const bytes = state.writer.finish(origin, { epoch: this.#epoch, line, sequence: state.sequence++ });
    this.#delivery.take({ bytes, ends: [bytes.length], rows });
  }

  ready(): Promise<void> | undefined {
    return this.#delivery.ready();
  }

  async secured(): Promise<void> {
    this.#flush();
    await Promise.all([this.#delivery.secured(), this.#features?.secured()]);
  }

  status(): SinkStatus {
    const status = this.#delivery.status();
    const gathered = this.#lines.reduce((sum, line) => sum + (line?.writer.count ?? 0), 0);
    return { ...status, queue: status.queue + gathered };
  }

  reopen(): void {
    this.#delivery.reopen();
  }

  async close(patienceMs: number): Promise<void> {
    this.#flush();
    // The connection is that of both.
    await this.#features?.close(patienceMs);
    await this.#delivery.close(patienceMs);
  }
}

/** Features of the domains that pass by, as batches of their own; what finds no room is left out. */
class FeatureLines {
  readonly #delivery: Delivery;
  readonly #dealer: DomainDealer;
  readonly #lines: { writer: FeatureWriter; sequence: number }[];
  readonly #context: SinkContext;
  readonly #epoch: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ topic, partitions, queue }: Settings, context: SinkContext, producer: Producer, epoch: number) {
    const target = { ...columnarTarget(topic, producer), close: () => Promise.resolve() };
    this.#delivery = new Delivery(target, () => () => false, context, { queue });
    this.#dealer = new DomainDealer(partitions, context.registrableStart ?? (() => -1));
    this.#lines = Array.from({ length: partitions }, () => ({ writer: new FeatureWriter(), sequence: 0 }));
    this.#context = context;
    this.#epoch = epoch;
  }

  rows(batch: TransactionBatch, from: number, to: number): void {
    const { passes, epoch } = this.#context;
    const { nameHash } = batch.col;
    for (let i = from; i < to; i++) {
      if (!passes(batch, i)) continue;
      this.#dealer.deal(batch, i, (line, domain, length) => {
        const { writer } = this.#lines[line];
        writer.add(batch, i, domain, length, nameHash[i]);
        if (writer.isFull) this.#cut(line);
      });
    }
    if (epoch === undefined) this.#timer ??= setTimeout(() => this.#flush(), WINDOW * 1000);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let line = 0; line < this.#lines.length; line++) this.#cut(line);
  }

  #cut(line: number): void {
    const state = this.#lines[line];
    const rows = state.writer.count;
    if (rows === 0) return;
    const { sensor = hostname() } = this.#context;
    const bytes = state.writer.finish({ sensor, epoch: this.#epoch, line, sequence: state.sequence++ });
    this.#delivery.take({ bytes, ends: [bytes.length], rows });
  }

  async secured(): Promise<void> {
    this.#flush();
    await this.#delivery.secured();
  }

  async close(patienceMs: number): Promise<void> {
    this.#flush();
    await this.#delivery.close(patienceMs);
  }
}

/** Batches as they are: a record each. */
function columnarTarget(topic: string, producer: Producer): Target {
  return {
    send: ({ bytes }, signal) => {
      if (bytes.length === 0) return Promise.resolve();
      const { line, schema, version } = headerOf(bytes);
      const to = schema === SCHEMA_FEATURES ? topic + DOMAINS : topic;
      return sent(
        producer,
        [{ topic: to, partition: line, value: bytes, headers: { schema: `${schema}/${version}` } }],
        signal,
      );
    },
    close: () => producer.close(),
  };
}

/** Octets before a JSON record on its way: its line. */
const LINE_BYTES = 2;
const JSON_SEND_BYTES = 512 * 1024;
const LINE_FEED = 0x0a;

function jsonEncoding({ partitions }: Settings, context: SinkContext): Encoding {
  return (writer) => {
    const output = ndjson.transaction?.(outputOptions(context), writer);
    if (output === undefined) throw new TypeError('there are no lines of transactions');
    return (batch, row, ends) => {
      const line = lineOf(batch, row, partitions);
      writer.byte(line & 255);
      writer.byte(line >>> 8);
      output.batch(batch, row, row + 1);
      if (writer.bytes[writer.length - 1] === LINE_FEED) writer.length--;
      ends.push(writer.length);
      return true;
    };
  };
}

/** A record for each transaction. */
function jsonTarget(topic: string, producer: Producer): Target {
  return {
    sendBytes: JSON_SEND_BYTES,
    send: ({ bytes, ends }: Chunk, signal) => {
      const records = ends.map((end, i): OutRecord => {
        const from = i === 0 ? 0 : ends[i - 1];
        const partition = bytes[from] | (bytes[from + 1] << 8);
        return { topic, partition, value: bytes.subarray(from + LINE_BYTES, end) };
      });
      return records.length === 0 ? Promise.resolve() : sent(producer, records, signal);
    },
    close: () => producer.close(),
  };
}

/** Sends; rejects at once when there is no more time. */
async function sent(producer: Producer, records: readonly OutRecord[], signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('there is no more time'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([producer.send(records), late]);
  } catch (error) {
    if (error instanceof NotTaken) throw new Refused(error.message, { cause: error });
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
