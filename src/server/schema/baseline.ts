import { z } from '@hono/zod-openapi';
import { USUAL_KINDS } from '../../core/usual.ts';
import { time } from './common.ts';

const latency = z.object({
  n: z.number(),
  mean: z.number(),
  variance: z.number(),
  stddev: z.number(),
  median: z.number(),
  mad: z.number(),
  p5: z.number(),
  p25: z.number(),
  p75: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
});

export const usual = z
  .object({
    key: z.string(),
    kind: z.enum(USUAL_KINDS),
    first_seen: time,
    last_seen: time,
    samples: z.number(),
    /** Enough was learnt for it to count. */
    warm: z.boolean(),
    /** The same in sentences. */
    words: z.array(z.string()),
    /** Milliseconds. */
    latency: latency.nullable(),
    /** From and to in milliseconds, weight. */
    histogram: z.array(z.tuple([z.number(), z.number(), z.number()])),
    cache: z.object({ share: z.number(), fast: z.number(), slow: z.number(), valley: z.number() }).nullable(),
    floor: z.number().nullable(),
    /** Distance of the last day from what is usual, 0 … 1. */
    drift: z.number().nullable(),
    /** Transactions an hour; `week` from Monday 00 UTC. */
    rate: z.object({ level: z.number(), spread: z.number(), week: z.array(z.number().nullable()) }).nullable(),
    shares: z.array(z.object({ name: z.string(), share: z.number() })),
    lists: z.array(
      z.object({ title: z.string(), rows: z.array(z.object({ key: z.string(), share: z.number().nullable() })) }),
    ),
  })
  .openapi('Usual');
export const usualAnswer = z.object({ rows: z.array(usual) }).openapi('UsualAnswer');
export type UsualAnswer = z.infer<typeof usualAnswer>;

export const baselineList = z
  .object({
    rows: z.array(
      z.object({
        key: z.string(),
        kind: z.enum(USUAL_KINDS),
        samples: z.number(),
        last_seen: time,
        warm: z.boolean(),
      }),
    ),
  })
  .openapi('BaselineList');
export type BaselineList = z.infer<typeof baselineList>;

export const snapshot = z.object({ name: z.string(), time, bytes: z.number() }).openapi('BaselineSnapshot');
export type Snapshot = z.infer<typeof snapshot>;
export const snapshots = z.object({ rows: z.array(snapshot) }).openapi('BaselineSnapshots');
export type Snapshots = z.infer<typeof snapshots>;
export const rollbackBody = z.object({ name: z.string().min(1).max(64) });
