import { setTimeout } from 'node:timers/promises';
import type { Connection, Database } from './duckdb.ts';

/** Questions at once; further ones wait. They share the memory and the threads of the database. */
const MOST_QUESTIONS = 8;
/** A question that closing stopped may have begun another statement: it is told again after so long. */
const STOP_MS = 20;
const MOVED = /Table with name transactions_\d+ does not exist|No files found that match/;

/** Connections for questions: each is asked on one of its own, which is used again. */
export class Readers {
  /** null = closed for now: questions wait. */
  #database: Database | null = null;
  readonly #free: Connection[] = [];
  readonly #asking = new Set<Connection>();
  #busy = 0;
  #isEnded = false;
  #waiting: (() => void)[] = [];

  /** Questions are asked of this database from now on. */
  open(database: Database): void {
    this.#database = database;
    this.#isEnded = false;
    this.#wake();
  }

  /** Runs with a connection; an abort stops its statement. Throws once questions have ended. */
  async use<T>(run: (connection: Connection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    while (!this.#isEnded && (this.#database === null || this.#busy >= MOST_QUESTIONS)) {
      await this.#change(signal);
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
    if (this.#isEnded || this.#database === null) throw new Error('the store is closed');
    this.#busy++;
    try {
      return await this.#ask(this.#free.pop() ?? (await this.#database.connect()), run, signal);
    } finally {
      this.#busy--;
      this.#wake();
    }
  }

  async #ask<T>(connection: Connection, run: (connection: Connection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const stop = () => connection.interrupt();
    signal?.addEventListener('abort', stop);
    this.#asking.add(connection);
    try {
      return await run(connection).catch((error: unknown) => {
        // A part was moved or dropped between the look at the list and the question: the list is up to date now.
        if (!MOVED.test(String(error))) throw error;
        return run(connection);
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#asking.delete(connection);
      this.#free.push(connection);
    }
  }

  /** Something ended, or the one who waits gives up. */
  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done);
      this.#waiting.push(done);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Nobody asks anything at the moment. */
  get idle(): boolean {
    return this.#busy === 0;
  }

  /** Stops what is asked and closes the connections; questions wait for the next `open`. */
  async close(): Promise<void> {
    this.#database = null;
    // A connection that is closed while a statement runs on it takes the process down.
    while (this.#busy > 0) {
      for (const connection of this.#asking) connection.interrupt();
      await Promise.race([this.#change(), setTimeout(STOP_MS)]);
    }
    for (const connection of this.#free.splice(0)) connection.close();
  }

  /** As `close`; questions that wait, and new ones, fail until the next `open`. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#wake();
    await this.close();
  }
}
