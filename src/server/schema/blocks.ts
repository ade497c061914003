import { z } from '@hono/zod-openapi';
import { BLOCK_KINDS, DECISIONS } from '../../core/block.ts';
import { time } from './common.ts';

const target = { kind: z.enum(BLOCK_KINDS), value: z.string() };

export const block = z
  .object({
    id: z.string(),
    ...target,
    since: time,
    until: time,
    /** A detector with its version, or a person. */
    by: z.string(),
    automatic: z.boolean(),
    reason: z.string(),
    /** Ids of transactions. */
    evidence: z.array(z.string()),
    /** How often it had been blocked before. */
    repeat: z.number(),
  })
  .openapi('Block');
export type Block = z.infer<typeof block>;
export const blocks = z.object({ rows: z.array(block) }).openapi('Blocks');
export type Blocks = z.infer<typeof blocks>;

const wanted = { kind: z.enum(BLOCK_KINDS), value: z.string().min(1).max(1024) };
export const blockBody = z.object({
  ...wanted,
  /** Absent: as long as block.for says. */
  seconds: z.number().int().min(1).max(604_800).optional(),
  reason: z.string().min(1).max(500),
});
export const previewQuery = z.object({ ...wanted, seconds: z.coerce.number().int().min(1).max(604_800).optional() });

/** What would come of blocking it, without doing it. */
export const blockPreview = z
  .object({
    ...target,
    /** How long it would be blocked. */
    seconds: z.number(),
    /** What blocks it already. */
    block: block.nullable(),
    /** The ways that would carry it out; `error`: why one does not work at the moment. */
    actions: z.array(z.object({ name: z.string(), type: z.string(), error: z.string().nullable() })),
    /** Why nobody may block it; null = people may. */
    refused: z.string().nullable(),
    /** The rules that would keep a detector from it. */
    doubts: z.array(z.object({ rule: z.enum(DECISIONS), why: z.string() })),
    /** Clients that used it in the week before; null where that is not known. */
    clients: z.number().nullable(),
  })
  .openapi('BlockPreview');
export type BlockPreview = z.infer<typeof blockPreview>;

/** What was proposed in the last seven days, and what became of it. */
export const blockReport = z
  .object({
    /** Detectors that may block by themselves. */
    enforcing: z.array(z.string()),
    /** Why nothing is blocked automatically; null = nothing is wrong. */
    breaker: z.string().nullable(),
    decisions: z.array(
      z.object({
        ...target,
        outcome: z.enum(DECISIONS),
        why: z.string(),
        detectors: z.array(z.string()),
        first: time,
        last: time,
        count: z.number(),
        clients: z.number().nullable(),
      }),
    ),
    actions: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        applied: z.number(),
        wanted: z.number(),
        failed: z.number(),
        error: z.string().nullable(),
        /** What it counts besides, by names. */
        counts: z.record(z.string(), z.number()),
      }),
    ),
    /** Proposals that were not looked at, because too many waited. */
    overflow: z.number(),
    /** Decisions that the journal has no room for. */
    unwritten: z.number(),
  })
  .openapi('BlockReport');
export type BlockReport = z.infer<typeof blockReport>;

export const undone = z.object({ ended: z.number() }).openapi('Undone');
export type Undone = z.infer<typeof undone>;
