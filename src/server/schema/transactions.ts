import { z } from '@hono/zod-openapi';
import { cursor, scopeInput, time } from './common.ts';

const record = z
  .object({
    name: z.string(),
    type: z.string(),
    class: z.string(),
    ttl: z.number(),
    data: z.string(),
    flush: z.literal(true).optional(),
  })
  .openapi('Record');

const edns = z.object({
  udp_size: z.number(),
  version: z.number(),
  do: z.boolean(),
  co: z.literal(true).optional(),
  de: z.literal(true).optional(),
  z: z.number().optional(),
  ext_rcode: z.number().optional(),
  options: z.array(
    z.object({ code: z.number(), name: z.string(), data: z.string() }).catchall(z.union([z.number(), z.string()])),
  ),
});

/** The native record. Keys that are unknown or absent are left out. */
export const transaction = z
  .object({
    time,
    client: z.string(),
    client_port: z.number(),
    server: z.string(),
    server_port: z.number(),
    transport: z.enum(['udp', 'tcp', 'dot', 'doh', 'doq']),
    protocol: z.string().optional(),
    interface: z.string().optional(),
    sensor: z.string().optional(),
    vlan: z.number().optional(),
    leg: z.enum(['unknown', 'client', 'upstream']),
    id: z.number(),
    name: z.string().optional(),
    type: z.string().optional(),
    class: z.string().optional(),
    opcode: z.string(),
    rcode: z.string().optional(),
    flags: z.array(z.string()),
    role: z.enum(['recursive', 'iterative', 'authoritative']),
    outcome: z.enum(['answered', 'unanswered', 'capture_ended', 'orphan', 'unreachable', 'evicted']),
    answer_kind: z.enum(['data', 'nodata', 'nxdomain', 'referral', 'error']).optional(),
    latency_ms: z.number().optional(),
    latency_last_ms: z.number().optional(),
    tcp_setup_ms: z.number().optional(),
    queries: z.number(),
    responses: z.number(),
    duplicates: z.number(),
    late: z.number(),
    tcp_retry: z.string().optional(),
    answers: z.array(record).optional(),
    authority: z.array(record).optional(),
    additional: z.array(record).optional(),
    addresses: z.array(z.string()).optional(),
    cnames: z.array(z.string()).optional(),
    ttl_min: z.number().optional(),
    query_bytes: z.number().optional(),
    response_bytes: z.number().optional(),
    edns: z.object({ query: edns.optional(), response: edns.optional() }).optional(),
    ede: z.array(z.object({ code: z.number(), text: z.string() })).optional(),
    ecs: z.object({ address: z.string(), source: z.number(), scope: z.number() }).optional(),
    registrable_domain: z.string().optional(),
    public_suffix: z.string().optional(),
    frames: z.object({ query: z.array(z.number()), response: z.array(z.number()) }),
    fault: z.object({ cause: z.string(), offset: z.number(), in: z.string() }).optional(),
    is_suspicious: z.boolean().optional(),
    rules: z.array(z.string()).optional(),
    country: z.string().optional(),
    asn: z.number().optional(),
    client_name: z.string().optional(),
    parent: z.string().optional(),
    transaction: z.string(),
  })
  .openapi('Transaction');
export type Transaction = z.infer<typeof transaction>;

export const transactionsQuery = z.object({
  ...scopeInput,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(256).optional().openapi({ description: '`next` of the page before' }),
});

/** Newest first. `scanned_to`: how far back was looked; `complete`: the whole range was, or the page is full. */
export const transactionsPage = z
  .object({
    from: time,
    to: time,
    rows: z.array(transaction),
    next: cursor,
    scanned_to: time,
    complete: z.boolean(),
  })
  .openapi('TransactionsPage');
export type TransactionsPage = z.infer<typeof transactionsPage>;

/** Data of the `progress` events of streamed transactions; `share` of the range looked at, 0 … 1. */
export const progressEvent = z
  .object({ scanned_to: time, scanned: z.number(), found: z.number(), share: z.number() })
  .openapi('Progress');
export type ProgressEvent = z.infer<typeof progressEvent>;
/** Data of `rows` events. */
export const rowsEvent = z.object({ rows: z.array(transaction) }).openapi('Rows');
export type RowsEvent = z.infer<typeof rowsEvent>;
/** Data of the `end` event. */
export const endEvent = z.object({ next: cursor, scanned_to: time, complete: z.boolean() }).openapi('End');
export type EndEvent = z.infer<typeof endEvent>;

/** A line of a decoded message. `offset`, `length` in octets of the message; `bits` where it is smaller than one. */
export interface TreeNode {
  label: string;
  value: string;
  meaning?: string | undefined;
  offset?: number | undefined;
  length?: number | undefined;
  bits?: number | undefined;
  /** What is wrong here. */
  fault?: boolean | undefined;
  children?: TreeNode[] | undefined;
}
export const treeNode: z.ZodType<TreeNode> = z
  .object({
    label: z.string(),
    value: z.string(),
    meaning: z.string().optional(),
    offset: z.number().optional(),
    length: z.number().optional(),
    bits: z.number().optional(),
    fault: z.boolean().optional(),
    get children() {
      return z.array(treeNode).optional();
    },
  })
  .openapi('TreeNode');

/** A message; `hex` is its octets (null where they are not kept), `tree` what they say. */
export const decoded = z.object({ hex: z.string().nullable(), tree: z.array(treeNode) }).openapi('Decoded');
export type Decoded = z.infer<typeof decoded>;

export const packet = z
  .object({ number: z.number(), time, length: z.number(), hex: z.string(), direction: z.enum(['query', 'response']) })
  .openapi('Packet');
export type Packet = z.infer<typeof packet>;

export const transactionDetail = z
  .object({
    transaction,
    query: decoded.nullable(),
    response: decoded.nullable(),
    /** The frames as captured, oldest first; null where the raw ring does not cover them. */
    packets: z.array(packet).nullable(),
    related: z.object({
      /** The client's transaction that caused this one. */
      parent: transaction.nullable(),
      /** What this one caused upstream. */
      children: z.array(transaction),
      /** The TCP transaction that followed a truncated answer. */
      tcp_retry: transaction.nullable(),
      /** Same client and name within a few seconds. */
      siblings: z.array(transaction),
    }),
  })
  .openapi('TransactionDetail');
export type TransactionDetail = z.infer<typeof transactionDetail>;
