import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { CapturedInterface } from '../core/frames.ts';
import type { TransactionBatch, Vantage } from '../core/transactions.ts';
import { registrable, registrableStart } from '../enrich/public-suffix.ts';
import { type RowPredicate, rowFilter } from '../filter/row.ts';
import type { ServerLog } from '../server/services.ts';
import type { SinkState } from '../server/schema/sensors.ts';
import type { FileOwner } from '../sinks/rotating-file.ts';
import type { Sink, SinkContext, SinkExporter } from '../sinks/sink.ts';
import { SINKS } from '../sinks/sinks.ts';
import type { Config } from './settings.ts';

export interface SinksOptions {
  sensor: string;
  version: string;
  /** Folder of what sinks keep: spools and dead letters. */
  folder: string;
  vantage: Vantage;
  /** Names of clients; undefined for those without. */
  clientName?: (family: number, words: readonly number[]) => string | undefined;
  /** Interfaces of the run; may grow. */
  interfaces: readonly CapturedInterface[];
  /** Names of the rules behind each mark; may grow. */
  marks?: readonly string[];
  /** The store, for sinks that write what it holds; null without. */
  exporter: SinkExporter | null;
  /** Whom files belong to, where root will become somebody else. */
  owner?: FileOwner | undefined;
  /** See SinkContext. */
  epoch?: number | undefined;
  log: ServerLog;
}

type SinkConfig = Config['sinks'][string];

interface Entry {
  settings: SinkConfig;
  sink: Sink;
}

/** What is still waiting has so long to get away when a sink is closed. */
const PATIENCE_MS = 5000;

/** The sinks of the configuration: each gets every row that passes its filter. */
export class Sinks {
  readonly #options: SinksOptions;
  readonly #entries = new Map<string, Entry>();
  /** Rows that came while a changed sink was closing, by its name: neither the old one nor the new one has them. */
  readonly #missed = new Map<string, number>();
  /** Sinks that are closing and will be opened again, with what the new one will let through. */
  readonly #changing = new Map<string, RowPredicate>();

  /** Opens all of them. Throws UserError for a file or folder that cannot be used. */
  constructor(settings: Config['sinks'], options: SinksOptions) {
    this.#options = options;
    for (const [name, one] of Object.entries(settings)) this.#open(name, one);
    this.#tellOrphans(settings);
  }

  /** Hands rows [from, to) to every sink, in place. */
  rows(batch: TransactionBatch, from: number, to: number): void {
    for (const { sink } of this.#entries.values()) sink.rows(batch, from, to);
    for (const [name, passes] of this.#changing) {
      let missed = this.#missed.get(name) ?? 0;
      for (let i = from; i < to; i++) if (passes(batch, i)) missed++;
      this.#missed.set(name, missed);
    }
  }

  /** What a source that can wait waits for; undefined while every sink has room. */
  ready(): Promise<unknown> | undefined {
    const waiting = [...this.#entries.values()].map(({ sink }) => sink.ready()).filter((one) => one !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting);
  }

  /** Resolves when every row that came until now is safe, or counted as lost: a source may give up its copy then. */
  async secured(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ sink }) => sink.secured()));
  }

  /** Resolves when receivers have (or refused, or lost) all that came until now, and nothing waits; on disk neither. */
  async handed(signal: AbortSignal): Promise<void> {
    await this.secured();
    while (!signal.aborted && this.states().some(({ queue }) => queue > 0)) await sleep(50);
  }

  states(): SinkState[] {
    return [...this.#entries].map(([name, { sink }]) => {
      const { dropped, spool, ...status } = sink.status();
      return {
        name,
        ...status,
        dropped: Object.values(dropped).reduce((sum, count) => sum + count, this.#missed.get(name) ?? 0),
        causes: { ...dropped, reload: this.#missed.get(name) ?? 0 },
        spool: spool === null ? null : { bytes: spool.bytes, most: spool.most, oldest: timeOf(spool.oldest) },
      };
    });
  }

  /** Opens, closes and replaces what a configuration that was read again changes; the others go on. */
  async apply(settings: Config['sinks']): Promise<void> {
    const changed = [...this.#entries].filter(([name, entry]) => !isDeepStrictEqual(entry.settings, settings[name]));
    for (const [name] of changed) {
      this.#entries.delete(name);
      if (name in settings) this.#changing.set(name, this.#passes(settings[name]));
      else this.#missed.delete(name);
    }
    // All at once: a receiver that is away holds up none of the others.
    await Promise.all(changed.map(([, { sink }]) => sink.close(PATIENCE_MS)));
    for (const [name] of changed) this.#changing.delete(name);
    for (const [name, one] of Object.entries(settings)) if (!this.#entries.has(name)) this.#open(name, one);
  }

  /** Goes on in new files (after logrotate). */
  reopen(): void {
    for (const { sink } of this.#entries.values()) sink.reopen();
  }

  /** Hands over what waits, and ends. */
  async close(): Promise<readonly SinkState[]> {
    await Promise.all([...this.#entries.values()].map(({ sink }) => sink.close(PATIENCE_MS)));
    const states = this.states();
    this.#entries.clear();
    return states;
  }

  /** What waits on disk for a sink that is no longer there, or of another kind, waits for ever: that is said. */
  #tellOrphans(settings: Config['sinks']): void {
    const { folder, log } = this.#options;
    if (!existsSync(folder)) return;
    const known = new Set(Object.entries(settings).map(([name, { type }]) => `${name}.${type}`));
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isDirectory() || known.has(name)) continue;
      if (!readdirSync(join(folder, name)).some((file) => file.endsWith('.spool'))) continue;
      log.warn({ sink: name }, `${join(folder, name)} holds transactions for a sink that is not configured`);
    }
  }

  #passes({ filter }: SinkConfig): RowPredicate {
    return filter === undefined
      ? () => true
      : rowFilter(filter, this.#options.interfaces, { marks: this.#options.marks });
  }

  #open(name: string, settings: SinkConfig): void {
    const { log, folder, ...shared } = this.#options;
    const context: SinkContext = {
      ...shared,
      name,
      // What waits for one kind of receiver is nothing for another.
      folder: join(folder, `${name}.${settings.type}`),
      registrable,
      registrableStart,
      passes: this.#passes(settings),
      notice: (level, message) => log[level]({ sink: name }, `Sink ${name}: ${message}`),
    };
    // A definition takes the settings that its own declaration gave.
    const definition: { open: (settings: never, context: SinkContext) => Sink } = SINKS[settings.type];
    this.#entries.set(name, { settings, sink: definition.open(settings as never, context) });
  }
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
