import { DNS, TCP, UDP } from '../core/carrier.ts';
import { Heap } from '../core/heap.ts';
import { LEGS, NO_KIND, NO_RCODE, NO_VLAN, OUTCOMES, TransactionBatch } from '../core/transactions.ts';
import { MessageView } from '../wire/message.ts';
import { hashName } from '../wire/name.ts';
import { answerKind, roleOf } from './answer-kind.ts';
import { type Exchange, ExchangeEncoder, isUnasked, serverPortOf, transportOf, typeOf } from './exchange.ts';
import { ID_WORDS, transactionId } from './transaction-id.ts';

export type { Address, EncodedRecords, Exchange } from './exchange.ts';

const TIMEOUT_NANOS = 5e9;
/** A response may be stamped a millisecond before its query: so long it waits for one. */
const SKEW_NANOS = 1e6 + 1;
const ANSWERED = OUTCOMES.indexOf('answered');
const UNANSWERED = OUTCOMES.indexOf('unanswered');
const ORPHAN = OUTCOMES.indexOf('orphan');
const UNREACHABLE = OUTCOMES.indexOf('unreachable');

/** An exchange that has not closed. Times are nanoseconds since the whole second at which the first one began. */
interface Pending {
  row: Exchange;
  open: number;
  close: number;
  id: number;
  port: number;
  /** Frames of the first query (0: none), of the last copy, and of the response (0: none yet). */
  frame: number;
  lastFrame: number;
  answerFrame: number;
}

/**
 * Writes exchanges as transaction rows, with the columns, frame numbers, ids and order that capturing their packets
 * would give: about 1 µs a row where records are in wire form. `add` wants them in order of time; rows go out in order
 * of closing. A query that is not answered is given up after 5 s.
 */
export class BatchWriter {
  readonly #onBatch: (batch: TransactionBatch) => unknown;
  readonly #rows: number;
  readonly #arenaBytes: number;
  #batch: TransactionBatch;
  readonly #encoder = new ExchangeEncoder();
  /** What is open, the nearest to its closing first. */
  readonly #open = new Heap<Pending>(isBefore);
  readonly #view = new MessageView();
  readonly #id = { high: 0, low: 0 };
  readonly #words = new Uint32Array(ID_WORDS);
  #base = Number.NaN;
  #frames = 0;
  #added = 0;

  /** `onBatch` takes full batches: to keep, or (true) to be filled again. */
  constructor(onBatch: (batch: TransactionBatch) => unknown, rows = 4096, arenaBytes = 2 << 20) {
    this.#onBatch = onBatch;
    this.#rows = rows;
    this.#arenaBytes = arenaBytes;
    this.#batch = TransactionBatch.create(rows, arenaBytes);
  }

