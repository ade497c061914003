import { UDP } from '../core/carrier.ts';
import { NO_KIND, NO_RCODE, TransactionBatch, type TransactionColumns } from '../core/transactions.ts';
import { copyWords, Words } from '../core/words.ts';
import { answerKind, roleOf } from '../rr/answer-kind.ts';
import { transactionId } from '../rr/transaction-id.ts';
import { MessageView } from '../wire/message.ts';
import type { Legs } from './legs.ts';
import * as Slot from './open-slot.ts';
import type { OpenTable } from './open-table.ts';

// A copy of this module: the compiler knows its values, those of imported names it reads from memory (decision 10).
const T = { ...Slot };

/** Takes a full batch: to keep, or (true) to be filled again, which spares the memory of another one. */
export type BatchListener = (batch: TransactionBatch) => unknown;

/**
 * Reads the messages of rows while they are at hand: spares keeping them in the batch and reading them again. Batches
 * hold `atOnce` rows then, and no messages and frame numbers.
 */
export interface RowReader {
  readonly atOnce: number;
  /**
   * Row `i` has been written but for its messages: `response` (null = none at hand) and the query in
   * `bytes[at, at + length)`. True when the batch should be handed over now.
   */
  readRow(
    col: TransactionColumns,
    i: number,
    response: MessageView | null,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): boolean;
}

/** Writes closed slots as rows of transaction batches. */
export class RowWriter {
  readonly #onBatch: BatchListener;
  readonly #legs: Legs;
  readonly #reader: RowReader | undefined;
  #batch: TransactionBatch;
  readonly #view = new MessageView();
  readonly #queryWords = new Words();
  readonly #responseWords = new Words();
  readonly #arenaWords = new Words();
  readonly #id = { high: 0, low: 0 };
  #retryHigh = 0;
  #retryLow = 0;

  constructor(onBatch: BatchListener, legs: Legs, reader?: RowReader) {
    this.#onBatch = onBatch;
    this.#legs = legs;
    this.#reader = reader;
    this.#batch = this.#create();
  }

