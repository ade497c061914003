import { z } from '@hono/zod-openapi';
import {
  COUNTS,
  type Count,
  DIMENSIONS,
  type Dimension,
  DISTINCTS,
  type Distinct,
  DISTRIBUTIONS,
  type DistributionName,
} from '../../store/store.ts';
import { commaList, scopeInput, summary, time } from './common.ts';

export const MEASURES = [...COUNTS, ...DISTINCTS, ...DISTRIBUTIONS] as const;

export const statisticsQuery = z.object({
  ...scopeInput,
  group: commaList(DIMENSIONS, 2).optional().openapi({ type: 'string', example: 'domain,type' }),
  step: z.coerce
    .number()
    .int()
    .min(1)
    .max(31 * 86400)
    .optional()
    .openapi({ description: 'Seconds of a bucket; without it the whole range is one' }),
  measures: commaList(MEASURES, MEASURES.length)
    .optional()
    .openapi({ type: 'string', example: 'transactions,latency' }),
  order: z
    .string()
    .regex(/^-?[a-z_]+$/)
    .optional()
    .openapi({ description: 'A measure; a leading `-` means the largest first', example: '-transactions' }),
  limit: z.coerce.number().int().min(1).max(1000).default(20),
});

/** A row: its dimensions as text, `time` where a step was given, its measures. */
export const statisticsRow = z
  .object({
    time: time.optional(),
    ...Object.fromEntries(DIMENSIONS.map((name) => [name, z.string().nullable().optional()])),
    ...Object.fromEntries([...COUNTS, ...DISTINCTS].map((name) => [name, z.number().optional()])),
    ...Object.fromEntries(DISTRIBUTIONS.map((name) => [name, summary.optional()])),
  } as { time: z.ZodOptional<typeof time> } & Record<Dimension, z.ZodOptional<z.ZodNullable<z.ZodString>>> &
    Record<Count | Distinct, z.ZodOptional<z.ZodNumber>> &
    Record<DistributionName, z.ZodOptional<typeof summary>>)
  .openapi('StatisticsRow');
export type StatisticsRow = z.infer<typeof statisticsRow>;

export const statistics = z
  .object({
    from: time,
    to: time,
    step: z.number().nullable(),
    rows: z.array(statisticsRow),
    /** Where the numbers come from: rollups, or the transactions themselves. */
    source: z.enum(['minutes', 'hours', 'transactions']),
    /** False when the range reaches beyond what is kept, or a table was bounded. */
    complete: z.boolean(),
  })
  .openapi('Statistics');
export type Statistics = z.infer<typeof statistics>;