  /** Throws `UserError` for a name, type or record that cannot be written. */
  add(row: Exchange): void {
    const n = this.#added++;
    const open = this.#nanos(row);
    this.#closeUntil(open);
    const isAlone = isUnasked(row);
    const frame = isAlone ? 0 : this.#frames + 1;
    this.#frames += row.queries ?? 1;
    this.#open.push({
      row,
      open,
      close: open + Math.round((isAlone ? 0 : (row.latencyMs ?? row.lastMs ?? 0)) * 1e6) + wait(row),
      id: row.id ?? Math.imul(n, 0x9e3779b1) >>> 16,
      port: row.clientPort ?? 20_000 + (n % 40_000),
      frame,
      lastFrame: this.#frames,
      answerFrame: isAlone ? this.#frames : 0,
    });
  }

  /** Time has reached this (seconds since 1970) though nobody asked: what closes before is written. */
  advance(time: number): void {
    if (!Number.isNaN(this.#base)) this.#closeUntil((time - this.#base) * 1e9);
  }

  /** Writes what is open and hands over the last batch. */
  finish(): void {
    this.#closeUntil(Number.POSITIVE_INFINITY);
    this.#flush();
  }

  #nanos(row: Exchange): number {
    const seconds = Math.floor(row.time);
    if (Number.isNaN(this.#base)) this.#base = seconds;
    // A double holds times of these years to a quarter of a microsecond.
    return (seconds - this.#base) * 1e9 + (row.nanos ?? Math.round((row.time - seconds) * 1e6) * 1000);
  }

  #flush(): void {
    const full = this.#batch;
    if (full.count === 0) return;
    if (this.#onBatch(full) === true) {
      full.count = 0;
      full.used = 0;
    } else this.#batch = TransactionBatch.create(this.#rows, this.#arenaBytes);
  }

  #closeUntil(time: number): void {
    for (let pending = this.#open.first; pending !== undefined && pending.close <= time; pending = this.#open.first) {
      this.#open.pop();
      const { row } = pending;
      const isFirst = pending.answerFrame === 0;
      if (isFirst && row.latencyMs !== undefined) pending.answerFrame = ++this.#frames;
      if (isFirst && waitsForRetry(row)) {
        pending.close = row.retry === undefined ? pending.close + TIMEOUT_NANOS : this.#nanos(row.retry);
        this.#open.push(pending);
      } else this.#write(pending);
    }
  }

  // ---- a row ----

  #write(pending: Pending): void {
    const { row, id, frame, lastFrame } = pending;
    const isAsked = !isUnasked(row);
    const isAnswered = !isAsked || (row.latencyMs !== undefined && row.fate !== 'unreachable');
    const most = 32 + this.#encoder.bytesOf(row);
    if (this.#batch.count === this.#batch.capacity || this.#batch.used + most > this.#batch.arena.length) this.#flush();
    const { arena, numbers, col: c, count: i, used } = this.#batch;

    const framesAt = (used + 7) & ~7;
    let f = framesAt >>> 3;
    if (isAsked) numbers[f++] = frame;
    if (lastFrame > frame && isAsked) numbers[f++] = lastFrame;
    c.queryFrames[i] = f - (framesAt >>> 3);
    c.responseFrames[i] = isAnswered ? 1 : 0;
    if (isAnswered) numbers[f++] = pending.answerFrame;
    const queryAt = f << 3;
    const responseAt = isAsked ? this.#encoder.query(row, id, arena, queryAt) : queryAt;
    const end = isAnswered ? this.#encoder.response(row, id, arena, responseAt) : responseAt;
    c.framesAt[i] = framesAt;
    c.queryAt[i] = queryAt;
    c.queryLength[i] = responseAt - queryAt;
    c.responseAt[i] = responseAt;
    c.responseLength[i] = end - responseAt;
    c.queryBytes[i] = isAsked ? (row.queryBytes ?? responseAt - queryAt) : 0;
    c.responseBytes[i] = isAnswered ? (row.responseBytes ?? end - responseAt) : 0;
    c.queries[i] = isAsked ? (row.queries ?? 1) : 0;
    c.responses[i] = isAnswered ? 1 : 0;

    this.#times(pending, i, isAsked, isAnswered);
    this.#ends(pending, i);
    this.#judge(pending, i, isAsked, isAnswered);
    this.#batch.used = end;
    this.#batch.count = i + 1;
  }

  #times(
    { row, open, close, lastFrame, answerFrame }: Pending,
    i: number,
    isAsked: boolean,
    isAnswered: boolean,
  ): void {
    const c = this.#batch.col;
    const last = isAsked ? open + Math.round((row.lastMs ?? 0) * 1e6) : 0;
    const answer = isAsked ? open + Math.round((row.latencyMs ?? 0) * 1e6) : open;
    const base = this.#base;
    c.openSeconds[i] = base + Math.floor(open / 1e9);
    c.openNanos[i] = open % 1e9;
    c.lastSeconds[i] = isAsked ? base + Math.floor(last / 1e9) : 0;
    c.lastNanos[i] = last % 1e9;
    c.answerSeconds[i] = isAnswered ? base + Math.floor(answer / 1e9) : 0;
    c.answerNanos[i] = isAnswered ? answer % 1e9 : 0;
    c.closeSeconds[i] = base + Math.floor(close / 1e9);
    c.closeNanos[i] = close % 1e9;
    // A truncated answer is closed by the TCP query behind it, which is the next frame.
    const closing = row.retry === undefined ? answerFrame : this.#frames + 1;
    c.closeNumber[i] = answerFrame === 0 ? lastFrame : closing;
    c.setupNanos[i] = row.setupMs === undefined ? Number.NaN : row.setupMs * 1e6;
  }

  #ends({ row, port, id }: Pending, i: number): void {
    const c = this.#batch.col;
    const client = this.#encoder.address(row.client);
    const server = this.#encoder.address(row.server);
    c.client0[i] = client.words[0];
    c.client1[i] = client.words[1];
    c.client2[i] = client.words[2];
    c.client3[i] = client.words[3];
    c.server0[i] = server.words[0];
    c.server1[i] = server.words[1];
    c.server2[i] = server.words[2];
    c.server3[i] = server.words[3];
    c.family[i] = client.family;
    c.clientPort[i] = port;
    c.serverPort[i] = serverPortOf(row);
    c.transport[i] = transportOf(row);
    c.protocol[i] = row.protocol ?? DNS;
    c.interfaceId[i] = 0;
    c.vlan[i] = NO_VLAN;
    c.id[i] = id;
    c.type[i] = typeOf(row);
    c.class[i] = row.class ?? 1;
    c.duplicates[i] = row.fate === 'repeated' ? 1 : 0;
    c.late[i] = row.fate === 'late' ? 1 : 0;
    c.fragmented[i] = row.isFragmented === true && transportOf(row) === UDP ? 1 : 0;
    c.leg[i] = row.leg === undefined ? 0 : LEGS.indexOf(row.leg);
  }

  #judge({ row }: Pending, i: number, isAsked: boolean, isAnswered: boolean): void {
    const { col: c, arena } = this.#batch;
    const view = this.#view;
    let asked = 0;
    if (isAsked) {
      asked = (arena[c.queryAt[i] + 2] << 8) | arena[c.queryAt[i] + 3];
      c.nameHash[i] = hashName(arena, c.queryAt[i] + 12, c.queryAt[i]);
    }
    c.mark[i] = c.fault[i] = c.faultAt[i] = c.faultIn[i] = c.faultSide[i] = 0;
    if (isAnswered) {
      view.read(arena, c.responseAt[i], c.responseLength[i]);
      if (!isAsked) {
        asked = view.flags;
        c.nameHash[i] = view.questionHash;
      }
    }
    const flags = isAnswered ? view.flags : asked;
    c.opcode[i] = (flags >> 11) & 15;
    c.rcode[i] = isAnswered ? view.rcode : NO_RCODE;
    c.answerKind[i] = isAnswered ? answerKind(view, c.type[i], c.protocol[i]) : NO_KIND;
    c.role[i] = roleOf(asked, isAnswered ? flags : 0);
    c.outcome[i] = outcomeOf(row, isAnswered);
    c.parentHigh[i] = c.parentLow[i] = 0;
    this.#identify(row, i);
  }

  #identify({ retry }: Exchange, i: number): void {
    const c = this.#batch.col;
    const words = this.#words;
    words[0] = c.client0[i];
    words[1] = c.client1[i];
    words[2] = c.client2[i];
    words[3] = c.client3[i];
    words[4] = c.server0[i];
    words[5] = c.server1[i];
    words[6] = c.server2[i];
    words[7] = c.server3[i];
    words[8] = (c.clientPort[i] << 16) | c.serverPort[i];
    words[9] = (c.id[i] << 16) | c.type[i];
    words[10] = (c.class[i] << 16) | (c.transport[i] << 8) | (c.protocol[i] << 4) | c.family[i];
    words[11] = c.nameHash[i];
    transactionId(words, 0, c.openSeconds[i], c.openNanos[i], this.#id);
    c.idHigh[i] = this.#id.high;
    c.idLow[i] = this.#id.low;
    this.#id.high = this.#id.low = 0;
    if (retry !== undefined) {
      const open = this.#nanos(retry);
      words[8] = ((retry.clientPort ?? 0) << 16) | c.serverPort[i];
      words[9] = ((retry.id ?? 0) << 16) | c.type[i];
      words[10] = (c.class[i] << 16) | (TCP << 8) | (c.protocol[i] << 4) | c.family[i];
      transactionId(words, 0, this.#base + Math.floor(open / 1e9), open % 1e9, this.#id);
    }
    c.retryHigh[i] = this.#id.high;
    c.retryLow[i] = this.#id.low;
  }
}

