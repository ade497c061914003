import { Carrier, NBNS, TCP, UDP } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { MessageJoin } from '../core/join.ts';
import { NO_VLAN, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { MessageView } from '../wire/message.ts';
import { type Compat, compileFilter, type Filter } from './compile.ts';
import { FilterError } from './errors.ts';
import { findField } from './fields/registry.ts';
import { readTokens } from './lexer.ts';

/** Says whether a row passes: the whole filter holds for its query, or for its response. */
export type RowPredicate = (batch: TransactionBatch, row: number) => boolean;

/** A filter on a field that no stored transaction holds (the frame, its layers). Exit code 4, HTTP 422. */
export class UnstoredFieldError extends FilterError {
  readonly field: string;

  constructor(field: string, text: string) {
    const place = readTokens(text).find((token) => token.kind === 'word' && token.text.replace(/^\./, '') === field);
    const { at = 0, end = text.length } = place ?? {};
    const reason = `'${field}' is not kept with transactions: it can be asked for where packets are read.`;
    super(reason, text, at, Math.max(1, end - at));
    this.name = 'UnstoredFieldError';
    this.field = field;
  }
}

/** A display filter for transactions. Throws `FilterError`, and `UnstoredFieldError` for fields of the frame. */
export function compileStored(text: string, compat?: Compat): Filter {
  const filter = compileFilter(text, { compat });
  const missing = filter.fields.find((name) => findField(name)?.stored === false);
  if (missing !== undefined) throw new UnstoredFieldError(missing, text);
  return filter;
}

/**
 * A display filter over rows. It reads the messages in the batch's arena again, so it sees the first copy of the query
 * and the first response; further copies make them retransmissions. `interfaces` by number, may grow.
 */
export function rowFilter(
  text: string,
  interfaces: readonly CapturedInterface[] = [],
  { marks, compat }: { marks?: readonly string[]; compat?: Compat } = {},
): RowPredicate {
  const filter = compileStored(text, compat);
  const subject = new RowSubject(interfaces, marks);
  return (batch, row) =>
    (subject.query(batch, row) && filter.matches(subject.carrier, subject.view, subject.join)) ||
    (subject.response(batch, row) && filter.matches(subject.carrier, subject.view, subject.join));
}

const ORPHAN = OUTCOMES.indexOf('orphan');
/** Tag and type behind it: what `vlan.id` reads. */
const TAG_BYTES = 4;

/** The messages of rows, as the filter wants to see them. */
export class RowSubject {
  readonly carrier = new Carrier();
  readonly view = new MessageView();
  readonly join = new MessageJoin();
  readonly #tag = new Uint8Array(TAG_BYTES);

  readonly #marks: readonly string[];

  /** `marks`: names of rules by the number of a mark. Both lists may grow. */
  constructor(interfaces: readonly CapturedInterface[], marks: readonly string[] = []) {
    this.#marks = marks;
    this.carrier.interfaces = interfaces;
    this.carrier.frame = this.#tag;
  }

  /** Goes to the query of a row; false when there is none. */
  query(batch: TransactionBatch, i: number): boolean {
    const c = batch.col;
    const { carrier, join } = this;
    if (c.queryLength[i] === 0) return false;
    this.#shared(batch, i);
    this.#ends(batch, i, true);
    carrier.seconds = c.openSeconds[i];
    carrier.nanos = c.openNanos[i];
    this.#read(batch, c.queryAt[i], c.queryLength[i], c.queryBytes[i]);
    join.clear();
    const first = c.queryFrames[i] > 0 ? batch.numbers[c.framesAt[i] >>> 3] : 0;
    const answer = c.responseFrames[i] > 0 ? batch.numbers[(c.framesAt[i] >>> 3) + c.queryFrames[i]] : 0;
    join.retransmission = c.queries[i] > 1;
    join.retransmitRequestIn = c.queries[i] > 1 ? first : 0;
    join.responseIn = c.responses[i] > 0 ? answer : 0;
    join.responseMissing = c.responses[i] === 0;
    return true;
  }

  /** Goes to the response of a row; false when there is none. */
  response(batch: TransactionBatch, i: number): boolean {
    const c = batch.col;
    const { carrier, join } = this;
    if (c.responseLength[i] === 0) return false;
    this.#shared(batch, i);
    this.#ends(batch, i, false);
    carrier.seconds = c.answerSeconds[i];
    carrier.nanos = c.answerNanos[i];
    this.#read(batch, c.responseAt[i], c.responseLength[i], c.responseBytes[i]);
    join.clear();
    join.responseTo = c.queryFrames[i] > 0 ? batch.numbers[c.framesAt[i] >>> 3] : 0;
    join.latencyNanos = batch.latencyNanos(i);
    join.latencyLastNanos = batch.latencyNanos(i, true);
    join.unsolicited = c.outcome[i] === ORPHAN;
    // Of a transfer over TCP every message is a response of its own.
    const isRepeated = c.responses[i] > 1 && c.transport[i] === UDP;
    join.retransmission = isRepeated;
    const answer = c.responseFrames[i] > 0 ? batch.numbers[(c.framesAt[i] >>> 3) + c.queryFrames[i]] : 0;
    join.retransmitResponseIn = isRepeated ? answer : 0;
    return true;
  }

  #read(batch: TransactionBatch, at: number, length: number, claimed: number): void {
    const { carrier } = this;
    carrier.bytes = batch.arena;
    carrier.at = at;
    carrier.length = length;
    carrier.claimedLength = Math.max(claimed, length);
    this.view.read(batch.arena, at, length, carrier.claimedLength);
  }

  #shared({ col: c }: TransactionBatch, i: number): void {
    const { carrier } = this;
    carrier.family = c.family[i];
    carrier.transport = c.transport[i];
    carrier.protocol = c.protocol[i];
    carrier.interfaceId = c.interfaceId[i];
    carrier.rules = c.mark[i] === 0 ? '' : (this.#marks[c.mark[i]] ?? '');
    const isTagged = c.vlan[i] !== NO_VLAN;
    carrier.vlan = isTagged ? c.vlan[i] : -1;
    carrier.vlanAt = isTagged ? 0 : -1;
    carrier.capturedLength = isTagged ? TAG_BYTES : 0;
    this.#tag[0] = c.vlan[i] >> 8;
    this.#tag[1] = c.vlan[i];
    carrier.setupNanos = c.transport[i] === TCP ? c.setupNanos[i] : Number.NaN;
  }

  #ends({ col: c }: TransactionBatch, i: number, isQuery: boolean): void {
    const { carrier } = this;
    carrier.source0 = isQuery ? c.client0[i] : c.server0[i];
    carrier.source1 = isQuery ? c.client1[i] : c.server1[i];
    carrier.source2 = isQuery ? c.client2[i] : c.server2[i];
    carrier.source3 = isQuery ? c.client3[i] : c.server3[i];
    carrier.destination0 = isQuery ? c.server0[i] : c.client0[i];
    carrier.destination1 = isQuery ? c.server1[i] : c.client1[i];
    carrier.destination2 = isQuery ? c.server2[i] : c.client2[i];
    carrier.destination3 = isQuery ? c.server3[i] : c.client3[i];
    carrier.sourcePort = isQuery ? c.clientPort[i] : c.serverPort[i];
    carrier.destinationPort = isQuery ? c.serverPort[i] : c.clientPort[i];
  }
}