  #create(): TransactionBatch {
    return this.#reader === undefined ? TransactionBatch.create() : TransactionBatch.create(this.#reader.atOnce, 8);
  }

  /** Hands over the rows written so far. */
  flush(): void {
    if (this.#batch.count === 0) return;
    const full = this.#batch;
    if (this.#onBatch(full) === true) {
      full.count = 0;
      full.used = 0;
    } else this.#batch = this.#create();
  }

  /** A view on a response kept in its slot; null without. Valid until the next call. */
  readKept(bytes: Uint8Array | undefined): MessageView | null {
    if (bytes === undefined) return null;
    this.#view.read(bytes, 0, bytes.length);
    return this.#view;
  }

  /** The next row written was followed by this TCP transaction. */
  retry(open: OpenTable, tcp: number): void {
    idOf(open, tcp, this.#id);
    this.#retryHigh = this.#id.high;
    this.#retryLow = this.#id.low;
  }

  /** The row that `retry` was for is not shown. */
  forget(): void {
    this.#retryHigh = this.#retryLow = 0;
  }

  /** Writes one row. `order` = when it closed; `response` = its (first) response, null without. */
  write(
    open: OpenTable,
    slot: number,
    outcome: number,
    response: MessageView | null,
    order: { seconds: number; nanos: number; number: number },
    late: number,
  ): void {
    const { words, doubles } = open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    if (this.#reader === undefined) this.#keepMessages(open, slot, response);
    else if (this.#batch.count === this.#batch.capacity) this.flush();
    const batch = this.#batch;
    const col = batch.col;
    const i = batch.count;

    // Times and order.
    const queried = words[w + T.QUERIES] > 0;
    col.openSeconds[i] = queried ? doubles[d + T.OPEN_SECONDS] : doubles[d + T.ANSWER_SECONDS];
    col.openNanos[i] = queried ? words[w + T.OPEN_NANOS] : words[w + T.ANSWER_NANOS];
    col.lastSeconds[i] = doubles[d + T.LAST_SECONDS];
    col.lastNanos[i] = words[w + T.LAST_NANOS];
    col.answerSeconds[i] = doubles[d + T.ANSWER_SECONDS];
    col.answerNanos[i] = words[w + T.ANSWER_NANOS];
    col.closeSeconds[i] = order.seconds;
    col.closeNanos[i] = order.nanos;
    col.closeNumber[i] = order.number;

    // Who and what.
    col.client0[i] = words[w + T.CLIENT];
    col.client1[i] = words[w + T.CLIENT + 1];
    col.client2[i] = words[w + T.CLIENT + 2];
    col.client3[i] = words[w + T.CLIENT + 3];
    col.server0[i] = words[w + T.SERVER];
    col.server1[i] = words[w + T.SERVER + 1];
    col.server2[i] = words[w + T.SERVER + 2];
    col.server3[i] = words[w + T.SERVER + 3];
    col.clientPort[i] = words[w + T.PORTS] >>> 16;
    col.serverPort[i] = words[w + T.PORTS];
    const kind = words[w + T.CLASS_KIND];
    const protocol = (kind >> 4) & 15;
    const transport = (kind >> 8) & 0xff;
    col.setupNanos[i] = transport === UDP ? Number.NaN : (open.setup.get(slot) ?? Number.NaN);
    col.family[i] = kind & 15;
    col.transport[i] = transport;
    col.protocol[i] = protocol;
    col.interfaceId[i] = words[w + T.CAPTURED_ON] >>> 16;
    col.vlan[i] = words[w + T.CAPTURED_ON];
    col.id[i] = words[w + T.ID_TYPE] >>> 16;
    col.type[i] = words[w + T.ID_TYPE];
    col.class[i] = kind >>> 16;
    col.nameHash[i] = words[w + T.NAME_HASH];
    col.queries[i] = words[w + T.QUERIES];
    col.responses[i] = words[w + T.RESPONSES];
    col.duplicates[i] = words[w + T.DUPLICATES];
    col.late[i] = late;
    col.queryBytes[i] = words[w + T.QUERY_BYTES];
    col.responseBytes[i] = words[w + T.RESPONSE_BYTES] & ~T.FRAGMENTED;
    col.fragmented[i] = words[w + T.RESPONSE_BYTES] >>> 31;

    // Judgements.
    const flags = response === null ? words[w + T.QUERY_FLAGS] : response.flags;
    const asked = queried ? words[w + T.QUERY_FLAGS] : flags;
    col.opcode[i] = (flags >> 11) & 15;
    col.rcode[i] = response === null ? NO_RCODE : response.rcode;
    col.mark[i] = 0;
    col.outcome[i] = outcome;
    col.answerKind[i] = response === null ? NO_KIND : answerKind(response, words[w + T.ID_TYPE] & 0xffff, protocol);
    col.role[i] = roleOf(asked, response === null ? 0 : flags);
    col.leg[i] = this.#legs.legOf(col, i, (asked & 0x0100) !== 0);
    const queryFault = words[w + T.QUERY_FAULT];
    const responseFault = response !== null && response.fault !== 0;
    col.fault[i] = responseFault ? response.fault : queryFault >>> 24;
    col.faultIn[i] = responseFault ? response.faultIn : (queryFault >>> 20) & 15;
    col.faultAt[i] = responseFault ? response.faultAt : queryFault & 0xfffff;
    col.faultSide[i] = responseFault ? 1 : 0;

    idOf(open, slot, this.#id);
    col.idHigh[i] = this.#id.high;
    col.idLow[i] = this.#id.low;
    col.retryHigh[i] = this.#retryHigh;
    col.retryLow[i] = this.#retryLow;
    col.parentHigh[i] = col.parentLow[i] = 0;
    this.#retryHigh = this.#retryLow = 0;
    batch.count = i + 1;
    if (this.#reader !== undefined) this.#read(this.#reader, open, slot, response);
  }

  /** Writes what the arena holds of the next row (frame numbers, aligned; query; response) and where. */
  #keepMessages(open: OpenTable, slot: number, response: MessageView | null): void {
    const { words, doubles } = open;
    const w = slot * T.WORDS;
    const d = slot * T.DOUBLES;
    const queryLength = words[w + T.QUERY_LENGTH];
    const responseLength = response === null ? 0 : response.end - response.start;
    const moreQueries = words[w + T.QUERIES] > 1 ? open.moreQueries.get(slot) : undefined;
    const moreResponses = words[w + T.RESPONSES] > 1 ? open.moreResponses.get(slot) : undefined;
    const queryFrames = (words[w + T.QUERIES] > 0 ? 1 : 0) + (moreQueries?.length ?? 0);
    const responseFrames = (words[w + T.RESPONSES] > 0 ? 1 : 0) + (moreResponses?.length ?? 0);
    const needed = 8 + 8 * (queryFrames + responseFrames) + queryLength + responseLength;
    if (this.#batch.count === this.#batch.capacity || this.#batch.used + needed > this.#batch.arena.length)
      this.flush();
    const batch = this.#batch;
    const col = batch.col;
    const i = batch.count;
    const framesAt = (batch.used + 7) & ~7;
    const frames = batch.numbers;
    const first = framesAt >>> 3;
    let f = first;
    if (words[w + T.QUERIES] > 0) frames[f++] = doubles[d + T.OPEN_NUMBER];
    if (moreQueries !== undefined) for (const number of moreQueries) frames[f++] = number;
    if (words[w + T.RESPONSES] > 0) frames[f++] = doubles[d + T.ANSWER_NUMBER];
    if (moreResponses !== undefined) for (const number of moreResponses) frames[f++] = number;
    const queryAt = framesAt + 8 * (f - first);
    if (queryLength > 0) {
      const inline = queryLength <= T.INLINE_BYTES;
      const bytes = inline ? open.inline : (open.long.get(slot) as Uint8Array);
      this.#copy(this.#queryWords, bytes, inline ? slot * T.INLINE_BYTES : 0, queryLength, queryAt);
    }
    const responseAt = queryAt + queryLength;
    if (response !== null) {
      this.#copy(this.#responseWords, response.bytes, response.start, responseLength, responseAt);
    }
    batch.used = responseAt + responseLength;
    col.framesAt[i] = framesAt;
    col.queryFrames[i] = queryFrames;
    col.responseFrames[i] = responseFrames;
    col.queryAt[i] = queryAt;
    col.queryLength[i] = queryLength;
    col.responseAt[i] = responseAt;
    col.responseLength[i] = responseLength;
  }

  /** Copies a message into the arena. */
  #copy(words: Words, bytes: Uint8Array, at: number, length: number, target: number): void {
    const { arena } = this.#batch;
    if (length > 512) arena.set(bytes.subarray(at, at + length), target);
    else copyWords(words.of(bytes), at, length, this.#arenaWords.of(arena), target);
  }

  /** Has the messages of the row just written read. */
  #read(reader: RowReader, open: OpenTable, slot: number, response: MessageView | null): void {
    const batch = this.#batch;
    const length = open.words[slot * T.WORDS + T.QUERY_LENGTH];
    const inline = length <= T.INLINE_BYTES;
    const bytes = inline ? open.inline : (open.long.get(slot) as Uint8Array);
    const at = inline ? slot * T.INLINE_BYTES : 0;
    if (reader.readRow(batch.col, batch.count - 1, response, bytes, at, length)) this.flush();
  }
}

/** The id of what is in a slot: by its first query, or by the response without one. */
function idOf(open: OpenTable, slot: number, out: { high: number; low: number }): void {
  const { words, doubles } = open;
  const w = slot * T.WORDS;
  const d = slot * T.DOUBLES;
  const queried = words[w + T.QUERIES] > 0;
  const seconds = queried ? doubles[d + T.OPEN_SECONDS] : doubles[d + T.ANSWER_SECONDS];
  const nanos = queried ? words[w + T.OPEN_NANOS] : words[w + T.ANSWER_NANOS];
  transactionId(words, w + T.CLIENT, seconds, nanos, out);
}
