import { z } from '@hono/zod-openapi';
import { scopeInput, share, summary, time } from './common.ts';
import { privacy } from './overview.ts';
import { pdnsRow } from './pdns.ts';

/** What the pages of a name, a client and a server have in common. */
export const totals = z
  .object({
    transactions: z.number(),
    queries: z.number(),
    responses: z.number(),
    unanswered: z.number(),
    nxdomain: z.number(),
    nodata: z.number(),
    servfail: z.number(),
    refused: z.number(),
    retransmissions: z.number(),
    truncated: z.number(),
    clients: z.number(),
    names: z.number(),
    servers: z.number(),
    query_bytes: z.number(),
    response_bytes: z.number(),
  })
  .openapi('Totals');
export type Totals = z.infer<typeof totals>;

const distributions = z
  .object({ latency: summary, size: summary, ttl: summary, answers: summary })
  .openapi('Distributions');
export type Distributions = z.infer<typeof distributions>;

const pageSeries = z
  .object({
    step: z.number(),
    time: z.array(time),
    transactions: z.array(z.number()),
    nxdomain: z.array(z.number()),
    unanswered: z.array(z.number()),
    clients: z.array(z.number()),
    names: z.array(z.number()),
    latency_p50: z.array(z.number().nullable()),
    latency_p95: z.array(z.number().nullable()),
  })
  .openapi('PageSeries');
export type PageSeries = z.infer<typeof pageSeries>;

const shared = {
  from: time,
  to: time,
  /** Filter of the transactions that the page is about. */
  f: z.string(),
  totals,
  series: pageSeries,
  statistics: distributions,
  /** In what is kept, not only in the range. */
  first_seen: time.nullable(),
  last_seen: time.nullable(),
};

/** `f`: within this, too. */
export const pageQuery = z.object(scopeInput);

/** When a name, or one below it, had no answer. */
export const nameMiss = z
  .object({
    name: z.string(),
    type: z.string(),
    kind: z.enum(['nxdomain', 'nodata', 'servfail', 'refused', 'error', 'unanswered']),
    time_first: time,
    time_last: time,
    count: z.number(),
  })
  .openapi('NameMiss');

/** A name and everything below it. */
export const namePage = z
  .object({
    name: z.string(),
    registrable_domain: z.string().nullable(),
    ...shared,
    top: z.object({
      types: z.array(share),
      rcodes: z.array(share),
      outcomes: z.array(share),
      clients: z.array(share),
      servers: z.array(share),
    }),
    subdomains: z.array(z.object({ name: z.string(), transactions: z.number(), clients: z.number(), f: z.string() })),
    /** Passive DNS of the name, oldest first. */
    records: z.array(pdnsRow),
    misses: z.array(nameMiss),
  })
  .openapi('NamePage');
export type NamePage = z.infer<typeof namePage>;

export const clientPage = z
  .object({
    client: z.string(),
    client_name: z.string().nullable(),
    ...shared,
    top: z.object({
      types: z.array(share),
      rcodes: z.array(share),
      outcomes: z.array(share),
      domains: z.array(share),
      names: z.array(share),
      servers: z.array(share),
    }),
    /** `heatmap[day][hour]`: transactions; Monday first, hours in UTC. */
    heatmap: z.array(z.array(z.number())),
    privacy,
  })
  .openapi('ClientPage');
export type ClientPage = z.infer<typeof clientPage>;

export const serversQuery = z.object({
  ...scopeInput,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const serverRow = z
  .object({
    server: z.string(),
    transactions: z.number(),
    unanswered: z.number(),
    nxdomain: z.number(),
    servfail: z.number(),
    refused: z.number(),
    truncated: z.number(),
    retransmissions: z.number(),
    latency: summary,
    size: summary,
    rcodes: z.array(share),
    f: z.string(),
  })
  .openapi('ServerRow');
export type ServerRow = z.infer<typeof serverRow>;
export const servers = z.object({ from: time, to: time, rows: z.array(serverRow) }).openapi('Servers');
export type Servers = z.infer<typeof servers>;
