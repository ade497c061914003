import { z } from '@hono/zod-openapi';
import { cursor, time } from './common.ts';

export const alert = z
  .object({
    id: z.string(),
    time,
    severity: z.enum(['low', 'medium', 'high', 'critical']),
    /** 0 … 1. */
    confidence: z.number(),
    title: z.string(),
    detector: z.string(),
    client: z.string().optional(),
    domain: z.string().optional(),
    state: z.enum(['open', 'acknowledged', 'muted', 'closed', 'false_positive']),
    evidence: z.record(z.string(), z.unknown()),
  })
  .openapi('Alert');
export type Alert = z.infer<typeof alert>;

export const alertsQuery = z.object({
  state: z.enum(['open', 'acknowledged', 'muted', 'closed', 'false_positive']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(256).optional(),
});
export const alerts = z.object({ rows: z.array(alert), open: z.number(), next: cursor }).openapi('Alerts');
export type Alerts = z.infer<typeof alerts>;
