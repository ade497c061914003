import type { Connection, Database } from './duckdb.ts';

/** Questions at once; further ones wait. They share the memory and the threads of the database. */
const MOST_QUESTIONS = 8;
const MOVED = /Table with name transactions_\d+ does not exist|No files found that match/;

/** Connections for questions: each is asked on one of its own, which is used again. */
export class Readers {
  readonly #database: Database;
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs with a connection; an abort stops its statement. */
  async use<T>(run: (connection: Connection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    while (this.#busy >= MOST_QUESTIONS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    signal?.throwIfAborted();
    this.#busy++;
    const connection = this.#free.pop() ?? (await this.#connect());
    const stop = () => connection.interrupt();
    signal?.addEventListener('abort', stop);
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
      this.#free.push(connection);
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  /** Nobody asks anything at the moment. */
  get idle(): boolean {
    return this.#free.length === this.#all.size;
  }

  async #connect(): Promise<Connection> {
    const connection = await this.#database.connect();
    this.#all.add(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}
