import type * as Client from '@platformatic/kafka';
import { connection, makeTopics, whyOf } from './kafka.ts';
import type { KafkaSettings } from './settings.ts';
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

  /** Throws UserError for settings that cannot be used; the brokers are asked with the first record. */
  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#base = connection(options.settings, options.name);
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    const producer = (this.#producer ??= await this.#open());
    try {
      await producer.send({
        messages: records.map(({ topic, partition, value, key, headers }) => ({
          topic,
          partition,
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          ...(key !== undefined && { key }),
          ...(headers !== undefined && { headers: { ...headers } }),
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

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close(true);
  }
}
