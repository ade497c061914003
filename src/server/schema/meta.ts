import { z } from '@hono/zod-openapi';
import { cursor, scopeInput, time } from './common.ts';
import { privacy } from './overview.ts';

export const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

export const sessionBody = z.union([
  z.object({ token: z.string().min(1).max(256) }),
  z.object({ name: z.string().min(1).max(64), password: z.string().min(1).max(1024) }),
]);
export const session = z
  .object({
    user: z.string(),
    role: z.enum(ROLES),
    /** Goes into the header `X-Nametap-CSRF` of everything that changes something. */
    csrf: z.string(),
    version: z.string(),
    features: z.object({
      /** Captured packets can be exported. */
      pcapng: z.boolean(),
      parquet: z.boolean(),
      alerts: z.boolean(),
      probes: z.boolean(),
      /** Sign-in by name and password is set up. */
      users: z.boolean(),
    }),
    privacy,
    sensors: z.array(z.string()),
  })
  .openapi('Session');
export type Session = z.infer<typeof session>;

/** A saved view: the address of a page with all its state, from `/` on. */
export const view = z
  .object({
    name: z.string(),
    title: z.string(),
    summary: z.string().optional(),
    url: z.string(),
    /** Shipped with nametap: cannot be changed. */
    builtin: z.boolean(),
  })
  .openapi('View');
export type View = z.infer<typeof view>;
export const views = z.object({ rows: z.array(view) }).openapi('Views');
export type Views = z.infer<typeof views>;
export const viewBody = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { message: 'lower-case letters, digits and dashes' }),
  title: z.string().min(1).max(200),
  summary: z.string().max(1000).optional(),
  url: z
    .string()
    .max(8192)
    .regex(/^\/(?![/\\])/, { message: 'a path of this server, such as /explore?f=…' }),
});

/** A field of the filter language. */
export const field = z
  .object({
    name: z.string(),
    title: z.string(),
    group: z.string(),
    /** Wireshark's type, and what it compares as. */
    type: z.string(),
    kind: z.string(),
    folds: z.boolean(),
    /** History can be asked for it. */
    stored: z.boolean(),
    values: z.array(z.object({ number: z.number(), text: z.string() })).optional(),
  })
  .openapi('Field');
export const fields = z.object({ rows: z.array(field) }).openapi('Fields');
export type Fields = z.infer<typeof fields>;

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet', 'pcapng'] as const;
export const exportQuery = z.object({
  ...scopeInput,
  format: z.enum(EXPORT_FORMATS).default('csv'),
  limit: z.coerce.number().int().min(1).optional(),
});

export const config = z
  .object({
    /** The file it came from; null = built-in defaults. */
    file: z.string().nullable(),
    /** Secrets are masked. */
    value: z.record(z.string(), z.unknown()),
  })
  .openapi('Config');
export type Config = z.infer<typeof config>;

export const auditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(256).optional(),
});
/** Who looked at which client, and who changed what. */
export const auditRow = z
  .object({
    time,
    user: z.string(),
    address: z.string(),
    action: z.string(),
    subject: z.string(),
    detail: z.string().optional(),
  })
  .openapi('AuditRow');
export type AuditRow = z.infer<typeof auditRow>;
export const audit = z.object({ rows: z.array(auditRow), next: cursor }).openapi('Audit');
export type Audit = z.infer<typeof audit>;
