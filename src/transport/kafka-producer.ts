import type * as Client from '@platformatic/kafka';
import { connection, makeTopics, whyOf } from './kafka.ts';
import type { KafkaSettings } from './settings.ts';
import { carried, traced } from '../tracing/spans.ts';
import { NotTaken, type OutRecord, type Producer } from './transport.ts';

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export interface KafkaProducerOptions {
  settings: KafkaSettings;
  /** How we are called at the brokers. */
  name: string;
  compression: (typeof COMPRESSIONS)[number];
  /** Topics that are made where they are not there yet. */
  topics: readonly { name: string; partitions: number }[];
}

/** What brokers never take, however often it is tried. */
const NEVER = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'INVALID_TOPIC',
];

/** An idempotent producer: records are kept by all replicas that are in step, each once, in order of sending. */
export class KafkaProducer implements Producer {
  readonly #options: KafkaProducerOptions;
  readonly #base: Client.BaseOptions;
  #producer: Client.Producer<string, Buffer, string, string> | undefined;
  #isClosed = false;

  /** Throws UserError for settings that cannot be used; the brokers are asked with the first record. */
  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#base = connection(options.settings, options.name);
  }

  send(records: readonly OutRecord[]): Promise<void> {
    const topic = records[0]?.topic ?? '';
    const told = {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.batch.message_count': records.length,
    };
    return traced('kafka send', 'producer', told, () => this.#send(records, carried()));
  }

  async #send(records: readonly OutRecord[], told: Readonly<Record<string, string>>): Promise<void> {
    const producer = (this.#producer ??= await this.#open());
    if (this.#isClosed) await this.#end();
    try {
      await producer.send({
        messages: records.map(({ topic, partition, value, key, headers }) => ({
          topic,
          partition,
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          ...(key !== undefined && { key }),
          headers: { ...headers, ...told },
        })),
      });
    } catch (error) {
      const why = whyOf(error);
      if (NEVER.some((code) => why.includes(code))) throw new NotTaken(why, { cause: error });
      throw new Error(`Kafka does not take them: ${why}`, { cause: error });
    }
  }

  async #open(): Promise<Client.Producer<string, Buffer, string, string>> {
    const client = await import('@platformatic/kafka');
    const { topics, compression } = this.#options;
    try {
      await makeTopics(client, this.#base, topics);
    } catch (error) {
      throw new Error(`Kafka cannot be reached: ${whyOf(error)}`, { cause: error });
    }
    const text = client.stringSerializer;
    return new client.Producer({
      ...this.#base,
      idempotent: true,
      acks: client.ProduceAcks.ALL,
      compression,
      autocreateTopics: false,
      serializers: { key: text, value: (data?: Buffer) => data, headerKey: text, headerValue: text },
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#end();
  }

  /** Also of a connection that was being opened when all was closed: it would keep the process alive. */
  async #end(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close(true);
  }
}
