import type { EmbeddedStore } from './embedded.ts';
import { databaseReason, isInvalidated } from './failures.ts';
import type { Ingest } from './ingest.ts';
import { Line } from './line.ts';
import { bringRollups, learn, takeLearnt } from './upkeep.ts';

/** What was learnt and could not be written yet, at most so many times. */
const MOST_UNWRITTEN = 4;

/** When passive DNS is up to date, and when all is that is made of rows; `learnt` never fails. */
export interface Learning {
  learnt: Promise<void>;
  written: Promise<void>;
}

/**
 * Writes what rows taught, beside the rows that come, then brings rollups up to them, as upkeep. What was taught takes
 * memory until it is written, so one lesson has to be over before the next begins; of rollups only one waits, which takes
 * what came meanwhile too.
 */
export class Learner {
  /** When the last lesson began, by `performance.now()`. */
  since = performance.now();
  /** Why what is made of rows is not up to date. */
  behind: string | null = null;
  readonly #store: EmbeddedStore;
  readonly #lessons = new Line();
  #unwritten: ReturnType<typeof takeLearnt>[] = [];
  #rolling: Promise<void> | undefined;

  constructor(store: EmbeddedStore) {
    this.#store = store;
  }

  /** To be called in the store's line; rows go on coming while it is written. `isEnd`: no rows come behind these for a while. */
  async learn(ingest: Ingest, isEnd = false): Promise<Learning> {
    const store = this.#store;
    if (store.isDead) return { learnt: Promise.resolve(), written: Promise.resolve() };
    await this.#lessons.done();
    this.since = performance.now();
    await ingest.settle();
    const lesson = [...this.#unwritten.slice(-MOST_UNWRITTEN), takeLearnt(ingest.learnt)];
    this.#unwritten = [];
    const { stretches } = ingest;
    const { end } = store.parts;
    const learnt = this.#tried(() =>
      this.#lessons.run(() =>
        store.connected((connection) =>
          learn(connection, store.parts, store.progress, { learnt: lesson, stretches, isEnd }, end),
        ),
      ),
    );
    const written = learnt.then(
      () => this.#rollUp(),
      (error: unknown) => {
        // It is written with what comes.
        this.#unwritten = lesson;
        throw error;
      },
    );
    written.catch(() => {});
    return { learnt: learnt.catch(() => {}), written };
  }

  #rollUp(): Promise<void> {
    const store = this.#store;
    this.#rolling ??= this.#tried(() =>
      store.work(async (connection) => {
        this.#rolling = undefined;
        await bringRollups(connection, store.parts, store.progress);
        this.behind = null;
      }),
    );
    return this.#rolling;
  }

  async #tried(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#rolling = undefined;
      this.behind = `Rollups and passive DNS are behind the transactions: ${databaseReason(error)}.`;
      if (isInvalidated(error)) this.#store.failed(error);
      throw error;
    }
  }

  /** Resolves when the lesson at hand is over. */
  done(): Promise<void> {
    return this.#lessons.done();
  }
}
