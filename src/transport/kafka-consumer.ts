import { setTimeout as sleep } from 'node:timers/promises';
import type * as Client from '@platformatic/kafka';
import { connection, makeTopics, whyOf } from './kafka.ts';
import type { KafkaSettings } from './settings.ts';
import type { Consumer, InRecord, Place } from './transport.ts';

export interface KafkaConsumerOptions {
  settings: KafkaSettings;
  name: string;
  group: string;
  topics: readonly { name: string; partitions: number }[];
  /** Made too where they are not there, and not read. */
  besides?: readonly { name: string; partitions: number; settings: Readonly<Record<string, string>> }[];
  /** A reader that says nothing for so long, ms, is taken for dead: others get its partitions. */
  sessionMs: number;
  /** Says that the brokers cannot be read, or can again. */
  notice(level: 'info' | 'warn', message: string): void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** What is asked for at once, and how many records wait here at most. */
const FETCH_BYTES = 8 << 20;
const RECORDS_AHEAD = 16;
/** A record of any size. */
const LARGEST_BYTES = 64 << 20;

type Reader = Client.Consumer<Buffer, Buffer, Buffer, Buffer>;

/** One of a group of readers. What fails is tried again until the signal aborts. */
export class KafkaConsumer implements Consumer {
  readonly #options: KafkaConsumerOptions;
  readonly #base: Client.BaseOptions;
  #reader: Reader | undefined;
  #failed: string | null = null;

  /** Throws UserError for settings that cannot be used. */
  constructor(options: KafkaConsumerOptions) {
    this.#options = options;
    this.#base = connection(options.settings, options.name);
  }

  /** Why nothing is read now; null while all is well. */
  get error(): string | null {
    return this.#failed;
  }

