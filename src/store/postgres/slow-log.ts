import { Line } from '../line.ts';
import type { RowChunk } from '../rows.ts';
import type { Row, Session, SqlValue } from '../session.ts';
import type { PostgresStatus, SlowStatement } from './options.ts';
import type { Pool } from './pool.ts';
import type { PostgresSession } from './session.ts';

/** Statements that are remembered with their plan. */
const MOST = 50;
/** The plan is asked for again with the same values: it may take so long. */
const EXPLAIN_MS = 5000;
const LONGEST_SQL = 4000;

/** Remembers questions that took too long, with their plans. A plan is asked for once for a statement and a minute. */
export class SlowLog {
  readonly #least: number;
  readonly #last: SlowStatement[] = [];
  readonly #explained = new Map<string, number>();
  #count = 0;
  readonly #explaining = new Line();

  /** `least`: milliseconds from which a statement is slow; 0 = none is. */
  constructor(least: number) {
    this.#least = least;
  }

  /** The session, with an eye on the time its statements take. */
  watched(session: PostgresSession, pool: Pool): Session {
    if (this.#least <= 0) return session;
    const timed = async <T>(sql: string, params: readonly SqlValue[], run: () => Promise<T>): Promise<T> => {
      const began = performance.now();
      try {
        return await run();
      } finally {
        const ms = performance.now() - began;
        if (ms >= this.#least) this.#slow(pool, sql, params, ms);
      }
    };
    const chunks = async function* (
      this: SlowLog,
      sql: string,
      params: readonly SqlValue[] = [],
    ): AsyncGenerator<RowChunk & { row(i: number): Row }> {
      let ms = 0;
      let from = performance.now();
      for await (const chunk of session.chunks(sql, params)) {
        // Without what the reader takes.
        ms += performance.now() - from;
        yield chunk;
        from = performance.now();
      }
      if (ms >= this.#least) this.#slow(pool, sql, params, ms);
    }.bind(this);
    return {
      all: <T>(sql: string, params: readonly SqlValue[] = []) => timed(sql, params, () => session.all<T>(sql, params)),
      one: <T>(sql: string, params: readonly SqlValue[] = []) => timed(sql, params, () => session.one<T>(sql, params)),
      chunks,
    };
  }

  #slow(pool: Pool, sql: string, params: readonly SqlValue[], ms: number): void {
    this.#count++;
    const text = sql.slice(0, LONGEST_SQL);
    const entry: SlowStatement = { time: Date.now(), ms: Math.round(ms), server: pool.name, sql: text, plan: null };
    this.#last.push(entry);
    if (this.#last.length > MOST) this.#last.shift();
    const before = this.#explained.get(sql) ?? 0;
    if (Date.now() - before < 60_000) {
      entry.plan = this.#last.find((one) => one.sql === text && one.plan !== null)?.plan ?? null;
      return;
    }
    if (this.#explained.size >= MOST) this.#explained.clear();
    this.#explained.set(sql, Date.now());
    // One after the other, behind the answer: whoever asked has waited long enough.
    this.#explaining
      .run(() => pool.use((session) => explain(session, sql, params)))
      .then(
        (plan) => (entry.plan = plan),
        () => (entry.plan = null),
      );
  }

  status(): PostgresStatus['slow'] {
    return { count: this.#count, last: [...this.#last].reverse() };
  }

  async done(): Promise<void> {
    await this.#explaining.done();
  }
}

/** The plan as it was carried out, with buffers; as it would be where that takes too long. */
export async function explain(session: PostgresSession, sql: string, params: readonly SqlValue[]): Promise<string> {
  const ask = async (how: string) => {
    await session.run('BEGIN READ ONLY');
    try {
      await session.run(`SET LOCAL statement_timeout = ${EXPLAIN_MS}`);
      const rows = await session.all<{ 'QUERY PLAN': string }>(`EXPLAIN (${how}) ${sql}`, params);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await session.run('ROLLBACK');
    }
  };
  return ask('ANALYZE, BUFFERS').catch(() => ask('COSTS'));
}
