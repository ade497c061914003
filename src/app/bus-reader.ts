import { BusError } from '../bus/error.ts';
import { readTransactions } from '../bus/transaction-reader.ts';
import { reasonOf } from '../core/errors.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { BusReading, ServerLog } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import type { Consumer, InRecord, Place, Producer } from '../transport/transport.ts';
import { traced, within } from '../tracing/spans.ts';
import { MarkNames } from './marks.ts';
import { BusPartition, type PartitionJudging } from './bus-partition.ts';

/** Where a row came from, for those who look at it. */
export interface Batch {
  batch: TransactionBatch;
  sensor: string;
  interfaces: readonly string[];
  marks: readonly string[];
}

export interface BusReaderOptions {
  consumer: Consumer;
  /** Takes what partitions know. */
  producer: Producer;
  /** Topic of what partitions know, a partition for each. */
  stateTopic: string;
  store: Store;
  /** How often it is noted how far we are, ms. */
  checkpointMs: number;
  judging: PartitionJudging | null;
  log: ServerLog;
  /** Looks at rows before they go into the store. */
  look(batch: Batch): void;
  /** Numbers of the rules that mark rows. */
  marks: MarkNames;
}

/** How often is looked which partitions have to be noted, and how far behind we are. */
const TICK_MS = 250;
const LAG_MS = 1000;
/** Noting takes at most this part of the time. */
const SHARE = 0.1;
const PAUSE_MS = 1000;

/**
 * Reads batches of transactions of a group's share of partitions, shows them to detectors, and writes them into the store.
 *
 * Each record has its effect once. A record is done with when its rows are on the disk of the store and what the detectors
 * of its partition know is noted with its offset: then that offset is committed. Whoever comes after goes on there, with
 * that knowledge; rows that are in the store already are told by their token and not taken again, and alerts raised again
 * have the same ids. What a sensor sent twice is known by its numbers.
 */
export class BusReader {
  readonly #options: BusReaderOptions;
  readonly #partitions = new Map<string, { place: Place; state: BusPartition }>();
  /** The last record whose rows the store was given, by partition: in this process it is not given them again. */
  readonly #given = new Map<string, number>();
  readonly #lags = new Map<string, number>();
  /** One piece of work after the other: records, and changes of who reads what. */
  #line: Promise<void> = Promise.resolve();
  readonly #broken = new AbortController();
  #failure: Error | undefined;
  #noting: Promise<void> | undefined;
  #spent = 0;
  #noteAfter = 0;
  readonly counts = { records: 0, rows: 0, repeated: 0, missing: 0, unreadable: 0, passed: 0 };

  constructor(options: BusReaderOptions) {
    this.#options = options;
  }

