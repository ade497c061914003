/** Where PostgreSQL is, and how it is used (layer `store.postgres` of the configuration). */
export interface PostgresOptions {
  /** `postgres://user@host:5432/database`; `?sslmode=…` as libpq knows it. */
  url: string;
  password?: string | undefined;
  /** Addresses of replicas, `host:port` or whole URLs; user, password and database are those of `url` unless told. */
  replicas?: readonly string[] | undefined;
  /** Most connections to each server. Default: 4 for every core. */
  connections?: number | undefined;
  /** Unused connections are closed after so long, ms. Default 5 min. */
  idleMs?: number | undefined;
  /** Connections are made anew once they are this old, ms. Default 1 h. */
  lifetimeMs?: number | undefined;
  /** A connection that is borrowed longer counts as leaked, ms. Default 60 s. */
  leakMs?: number | undefined;
  /** Replicas that are further behind are not asked, ms. Default 10 s. */
  lagMs?: number | undefined;
  /** Statements that take longer are logged with their plan, ms. Default 1 s; 0 = none. */
  slowMs?: number | undefined;
  /** Name of the schema of all tables. Default `nametap`. */
  schema?: string | undefined;
}

/** One server of a cluster, as it is. */
export interface PostgresServerStatus {
  name: string;
  role: 'primary' | 'replica';
  /** `down`: does not answer; `behind`: too far behind to be asked. */
  state: 'up' | 'behind' | 'down';
  /** Milliseconds that it is behind the primary; null of the primary, and where that is not known. */
  lag_ms: number | null;
  connections: { open: number; idle: number; waiting: number; most: number };
  /** Questions answered since the start. */
  asked: number;
}

/** A statement that took too long. */
export interface SlowStatement {
  /** ms since 1970. */
  time: number;
  ms: number;
  server: string;
  /** Without its values. */
  sql: string;
  /** EXPLAIN of it, run again with a time limit; null where that failed. */
  plan: string | null;
}

/** What `status` says of the servers. */
export interface PostgresStatus {
  servers: PostgresServerStatus[];
  /** Connections that were borrowed too long: how many, and where the last ones were borrowed. */
  leaks: { count: number; last: { time: number; held_ms: number; stack: string }[] };
  slow: { count: number; last: SlowStatement[] };
}
