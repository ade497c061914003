import assert from 'node:assert/strict';
import { Carrier } from '../../src/core/carrier.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { Ledger } from '../../src/core/ledger.ts';
import {
  ANSWER_KINDS,
  idText,
  NO_KIND,
  NO_RCODE,
  OUTCOMES,
  ROLES,
  type TransactionBatch,
} from '../../src/core/transactions.ts';
import { type MatchOptions, Matcher, type MessagePredicate } from '../../src/correlate/matcher.ts';
import { encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import { MessageView } from '../../src/wire/message.ts';
import { carrierOf, type Sent } from '../sinks/rows.ts';

/** A message on its way, or time that passes, or a message quoted in an ICMP error. */
export type Step = Sent & { pass?: true; quoted?: true };

/** A row as a test reads it. Times in seconds since the capture began. */
export interface Row {
  outcome: string;
  kind: string | undefined;
  role: string;
  queries: number;
  responses: number;
  duplicates: number;
  late: number;
  latencyNanos: number;
  latencyLastNanos: number;
  setupNanos: number;
  frames: { query: number[]; response: number[] };
  rcode: number | undefined;
  id: number;
  type: number;
  transaction: string;
  retry: string;
  queryLength: number;
  responseLength: number;
  close: [number, number, number];
}

export interface Run {
  rows: Row[];
  ledger: Ledger;
  joins: MessageJoin[];
  closed: [number, number, number][];
}

const START = 1_700_000_000;

/** Joins messages as a run does. Both what `add` says and the rows; the message equation is checked. */
export function run(steps: readonly Step[], options: MatchOptions = {}, filter: MessagePredicate | null = null): Run {
  const batches: TransactionBatch[] = [];
  const ledger = new Ledger();
  const closed: Run['closed'] = [];
  const matcher = new Matcher(ledger, (batch) => batches.push(batch), {
    closed: (number, inFrame, response) => closed.push([number, inFrame, response]),
    ...options,
  });
  const view = new MessageView();
  const join = new MessageJoin();
  const joins: MessageJoin[] = [];
  const carrier = new Carrier();
  steps.forEach((step, i) => {
    carrierOf(step, i + 1, carrier);
    matcher.advance(carrier.seconds, carrier.nanos);
    if (step.pass) return;
    view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
    carrier.quoted = step.quoted === true;
    if (carrier.quoted) return matcher.unreachable(carrier, view);
    ledger.decoded++;
    matcher.add(carrier, view, join, filter);
    joins.push(Object.assign(new MessageJoin(), join));
  });
  matcher.finish();
  assert.equal(matcher.openTransactions, 0);
  assert.deepEqual(ledger.imbalance(), []);
  return { rows: batches.flatMap(rowsOf), ledger, joins, closed };
}

export function rowsOf(batch: TransactionBatch): Row[] {
  const c = batch.col;
  return Array.from({ length: batch.count }, (_, i) => ({
    outcome: OUTCOMES[c.outcome[i]],
    kind: c.answerKind[i] === NO_KIND ? undefined : ANSWER_KINDS[c.answerKind[i]],
    role: ROLES[c.role[i]],
    queries: c.queries[i],
    responses: c.responses[i],
    duplicates: c.duplicates[i],
    late: c.late[i],
    latencyNanos: batch.latencyNanos(i),
    latencyLastNanos: batch.latencyNanos(i, true),
    setupNanos: c.setupNanos[i],
    frames: batch.frames(i),
    rcode: c.rcode[i] === NO_RCODE ? undefined : c.rcode[i],
    id: c.id[i],
    type: c.type[i],
    transaction: idText(c.idHigh[i], c.idLow[i]),
    retry: idText(c.retryHigh[i], c.retryLow[i]),
    queryLength: c.queryLength[i],
    responseLength: c.responseLength[i],
    close: [c.closeSeconds[i] - START, c.closeNanos[i], c.closeNumber[i]],
  }));
}

/** A query for A of a name, and an answer to it, unless told otherwise. */
export function query(at: number, more: Partial<Step> & { message?: Partial<MessageInput> } = {}): Step {
  const { message, ...step } = more;
  return { at, bytes: encodeMessage({ id: 7, flags: ['rd'], questions: [asks('www.example')], ...message }), ...step };
}

export function answer(at: number, more: Partial<Step> & { message?: Partial<MessageInput> } = {}): Step {
  const { message, ...step } = more;
  const questions = message?.questions ?? [asks('www.example')];
  const answers = questions.map(({ name }) => ({ name, type: 'A', class: 'IN', ttl: 60, data: '192.0.2.80' }));
  return { at, bytes: encodeMessage({ id: 7, flags: ['qr', 'rd', 'ra'], questions, answers, ...message }), ...step };
}

export function asks(name: string, type = 'A'): { name: string; type: string; class: string } {
  return { name, type, class: 'IN' };
}

/** Time passes without a message of ours. */
export function pass(at: number): Step {
  return { at, bytes: new Uint8Array(12), pass: true };
}
