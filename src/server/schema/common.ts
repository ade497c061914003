import { z } from '@hono/zod-openapi';

/** A time in a query: RFC 3339, `now`, a span before now such as `-1h` (`s m h d w`), or milliseconds since 1970. */
export const timeInput = z
  .string()
  .max(64)
  .regex(/^(now|-\d{1,9}(\.\d{1,6})?[smhdw]|\d{1,16}|\d{4}-\d{2}-\d{2}([T ].{1,40})?)$/, {
    message: "expected RFC 3339, 'now', a span such as '-1h', or milliseconds since 1970",
  })
  .openapi({ description: 'RFC 3339, `now`, a span before now such as `-1h`, or ms since 1970', example: '-1h' });

/** A display filter, the same language as `read -Y`. Empty = everything. */
export const filterInput = z
  .string()
  .max(4096)
  .optional()
  .openapi({ description: 'Display filter, the language of `nametap read -Y`', example: 'dns.flags.rcode == 3' });

export const rangeInput = { from: timeInput.default('-1h'), to: timeInput.default('now') };
export const scopeInput = { ...rangeInput, f: filterInput };

/** A text of the server's own as key and values: the page says it in its language. */
export const said = z
  .object({ key: z.string(), values: z.record(z.string(), z.union([z.string(), z.number()])) })
  .openapi('Said');

/** A list of some of `values` in one parameter: `a,b`. */
export function commaList<T extends string>(values: readonly T[], most: number): z.ZodType<T[], string> {
  return z
    .string()
    .max(2000)
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .pipe(z.array(z.enum(values)).max(most));
}

/** RFC 3339 in UTC; transactions carry nine digits, everything else three. */
export const time = z.string().openapi({ example: '2026-11-24T08:15:30.000Z' });

/** Where the next page begins: opaque; null at the end. */
export const cursor = z.string().nullable();

/** A statistic. Every number is null when n = 0; `error` = the largest relative error of the percentiles. */
export const summary = z
  .object({
    n: z.number(),
    mean: z.number().nullable(),
    variance: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    p50: z.number().nullable(),
    p90: z.number().nullable().optional(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
    stddev: z.number().nullable().optional(),
    unit: z.string(),
    error: z.number().optional(),
  })
  .openapi('Summary');
export type Summary = z.infer<typeof summary>;

/** One of a breakdown: its value, how many transactions, which part of all, and the filter that shows them. */
export const share = z
  .object({ key: z.string(), count: z.number(), ratio: z.number().nullable(), f: z.string().nullable() })
  .openapi('Share');
export type Share = z.infer<typeof share>;

/** What went wrong (RFC 9457). `at`: where in the filter. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    /** The request's parameter that is wrong. */
    parameter: z.string().optional(),
    at: z.object({ offset: z.number().int(), length: z.number().int() }).optional(),
    suggestion: z.string().optional(),
    /** Names the request in nametap's log. */
    request: z.string().optional(),
  })
  .openapi('Problem');
export type Problem = z.infer<typeof problem>;
