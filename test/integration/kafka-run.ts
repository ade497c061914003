import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import type { StatisticsQuery } from '../../src/store/store.ts';

const NAMETAP = fileURLToPath(new URL('../../bin/nametap', import.meta.url));

/** A command of nametap in a process of its own; `said` is what it wrote until now. */
export interface Running {
  child: ChildProcess;
  said(): string;
  /** Ends it with a signal; its exit code, null for a kill. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Waits for its own end. */
  ended(): Promise<number | null>;
}

const all: Running[] = [];

/** Ends what a test left running. */
export async function endAll(): Promise<void> {
  await Promise.all(all.map((one) => one.end('SIGKILL')));
}

export function nametap(...words: string[]): Running {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', NAMETAP, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const running: Running = {
    child,
    said: () => text,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
    ended: () => exited,
  };
  all.push(running);
  return running;
}

export interface Ends {
  broker: string;
  topic: string;
  data: string;
}

/** A sensor that sends capture files and ends. */
export function ship({ broker, topic, data }: Ends, files: readonly string[], ...more: string[]): Running {
  const to = ['--kafka-brokers', broker, '--kafka-topic', topic, '--kafka-partitions', '4'];
  return nametap('ship', ...files, ...to, '--data', data, '--listen', '127.0.0.1:0', '--user', 'root', ...more);
}

/** A worker; it notes often how far it is. */
export function work({ broker, topic, data }: Ends, ...more: string[]): Running {
  const from = ['--kafka-brokers', broker, '--kafka-topic', topic, '--kafka-partitions', '4'];
  const often = ['--kafka-checkpoint', '500ms', '--kafka-session', '2s', '--store-flush', '200ms'];
  return nametap('work', ...from, ...often, '--data', data, '--listen', '127.0.0.1:0', ...more);
}

/** A metric of a worker, summed over its labels; NaN while it does not answer. */
export async function metric(worker: Running, name: string): Promise<number> {
  const [, url] = /page: (http:\/\/[^/]+)/.exec(worker.said()) ?? [];
  if (url === undefined) return Number.NaN;
  try {
    const text = await (await fetch(`${url}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    return values.length === 0 ? Number.NaN : values.reduce((sum, [, value]) => sum + Number(value), 0);
  } catch {
    return Number.NaN;
  }
}

/** Waits until something holds; throws with what the processes said when it does not in time. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  ms: number,
  ...of: Running[]
): Promise<void> {
  for (const late = Date.now() + ms; !(await holds()); await sleep(100)) {
    if (Date.now() > late) throw new Error(`${what}: not within ${ms} ms\n${of.map((one) => one.said()).join('\n')}`);
  }
}

/** Nothing waits on any partition of a worker. */
export async function isThrough(worker: Running): Promise<boolean> {
  return (await metric(worker, 'nametap_bus_lag_records')) === 0;
}

/** A number of the store that a worker left. */
export async function counted(data: string, filter?: string): Promise<{ transactions: number; names: number }> {
  const store = await openStore({ path: `${data}/store`, readOnly: true });
  try {
    const query: StatisticsQuery = {
      from: 0,
      to: 4e12,
      measures: ['transactions', 'names'],
      ...(filter && { filter }),
    };
    const { rows } = await store.statistics(query);
    return { transactions: rows[0]?.transactions ?? 0, names: rows[0]?.names ?? 0 };
  } finally {
    await store.close();
  }
}