  async *records(signal: AbortSignal, changed: (places: readonly Place[]) => void): AsyncGenerator<InRecord> {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        for await (const record of this.#read(signal, changed)) {
          pause = FIRST_PAUSE_MS;
          yield record;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#fails(whyOf(error));
      }
      changed([]);
      await this.#drop();
      await sleep(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  /** Reads until something fails. */
  async *#read(signal: AbortSignal, changed: (places: readonly Place[]) => void): AsyncGenerator<InRecord> {
    const { topics, besides = [] } = this.#options;
    const client = await import('@platformatic/kafka');
    await makeTopics(client, this.#base, [...topics, ...besides]);
    const reader = this.#made(client);
    let generation = -1;
    reader.on('consumer:group:join', ({ assignments = [] }) => {
      generation = reader.generationId;
      this.#works();
      changed(assignments.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))));
    });
    const stream = await reader.consume({
      topics: topics.map(({ name }) => name),
      mode: client.MessagesStreamModes.COMMITTED,
      fallbackMode: client.MessagesStreamFallbackModes.EARLIEST,
    });
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const { topic, partition, offset, value, headers, metadata } of stream) {
        // Fetched before the group changed: it comes again to whoever has the partition now.
        if (generationOf(metadata) !== generation) continue;
        yield { topic, partition, offset: Number(offset), value: octetsOf(value), headers: textsOf(headers) };
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #made(client: typeof Client): Reader {
    const { group, sessionMs } = this.#options;
    this.#reader = new client.Consumer({
      ...this.#base,
      groupId: group,
      autocommit: false,
      autocreateTopics: false,
      sessionTimeout: sessionMs,
      rebalanceTimeout: Math.max(10_000, sessionMs),
      heartbeatInterval: Math.max(200, Math.floor(sessionMs / 6)),
      maxWaitTime: 500,
      maxBytes: FETCH_BYTES,
      highWaterMark: RECORDS_AHEAD,
    });
    // Told to whoever reads, by the stream that ends.
    this.#reader.on('error', () => {});
    return this.#reader;
  }

  async commit(offsets: readonly (Place & { offset: number })[]): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) throw new Error('there is no connection to Kafka');
    try {
      await reader.commit({ offsets: offsets.map((one) => ({ ...one, offset: BigInt(one.offset), leaderEpoch: -1 })) });
    } catch (error) {
      throw new Error(`Kafka does not take offsets: ${whyOf(error)}`, { cause: error });
    }
  }

  ends(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    return this.#offsets(places, -1n);
  }

  begins(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    return this.#offsets(places, -2n);
  }

  async #offsets(places: readonly Place[], timestamp: bigint): Promise<readonly (Place & { offset: number })[]> {
    const reader = this.#reader;
    if (reader === undefined || places.length === 0) return [];
    const partitions: Record<string, number[]> = {};
    for (const { topic, partition } of places) (partitions[topic] ??= []).push(partition);
    const found = await reader.listOffsets({ topics: Object.keys(partitions), partitions, timestamp });
    return places.flatMap(({ topic, partition }) => {
      const offset = found.get(topic)?.[partition];
      return offset === undefined ? [] : [{ topic, partition, offset: Number(offset) }];
    });
  }

  async committed(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    const reader = this.#reader;
    if (reader === undefined || places.length === 0) return [];
    const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition }) => partition),
    }));
    const found = await reader.listCommittedOffsets({ topics });
    return places.flatMap(({ topic, partition }) => {
      const asked = topics.find((one) => one.topic === topic)?.partitions.indexOf(partition) ?? -1;
      const offset = found.get(topic)?.[asked] ?? -1n;
      return offset < 0n ? [] : [{ topic, partition, offset: Number(offset) }];
    });
  }

  async last({ topic, partition }: Place): Promise<InRecord | null> {
    const reader = this.#reader;
    if (reader === undefined) throw new Error('there is no connection to Kafka');
    const [end] = await this.ends([{ topic, partition }]);
    if (end === undefined || end.offset === 0) return null;
    const { topics } = await reader.metadata({ topics: [topic] });
    const known = topics.get(topic);
    const leader = known?.partitions[partition]?.leader;
    if (known === undefined || leader === undefined) return null;
    const fetchOffset = BigInt(end.offset - 1);
    const from = {
      partition,
      fetchOffset,
      partitionMaxBytes: LARGEST_BYTES,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    };
    const asked = { node: leader, topics: [{ topicId: known.id, partitions: [from] }], maxBytes: LARGEST_BYTES };
    const { responses } = await reader.fetch({ ...asked, minBytes: 1, maxWaitTime: 2000 });
    const batches = responses.flatMap(({ partitions }) => partitions.flatMap(({ records }) => records ?? []));
    const batch = batches.at(-1);
    const record = batch?.records.at(-1);
    if (batch === undefined || !record?.value) return null;
    const offset = Number(batch.firstOffset) + record.offsetDelta;
    return { topic, partition, offset, value: record.value, headers: new Map() };
  }

  close(): Promise<void> {
    return this.#drop();
  }

  /** Ends the connection; the group hears of it where that is possible. */
  async #drop(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      await reader?.close(true);
    } catch {
      // Brokers that are away cannot be told; they find out by the silence.
    }
  }

  #fails(why: string): void {
    if (this.#failed === null) this.#options.notice('warn', `Kafka cannot be read: ${why}`);
    this.#failed = why;
  }

  #works(): void {
    if (this.#failed !== null) this.#options.notice('info', 'Kafka can be read again');
    this.#failed = null;
  }
}

function generationOf(metadata: Readonly<Record<string, unknown>>): unknown {
  const { consumer } = metadata;
  return typeof consumer === 'object' && consumer !== null && 'generationId' in consumer ? consumer.generationId : null;
}

/** Any record may be without a value (a tombstone), and any of its headers: that is none, not the end of reading. */
function octetsOf(value: Buffer | undefined): Buffer {
  return value ?? Buffer.alloc(0);
}

function textsOf(headers: ReadonlyMap<Buffer | undefined, Buffer | undefined>): ReadonlyMap<string, string> {
  return new Map([...headers].map(([key, value]) => [octetsOf(key).toString(), octetsOf(value).toString()]));
}
