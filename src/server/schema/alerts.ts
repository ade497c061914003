import { z } from '@hono/zod-openapi';
import { CHANGE_CAUSES } from '../../alerts/book.ts';
import { MOST_TEXT, STATES } from '../../alerts/incident.ts';
import { SCOPES } from '../../alerts/mutes.ts';
import { SEVERITIES } from '../../core/alert.ts';
import { cursor, time, timeInput } from './common.ts';
import { transaction } from './transactions.ts';

const severity = z.enum(SEVERITIES);
const state = z.enum(STATES);

/** A statistic that moved, against what is usual. */
export const measure = z
  .object({
    name: z.string(),
    value: z.number(),
    unit: z.string(),
    threshold: z.number().optional(),
    /** Centre and spread, and of how many observations. */
    usual: z.object({ centre: z.number(), spread: z.number(), n: z.number() }).optional(),
    /** Share of usual observations below it. */
    rank: z.number().optional(),
  })
  .openapi('Measure');
export type Measure = z.infer<typeof measure>;

const summary = {
  id: z.string(),
  /** When it was raised. */
  time,
  severity,
  score: z.number(),
  confidence: z.number(),
  detector: z.string(),
  subject: z.string(),
  /** One line, and a few sentences. */
  title: z.string(),
  text: z.string(),
  state,
  /** It goes on. */
  active: z.boolean(),
  client: z.string().nullable(),
  server: z.string().nullable(),
  domain: z.string().nullable(),
  /** Transactions that belong to it. */
  count: z.number(),
  /** Findings that a summary of too many stands for. */
  suppressed: z.number(),
  first_seen: time,
  last_seen: time,
  updated: time,
  resolved: time.nullable(),
  measures: z.array(measure),
  /** ATT&CK techniques. */
  attack: z.array(z.string()),
  assignee: z.string().nullable(),
  reason: z.string().nullable(),
  muted_until: time.nullable(),
  /** The alert that explains it, and how many this one explains. */
  inhibited_by: z.string().nullable(),
  explains: z.number(),
};

/** A line of the inbox. */
export const alert = z.object(summary).openapi('Alert');
export type Alert = z.infer<typeof alert>;

const evidence = z.object({
  transaction: z.string(),
  time,
  client: z.string(),
  server: z.string(),
  name: z.string().optional(),
  type: z.string().optional(),
  /** Frame numbers of its first query and response. */
  frames: z.array(z.number()).optional(),
  note: z.string().optional(),
});

const entry = z.object({
  n: z.number(),
  time,
  by: z.string(),
  action: z.string(),
  text: z.string().nullable(),
  undone: z.boolean(),
  undoable: z.boolean(),
});
export type AlertEntry = z.infer<typeof entry>;

/** Everything about an alert. */
export const alertDetail = z
  .object({
    alert: z.object({
      ...summary,
      severity_parts: z.object({
        detector: severity,
        score: z.number(),
        confidence: z.number(),
        weight: z.number(),
        risk: z.number(),
      }),
      findings: z.number(),
      evidence: z.array(evidence),
      proposal: z
        .object({ kind: z.enum(['domain', 'client', 'address']), value: z.string(), text: z.string() })
        .nullable(),
      journal: z.array(entry),
    }),
    /** The transactions of the evidence, as far as the store still has them. */
    transactions: z.array(transaction),
    /** Alerts that it explains, and the one that explains it. */
    explained: z.array(alert),
    cause: alert.nullable(),
  })
  .openapi('AlertDetail');
export type AlertDetail = z.infer<typeof alertDetail>;

const text = (most: number) => z.string().max(most);
export const alertsQuery = z.object({
  state: state.optional(),
  severity: severity.optional().openapi({ description: 'The least severity' }),
  detector: text(85).optional().openapi({ description: 'Its id; of a rule, RULE and its name' }),
  client: text(64).optional(),
  domain: text(1024).optional(),
  assignee: text(64).optional(),
  q: text(200).optional().openapi({ description: 'Words that title, subject, client or domain hold' }),
  explained: z.enum(['0', '1']).default('0').openapi({ description: '1 = also what another alert explains' }),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: text(256).optional(),
});
export type AlertsQuery = z.output<typeof alertsQuery>;

export const alerts = z
  .object({
    rows: z.array(alert),
    /** Those that nobody has taken care of, of all; and how many are in each state. */
    open: z.number(),
    states: z.record(state, z.number()),
    next: cursor,
  })
  .openapi('Alerts');
export type Alerts = z.infer<typeof alerts>;

/** What somebody wants with an alert. */
export const alertAction = z
  .discriminatedUnion('action', [
    z.object({ action: z.literal('acknowledge') }),
    z.object({ action: z.literal('assign'), to: text(64).nullable() }),
    z.object({ action: z.literal('note'), text: text(MOST_TEXT) }),
    z.object({
      action: z.literal('mute'),
      scope: z.enum(SCOPES).default('key'),
      /** Absent: until it is lifted. */
      until: timeInput.nullable().default(null),
      seconds: z.number().int().min(1).max(31_536_000).optional(),
      text: text(MOST_TEXT).optional(),
    }),
    z.object({ action: z.literal('false_positive'), reason: text(MOST_TEXT) }),
    z.object({ action: z.literal('close'), text: text(MOST_TEXT).optional() }),
    z.object({ action: z.literal('reopen') }),
    z.object({ action: z.literal('undo') }),
  ])
  .openapi('AlertAction');
export type AlertAction = z.input<typeof alertAction>;

/** Of a stream of changes. */
export const alertEvent = z
  .object({ cause: z.enum(CHANGE_CAUSES), news: z.boolean(), open: z.number(), alert })
  .openapi('AlertEvent');
export type AlertEvent = z.infer<typeof alertEvent>;
