import { availableParallelism } from 'node:os';
import pg from 'pg';
import type { PostgresOptions, PostgresServerStatus } from './options.ts';
import { PostgresSession } from './session.ts';

const CONNECT_MS = 5000;
/** A question that takes longer is ended by the server. */
const STATEMENT_MS = 120_000;
/** Leaks that are remembered with their stack. */
const MOST_LEAKS = 10;

/** A connection that was borrowed for too long. */
export interface Leak {
  time: number;
  heldMs: number;
  stack: string;
}

interface Loan {
  session: PostgresSession;
  since: number;
  stack: string;
  timer: NodeJS.Timeout | undefined;
}

/** Where one server is, for `pg`. */
export function connectionOf(url: string, { password, schema = 'nametap' }: PostgresOptions): pg.PoolConfig {
  const whole = new URL(url);
  if (password !== undefined && whole.password === '') whole.password = encodeURIComponent(password);
  return {
    connectionString: whole.href,
    application_name: 'nametap',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    // Plans of these statements are short; compiling them takes longer than running them.
    options: `-c search_path=${schema},public -c jit=off -c timezone=UTC`,
  };
}

/** Connections to one server: bounded, renewed, and watched over while they are borrowed. */
export class Pool {
  readonly name: string;
  readonly most: number;
  asked = 0;
  leaked = 0;
  readonly leaks: Leak[] = [];
  readonly #pool: pg.Pool;
  readonly #leakMs: number;
  readonly #loans = new Set<Loan>();
  readonly #onLeak: (leak: Leak) => void;

  constructor(url: string, options: PostgresOptions, onLeak: (leak: Leak) => void = () => {}) {
    const { hostname, port } = new URL(url);
    this.name = `${hostname}:${port === '' ? '5432' : port}`;
    this.most = options.connections ?? 4 * availableParallelism();
    this.#leakMs = options.leakMs ?? 60_000;
    this.#onLeak = onLeak;
    this.#pool = new pg.Pool({
      ...connectionOf(url, options),
      max: this.most,
      idleTimeoutMillis: options.idleMs ?? 5 * 60_000,
      maxLifetimeSeconds: Math.ceil((options.lifetimeMs ?? 3_600_000) / 1000),
      allowExitOnIdle: true,
      statement_timeout: STATEMENT_MS,
    });
    // A server that goes away ends connections nobody uses: whoever asks next is told.
    this.#pool.on('error', () => {});
    // Who uses it is told by the statement that fails.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** Borrows a connection; `giveBack` it, with the error that makes it of no use any more. `isLong`: for as long as it takes. */
  async borrow(isLong = false): Promise<PostgresSession> {
    const { stack = '' } = new Error('borrowed');
    const client = await this.#pool.connect();
    const session = new PostgresSession(client);
    const loan: Loan = {
      session,
      since: performance.now(),
      stack: stack.split('\n').slice(2).join('\n'),
      timer: isLong ? undefined : setTimeout(() => this.#leak(loan), this.#leakMs).unref(),
    };
    this.#loans.add(loan);
    this.asked++;
    return session;
  }

  #leak(loan: Loan): void {
    const leak: Leak = { time: Date.now(), heldMs: performance.now() - loan.since, stack: loan.stack };
    this.leaked++;
    this.leaks.push(leak);
    if (this.leaks.length > MOST_LEAKS) this.leaks.shift();
    this.#onLeak(leak);
  }

  giveBack(session: PostgresSession, error?: unknown): void {
    const loan = [...this.#loans].find((one) => one.session === session);
    if (loan === undefined) return;
    clearTimeout(loan.timer);
    this.#loans.delete(loan);
    session.client.release(error === undefined ? undefined : true);
  }

  /** Runs with a connection. An abort cancels its statement. */
  async use<T>(run: (session: PostgresSession) => Promise<T>, signal?: AbortSignal, isLong = false): Promise<T> {
    signal?.throwIfAborted();
    const session = await this.borrow(isLong);
    const stop = () => void this.#cancel(session);
    signal?.addEventListener('abort', stop);
    try {
      const result = await run(session);
      this.giveBack(session);
      return result;
    } catch (error) {
      // What the server said leaves the connection as it was; anything else does not.
      this.giveBack(session, isOfServer(error) ? undefined : error);
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #cancel({ client }: PostgresSession): Promise<void> {
    const { processID } = client as unknown as { processID: number | null };
    if (processID === null) return;
    await this.#pool.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {});
  }

  get connections(): PostgresServerStatus['connections'] {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount, most: this.most };
  }

  async end(): Promise<void> {
    for (const { timer } of this.#loans) clearTimeout(timer);
    await this.#pool.end();
  }
}

/** SQLSTATE of an error of the server; undefined of others. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** That the server answered, and the connection is good for more. */
function isOfServer(error: unknown): boolean {
  const state = stateOf(error);
  return state !== undefined && !isLost(error);
}

/** That the server is not there (any more), or not as it has to be: starting, ending, no room for a connection, read only. */
export function isLost(error: unknown): boolean {
  const state = stateOf(error);
  if (state === undefined) {
    return /ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN|terminated|timeout|closed|not queryable/i.test(
      error instanceof AggregateError ? error.errors.map(String).join(' ') : String(error),
    );
  }
  return state.startsWith('08') || state.startsWith('57P') || state.startsWith('53') || state === '25006';
}

/** That the same transaction may do when it is tried again. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || /^(?:40|55P03|55006|57014)/.test(stateOf(error) ?? '');
}
