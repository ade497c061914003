import { z } from '@hono/zod-openapi';
import { cursor, time, timeInput } from './common.ts';

/** What was seen of (name, type, rdata). Names and rdata as text, no trailing dot. */
export const pdnsRow = z
  .object({
    rrname: z.string(),
    rrtype: z.string(),
    rdata: z.string(),
    time_first: time,
    time_last: time,
    count: z.number(),
    sensor: z.string().optional(),
    /** Aliases from the name asked to `rrname`. */
    cnames: z.array(z.string()).optional(),
    /** Few names share this rdata: a good place to go on from. */
    rare: z.boolean().optional(),
  })
  .openapi('PdnsRow');
export type PdnsRow = z.infer<typeof pdnsRow>;

const fences = {
  type: z.string().max(20).optional().openapi({ example: 'A' }),
  first_after: timeInput.optional(),
  last_before: timeInput.optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(200),
  after: z.string().max(512).optional(),
};
export const pdnsQuery = z.object({
  q: z.string().min(1).max(1024).openapi({
    description: 'A name, `*.x`, `x.*`, an address, a CIDR block or a range `a-b`',
    example: '*.example.com',
  }),
  ...fences,
});
export const pdnsPage = z.object({ rows: z.array(pdnsRow), next: cursor }).openapi('PdnsPage');
export type PdnsPage = z.infer<typeof pdnsPage>;

export const pdnsBatchBody = z.object({
  q: z.array(z.string().min(1).max(1024)).min(1).max(100),
  limit: z.number().int().min(1).max(1000).default(100),
});
export const pdnsBatch = z
  .object({ results: z.array(z.object({ q: z.string(), rows: z.array(pdnsRow), error: z.string().optional() })) })
  .openapi('PdnsBatch');
export type PdnsBatch = z.infer<typeof pdnsBatch>;

export const pdnsImportQuery = z.object({ format: z.enum(['cof', 'zeek', 'passivedns']) });
export const pdnsImport = z
  .object({ lines: z.number(), imported: z.number(), skipped: z.number(), reasons: z.record(z.string(), z.number()) })
  .openapi('PdnsImport');
export type PdnsImport = z.infer<typeof pdnsImport>;

/** An object of the passive DNS common output format (draft-dulaunoy-dnsop-passive-dns-cof); times in seconds. */
export const cofEntry = z
  .object({
    rrname: z.string(),
    rrtype: z.union([z.string(), z.number()]),
    rdata: z.union([z.string(), z.array(z.string())]),
    time_first: z.number(),
    time_last: z.number(),
    count: z.number(),
    sensor_id: z.string().optional(),
  })
  .openapi('CofEntry');
export type CofEntry = z.infer<typeof cofEntry>;
