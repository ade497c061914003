import { z } from '@hono/zod-openapi';
import { commaList, scopeInput, summary, time } from './common.ts';

/** What transactions can be grouped by. */
export const DIMENSIONS = [
  'domain',
  'name',
  'client',
  'server',
  'type',
  'rcode',
  'opcode',
  'transport',
  'outcome',
  'answer_kind',
  'role',
  'leg',
  'sensor',
  'latency',
  'hour_of_week',
] as const;
export type DimensionName = (typeof DIMENSIONS)[number];

/** Measures that are one number. */
export const COUNTS = [
  'transactions',
  'queries',
  'responses',
  'unanswered',
  'nxdomain',
  'nodata',
  'servfail',
  'refused',
  'errors',
  'retransmissions',
  'duplicates',
  'late',
  'truncated',
  'malformed',
  'suspicious',
  'clients',
  'names',
  'domains',
  'servers',
  'query_bytes',
  'response_bytes',
] as const;
/** Measures that are a distribution. */
export const DISTRIBUTIONS = ['latency', 'size', 'ttl', 'answers'] as const;
export const MEASURES = [...COUNTS, ...DISTRIBUTIONS] as const;
export type CountName = (typeof COUNTS)[number];
export type MeasureName = (typeof MEASURES)[number];

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
    ...Object.fromEntries(COUNTS.map((name) => [name, z.number().optional()])),
    ...Object.fromEntries(DISTRIBUTIONS.map((name) => [name, summary.optional()])),
  } as { time: z.ZodOptional<typeof time> } & Record<DimensionName, z.ZodOptional<z.ZodNullable<z.ZodString>>> &
    Record<CountName, z.ZodOptional<z.ZodNumber>> &
    Record<(typeof DISTRIBUTIONS)[number], z.ZodOptional<typeof summary>>)
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
