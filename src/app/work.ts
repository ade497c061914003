import { hostname } from 'node:os';
import { AlertBook } from '../alerts/book.ts';
import { Notifier } from '../alerts/notifier.ts';
import { rulesOf } from '../alerts/settings.ts';
import { reasonOf } from '../core/errors.ts';
import { startServer } from '../server/app.ts';
import type { Check, ServerLog, ServerServices } from '../server/services.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { KafkaConsumer } from '../transport/kafka-consumer.ts';
import { KafkaProducer } from '../transport/kafka-producer.ts';
import { brokersText } from '../transport/kafka.ts';
import type { MetricReading } from '../tracing/metric-values.ts';
import { type Batch, BusReader } from './bus-reader.ts';
import { cached } from './cached-store.ts';
import { closeAll } from './close-all.ts';
import type { LoadedConfig } from './config.ts';
import { DataFolder } from './data-folder.ts';
import { LiveTail } from './live-tail.ts';
import { MarkNames } from './marks.ts';
import { clientNames, withClientNames } from './named-clients.ts';
import { detectorsOf } from './rules.ts';
import { tracedStore } from './traced-store.ts';
import { refuseSecond } from './serve-folder.ts';
import { servicesOf, storeOptions } from './services.ts';

export interface WorkHooks {
  /** Called once: what reads the metrics. */
  measure?(read: () => Promise<readonly MetricReading[]>): void;
  signal: AbortSignal;
  version: string;
  log: ServerLog;
  /** Called once, when the page is open: its address, the same with what signs in, and what is read. */
  started(worker: { url: string; signIn: string; source: string }): void;
}

export interface WorkResult {
  records: number;
  rows: number;
  repeated: number;
  missing: number;
  unreadable: number;
}

/** Largest record of what a partition is worth to the next reader. */
const STATE_BYTES = 64 << 20;
/** Packets may be under way for so long when the clock is asked instead of them, in seconds. */
const BEHIND = 60;

/**
 * One worker of many: reads its share of the partitions, shows rows to detectors, keeps them, and serves page, health and
 * metrics, until the signal aborts. Throws UserError for whatever keeps it from starting.
 */
export async function work(loaded: LoadedConfig, hooks: WorkHooks): Promise<WorkResult> {
  const { config } = loaded;
  const data = new DataFolder(config.data);
  data.create();
  refuseSecond(data);
  const { store, cache } = await cached(
    tracedStore(await openStore(storeOptions(config, data.part('store')))),
    config.cache,
  );
  try {
    return await new Working({ loaded, hooks, data, store }).run();
  } finally {
    data.withdraw();
    cache?.close();
    await store.close();
  }
}

interface WorkingParts {
  loaded: LoadedConfig;
  hooks: WorkHooks;
  data: DataFolder;
  store: Store;
}

class Working {
  readonly #parts: WorkingParts;
  readonly #book: AlertBook;
  readonly #notifier: Notifier;
  readonly #live: LiveTail;
  readonly #marks = new MarkNames();
  readonly #reader: BusReader;
  readonly #producer: KafkaProducer;
  #complained = '';

