import { z } from '@hono/zod-openapi';
import { said, time } from './common.ts';
import { privacy } from './overview.ts';

/** A stage of the loss ledger: in = out + Σ lost. */
export const stage = z
  .object({
    stage: z.string(),
    unit: z.enum(['frames', 'messages', 'transactions']),
    in: z.number(),
    out: z.number(),
    lost: z.record(z.string(), z.number()),
  })
  .openapi('Stage');
export type Stage = z.infer<typeof stage>;

export const sensor = z
  .object({
    name: z.string(),
    /** What it reads, in words: `live`, `replay of …`, `dnstap`. */
    source: z.string(),
    source_said: said,
    interface: z.string().nullable(),
    privacy,
    ledger: z.object({
      received: z.number(),
      decoded: z.number(),
      transactions: z.number(),
      /** Frames by fate and messages by outcome, only causes that occurred. */
      frames: z.record(z.string(), z.number()),
      messages: z.record(z.string(), z.number()),
      funnel: z.array(stage),
      /** What does not sum, in words; empty = everything does. */
      imbalance: z.array(z.string()),
    }),
    /** Transactions a second, over the last seconds. */
    rate: z.number(),
    frames_rate: z.number(),
    lag_s: z.number().nullable(),
    /** Fill of the capture ring, 0 … 1; null for files. */
    ring: z.number().nullable(),
    /** Queries that wait for their response; null once the input has ended. */
    open_transactions: z.number().nullable(),
    /** One in so many clients is looked at; 1 = all of them. */
    one_in: z.number(),
    uptime_s: z.number(),
    running: z.boolean(),
  })
  .openapi('Sensor');
export type Sensor = z.infer<typeof sensor>;

/** Servers of PostgreSQL, connections that were not given back, statements that took too long. */
const postgresState = z
  .object({
    servers: z.array(
      z.object({
        name: z.string(),
        role: z.enum(['primary', 'replica']),
        state: z.enum(['up', 'behind', 'down']),
        /** Milliseconds behind the primary; null of the primary, and where it is not known. */
        lag_ms: z.number().nullable(),
        connections: z.object({ open: z.number(), idle: z.number(), waiting: z.number(), most: z.number() }),
        /** Questions answered since the start. */
        asked: z.number(),
      }),
    ),
    leaks: z.object({
      count: z.number(),
      last: z.array(z.object({ time: z.number(), held_ms: z.number(), stack: z.string() })),
    }),
    slow: z.object({
      count: z.number(),
      /** Newest first; without values. */
      last: z.array(
        z.object({
          time: z.number(),
          ms: z.number(),
          server: z.string(),
          sql: z.string(),
          plan: z.string().nullable(),
        }),
      ),
    }),
  })
  .openapi('PostgresState');
export type PostgresState = z.infer<typeof postgresState>;

export const storeState = z
  .object({
    engine: z.string(),
    path: z.string().nullable(),
    schema: z.number(),
    bytes: z.number(),
    tables: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number().nullable() })),
    oldest: time.nullable(),
    newest: time.nullable(),
    lag_s: z.number().nullable(),
    queue: z.object({ length: z.number(), capacity: z.number() }),
    appended: z.number(),
    dropped: z.record(z.string(), z.number()),
    /** What does not work, in words; null = all does. */
    degraded: z.string().nullable(),
    /** What was found at the start, such as what a crash cost. */
    remark: z.string().nullable(),
    postgres: postgresState.optional(),
  })
  .openapi('StoreState');
export type StoreState = z.infer<typeof storeState>;

/** Answers that are kept, here and in Redis: questions by where their answer came from, and what else happened. */
export const cacheState = z
  .object({
    local: z.number(),
    shared: z.number(),
    joined: z.number(),
    loaded: z.number(),
    stale: z.number(),
    empty: z.number(),
    unreached: z.number(),
    garbled: z.number(),
    failed: z.number(),
    evicted: z.number(),
    entries: z.number(),
    bytes: z.number(),
    limit: z.number(),
    /** What keeps Redis from answering; null = nothing. */
    trouble: z.string().nullable(),
  })
  .openapi('CacheState');
export type CacheState = z.infer<typeof cacheState>;

export const sinkState = z
  .object({
    name: z.string(),
    written: z.number(),
    failed: z.number(),
    dropped: z.number(),
    /** Those dropped, by cause. */
    causes: z.record(z.string(), z.number()),
    /** Dead letters: the receiver never will take them. */
    refused: z.number(),
    /** Of those written, handed over twice, to be sure, or with the receiver already. */
    repeated: z.number(),
    /** Found in the spool at the start. */
    restored: z.number(),
    queue: z.number(),
    /** `open`: the receiver is left alone for a while. */
    circuit: z.enum(['closed', 'half_open', 'open']),
    /** What waits on disk, since when; null without a spool. */
    spool: z.object({ bytes: z.number(), most: z.number(), oldest: time.nullable() }).nullable(),
    error: z.string().nullable(),
  })
  .openapi('SinkState');
export type SinkState = z.infer<typeof sinkState>;

/** A table of bounded size: what found no room in it, or had to leave it, is not seen any more. */
export const table = z
  .object({ name: z.string(), used: z.number(), limit: z.number(), evicted: z.number() })
  .openapi('Table');
export type Table = z.infer<typeof table>;

/** The ways to block, and what they count of their own, by names. */
export const blockingState = z
  .object({
    actions: z.array(
      z.object({
        name: z.string(),
        applied: z.number(),
        wanted: z.number(),
        failed: z.number(),
        error: z.string().nullable(),
        counts: z.record(z.string(), z.number()),
      }),
    ),
    /** Proposals that were not looked at, and decisions that were not written down: too many. */
    overflow: z.number(),
    unwritten: z.number(),
  })
  .openapi('BlockingState');
export type BlockingState = z.infer<typeof blockingState>;

export const sensors = z
  .object({
    sensors: z.array(sensor),
    store: storeState,
    sinks: z.array(sinkState),
    /** Of detectors, of what is usual, of alerts: the fullest first. */
    tables: z.array(table),
    cache: cacheState.nullable(),
    /** null where nothing is blocked from. */
    blocking: blockingState.nullable(),
    version: z.string(),
  })
  .openapi('Sensors');
export type Sensors = z.infer<typeof sensors>;