  state(): BusReading {
    const partitions = [...this.#partitions].map(([key, { place, state }]) => ({
      ...place,
      next: state.next ?? null,
      lag: this.#lags.get(key) ?? null,
    }));
    return { partitions, ...this.counts, error: this.#options.consumer.error };
  }

  problems(): string[] {
    return [...new Set([...this.#partitions.values()].flatMap(({ state }) => state.problems()))];
  }

  /** Reads until the signal aborts; then notes where it is and leaves. Throws when the store gives rows up. */
  async run(signal: AbortSignal): Promise<void> {
    const { consumer, log } = this.#options;
    const stop = AbortSignal.any([signal, this.#broken.signal]);
    const timers = [setInterval(() => this.#tick(), TICK_MS), setInterval(() => void this.#measure(), LAG_MS)];
    const changed = (places: readonly Place[]) => {
      this.#inLine(() => this.#assign(places));
    };
    try {
      for await (const record of consumer.records(stop, changed)) {
        this.#inLine(() => this.#take(record));
        await this.#line;
        if (stop.aborted) break;
      }
      await this.#line;
      this.#check();
      await this.#noting;
      await this.#note([...this.#partitions.values()]).catch((error: unknown) => {
        log.warn(
          { error: reasonOf(error) },
          'How far we are could not be noted: the next one reads some records again',
        );
      });
      this.#check();
    } finally {
      for (const timer of timers) clearInterval(timer);
      await consumer
        .close()
        .catch((error: unknown) => log.warn({ error: reasonOf(error) }, 'Kafka was not told that we leave'));
    }
  }

  #inLine(work: () => Promise<void>): void {
    this.#line = this.#line.then(work).catch((error: unknown) => this.#fail(error));
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#broken.abort();
  }

  /** Takes what is ours now; what is not any more is somebody else's. */
  async #assign(places: readonly Place[]): Promise<void> {
    const { log } = this.#options;
    const ours = new Set(places.map(keyOf));
    for (const key of this.#partitions.keys()) {
      if (ours.has(key)) continue;
      this.#partitions.delete(key);
      this.#lags.delete(key);
    }
    for (const place of places) {
      if (this.#partitions.has(keyOf(place))) continue;
      this.#partitions.set(keyOf(place), { place, state: await this.#restored(place) });
    }
    if (places.length > 0) log.info({ partitions: places.map(({ partition }) => partition) }, 'Partitions are read');
  }

  /** A partition as it was noted last, where reading begins. */
  async #restored({ topic, partition }: Place): Promise<BusPartition> {
    const { consumer, stateTopic, judging, log } = this.#options;
    for (;;) {
      try {
        const last = await consumer.last({ topic: stateTopic, partition });
        const state = last === null ? new BusPartition(judging) : this.#loaded(partition, last.value);
        await this.#begin({ topic, partition }, state);
        return state;
      } catch (error) {
        // Without it rows that came twice would be taken twice.
        if (consumer.error !== null || this.#broken.signal.aborted) return new BusPartition(judging);
        log.warn({ partition, error: reasonOf(error) }, 'What was noted of a partition cannot be read yet');
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /** What was noted; nothing where that cannot be read: it would not get better by waiting. */
  #loaded(partition: number, value: Uint8Array): BusPartition {
    const { judging, log } = this.#options;
    const state = new BusPartition(judging);
    try {
      if (state.load(value)) return state;
      log.warn({ partition }, 'What was noted of a partition is of another version: its detectors begin anew');
    } catch (error) {
      const fields = { partition, error: reasonOf(error) };
      log.error(fields, 'What was noted of a partition is damaged: its detectors begin anew');
    }
    return new BusPartition(judging);
  }

  /** Where reading begins is what was committed; what is known may be of later, or of before. */
  async #begin(place: Place, state: BusPartition): Promise<void> {
    const { consumer, log } = this.#options;
    const [committed] = await consumer.committed([place]);
    const [first] = committed === undefined ? await consumer.begins([place]) : [committed];
    const from = first?.offset ?? 0;
    const [end] = await consumer.ends([place]);
    // A topic that was made anew begins at 0 again: what was noted is of another one.
    const isAhead = state.next !== undefined && end !== undefined && state.next > end.offset;
    if (state.next === undefined || state.next < from || isAhead) {
      if (state.next !== undefined) {
        log.warn({ ...place, from: state.next, to: from }, 'What was noted of a partition does not fit its records');
      }
      state.next = from;
    }
    state.noted = state.next;
  }

  async #take(record: InRecord): Promise<void> {
    const entry = this.#partitions.get(keyOf(record));
    if (entry === undefined || this.#failure !== undefined) return;
    const { state } = entry;
    const { next } = state;
    if (next !== undefined && record.offset < next) {
      this.counts.passed++;
      return;
    }
    if (next !== undefined && record.offset > next) await this.#gap(record, next);
    this.counts.records++;
    const told = { 'messaging.destination.name': record.topic, 'messaging.kafka.offset': record.offset };
    await within(record.headers, () => traced('bus take', 'consumer', told, () => this.#rows(record, state)));
    state.next = record.offset + 1;
  }

  /** Records between what was read last and this one are gone for good, or were passed by: then it is read again. */
  async #gap({ topic, partition, offset }: InRecord, next: number): Promise<void> {
    const { consumer, log } = this.#options;
    const [first] = await consumer.begins([{ topic, partition }]);
    if (first === undefined || first.offset <= next) throw new Error(`records ${next} to ${offset - 1} were passed by`);
    log.error(
      { partition, from: next, to: offset - 1 },
      'Records were deleted before they were read: keep them longer',
    );
  }

  async #rows(record: InRecord, state: BusPartition): Promise<void> {
    const { store, look, log } = this.#options;
    let read: ReturnType<typeof readTransactions>;
    try {
      read = readTransactions(record.value);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.counts.unreadable++;
      const { partition, offset } = record;
      log.warn({ partition, offset, error: error.message }, 'A record is no batch of transactions');
      return;
    }
    const { header, batch, interfaces } = read;
    const { isNew, missing } = state.see(header);
    this.counts.missing += missing;
    if (!isNew) {
      this.counts.repeated += header.rows;
      return;
    }
    if (batch.count === 0) return;
    const marks = this.#marked(batch, read.marks);
    state.judge(batch);
    look({ batch, sensor: header.sensor, interfaces, marks });
    this.counts.rows += header.rows;
    const key = keyOf(record);
    if (record.offset <= (this.#given.get(key) ?? -1)) return;
    this.#given.set(key, record.offset);
    const token = `${record.topic}/${record.partition}/${record.offset}`;
    await store.append(batch, { sensor: header.sensor, interfaces, marks, token }, true);
  }

  /** Numbers of marks are ours from now on: those of the sensor's rules are translated. */
  #marked({ col: { mark }, count }: TransactionBatch, theirs: readonly string[]): readonly string[] {
    const { marks } = this.#options;
    if (theirs.length > 1) {
      const ours = theirs.map((text) => (text === '' ? 0 : marks.of([text])));
      for (let i = 0; i < count; i++) if (mark[i] !== 0) mark[i] = ours[mark[i]];
    }
    return marks.texts;
  }

  /** Notes partitions whose time has come. */
  #tick(): void {
    const now = performance.now();
    if (this.#noting !== undefined || now < this.#noteAfter) return;
    const { checkpointMs } = this.#options;
    const due = [...this.#partitions.values()].filter(
      ({ state }) => state.next !== undefined && state.next !== state.noted && now - state.notedAt >= checkpointMs,
    );
    if (due.length === 0) return;
    this.#noting = this.#note(due)
      .catch((error: unknown) => {
        this.#options.log.warn({ error: reasonOf(error) }, 'How far we are could not be noted; it is tried again');
        this.#noteAfter = performance.now() + PAUSE_MS;
      })
      .finally(() => {
        this.#noting = undefined;
      });
  }

  /** Notes what is known of partitions, and commits their offsets, once all their rows are on the disk. */
  async #note(entries: readonly { place: Place; state: BusPartition }[]): Promise<void> {
    const { store, producer, stateTopic, consumer } = this.#options;
    const began = performance.now();
    let spent = 0;
    const notes: { place: Place; state: BusPartition; next: number; value: Uint8Array }[] = [];
    for (const { place, state } of entries) {
      this.#inLine(async () => {
        const { next } = state;
        if (next === undefined || this.#partitions.get(keyOf(place))?.state !== state) return;
        const at = performance.now();
        notes.push({ place, state, next, value: state.save() });
        spent += performance.now() - at;
      });
      await this.#line;
    }
    if (notes.length === 0) return;
    await store.flush();
    await this.#assertKept();
    for (const { place, value } of notes) {
      await producer.send([{ topic: stateTopic, partition: place.partition, key: 'state', value }]);
    }
    await consumer.commit(notes.map(({ place, next }) => ({ ...place, offset: next })));
    for (const { state, next } of notes) {
      state.noted = next;
      state.notedAt = performance.now();
    }
    this.#spent = spent;
    this.#noteAfter = began + this.#spent / SHARE;
  }

  /** Rows that the store gave up are read again by the next run, not noted as done. */
  async #assertKept(): Promise<void> {
    const { dropped } = await this.#options.store.status();
    // Stores name causes of their own; only what was too old has been there.
    const lost = Object.entries(dropped).reduce((sum, [cause, rows]) => (cause === 'retention' ? sum : sum + rows), 0);
    if (lost > 0)
      this.#fail(new Error(`the store gave up ${lost} transactions; they are read again after the next start`));
    this.#check();
  }

  async #measure(): Promise<void> {
    const entries = [...this.#partitions.values()];
    try {
      for (const end of await this.#options.consumer.ends(entries.map(({ place }) => place))) {
        const entry = this.#partitions.get(keyOf(end));
        if (entry?.state.next !== undefined) this.#lags.set(keyOf(end), Math.max(0, end.offset - entry.state.next));
        else if (entry !== undefined) this.#lags.set(keyOf(end), end.offset);
      }
    } catch {
      // Said by the consumer, which finds out too.
      this.#lags.clear();
    }
  }
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}
