import type { Session, Stretch } from '../session.ts';
import { ns } from '../rollups.ts';
import { STORED_ORDER } from './columns.ts';
import type { PostgresSession } from './session.ts';

const DAY_MS = 86_400_000;
/** Where rows of a day are that has no partition of its own. */
export const OTHER = 'transactions_other';
/** Partitions at once: some six years. Planning and locking grow with their number. */
const MOST_PARTITIONS = 2200;
/** Partitions are made for so many days to come. */
const AHEAD = 3;
/** One maker of partitions at a time (any number of ours). */
const LOCK = 0x6e_74_01;
/** What is known of days is asked for again after so long. */
const FRESH_MS = 500;

/** A day (since 1970, UTC) and its rows. */
export interface Day extends Stretch {
  readonly day: number;
  readonly partition: string;
  /** When the last rows came, ms. */
  readonly added: number;
}

/** Day of a time in ms. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Name of a day's partition: `transactions_20261125`. */
export function partitionOf(day: number): string {
  return `transactions_${new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** A table for each day, made ahead; and what each holds. */
export class Days {
  list: readonly Day[] = [];
  /** Rows before this time (ms) have been given up; −Infinity while all are here. */
  heldFrom = Number.NEGATIVE_INFINITY;
  readonly #partitions = new Set<string>();
  #loadedAt = Number.NEGATIVE_INFINITY;

  /** Reads what there is, unless that has just been done. */
  async load(session: Session, always = false): Promise<void> {
    if (!always && performance.now() - this.#loadedAt < FRESH_MS) return;
    this.list = await session.all<Day>(
      'SELECT day, partition, rows, first, last, added FROM days WHERE rows > 0 ORDER BY day',
    );
    const held = await session.one<{ value: string }>(`SELECT value FROM meta WHERE key = 'held_from'`);
    this.heldFrom = held === undefined ? Number.NEGATIVE_INFINITY : Number(held.value);
    this.#loadedAt = performance.now();
  }

  /** What is known may be out of date. */
  forget(): void {
    this.#loadedAt = Number.NEGATIVE_INFINITY;
  }

  /** Days that may hold rows of [from, to) ms. */
  between(from: number, to: number): Day[] {
    return this.list.filter(({ first, last }) => last >= from - 1 && first < to);
  }

  /** About how many rows a range of ms has. */
  rowsBetween(from: number, to: number): number {
    let rows = 0;
    for (const { first, last, rows: all } of this.list) {
      const share = (Math.min(to, last + 1) - Math.max(from, first)) / (last + 1 - first);
      rows += all * Math.max(0, Math.min(1, share));
    }
    return rows;
  }

  /** SQL of rows: those of a day where one is told, else all (a condition on time picks the partitions). */
  source(stretches: readonly Stretch[]): string {
    const [one] = stretches;
    const range =
      one === undefined || stretches.length > 1 ? '' : ` WHERE time >= ${ns(one.first)} AND time < ${ns(one.last + 1)}`;
    return `SELECT ${STORED_ORDER} FROM transactions${range}`;
  }

  /** The partition that rows of a day go to, made when it is not there. */
  async partitionFor(session: PostgresSession, day: number): Promise<string> {
    const name = this.#nameOf(day);
    if (name === OTHER || this.#partitions.has(name)) return name;
    await this.#read(session);
    if (this.#partitions.has(name)) return name;
    if (this.#partitions.size >= MOST_PARTITIONS) return OTHER;
    await makePartition(session, name, day);
    this.#partitions.add(name);
    return name;
  }

  /** Years of four digits that 64 bits of nanoseconds know. */
  #nameOf(day: number): string {
    return day >= 0 && day < 84_000 ? partitionOf(day) : OTHER;
  }

  async #read(session: PostgresSession): Promise<void> {
    const rows = await session.all<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'transactions'::regclass`,
    );
    this.#partitions.clear();
    for (const { name } of rows) this.#partitions.add(name.replace(/^.*\./, ''));
  }

  /** Partitions of today and the days to come: at midnight nobody waits. */
  async makeAhead(session: PostgresSession, now: number): Promise<void> {
    await this.#read(session);
    for (let day = dayOf(now); day <= dayOf(now) + AHEAD; day++) await this.partitionFor(session, day);
  }

  /** A partition was dropped. */
  dropped(name: string): void {
    this.#partitions.delete(name);
    this.forget();
  }
}

/** Made beside and attached: who reads or writes other days does not wait. Rows of the day that lie among the others move. */
async function makePartition(session: PostgresSession, name: string, day: number): Promise<void> {
  const [from, to] = [ns(day * DAY_MS), ns((day + 1) * DAY_MS)];
  await session.run('BEGIN');
  try {
    await session.run('SELECT pg_advisory_xact_lock($1::bigint)'.replace('$1', String(LOCK)));
    const known = await session.one(`SELECT 1 FROM pg_class WHERE oid = to_regclass('${name}')`);
    if (known === undefined) {
      await session.run(`CREATE TABLE ${name} (LIKE transactions INCLUDING ALL)`);
      await session.run(
        `WITH moved AS (DELETE FROM ${OTHER} WHERE time >= ${from} AND time < ${to} RETURNING *) INSERT INTO ${name} SELECT * FROM moved`,
      );
      await session.run(`ALTER TABLE transactions ATTACH PARTITION ${name} FOR VALUES FROM (${from}) TO (${to})`);
      await session.run(`UPDATE days SET partition = '${name}' WHERE day = ${day}`);
    }
    await session.run('COMMIT');
  } catch (error) {
    await session.run('ROLLBACK');
    throw error;
  }
}
