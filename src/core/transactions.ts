/**
 * Transactions in bulk: columns and a byte arena in one ArrayBuffer, transferred between threads, never cloned.
 *
 * The arena holds the wire bytes of the first query and of the response (the first one; of a zone transfer the first
 * message), so everything else about a transaction is read from them on demand (`wire/message.ts`), never stored twice.
 */
const COLUMNS = {
  // Doubles first: every column is aligned to its element size.
  /** Time of the first query copy (orphan: of the response). Whole seconds since 1970. */
  openSeconds: 'f64',
  /** Time of the last query copy. */
  lastSeconds: 'f64',
  /** Time of the first response; 0 without. */
  answerSeconds: 'f64',
  /**
   * What orders rows: packet time at which the row was closed (plus 2^40 s for every time the capture clock had been set
   * back by more than an hour), then the frame that closed it or, for a time-out, that opened it. Rows closed by the end
   * of the capture come behind those closed by its last frame: their number is 2^52 higher.
   */
  closeSeconds: 'f64',
  closeNumber: 'f64',
  /** TCP set-up (SYN to the client's first ACK), on the first transaction of a connection that was seen to begin; else NaN. */
  setupNanos: 'f64',
  openNanos: 'u32',
  lastNanos: 'u32',
  answerNanos: 'u32',
  closeNanos: 'u32',
  /** Addresses as four words in network order; IPv4 in the last. */
  client0: 'u32',
  client1: 'u32',
  client2: 'u32',
  client3: 'u32',
  server0: 'u32',
  server1: 'u32',
  server2: 'u32',
  server3: 'u32',
  /** Query copies, responses (messages of a transfer included), mirror copies, late responses. */
  queries: 'u32',
  responses: 'u32',
  duplicates: 'u32',
  late: 'u32',
  /** DNS message bytes on the wire; 0 = absent. Responses: of the first message. */
  queryBytes: 'u32',
  responseBytes: 'u32',
  /** Offsets and lengths in the arena. Length 0 = absent. */
  queryAt: 'u32',
  queryLength: 'u32',
  responseAt: 'u32',
  responseLength: 'u32',
  /** Offset (8-aligned) of the frame numbers in the arena: `queryFrames` doubles, then `responseFrames` doubles. */
  framesAt: 'u32',
  /** Stable ids (64 bits): of this row, of the TCP retry of a truncated answer, of the client's transaction. 0 = none. */
  idHigh: 'u32',
  idLow: 'u32',
  retryHigh: 'u32',
  retryLow: 'u32',
  parentHigh: 'u32',
  parentLow: 'u32',
  /** Folded hash of the first question's name (`hashName`); 0 without a question. */
  nameHash: 'u32',
  /** Offset of the fault in its message. */
  faultAt: 'u32',
  queryFrames: 'u16',
  responseFrames: 'u16',
  clientPort: 'u16',
  serverPort: 'u16',
  interfaceId: 'u16',
  /** 0xffff = untagged. */
  vlan: 'u16',
  /** DNS message id, first question's type and class (0 without), rcode with EDNS bits (0xffff without response). */
  id: 'u16',
  type: 'u16',
  class: 'u16',
  rcode: 'u16',
  family: 'u8',
  /** IP protocol number: 17 UDP, 6 TCP. */
  transport: 'u8',
  /** `PROTOCOL_NAMES` index. */
  protocol: 'u8',
  opcode: 'u8',
  /** Indices into OUTCOMES, ANSWER_KINDS (255 none), ROLES, LEGS. */
  outcome: 'u8',
  answerKind: 'u8',
  role: 'u8',
  leg: 'u8',
  /** FAULT number, FAULT_PLACES index. `faultSide` 0 query, 1 response. */
  fault: 'u8',
  faultIn: 'u8',
  faultSide: 'u8',
  /** Which rules marked it: a number that the run gives names; 0 = none. */
  mark: 'u8',
  /** 1 where the (first) response came over UDP in IP fragments. */
  fragmented: 'u8',
} as const;

