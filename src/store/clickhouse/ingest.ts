import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DNS } from '../../core/carrier.ts';
import type { TransactionBatch } from '../../core/transactions.ts';
import { PassiveCollector } from '../passive-delta.ts';
import { RowEncoder } from '../row-encoder.ts';
import { writeSightings } from '../sighting-rows.ts';
import type { Origin } from '../store.ts';
import { type Connection, isPassing } from './connection.ts';
import { NativeWriter } from './native-writer.ts';
import { TransactionWriter } from './rows.ts';
import { INSERTED, SIGHTED, SIGHTED_TABLE } from './schema.ts';

/** Rows of an insert at most: parts are merged less the larger they are. */
const MOST_ROWS = 65_536;
/** Pauses between tries, ms. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
/** How long closing tries to write what is left, ms. */
const CLOSING_MS = 5000;
const utf8 = new TextEncoder();

/** Rows on their way to one insert. */
interface Unit {
  readonly rows: TransactionWriter;
  /** Its identity: the server takes it once. */
  token: string;
  /** It is made of what the caller named: a pause of the traffic does not end it. */
  isNamed: boolean;
  /** When its first row came, by `performance.now()`. */
  since: number;
}

/** What becomes of rows. */
export interface Settled {
  rows: number;
  /** Why they were given up; absent: they are kept. */
  error?: unknown;
}

/**
 * Rows into inserts of many thousands, one on its way while the next is filled. An insert has an identity, so that one
 * whose answer was lost is sent again without doubling anything: rows, what views make of them, passive DNS. Calls of
 * `take` and `cut` must not overlap (the store has one line of work).
 */
export class Ingest {
  /** Seconds from the first row of the last insert to its being kept. */
  lag: number | null = null;
  /** Why rows wait; null: they do not. */
  waiting: unknown = null;
  readonly #connection: Connection;
  readonly #settled: (what: Settled) => void;
  readonly #encoder = new RowEncoder();
  readonly #passive = new PassiveCollector();
  #open: Unit;
  #spare: TransactionWriter;
  #sending: Promise<void> = Promise.resolve();
  readonly #session = randomUUID();
  #own = 0;
  /** What the caller named last, and how many inserts it has been so far. */
  #name = '';
  #number = 0;
  #order = new Uint32Array(0);
  /** Set once the store closes: tries end then. */
  #closesAt = Number.POSITIVE_INFINITY;
  /** Ends pauses early. */
  readonly #hurry = new AbortController();

  constructor(connection: Connection, settled: (what: Settled) => void) {
    this.#connection = connection;
    this.#settled = settled;
    this.#open = { rows: new TransactionWriter(MOST_ROWS), token: '', isNamed: false, since: 0 };
    this.#spare = new TransactionWriter(MOST_ROWS);
  }

  /** Takes all rows of a batch. */
  async take(batch: TransactionBatch, origin: Origin): Promise<void> {
    const { token = '' } = origin;
    if (token !== this.#name) {
      await this.cut();
      this.#name = token;
      this.#number = 0;
    }
    const encoded = (texts: readonly (string | undefined)[] = []) => texts.map((text) => utf8.encode(text ?? ''));
    const { sensor = '' } = origin;
    const from = {
      sensor: utf8.encode(sensor),
      interfaces: encoded(origin.interfaces),
      marks: encoded(origin.marks),
    };
    const { count } = batch;
    while (this.#order.length < count) this.#order = Uint32Array.from({ length: count * 2 }, (_, i) => i);
    const encoder = this.#encoder;
    for (let i = 0; i < count; i++) {
      const { rows } = this.#open;
      if (rows.count === 0) this.#begin();
      if (i === 0 || rows.count === 0) {
        encoder.copy(batch, this.#order, i, Math.min(count - i, MOST_ROWS - rows.count), rows);
      }
      encoder.read(batch, i);
      encoder.write(batch, i, rows, from);
      if (encoder.hasResponse && batch.col.protocol[i] === DNS) {
        const ms = batch.col.openSeconds[i] * 1000 + Math.floor(batch.col.openNanos[i] / 1e6);
        this.#passive.add(encoder.response, ms, sensor);
      }
      // Only what the rows say decides where an insert ends: named ones are the same whenever they come.
      if (rows.full || this.#passive.full) await this.cut();
    }
  }

  #begin(): void {
    const unit = this.#open;
    unit.isNamed = this.#name !== '';
    unit.token = unit.isNamed ? `${this.#name}/${this.#number++}` : `${this.#session}/${this.#own++}`;
    unit.since = performance.now();
  }

  /** Begins to send what has come; resolves when what came before has been. */
  async cut(): Promise<void> {
    if (this.#open.rows.count === 0) return;
    await this.#sending;
    const unit = this.#open;
    const sightings = this.#passive.take();
    this.#open = { rows: this.#spare, token: '', isNamed: false, since: 0 };
    this.#spare = unit.rows;
    const passive = new NativeWriter(SIGHTED, Math.max(1, sightings.keys.size));
    writeSightings(sightings, passive, () => {});
    this.#sending = this.#send(unit, passive);
  }

  /** The same, where a pause of the traffic may end an insert. */
  tick(): Promise<void> {
    return this.#open.isNamed ? Promise.resolve() : this.cut();
  }

  /** Everything taken is kept, or was given up. What is named like the last comes again then. */
  async settle(): Promise<void> {
    await this.cut();
    this.#name = '';
    await this.#sending;
  }

  /** From now on what cannot be written is tried for a little while only: the store closes. */
  hurry(): void {
    this.#closesAt = performance.now() + CLOSING_MS;
    this.#hurry.abort();
  }

  async #send({ rows, token, since }: Unit, passive: NativeWriter): Promise<void> {
    const { count } = rows;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      try {
        if (passive.count > 0) {
          await this.#connection.insert(SIGHTED_TABLE, SIGHTED, passive.block(), `${token}/passive`);
        }
        await this.#connection.insert('transactions', INSERTED, rows.block(), token);
        this.waiting = null;
        this.lag = (performance.now() - since) / 1000;
        this.#settled({ rows: count });
        break;
      } catch (error) {
        this.waiting = error;
        if (!isPassing(error) || performance.now() > this.#closesAt) {
          this.#settled({ rows: count, error });
          break;
        }
        const isClosing = Number.isFinite(this.#closesAt);
        await setTimeout(pause * (0.5 + Math.random() / 2), undefined, {
          ...(!isClosing && { signal: this.#hurry.signal }),
        }).catch(() => {});
      }
    }
    rows.clear();
  }
}