  constructor(parts: WorkingParts) {
    this.#parts = parts;
    const { loaded, hooks, data, store } = parts;
    const { config } = loaded;
    const { log, version } = hooks;
    const { kafka, detect, alerts } = config;
    const name = config.sensor ?? hostname();
    const failed = (error: unknown) => this.#complain(reasonOf(error));
    this.#book = new AlertBook({ rules: rulesOf(alerts), records: store.records, failed });
    this.#notifier = new Notifier(alerts, {
      folder: data.part('alerts'),
      sensor: name,
      version,
      log: (level, output, message) => log[level]({ output }, message),
    });
    this.#live = new LiveTail(name);
    Object.assign(this.#live, { clients: clientNames(config), marks: this.#marks.texts });
    const { topic, partitions, group } = kafka;
    const stateTopic = `${topic}.${group}.state`;
    const client = `nametap-${name.replace(/[^\x21-\x7e]+/g, '_')}`;
    const compacted = { 'cleanup.policy': 'compact', 'max.message.bytes': String(STATE_BYTES) };
    this.#producer = new KafkaProducer({ settings: kafka, name: client, compression: 'none', topics: [] });
    this.#reader = new BusReader({
      consumer: new KafkaConsumer({
        settings: kafka,
        name: client,
        group,
        topics: [{ name: topic, partitions }],
        besides: [{ name: stateTopic, partitions, settings: compacted }],
        sessionMs: kafka.session,
        notice: (level, message) => log[level]({}, message),
      }),
      producer: this.#producer,
      stateTopic,
      store,
      checkpointMs: kafka.checkpoint,
      judging: detect.enabled ? { config, raise: this.#book.raise, more: this.#rules() } : null,
      marks: this.#marks,
      log,
      look: (batch) => this.#look(batch),
    });
  }

  #rules() {
    return detectorsOf(this.#parts.loaded.config.detect.rules, (seen, names) => {
      seen.batch.col.mark[seen.row] = this.#marks.of(names);
    });
  }

  /** Rows pass the live tail, which says whose they are. */
  #look({ batch, sensor, interfaces }: Batch): void {
    const named = interfaces.map((name) => ({ ...(name !== '' && { name }) }));
    Object.assign(this.#live, { sensor, interfaces: named });
    this.#live.rows(batch, 0, batch.count);
  }

  #services(): ServerServices {
    const { loaded, hooks, data, store } = this.#parts;
    const services = servicesOf({
      version: hooks.version,
      loaded,
      store: withClientNames(store, () => this.#live.clients),
      live: this.#live,
      log: hooks.log,
      token: loaded.config.server.token ?? data.token(),
      demo: null,
      packetFolder: data.part('packets'),
      sensors: () => [],
      sinks: () => [],
      alerts: this.#book,
      outputs: () => this.#notifier.states(),
      checks: () => this.#checks(),
    });
    return Object.assign(services, { bus: () => this.#reader.state() });
  }

  async run(): Promise<WorkResult> {
    const { hooks, data, store, loaded } = this.#parts;
    const { remark } = await store.status();
    if (remark !== null) hooks.log.warn({}, remark);
    const services = this.#services();
    const server = await startServer(services);
    const timer = setInterval(() => this.#book.tick(Date.now() / 1000 - BEHIND), 1000);
    const failed = (error: unknown) => hooks.log.error({ error: reasonOf(error) }, 'Not everything could be closed');
    try {
      await this.#book.load();
      this.#book.subscribe(this.#notifier.take);
      data.announce(server.url);
      hooks.measure?.(server.readings);
      const { token } = services.options;
      const { topic, brokers } = loaded.config.kafka;
      hooks.started({
        url: server.url,
        signIn: token === null ? server.url : `${server.url}/#token=${token.value}`,
        source: `topic ${topic} of ${brokersText(brokers)}`,
      });
      await this.#reader.run(hooks.signal);
      server.drain();
      await this.#book.flush();
      return this.#reader.counts;
    } finally {
      clearInterval(timer);
      await closeAll([this.#notifier, this.#producer, server], failed);
    }
  }

  #checks(): Check[] {
    const { error, partitions } = this.#reader.state();
    const problems = this.#reader.problems();
    return [
      { name: 'kafka', ok: error === null, detail: error ?? `${partitions.length} partitions are read` },
      ...(problems.length > 0
        ? [{ name: 'detectors', ok: false, detail: problems.join(' '), isVital: false as const }]
        : []),
    ];
  }

  /** Says what the store could not do, not for every incident. */
  #complain(why: string): void {
    if (why === this.#complained) return;
    this.#complained = why;
    this.#parts.hooks.log.error({ error: why }, 'The store does not keep alerts');
  }
}
