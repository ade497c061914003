import { existsSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { TransactionBatch } from '../core/transactions.ts';
import { type Connection, Database } from './duckdb.ts';
import { databaseReason, isDiskFull, isInvalidated, unlessGivenUp } from './failures.ts';
import { Ingest } from './ingest.ts';
import type { Journal } from './journal.ts';
import { Learner } from './learner.ts';
import { mergeDistinct } from './learning.ts';
import { Line } from './line.ts';
import type { Part, Parts } from './parts.ts';
import { Readers } from './readers.ts';
import { recall } from './recall.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { DATABASE_FILE, openDatabase, STORAGE_VERSION } from './setup.ts';
import { fileBytes, folderBytes, partSizes, tableSizes } from './sizes.ts';
import { transaction } from './sql-transaction.ts';
import type { Origin, Retention, StoreOptions, StoreStatus } from './store.ts';
import { ageParts, loadProgress, mergePassive, mergeRollups, type Progress, retain } from './upkeep.ts';

const FLUSH_MS = 1000;
/** Rows of a part, and how long one takes rows at most: what is moved and dropped at once. */
const PART_ROWS = 2_000_000;
const partMs = ({ countsOnly }: Retention = {}) => (countsOnly === true ? 10 * 60_000 : 24 * 3_600_000);
/** What is learnt of rows is written after so long, or so many rows. */
const LEARN_MS = 15_000;
const LEARN_ROWS = 500_000;
/** So many are learnt at once when somebody asks; more are about to be anyway. */
const SOON_LEARNT = 20_000;
/** The log of the database is worked into its file at this size: what a start after a crash has to read. */
const LOG_BYTES = 64 << 20;
const UPKEEP_MS = 60_000;
const MERGE_MS = 3_600_000;
/** Free space that is left alone: a database without any room can only be given up. */
const LEAST_FREE = 64 << 20;
const REOPEN_MS = 5000;
/** Free blocks (256 KiB) that are worth writing the file anew. */
const LEAST_FREE_BLOCKS = 32;

/**
 * The embedded store, in its thread: rows in, questions answered, and in between what was learnt is written, parts are
 * closed and moved, old things go. Work on rows is one line (`#line`), upkeep another (`#upkeep`); questions run beside.
 */
export class EmbeddedStore {
  readonly options: StoreOptions;
  database!: Database;
  readonly readers = new Readers();
  parts!: Parts;
  progress!: Progress;
  readonly dropped: Record<string, number> = {};
  appended = 0;
  degraded: string | null = null;
  remark: string | null = null;
  #ingest!: Ingest;
  #main!: Connection;
  readonly #journal: Journal | null;
  readonly #line = new Line();
  readonly #upkeep = new Line();
  readonly #writing = new Line();
  readonly #timers: NodeJS.Timeout[] = [];
  #takenAt = Number.NEGATIVE_INFINITY;
  #mergedAt = performance.now();
  #partBegan = Date.now();
  readonly #learner = new Learner(this);
  /** Why the last upkeep failed; it is tried again. */
  #unkept: string | null = null;
  /** The database was given up (no room to write) and is to be opened anew: it answers nothing. */
  isDead = false;
  #isClosed = false;

  private constructor(options: StoreOptions, journal: Journal | null) {
    this.options = options;
    this.#journal = journal;
  }

  /** Opens or makes the store. Throws UserError. */
  static async open(options: StoreOptions, journal: Journal | null): Promise<EmbeddedStore> {
    const store = new EmbeddedStore(options, journal);
    await store.#open();
    if (options.readOnly !== true) {
      const { flushMs = FLUSH_MS } = options;
      store.#timers.push(setInterval(() => store.#tick(), flushMs));
      store.#timers.push(setInterval(() => void store.#keepUpRegularly(), UPKEEP_MS));
    }
    return store;
  }

  async #open(): Promise<void> {
    const { database, connection, parts } = await openDatabase(this.options);
    this.database = database;
    this.#main = connection;
    this.parts = parts;
    this.progress = await loadProgress(connection);
    this.#ingest = new Ingest(parts, (rows, error) => this.#settled(rows, error));
    if (this.options.readOnly !== true) {
      await this.#ingest.start(database);
      await recall(connection, parts, this.progress, this.#ingest);
    }
    this.readers.open(database);
  }

  /** Takes all rows of a batch; resolves when they are with the database. */
  append(batch: TransactionBatch, origin: Origin): Promise<void> {
    return this.#inLine(async () => {
      const { count } = batch;
      if (count === 0) return;
      if (this.isDead || !this.#hasRoom()) {
        this.#settled(count, new Error(this.degraded ?? 'the disk is full'));
        return;
      }
      this.#takenAt = performance.now();
      await this.#ingest.take(batch, origin);
      const { passive, distinct } = this.#ingest.learnt;
      if (passive.full || distinct.full) await this.#learner.learn(this.#ingest);
    });
  }

  #inLine<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new Error('the store is closed'));
    return this.#line.run(run);
  }

  /** Every flush interval: what has come is written. */
  #tick(): void {
    void this.#inLine(async () => {
      if (this.isDead) return;
      await this.#ingest.flush();
      const { open } = this.parts;
      const isOld = Date.now() - this.#partBegan > partMs(this.options.retention);
      if (open.rows >= PART_ROWS || (open.rows > 0 && isOld)) await this.#closePart();
      if (this.#logBytes() > LOG_BYTES) await this.#checkpoint();
      const rows = this.parts.since(this.progress.learnt);
      const age = performance.now() - this.#learner.since;
      if (rows > 0 && (rows >= LEARN_ROWS || age >= LEARN_MS)) await this.#learner.learn(this.#ingest);
    }).catch((error: unknown) => this.failed(error));
  }

  #settled(rows: number, error: unknown): void {
    this.#journal?.settle(rows);
    if (error === undefined) {
      this.appended += rows;
      if (!this.isDead) this.degraded = null;
      return;
    }
    this.dropped.store_disk = (this.dropped.store_disk ?? 0) + rows;
    this.failed(error);
  }

  failed(error: unknown): void {
    const reason = isDiskFull(error) ? 'the disk is full' : databaseReason(error);
    this.degraded = `The store does not take transactions: ${reason}. They are counted as dropped (store_disk).`;
    if (!isInvalidated(error) || this.isDead || this.#isClosed) return;
    this.isDead = true;
    const retry = () => void this.#inLine(() => this.#reopen());
    this.#timers.push(setInterval(retry, REOPEN_MS));
  }

  /** The database gave itself up (no room to write): once there is room it is opened anew. */
  async #reopen(): Promise<void> {
    if (!this.isDead || this.#isClosed || !this.#hasRoom()) return;
    try {
      await this.#learner.done();
      await this.#upkeep.run(async () => {
        await this.readers.close();
        this.#closeDatabase();
        await this.#open();
      });
      this.isDead = false;
      this.degraded = null;
    } catch (error) {
      await this.readers.end();
      this.degraded = `The store cannot be opened again: ${databaseReason(error)}. It is tried every few seconds.`;
    }
  }

  #hasRoom(): boolean {
    const { path } = this.options;
    if (path === null) return true;
    const { bavail, bsize, blocks } = statfsSync(path);
    const free = bavail * bsize;
    const least = Math.min(LEAST_FREE, blocks * bsize * 0.05);
    if (free >= least) return true;
    this.degraded = `The store does not take transactions: the disk of ${path} has only ${Math.floor(free / 2 ** 20)} MB left. Make room, or keep less (store.most).`;
    return false;
  }

  #logBytes(): number {
    const { path } = this.options;
    return path === null ? 0 : fileBytes(join(path, `${DATABASE_FILE}.wal`));
  }

  /** Works the log into the file. Not possible while upkeep writes: then the next time. */
  async #checkpoint(): Promise<void> {
    await this.#ingest.settle();
    await this.#main.run('CHECKPOINT').catch((error: unknown) => {
      if (!/other write transactions|Cannot CHECKPOINT/i.test(String(error))) throw error;
    });
  }

  /** Runs when nothing else of this kind does: writers of records. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    return this.#writing.run(run);
  }

  /** Upkeep: one work after the other, on a connection of its own. */
  work<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#upkeep.run(() => this.connected(run));
  }

  /** Runs with a connection of its own. */
  async connected<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.database.connect();
    try {
      return await run(connection);
    } finally {
      connection.close();
    }
  }

  /** Rows go on in a new part. In line. */
  async #closePart(): Promise<void> {
    await this.#ingest.settle();
    let next: Part | undefined;
    await transaction(this.#main, async () => {
      next = await this.parts.begin(this.#main);
    });
    if (next !== undefined) this.parts.began(next);
    this.#partBegan = Date.now();
  }

  async #keepUpRegularly(): Promise<void> {
    try {
      await this.#keepUp(false);
      this.#unkept = null;
    } catch (error) {
      this.#unkept = `Old data could not be moved, merged or dropped: ${databaseReason(error)}.`;
    }
  }

  /** Retention, moving old parts, merging; everything when `all`. */
  async #keepUp(all: boolean): Promise<void> {
    if (this.isDead || this.#isClosed) return;
    await this.work(async (connection) => {
      const gone = await retain(connection, this.parts, this.options.retention ?? {}, Date.now(), this.progress);
      if (gone > 0) this.dropped.retention = (this.dropped.retention ?? 0) + gone;
      const { ageHours = 24, path } = this.options;
      if (path !== null && ageHours > 0) await ageParts(connection, this.parts, this.progress, ageHours, Date.now());
      await mergePassive(connection, all);
      if (!all && performance.now() - this.#mergedAt < MERGE_MS) return;
      this.#mergedAt = performance.now();
      await mergeRollups(connection);
      await mergeDistinct(connection);
    });
  }

  /** Rows taken until now are on the disk; what they teach is there too. */
  async flush(): Promise<void> {
    await this.#inLine(() => this.#ingest.settle());
  }

  async compact(): Promise<void> {
    await this.#inLine(async () => {
      await this.#closePart();
      await (await this.#learner.learn(this.#ingest)).written;
    });
    await this.#keepUp(true);
    await this.#inLine(async () => {
      await this.#checkpoint();
      await this.#learner.done();
      await this.#upkeep.run(() => this.#shrink());
    });
  }

  /** A file that is mostly free space, after parts moved out of it, is written anew. In line and in upkeep, when nobody asks. */
  async #shrink(): Promise<void> {
    const { path } = this.options;
    if (path === null || !this.readers.idle) return;
    const size = await this.#main.one<{ free: number; all: number; name: string }>(
      'SELECT free_blocks AS free, total_blocks AS all, database_name AS name FROM pragma_database_size()',
    );
    if (size === undefined || size.free * 2 < size.all || size.free < LEAST_FREE_BLOCKS) return;
    const file = join(path, DATABASE_FILE);
    const fresh = `${file}.new`;
    rmSync(fresh, { force: true });
    await this.#main.run(`ATTACH '${fresh.replaceAll("'", "''")}' AS fresh (STORAGE_VERSION '${STORAGE_VERSION}')`);
    // The order of rows is what learning and rollups go by.
    await this.#main.run('SET preserve_insertion_order = true');
    await this.#main.execute(`COPY FROM DATABASE "${size.name}" TO fresh`);
    await this.#main.run('DETACH fresh');
    await this.readers.close();
    this.#closeDatabase();
    // A log that is still there belongs to the old file: then that one stays.
    if (!existsSync(`${file}.wal`) && !existsSync(`${fresh}.wal`)) renameSync(fresh, file);
    await this.#open();
  }

  /** What passive DNS shows is up to date; where very much comes in, to a few seconds ago. */
  async learnt(): Promise<void> {
    const rows = this.options.readOnly === true ? 0 : this.parts.since(this.progress.learnt);
    const now = performance.now();
    const isBusy = now - this.#takenAt < FLUSH_MS && now - this.#learner.since < LEARN_MS;
    if (rows === 0 || (rows > SOON_LEARNT && isBusy)) return;
    await this.#inLine(async () => (await this.#learner.learn(this.#ingest)).learnt);
  }

  /** Without what the caller's side of the thread knows (queue). */
  async status(): Promise<Omit<StoreStatus, 'queue'>> {
    const { list } = this.parts;
    const seen = list.filter((part) => part.rows > 0);
    // A database that was given up answers nothing, and its state is asked for all the more.
    const counted = await unlessGivenUp(this, () => this.readers.use(tableSizes), []);
    return {
      engine: `DuckDB ${Database.version}`,
      path: this.options.path,
      schema: SCHEMA_VERSION,
      bytes: folderBytes(this.options.path),
      tables: [...partSizes(this.parts), ...counted],
      oldest: seen.length === 0 ? null : Math.min(...seen.map(({ first }) => first)),
      newest: seen.length === 0 ? null : Math.max(...seen.map(({ last }) => last)),
      lag_s: this.#ingest.lag,
      appended: this.appended,
      dropped: { ...this.dropped },
      degraded: this.degraded ?? this.#learner.behind ?? this.#unkept,
      remark: this.remark,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    for (const timer of this.#timers) clearInterval(timer);
    // Nothing may run on a connection that is closed, nor in a thread that ends: all of it is waited for first.
    const closed = this.#inLine(async () => {
      try {
        if (this.options.readOnly !== true && !this.isDead) await this.#finish();
      } finally {
        await this.#learner.done();
        await this.#upkeep.done();
        await this.readers.end();
        this.#closeDatabase();
      }
    });
    this.#isClosed = true;
    await closed;
  }

  async #finish(): Promise<void> {
    await this.#ingest.settle();
    // What cannot be written now is learnt again by the next start.
    await (await this.#learner.learn(this.#ingest, true)).written.catch(() => {});
    await this.#upkeep.done();
    await this.#checkpoint();
  }

  /** When nothing runs on it, and nobody asks. */
  #closeDatabase(): void {
    this.#ingest.close();
    this.#main.close();
    this.database.close();
  }
}