export const OUTCOMES = ['answered', 'unanswered', 'capture_ended', 'orphan', 'unreachable', 'evicted'] as const;
export const ANSWER_KINDS = ['data', 'nodata', 'nxdomain', 'referral', 'error'] as const;
export const ROLES = ['recursive', 'iterative', 'authoritative'] as const;
export const LEGS = ['unknown', 'client', 'upstream'] as const;
/** Where a sensor stands: before a resolver (it sees clients), at a resolver (it sees both sides), at an authority. */
export const VANTAGES = ['client', 'resolver', 'authority'] as const;
export type Vantage = (typeof VANTAGES)[number];
export const NO_RCODE = 0xffff;
export const NO_VLAN = 0xffff;
export const NO_KIND = 0xff;

const SIZE = { f64: 8, u32: 4, u16: 2, u8: 1 } as const;
interface ArrayOf {
  f64: Float64Array;
  u32: Uint32Array;
  u16: Uint16Array;
  u8: Uint8Array;
}
export type TransactionColumn = keyof typeof COLUMNS;
export type TransactionColumns = {
  readonly [K in TransactionColumn]: ArrayOf[(typeof COLUMNS)[K]];
};
const NAMES = Object.keys(COLUMNS) as TransactionColumn[];
const ROW_BYTES = NAMES.reduce((sum, name) => sum + SIZE[COLUMNS[name]], 0);
const HEADER_BYTES = 16;

/** With fewer rows a batch is copied rather than handed over: most of its memory is empty. */
export const WORTH_MOVING = 1024;

/** Rows and arena bytes of a batch unless asked otherwise. */
export const BATCH_ROWS = 4096;
export const BATCH_ARENA_BYTES = 2 << 20;

export class TransactionBatch {
  readonly buffer: ArrayBuffer;
  readonly capacity: number;
  readonly col: TransactionColumns;
  /** The arena, and its bytes in use. */
  readonly arena: Uint8Array<ArrayBuffer>;
  /** The arena as doubles: frame numbers lie from index `framesAt / 8`. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly #header: Uint32Array;
  /** The whole buffer as doubles: columns of them, and frame numbers in the arena. */
  readonly #doubles: Float64Array;

  private constructor(buffer: ArrayBuffer, capacity: number) {
    this.buffer = buffer;
    this.capacity = capacity;
    this.#header = new Uint32Array(buffer, 0, 4);
    this.#doubles = new Float64Array(buffer, 0, buffer.byteLength >>> 3);
    let at = HEADER_BYTES;
    const column = (kind: keyof ArrayOf) => {
      const from = at;
      at += SIZE[kind] * capacity;
      if (kind === 'f64') return new Float64Array(buffer, from, capacity);
      if (kind === 'u32') return new Uint32Array(buffer, from, capacity);
      if (kind === 'u16') return new Uint16Array(buffer, from, capacity);
      return new Uint8Array(buffer, from, capacity);
    };
    this.col = Object.fromEntries(NAMES.map((name) => [name, column(COLUMNS[name])])) as unknown as TransactionColumns;
    this.arena = new Uint8Array(buffer, arenaStart(capacity));
    this.numbers = new Float64Array(buffer, arenaStart(capacity), this.arena.length >>> 3);
  }

  /** An empty batch. `rows` must be a multiple of 8. */
  static create(rows: number = BATCH_ROWS, arenaBytes: number = BATCH_ARENA_BYTES): TransactionBatch {
    const buffer = new ArrayBuffer(arenaStart(rows) + arenaBytes);
    const batch = new TransactionBatch(buffer, rows);
    batch.#header[0] = rows;
    return batch;
  }

  /** The batch in a buffer that came from another thread. */
  static from(buffer: ArrayBuffer): TransactionBatch {
    return new TransactionBatch(buffer, new Uint32Array(buffer, 0, 1)[0]);
  }

  /** Rows [from, to) of a batch in one that is just large enough: what a live capture brings is few rows at a time. */
  static copyOf(other: TransactionBatch, from = 0, to: number = other.count): TransactionBatch {
    const rows = (Math.max(1, to - from) + 7) & ~7;
    const bytes = to > from ? other.#rowEnd(to - 1) - other.col.framesAt[from] : 0;
    const copy = TransactionBatch.create(rows, (bytes + 15) & ~7);
    copy.appendRange(other, from, to);
    return copy;
  }

