import { setTimeout } from 'node:timers/promises';
import type { Session } from '../session.ts';
import type { PostgresOptions, PostgresStatus } from './options.ts';
import { isLost, Pool, stateOf } from './pool.ts';
import type { PostgresSession } from './session.ts';
import { SlowLog } from './slow-log.ts';

const POLL_MS = 1000;
const LAG_MS = 10_000;
/** A replica may catch up for so long with what was just written; then the primary is asked. */
const PATIENCE_MS = 100;
const PACE_MS = 10;
/** A question was stopped because the replica had to go on with what the primary does. */
const CONFLICT = '40001';

interface Replica {
  readonly pool: Pool;
  state: 'up' | 'behind' | 'down';
  lagMs: number | null;
  /** How far it had come when it was last asked. */
  replayed: bigint;
}

/** A place in the log of the primary (`X/Y`) as a number: later is more. */
export function logPlace(text: string | null | undefined): bigint {
  const match = /^([0-9A-F]+)\/([0-9A-F]+)$/i.exec(text ?? '');
  return match === null ? 0n : (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/**
 * A primary that is written to, and any number of replicas that are asked. What was written through this cluster and
 * marked with `wrote` is seen by every later question: a replica that has not come so far is passed over.
 */
export class Cluster {
  readonly primary: Pool;
  readonly slow: SlowLog;
  /** What every question must see. */
  written = 0n;
  readonly #replicas: Replica[];
  readonly #lagMs: number;
  #turn = 0;
  #poller: NodeJS.Timeout | undefined;
  #isPrimaryUp = true;

  constructor(options: PostgresOptions, warn: (text: string) => void = () => {}) {
    const onLeak = ({ heldMs, stack }: { heldMs: number; stack: string }) =>
      warn(`A connection to PostgreSQL is borrowed for ${Math.round(heldMs / 1000)} s:\n${stack}`);
    this.primary = new Pool(options.url, options, onLeak);
    this.#replicas = (options.replicas ?? []).map((address) => ({
      pool: new Pool(urlOf(address, options.url), options, onLeak),
      state: 'down',
      lagMs: null,
      replayed: 0n,
    }));
    this.#lagMs = options.lagMs ?? LAG_MS;
    this.slow = new SlowLog(options.slowMs ?? 1000);
  }

  /** Looks at the replicas now, and every second. */
  async start(): Promise<void> {
    await this.poll();
    if (this.#replicas.length > 0) this.#poller = setInterval(() => void this.poll(), POLL_MS).unref();
  }

  /** Which replicas are there, and how far behind. */
  async poll(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => this.#look(replica)));
  }

  async #look(replica: Replica): Promise<void> {
    try {
      const seen = await replica.pool.use((session) =>
        session.one<{ place: string | null; lag: number | null; is_replica: boolean }>(
          // A replica that has replayed all it received is not behind, however old the last transaction is.
          `SELECT pg_last_wal_replay_lsn()::text AS place, pg_is_in_recovery() AS is_replica,
           CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0::float8
           ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 * 1000 END AS lag`,
        ),
      );
      replica.replayed = seen?.is_replica === false ? 1n << 64n : logPlace(seen?.place);
      replica.lagMs = seen?.is_replica === false ? 0 : (seen?.lag ?? null);
      replica.state = replica.lagMs !== null && replica.lagMs > this.#lagMs ? 'behind' : 'up';
    } catch {
      replica.state = 'down';
      replica.lagMs = null;
    }
  }

  /** Everything committed until now is seen by later questions. */
  async wrote(session: PostgresSession): Promise<void> {
    const row = await session.one<{ place: string }>('SELECT pg_current_wal_insert_lsn()::text AS place');
    const place = logPlace(row?.place);
    if (place > this.written) this.written = place;
  }

  /** Writes on the primary; later questions see it. `isLong`: upkeep may take its time. */
  async write<T>(run: (session: PostgresSession) => Promise<T>, isLong = false): Promise<T> {
    return this.primary.use(
      async (session) => {
        const result = await run(session);
        await this.wrote(session);
        return result;
      },
      undefined,
      isLong,
    );
  }

  /** Asks a replica that has come far enough, in turn; the primary where there is none. A server that fails is left for another. */
  async read<T>(run: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const tried = new Set<Replica>();
    for (;;) {
      const replica = await this.#choose(tried);
      const pool = replica?.pool ?? this.primary;
      try {
        const result = await pool.use((session) => run(this.slow.watched(session, pool)), signal);
        if (replica === undefined) this.#isPrimaryUp = true;
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        const isElsewhere = isLost(error) || stateOf(error) === CONFLICT;
        if (!isElsewhere) throw error;
        if (replica === undefined) {
          this.#isPrimaryUp = false;
          // Rather what replicas have than nothing.
          const last = this.#replicas.find((one) => one.state !== 'down' && !tried.has(one));
          if (last === undefined) throw error;
          tried.add(last);
          return last.pool.use((session) => run(this.slow.watched(session, last.pool)), signal);
        }
        if (isLost(error)) replica.state = 'down';
        tried.add(replica);
      }
    }
  }

  /** A replica to ask. */
  async #choose(tried: ReadonlySet<Replica>): Promise<Replica | undefined> {
    const { written } = this;
    const up = this.#replicas.filter((replica) => replica.state === 'up' && !tried.has(replica));
    if (up.length === 0) return undefined;
    const begin = this.#turn++ % up.length;
    const inTurn = [...up.slice(begin), ...up.slice(0, begin)];
    const ready = inTurn.find(({ replayed }) => replayed >= written);
    if (ready !== undefined) return ready;
    const until = performance.now() + PATIENCE_MS;
    for (const replica of inTurn) {
      while (performance.now() < until) {
        await this.#look(replica);
        if (replica.state !== 'up') break;
        if (replica.replayed >= written) return replica;
        await setTimeout(PACE_MS);
      }
    }
    return undefined;
  }

  status(): PostgresStatus {
    const pools = [this.primary, ...this.#replicas.map(({ pool }) => pool)];
    const leaks = pools.flatMap((pool) => pool.leaks).sort((a, b) => b.time - a.time);
    return {
      servers: [
        {
          name: this.primary.name,
          role: 'primary',
          state: this.#isPrimaryUp ? 'up' : 'down',
          lag_ms: null,
          connections: this.primary.connections,
          asked: this.primary.asked,
        },
        ...this.#replicas.map(({ pool, state, lagMs }) => ({
          name: pool.name,
          role: 'replica' as const,
          state,
          lag_ms: lagMs === null ? null : Math.round(lagMs),
          connections: pool.connections,
          asked: pool.asked,
        })),
      ],
      leaks: {
        count: pools.reduce((sum, { leaked }) => sum + leaked, 0),
        last: leaks.slice(0, 5).map(({ time, heldMs, stack }) => ({ time, held_ms: Math.round(heldMs), stack })),
      },
      slow: this.slow.status(),
    };
  }

  async end(): Promise<void> {
    clearInterval(this.#poller);
    await this.slow.done();
    await Promise.all([this.primary, ...this.#replicas.map(({ pool }) => pool)].map((pool) => pool.end()));
  }
}

/** URL of a replica: what it does not say is the primary's. */
function urlOf(address: string, primary: string): string {
  if (address.includes('://')) return address;
  const url = new URL(primary);
  const other = new URL(`postgres://${address}`);
  url.hostname = other.hostname;
  url.port = other.port;
  return url.href;
}
