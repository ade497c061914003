import { z } from '@hono/zod-openapi';

const name = z.string();

const step = z.object({
  /** 0: on the way to the name; more: look-ups for others. */
  depth: z.number(),
  purpose: z.enum(['name', 'address', 'keys', 'signer', 'check']),
  zone: name,
  question: z.object({ name, type: z.string() }),
  server: z.object({ name: name.optional(), address: z.string(), port: z.number() }),
  transport: z.string(),
  kind: z.enum(['referral', 'answer', 'alias', 'nodata', 'nxdomain', 'lame', 'failed']),
  outcome: z.string(),
  rcode: z.string().nullable(),
  flags: z.array(z.string()),
  ms: z.number(),
  udp_ms: z.number().optional(),
  tcp_ms: z.number().optional(),
  referral: z
    .object({
      zone: name,
      ttl: z.number(),
      servers: z.array(z.object({ name: name.optional(), addresses: z.array(z.string()), from: z.string() })),
      signed: z.boolean(),
    })
    .optional(),
  answers: z.array(z.object({ name, type: z.string(), class: z.string(), ttl: z.number(), data: z.string() })),
  remarks: z.array(z.string()),
});
export type TraceStep = z.infer<typeof step>;

const state = z.enum(['secure', 'insecure', 'bogus']);

const check = z.object({
  zone: name,
  servers: z.array(
    z.object({
      name: name.optional(),
      address: z.string(),
      ms: z.number().nullable(),
      outcome: z.string(),
      authoritative: z.boolean(),
      serial: z.number().nullable(),
      servers: z.array(name),
      rcode: z.string().nullable(),
      answers: z.array(z.string()),
      random: z.string().nullable(),
    }),
  ),
  parent: z.array(name),
  remarks: z.array(z.string()),
});

/** The way from the root to an answer. */
export const traceAnswer = z
  .object({
    question: z.object({ name, type: z.string() }),
    end: z.enum(['answer', 'nodata', 'nxdomain', 'failed', 'alias_loop', 'limit', 'aborted']),
    sentence: z.string(),
    steps: z.array(step),
    answers: step.shape.answers,
    rcode: z.string().nullable(),
    security: z
      .object({ state, reason: z.string(), chain: z.array(z.object({ zone: name, state, reason: z.string() })) })
      .nullable(),
    check: check.nullable(),
    queries: z.number(),
    ms: z.number(),
  })
  .openapi('Trace');
export type TraceAnswer = z.infer<typeof traceAnswer>;

export const traceBody = z.object({
  name: z.string().min(1).max(1024),
  type: z.string().max(16).default('A'),
  /** Also asks every server of the zone at the end. */
  all: z.boolean().default(false),
});
