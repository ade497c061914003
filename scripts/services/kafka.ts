import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const VERSION = '4.1.1';
const LOG4J = '2.25.1';
const HOME = fileURLToPath(new URL('../../.cache/services/kafka/', import.meta.url));
const JARS = join(HOME, `lib-${VERSION}`);
const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qg';
const START_MS = 180_000;

export interface KafkaOptions {
  /** Folder of its data, which stays; absent: a temporary one. */
  folder?: string;
  /** Partitions of topics that are made by being used. */
  partitions?: number;
  /** Asks clients for SASL (plain and scram-sha-256) over TLS: certificate and key (PEM). */
  secure?: { certificate: string; key: string; user: string; password: string };
}

/** A Kafka broker that is its own controller (KRaft). */
export interface Kafka {
  /** HOST:PORT of its clients. */
  readonly address: string;
  readonly folder: string;
  /** Of its process. */
  readonly pid: number;
  /** Ends it in order; a temporary folder goes too. */
  stop(): Promise<void>;
  /** SIGKILL; `restart` goes on with the same address and data. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Jars of a broker, fetched once with Maven. */
export function install(): void {
  if (existsSync(JARS)) return;
  mkdirSync(HOME, { recursive: true });
  const artifact = (group: string, name: string, version: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(HOME, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
${artifact('org.apache.kafka', 'kafka_2.13', VERSION)}
${artifact('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J)}
${artifact('org.apache.logging.log4j', 'log4j-core', LOG4J)}
</dependencies></project>\n`,
  );
  const part = `${JARS}.part`;
  rmSync(part, { recursive: true, force: true });
  const words = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${part}`];
  const { status } = spawnSync('mvn', words, { cwd: HOME, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`mvn could not fetch Kafka ${VERSION} (${status})`);
  renameSync(part, JARS);
}

/** Starts a broker on loopback; resolves when it answers. */
export async function start(options: KafkaOptions = {}): Promise<Kafka> {
  install();
  const isTemporary = options.folder === undefined;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'nametap-kafka-'));
  mkdirSync(folder, { recursive: true });
  const [port, controller] = [await freePort(), await freePort()];
  const config = join(folder, 'server.properties');
  writeFileSync(config, properties(options, folder, port, controller));
  if (!existsSync(join(folder, 'data', 'meta.properties'))) format(options, config);
  let broker = await run(folder, config, port);
  return {
    address: `127.0.0.1:${port}`,
    folder,
    get pid() {
      return broker.pid ?? 0;
    },
    async stop() {
      await ended(broker, 'SIGTERM');
      if (isTemporary) rmSync(folder, { recursive: true, force: true });
    },
    kill: () => ended(broker, 'SIGKILL'),
    async restart() {
      broker = await run(folder, config, port);
    },
  };
}

function properties(
  { partitions = 4, secure }: KafkaOptions,
  folder: string,
  port: number,
  controller: number,
): string {
  const lines: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `CLIENTS://127.0.0.1:${port}`,
    'listener.security.protocol.map': `CLIENTS:${secure === undefined ? 'PLAINTEXT' : 'SASL_SSL'},CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'CLIENTS',
    'log.dirs': join(folder, 'data'),
    'num.partitions': partitions,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 100,
    // After a kill it is let in again once its last session has ended.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
    // Killed members are soon missed: tests wait for that.
    'group.min.session.timeout.ms': 1000,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    'log.cleaner.dedupe.buffer.size': 4 << 20,
    'log.segment.bytes': 128 << 20,
  };
  if (secure !== undefined) {
    const { user, password } = secure;
    const login = (module: string) =>
      `org.apache.kafka.common.security.${module} required username="${user}" password="${password}"`;
    Object.assign(lines, {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': onOneLine(secure.certificate),
      'ssl.keystore.key': onOneLine(secure.key),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': onOneLine(secure.certificate),
      'ssl.endpoint.identification.algorithm': '',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.clients.plain.sasl.jaas.config': `${login('plain.PlainLoginModule')} user_${user}="${password}";`,
      'listener.name.clients.scram-sha-256.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    });
  }
  return `${Object.entries(lines)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

function onOneLine(file: string): string {
  return readFileSync(file, 'utf8').trim().replaceAll('\n', ' \\\n');
}

/** Writes the metadata of a new cluster into its folder. */
function format({ secure }: KafkaOptions, config: string): void {
  const words = ['format', '-t', CLUSTER, '-c', config];
  if (secure !== undefined) {
    words.push('--add-scram', `SCRAM-SHA-256=[name=${secure.user},password=${secure.password}]`);
  }
  const { status, stderr } = spawnSync(
    'java',
    [...MEMORY, '-cp', join(JARS, '*'), 'kafka.tools.StorageTool', ...words],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  if (status !== 0) throw new Error(`The folder of Kafka could not be made: ${stderr}`);
}

/** Little memory, and a start that costs little of two cores. */
const MEMORY = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

async function run(folder: string, config: string, port: number): Promise<ChildProcess> {
  const path = join(folder, 'kafka.log');
  const log = openSync(path, 'a');
  const logging = join(folder, 'log4j2.properties');
  writeFileSync(
    logging,
    'appender.out.type=Console\nappender.out.name=out\nappender.out.layout.type=PatternLayout\n' +
      'appender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n\nrootLogger.level=warn\nrootLogger.appenderRef.out.ref=out\n',
  );
  const words = [...MEMORY.filter((one) => !one.includes('Tiered')), `-Dlog4j2.configurationFile=${logging}`];
  const broker = spawn('java', [...words, '-cp', join(JARS, '*'), 'kafka.Kafka', config], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const late = Date.now() + START_MS;
  while (!(await answers(port))) {
    if (broker.exitCode !== null || Date.now() > late) {
      broker.kill('SIGKILL');
      throw new Error(`Kafka did not start:\n${readFileSync(path, 'utf8').slice(-2000)}`);
    }
    await sleep(100);
  }
  return broker;
}

async function ended(broker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (broker.exitCode !== null || broker.signalCode !== null) return;
  broker.kill(signal);
  await once(broker, 'exit');
}

/** Whether someone takes connections there. */
async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
