import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../core/errors.ts';
import type { Config, LoadedConfig } from './config.ts';
import type { RunPlan } from './plan.ts';

/** The sink that group `kafka` of the configuration stands for. */
const SINK = 'kafka';

/**
 * The configuration of a sensor: everything goes to the sinks, those of the configuration and Kafka, and nothing is kept or
 * judged here. Throws UserError where transactions would go nowhere, or none may be told.
 */
export function shipConfig(loaded: LoadedConfig): LoadedConfig {
  const { config } = loaded;
  const { kafka, sinks, privacy } = config;
  if (privacy.level === 5) {
    throw new UserError(
      'At privacy level 5 no transaction leaves this machine: nothing can be shipped. Choose a lower one.',
    );
  }
  const { brokers } = kafka;
  if (brokers.length === 0 && Object.keys(sinks).length === 0) {
    throw new UserError(
      'It is not said where transactions go. Name brokers, as in --kafka-brokers kafka-1.example.net:9092.',
    );
  }
  const to: Config['sinks'] = brokers.length === 0 ? sinks : { ...sinks, [SINK]: { type: 'kafka', ...kafka } };
  return { ...loaded, config: { ...config, sinks: to, detect: { ...config.detect, enabled: false } } };
}

/** Octets of each end of a file that tell it from others. */
const END_BYTES = 64 * 1024;

/**
 * A number that is the same whenever the same files are read in the same way, and another one for others; undefined for
 * what cannot be read again. Receivers know by it what they have already.
 */
export function epochOf(plan: RunPlan, { privacy, kafka }: Config, version: string): number | undefined {
  const { input, threads: _, ...how } = plan;
  if (input.kind !== 'files') return undefined;
  const hash = createHash('sha256').update(JSON.stringify([version, how, privacy, kafka.partitions, kafka.filter]));
  for (const path of input.paths) {
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    const fd = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(END_BYTES);
      hash.update(`${stat.size}\n`);
      for (const at of [0, Math.max(0, stat.size - END_BYTES)]) {
        hash.update(bytes.subarray(0, readSync(fd, bytes, 0, END_BYTES, at)));
      }
    } finally {
      closeSync(fd);
    }
  }
  return hash.digest().readUIntBE(0, 6);
}