const OPCODE_DSO = 6;

/**
 * True when the columns of a row do not tell all of what filters ask about header and question, so that they have to
 * look at its messages: more than one question, a response that repeats another one or none, a name with escapes,
 * records in the query besides OPT, a fault. `query` and `response`: views on its messages, null without.
 */
export function isIrregular(
  batch: TransactionBatch,
  i: number,
  query: MessageView | null,
  response: MessageView | null,
): boolean {
  const c = batch.col;
  if ((query !== null) !== c.queryBytes[i] > 0 || (response !== null) !== c.responseBytes[i] > 0) return true;
  if (query !== null && (query.isResponse || !isQuestionOf(query, batch, i))) return true;
  if (response !== null && (!response.isResponse || !isQuestionOf(response, batch, i))) return true;
  if (query === null) return false;
  return query.records !== (query.opt < 0 ? 0 : 1) || (response !== null && response.opcode !== query.opcode);
}

/** True for a sound message with the question of the row's columns, or none where they have none. */
function isQuestionOf(view: MessageView, { col: c }: TransactionBatch, i: number): boolean {
  if (view.fault !== 0 || view.opcode === OPCODE_DSO) return false;
  if (c.protocol[i] === NBNS) return view.questions <= 1;
  if (view.questions === 0) return c.nameHash[i] === 0 && c.type[i] === 0 && c.class[i] === 0;
  if (view.questions > 1 || view.questionType[0] !== c.type[i] || view.questionClass[0] !== c.class[i]) return false;
  return view.questionHash === c.nameHash[i] && isPlain(view, view.questionName[0]);
}

/** True for a name whose text has no escapes. */
function isPlain({ bytes, start }: MessageView, offset: number): boolean {
  for (let at = offset; bytes[at] !== 0; ) {
    const n = bytes[at];
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    for (let k = at + 1; k <= at + n; k++) {
      if (bytes[k] <= 0x20 || bytes[k] >= 0x7f || bytes[k] === 0x2e || bytes[k] === 0x5c) return false;
    }
    at += n + 1;
  }
  return true;
}