  get count(): number {
    return this.#header[1];
  }
  set count(rows: number) {
    this.#header[1] = rows;
  }
  get used(): number {
    return this.#header[2];
  }
  set used(bytes: number) {
    this.#header[2] = bytes;
  }

  /** Frame numbers of the query copies and responses kept of row `i` (at most 64 each; the counts are exact). */
  frames(i: number): { query: number[]; response: number[] } {
    const { framesAt, queryFrames, responseFrames } = this.col;
    const from = (this.arena.byteOffset + framesAt[i]) >>> 3;
    const middle = from + queryFrames[i];
    return { query: this.#numbers(from, middle), response: this.#numbers(middle, middle + responseFrames[i]) };
  }

  #numbers(from: number, to: number): number[] {
    const list: number[] = [];
    for (let k = from; k < to; k++) list.push(this.#doubles[k]);
    return list;
  }

  /** Seconds from the first (or last) query copy to the response, exact to the nanosecond below 104 days; NaN without. */
  latencyNanos(i: number, fromLast = false): number {
    const c = this.col;
    if (c.queries[i] === 0 || c.responses[i] === 0) return Number.NaN;
    const seconds = c.answerSeconds[i] - (fromLast ? c.lastSeconds[i] : c.openSeconds[i]);
    return seconds * 1e9 + (c.answerNanos[i] - (fromLast ? c.lastNanos[i] : c.openNanos[i]));
  }

  /** Copies row `i` of another batch to the end of this one; false when it does not fit. */
  append(other: TransactionBatch, i: number): boolean {
    const n = this.count;
    const from = other.col;
    const frameBytes = 8 * (from.queryFrames[i] + from.responseFrames[i]);
    const framesAt = (this.used + 7) & ~7;
    const queryAt = framesAt + frameBytes;
    const responseAt = queryAt + from.queryLength[i];
    const used = responseAt + from.responseLength[i];
    if (n === this.capacity || used > this.arena.length) return false;
    for (const name of NAMES) this.col[name][n] = from[name][i];
    const arena = this.arena;
    arena.set(other.arena.subarray(from.framesAt[i], from.framesAt[i] + frameBytes), framesAt);
    arena.set(other.arena.subarray(from.queryAt[i], from.queryAt[i] + from.queryLength[i]), queryAt);
    arena.set(other.arena.subarray(from.responseAt[i], from.responseAt[i] + from.responseLength[i]), responseAt);
    this.col.framesAt[n] = framesAt;
    this.col.queryAt[n] = queryAt;
    this.col.responseAt[n] = responseAt;
    this.used = used;
    this.count = n + 1;
    return true;
  }

  /** Copies rows [from, to) of another batch to the end of this one, as many as fit; how many. */
  appendRange(other: TransactionBatch, from: number, to: number): number {
    const n = this.count;
    const used = (this.used + 7) & ~7;
    const start = other.col.framesAt[from];
    let rows = Math.min(to - from, this.capacity - n);
    // Rows lie in the arena one behind the other.
    while (rows > 0 && used + other.#rowEnd(from + rows - 1) - start > this.arena.length) rows--;
    if (rows <= 0) return 0;
    const end = other.#rowEnd(from + rows - 1);
    for (const name of NAMES) this.col[name].set(other.col[name].subarray(from, from + rows), n);
    this.arena.set(other.arena.subarray(start, end), used);
    const { framesAt, queryAt, responseAt } = this.col;
    for (let i = n; i < n + rows; i++) {
      framesAt[i] += used - start;
      queryAt[i] += used - start;
      responseAt[i] += used - start;
    }
    this.used = used + end - start;
    this.count = n + rows;
    return rows;
  }

  /** Behind the last octet of row `i` in the arena. */
  #rowEnd(i: number): number {
    const { framesAt, queryFrames, responseFrames, queryLength, responseLength } = this.col;
    return framesAt[i] + 8 * (queryFrames[i] + responseFrames[i]) + queryLength[i] + responseLength[i];
  }
}

function arenaStart(rows: number): number {
  return (HEADER_BYTES + rows * ROW_BYTES + 7) & ~7;
}

/** Text of a 64-bit id: 16 hex digits; empty for 0 (none). */
export function idText(high: number, low: number): string {
  if (high === 0 && low === 0) return '';
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}
