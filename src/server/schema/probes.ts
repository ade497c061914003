import { z } from '@hono/zod-openapi';
import { PROBE_OUTCOMES } from '../../core/probe.ts';
import { rangeInput, time } from './common.ts';

const ms = z.number().nullable();
/** Milliseconds by part: resolve, connect, tls, first_byte, transfer. */
const phases = z.record(z.string(), z.number());

const beat = z.object({
  time,
  checks: z.number(),
  failed: z.number(),
  /** Share of packets, or of checks, without an answer, 0 … 1. */
  loss: z.number(),
  min: ms,
  p25: ms,
  p50: ms,
  p75: ms,
  max: ms,
  phases,
  outcome: z.enum(PROBE_OUTCOMES).nullable(),
  text: z.string().nullable(),
});
export type Beat = z.infer<typeof beat>;

const result = z.object({
  time,
  outcome: z.enum(PROBE_OUTCOMES),
  ms,
  text: z.string(),
  address: z.string().nullable(),
  phases,
  /** Milliseconds of each packet, null where nothing came back; null for checks of one question. */
  trips: z.array(ms).nullable(),
  facts: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
});
export type ProbeLast = z.infer<typeof result>;

const target = z.object({
  check: z.string(),
  type: z.string(),
  target: z.string(),
  every_s: z.number(),
  last: result.nullable(),
  beats: z.array(beat),
  failing: z.number(),
  since: time.nullable(),
  /** Traffic of the same server or name as it is seen: a display filter. */
  passive: z.object({ kind: z.enum(['server', 'name']), value: z.string(), f: z.string() }).nullable(),
});
export type ProbeTarget = z.infer<typeof target>;

export const probeList = z
  .object({
    targets: z.array(target),
    /** Targets in all: those with failures come first where there are too many to list. */
    total: z.number(),
    running: z.number(),
    waiting: z.number(),
    skipped: z.number(),
    dropped: z.number(),
    own: z.number(),
    loop_delay_ms: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
    icmp: z.string().nullable(),
  })
  .openapi('ProbeList');
export type ProbeList = z.infer<typeof probeList>;

export const historyQuery = z.object({ ...rangeInput, check: z.string().max(64), target: z.string().max(2000) });
export const probeHistory = z.object({ from: time, to: time, beats: z.array(beat) }).openapi('ProbeHistory');
export type ProbeHistory = z.infer<typeof probeHistory>;

export const probeQuery = z.object({
  target: z.string().max(2000).openapi({ description: 'What to check, as the module has it' }),
  module: z
    .string()
    .max(64)
    .default('http_2xx')
    .openapi({ description: 'A check of the configuration, or a kind: http, tcp, icmp, dns' }),
  debug: z.enum(['true', 'false']).optional().openapi({ description: 'The result in words before the metrics' }),
});
