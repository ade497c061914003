import type { CacheStatus } from '../cache/cache.ts';
import type { AlertBook } from '../alerts/book.ts';
import type { OutputStatus } from '../alerts/outputs/delivery.ts';
import type { Blocks } from '../core/block.ts';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepsPackets, privacyText, type PrivacySettings } from '../enrich/privacy.ts';
import { registrable } from '../enrich/public-suffix.ts';
import type { SinkState, Table } from '../server/schema/sensors.ts';
import type { Privacy } from '../server/schema/overview.ts';
import type { Check, SensorReading, ServerLog, ServerOptions, ServerServices } from '../server/services.ts';
import { traceService } from './trace-service.ts';
import type { Probes } from '../core/probe.ts';
import type { Baselines } from '../core/usual.ts';
import type { Store, StoreOptions } from '../store/store.ts';
import type { Config, LoadedConfig } from './config.ts';
import { configValue } from './config-text.ts';
import { decodeMessage } from './decode.ts';
import type { LiveTail } from './live-tail.ts';
import { packetSource } from './packet-source.ts';

const DAY_MS = 86_400_000;

/** How a configuration wants its store. `path`: the folder of its files. */
export function storeOptions({ store, privacy }: Config, path: string): StoreOptions {
  const { clickhouse, postgres } = store;
  return {
    engine: store.engine,
    ...(clickhouse !== undefined && {
      clickhouse: {
        url: clickhouse.url,
        user: clickhouse.user,
        password: clickhouse.password,
        database: clickhouse.database,
        cluster: clickhouse.cluster,
        policy: clickhouse.policy,
        coldVolume: clickhouse.cold_volume,
        coldDays: clickhouse.cold_after / DAY_MS,
        detailDays: bound(clickhouse.details / DAY_MS),
      },
    }),
    ...(postgres !== undefined && {
      postgres: {
        url: postgres.url,
        password: postgres.password,
        replicas: postgres.replicas,
        schema: postgres.schema,
        connections: postgres.connections,
        idleMs: postgres.idle,
        lifetimeMs: postgres.lifetime,
        leakMs: postgres.leak,
        lagMs: postgres.lag,
        slowMs: postgres.slow,
      },
    }),
    path,
    flushMs: store.flush,
    queueRows: store.queue,
    memoryMb: Math.max(64, Math.floor(store.memory / 1e6)),
    ...(store.threads !== undefined && { threads: store.threads }),
    ageHours: bound(store.parquet_after / 3_600_000),
    retention: {
      transactionsDays: bound(store.keep.transactions / DAY_MS),
      minutesDays: bound(store.keep.minutes / DAY_MS),
      hoursDays: bound(store.keep.hours / DAY_MS),
      passiveDays: bound(store.keep.passive / DAY_MS),
      recordsDays: bound(store.keep.records / DAY_MS),
      maxBytes: store.most,
      countsOnly: privacy.level === 5,
    },
  };
}

/** For ever is 0 there. */
function bound(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** What is hidden under a configuration. */
export function privacySettings({ privacy, networks, resolvers }: Config): PrivacySettings {
  return {
    level: privacy.level as PrivacySettings['level'],
    names: privacy.names,
    own: networks,
    keep: resolvers,
  };
}

/** What is said of what is hidden. */
export function privacyShown(settings: PrivacySettings): Privacy {
  return { level: settings.level, names: settings.names ?? 'full', text: privacyText(settings) };
}

/** What the server knows of people and addresses under a configuration. `made`: the token of the data folder. */
export function serverOptions({ server }: Config, made: string): ServerOptions {
  return {
    address: server.listen.address,
    port: server.listen.port,
    hosts: server.hosts,
    token: { value: server.token ?? made, chosen: server.token !== undefined },
    users: Object.entries(server.users).map(([name, { password, role }]) => ({ name, password, role })),
    tls: server.tls ?? null,
    metrics: server.metrics,
    sessionHours: server.session / 3_600_000,
  };
}

export interface ServiceParts {
  version: string;
  loaded: LoadedConfig;
  store: Store;
  live: LiveTail;
  log: ServerLog;
  /** Token of the data folder. */
  token: string;
  demo: ServerServices['demo'];
  /** Folder of the ring of captured packets. */
  packetFolder: string;
  sensors(): SensorReading[];
  sinks(): SinkState[];
  /** Absent where nobody serves. */
  blocks?: Blocks;
  /** Absent where nothing is learnt. */
  baselines?: Baselines;
  /** Absent where nothing is checked. */
  probes?: Probes;
  alerts: AlertBook;
  outputs?(): OutputStatus[];
  tables?(): Table[];
  cache?(): CacheStatus | null;
  checks(): Check[];
}

/** The built page: in a checkout and in the package. */
const PAGE = fileURLToPath(new URL('../../web/dist/', import.meta.url));

/** Everything the server needs. Of `options` hosts and users may be changed while it runs. */
export function servicesOf(parts: ServiceParts): ServerServices {
  const { loaded, store, live, log, demo } = parts;
  const { config } = loaded;
  const settings = privacySettings(config);
  const { udp_ports: udpPorts, tcp_ports: tcpPorts } = config.capture;
  const keeps = config.store.packets.keep && keepsPackets(settings);
  return {
    version: parts.version,
    options: serverOptions(config, parts.token),
    store,
    live,
    log,
    privacy: privacyShown(settings),
    demo,
    packets: keeps
      ? packetSource(parts.packetFolder, { dissect: { udpPorts, tcpPorts }, sensor: config.sensor })
      : null,
    page: existsSync(PAGE) ? PAGE : null,
    configuration: () => ({ file: loaded.file, value: configValue(loaded) }),
    sensors: () => parts.sensors(),
    sinks: () => parts.sinks(),
    blocks: parts.blocks ?? null,
    baselines: parts.baselines ?? null,
    probes: parts.probes ?? null,
    traces: traceService(config.trace),
    alerts: parts.alerts,
    outputs: () => parts.outputs?.() ?? [],
    tables: () => parts.tables?.() ?? [],
    ...(parts.cache !== undefined && { cache: parts.cache }),
    checks: () => parts.checks(),
    decode: decodeMessage,
    registrableDomain: (name) => registrable(name).domain,
    now: Date.now,
  };
}
