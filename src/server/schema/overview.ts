import { z } from '@hono/zod-openapi';
import { alert } from './alerts.ts';
import { said, scopeInput, share, time } from './common.ts';
import { transaction } from './transactions.ts';

export const state = z
  .object({
    level: z.enum(['normal', 'attention', 'degraded']),
    /** One sentence for people, the worst first. */
    sentence: z.string(),
    /** So many reasons of this level it tells, the first ones; then comes `rest`. */
    told: z.number(),
    /** What ends the sentence: how many more reasons there are, or that all is well. */
    rest: z.object({ text: z.string(), said }).nullable(),
    reasons: z.array(
      z.object({
        key: z.string(),
        text: z.string(),
        said,
        level: z.enum(['attention', 'degraded']),
        /** Path of the page that shows more, such as `/sensors`. */
        link: z.string().nullable(),
      }),
    ),
  })
  .openapi('State');
export type State = z.infer<typeof state>;

/** How current the data is, and which part of the frames was lost. */
export const freshness = z
  .object({
    newest: time.nullable(),
    age_s: z.number().nullable(),
    /** From the newest packet seen to the newest transaction stored. */
    lag_s: z.number().nullable(),
    loss_ratio: z.number().nullable(),
  })
  .openapi('Freshness');
export type Freshness = z.infer<typeof freshness>;

/** What is hidden of clients (level 0 … 5) and names, and the same in words. */
export const privacy = z
  .object({ level: z.number().int(), names: z.enum(['full', 'domain', 'hashed']), text: z.string() })
  .openapi('Privacy');
export type Privacy = z.infer<typeof privacy>;

const TILES = [
  'qps',
  'nxdomain_ratio',
  'servfail_ratio',
  'latency_p50',
  'latency_p95',
  'latency_p99',
  'unanswered_ratio',
  'clients',
  'new_domains',
  'capture_loss',
] as const;

/**
 * A number of the first screen. `unit`: `1/s`, `ratio` (0 … 1), `ms` or empty; `delta` = value − previous, of the period
 * before of the same length; `expected` = median ± k·MAD of like hours, null until three of them are known.
 */
export const tile = z
  .object({
    key: z.enum(TILES),
    value: z.number().nullable(),
    unit: z.string(),
    previous: z.number().nullable(),
    delta: z.number().nullable(),
    expected: z.object({ low: z.number(), high: z.number() }).nullable(),
    anomalous: z.boolean(),
    /** The filter that shows what it counts; null where all of it, or no filter does. */
    f: z.string().nullable(),
  })
  .openapi('Tile');
export type Tile = z.infer<typeof tile>;

const band = z.object({ low: z.array(z.number().nullable()), high: z.array(z.number().nullable()) });

/** Columns over `time` (start of each bucket of `step` seconds). */
export const overviewSeries = z
  .object({
    step: z.number(),
    time: z.array(time),
    /** Transactions in the bucket. */
    transactions: z.array(z.number()),
    nxdomain_ratio: z.array(z.number().nullable()),
    servfail_ratio: z.array(z.number().nullable()),
    unanswered_ratio: z.array(z.number().nullable()),
    expected: z.object({ transactions: band.nullable(), nxdomain_ratio: band.nullable() }),
    anomalies: z.array(z.object({ time, series: z.enum(['transactions', 'nxdomain_ratio']), value: z.number() })),
  })
  .openapi('OverviewSeries');
export type OverviewSeries = z.infer<typeof overviewSeries>;

/** `counts[i][k]`: transactions of `time[i]` whose latency is at least `bucket_ms[k]` and below the next. */
export const latencyHeatmap = z
  .object({ time: z.array(time), bucket_ms: z.array(z.number()), counts: z.array(z.array(z.number())) })
  .openapi('LatencyHeatmap');
export type LatencyHeatmap = z.infer<typeof latencyHeatmap>;

/** Transactions now and in a usual period of the same length; `change` = (now − usual) / usual, null for a new one. */
export const mover = z
  .object({
    key: z.string(),
    now: z.number(),
    usual: z.number(),
    change: z.number().nullable(),
    f: z.string(),
  })
  .openapi('Mover');
export type Mover = z.infer<typeof mover>;

export const moversQuery = z.object({ ...scopeInput, of: z.enum(['domain', 'client']).default('domain') });
export const movers = z.object({ rows: z.array(mover) }).openapi('Movers');
export type Movers = z.infer<typeof movers>;

export const overviewQuery = z.object(scopeInput);

export const overview = z
  .object({
    from: time,
    to: time,
    state,
    tiles: z.array(tile),
    series: overviewSeries,
    latency_heatmap: latencyHeatmap,
    movers: z.object({ domains: z.array(mover), clients: z.array(mover) }),
    types: z.array(share),
    rcodes: z.array(share),
    alerts: z.object({ open: z.number(), top: z.array(alert) }),
    freshness,
    privacy,
    demo: z.object({ banner: z.string(), said, command: z.string() }).nullable(),
  })
  .openapi('Overview');
export type Overview = z.infer<typeof overview>;

/** Events of `/tail`. `shown` of `of` transactions that passed the filter since the event before. */
export const tailRows = z.object({ rows: z.array(transaction), shown: z.number(), of: z.number() }).openapi('TailRows');
export type TailRows = z.infer<typeof tailRows>;
/** Transactions that were shown to nobody while the connection was away; null = unknown how many. */
export const tailGap = z.object({ missed: z.number().nullable() }).openapi('TailGap');
export type TailGap = z.infer<typeof tailGap>;
/** Once a second. */
export const tailState = state.extend({ freshness, qps: z.number() }).openapi('TailState');
export type TailState = z.infer<typeof tailState>;

export const tailQuery = z.object({
  f: scopeInput.f,
  rate: z.coerce.number().int().min(1).max(1000).default(50).openapi({ description: 'Most transactions a second' }),
});