/** Rows of exchanges in any order of time: for tests, and what has few rows. */
export function batchesOf(exchanges: readonly Exchange[]): TransactionBatch[] {
  const batches: TransactionBatch[] = [];
  const writer = new BatchWriter((batch) => void batches.push(batch));
  const when = (row: Exchange) => row.time + (row.nanos ?? 0) / 1e9;
  for (const row of exchanges.toSorted((a, b) => when(a) - when(b))) writer.add(row);
  writer.finish();
  return batches;
}

/** How long a message waits for the other one that does not come, in ns. */
function wait(row: Exchange): number {
  if (isUnasked(row)) return row.fate === 'orphan' ? SKEW_NANOS : 0;
  return row.latencyMs === undefined ? TIMEOUT_NANOS : 0;
}

function waitsForRetry(row: Exchange): boolean {
  return row.tc === true && row.latencyMs !== undefined && transportOf(row) === UDP && (row.protocol ?? DNS) === DNS;
}

function outcomeOf(row: Exchange, isAnswered: boolean): number {
  if (isUnasked(row)) return ORPHAN;
  if (row.fate === 'unreachable') return UNREACHABLE;
  return isAnswered ? ANSWERED : UNANSWERED;
}

function isBefore(a: Pending, b: Pending): boolean {
  return a.close < b.close || (a.close === b.close && a.lastFrame < b.lastFrame);
}
