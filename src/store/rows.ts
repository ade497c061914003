import { idText, type TransactionBatch, TransactionBatch as Batch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { isIrregular } from '../filter/row.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import { ADDITIONAL, ANSWER, AUTHORITY, MessageView } from '../wire/message.ts';
import { DomainLengths } from './domain-lengths.ts';
import type { Chunk, ChunkWriter } from './duckdb.ts';
import { LeanForm, type MessageColumns, restoreMessage } from './message-form.ts';
import { TRANSACTION_COLUMNS, type TransactionColumnName } from './schema.ts';
import { StoredName } from './stored-name.ts';

const AT = Object.fromEntries(TRANSACTION_COLUMNS.map(({ name }, k) => [name, k])) as Record<
  TransactionColumnName,
  number
>;
const NOTHING = new Uint8Array(0);

/** Numbers copied as they are: column of the batch, column of the store. */
const COPIED = [
  ['clientPort', AT.client_port],
  ['serverPort', AT.server_port],
  ['transport', AT.transport],
  ['protocol', AT.protocol],
  ['vlan', AT.vlan],
  ['id', AT.id],
  ['type', AT.type],
  ['class', AT.class],
  ['opcode', AT.opcode],
  ['rcode', AT.rcode],
  ['outcome', AT.outcome],
  ['answerKind', AT.answer_kind],
  ['role', AT.role],
  ['leg', AT.leg],
  ['queries', AT.queries],
  ['responses', AT.responses],
  ['duplicates', AT.duplicates],
  ['late', AT.late],
  ['queryBytes', AT.query_bytes],
  ['responseBytes', AT.response_bytes],
  ['fault', AT.fault],
  ['faultIn', AT.fault_in],
  ['faultSide', AT.fault_side],
  ['faultAt', AT.fault_at],
] as const;
/** Pairs of words that are one 64-bit id. */
const IDS = [
  ['idHigh', 'idLow', AT.transaction],
  ['retryHigh', 'retryLow', AT.retry],
  ['parentHigh', 'parentLow', AT.parent],
] as const;

/** Writes rows of batches into chunks. What it read of the row stays: `query`, `response` (see `hasQuery` …), `name`. */
export class RowEncoder {
  readonly query = new MessageView();
  readonly response = new MessageView();
  hasQuery = false;
  hasResponse = false;
  readonly name = new StoredName();
  /** Characters at the end of the name's text that are the registrable domain. */
  domainLength = 0;
  readonly #domains = new DomainLengths();
  readonly #form = new LeanForm();
  readonly #address = new Uint8Array(16);
  readonly #frames = new Uint8Array(4 + 8 * 130);
  readonly #say: MessageColumns = { ...EMPTY, name: this.name.wire };

  /** Reads row `i`: its messages and its name. */
  read(batch: TransactionBatch, i: number): void {
    const c = batch.col;
    const { query, response, name } = this;
    this.hasQuery = c.queryLength[i] > 0;
    this.hasResponse = c.responseLength[i] > 0;
    if (this.hasQuery) {
      query.read(batch.arena, c.queryAt[i], c.queryLength[i], Math.max(c.queryBytes[i], c.queryLength[i]));
    }
    if (this.hasResponse) {
      response.read(
        batch.arena,
        c.responseAt[i],
        c.responseLength[i],
        Math.max(c.responseBytes[i], c.responseLength[i]),
      );
    }
    const first = this.hasQuery && query.questions > 0 ? query : response;
    const isNamed = (first === query || this.hasResponse) && first.questions > 0;
    if (isNamed) name.read(first.bytes, first.questionName[0], first.start);
    else name.clear();
    this.domainLength = this.#domains.of(name, c.nameHash[i]);
  }

  /** Copies the plain numbers of rows `order[from, from + count)` behind the rows of the chunk; `write` adds the rest. */
  copy(batch: TransactionBatch, order: Uint32Array, from: number, count: number, to: ChunkWriter): void {
    const c = batch.col;
    for (const [column, at] of COPIED) {
      const source = c[column];
      const target = to.numbers[at];
      if (source instanceof Uint8Array && target instanceof Uint8Array)
        copy8(source, target, order, from, count, to.count);
      else if (source instanceof Uint16Array && target instanceof Uint16Array) {
        copy16(source, target, order, from, count, to.count);
      } else if (source instanceof Uint32Array && target instanceof Uint32Array) {
        copy32(source, target, order, from, count, to.count, 1, 0);
      }
    }
    for (const [high, low, at] of IDS) {
      copy32(c[low], to.words[at], order, from, count, to.count, 2, 0);
      copy32(c[high], to.words[at], order, from, count, to.count, 2, 1);
    }
  }

  /** Writes what is not copied of the row read last. */
  write(batch: TransactionBatch, i: number, to: ChunkWriter, interfaceName: Uint8Array, sensor: Uint8Array): void {
    const c = batch.col;
    const row = to.count;
    const { numbers, words } = to;
    putTime(words[AT.time], row, c.openSeconds[i], c.openNanos[i]);
    const last = (c.lastSeconds[i] - c.openSeconds[i]) * 1e9 + (c.lastNanos[i] - c.openNanos[i]);
    putInteger(words[AT.last_delay], row, c.queries[i] > 0 ? last : 0);
    const latency = batch.latencyNanos(i);
    if (Number.isNaN(latency)) to.null(AT.latency);
    else putInteger(words[AT.latency], row, latency);
    const setup = c.setupNanos[i];
    if (Number.isNaN(setup)) to.null(AT.setup);
    else putInteger(words[AT.setup], row, setup);
    numbers[AT.suspicious][row] = 0;
    const { query, response } = this;
    const isOdd = isIrregular(batch, i, this.hasQuery ? query : null, this.hasResponse ? response : null);
    numbers[AT.irregular][row] = isOdd ? 1 : 0;
    this.#strings(batch, i, to, interfaceName, sensor);
    this.#messages(batch, i, to);
    this.#frameNumbers(batch, i, to);
    to.count = row + 1;
  }

  #strings(batch: TransactionBatch, i: number, to: ChunkWriter, interfaceName: Uint8Array, sensor: Uint8Array): void {
    const c = batch.col;
    const a = this.#address;
    const length = c.family[i] === 4 ? 4 : 16;
    putAddress(a, length, c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    to.string(AT.client, a, 0, length);
    putAddress(a, length, c.server0[i], c.server1[i], c.server2[i], c.server3[i]);
    to.string(AT.server, a, 0, length);
    to.string(AT.interface, interfaceName, 0, interfaceName.length);
    to.string(AT.sensor, sensor, 0, sensor.length);
    const { name } = this;
    to.string(AT.name, name.text, 0, name.textLength);
    to.string(AT.name_case, name.upper, 0, name.upperLength);
    to.numbers[AT.domain_length][to.count] = this.domainLength;
  }

  #messages(batch: TransactionBatch, i: number, to: ChunkWriter): void {
    const { query, response } = this;
    const form = this.#form;
    const { numbers } = to;
    const row = to.count;
    const say = this.#say;
    say.id = batch.col.id[i];
    say.type = batch.col.type[i];
    say.class = batch.col.class[i];
    say.nameLength = this.name.wireLength;
    numbers[AT.query_flags][row] = this.hasQuery ? query.flags : 0;
    numbers[AT.response_flags][row] = this.hasResponse ? response.flags : 0;
    say.answers = say.authority = say.additional = 0;
    if (this.hasQuery) {
      say.isResponse = false;
      form.write(query, say);
      to.string(AT.query, form.bytes, 0, form.length);
    } else to.string(AT.query, NOTHING, 0, 0);
    let ttl = Number.NaN;
    if (this.hasResponse) {
      const { section, records } = response;
      for (let r = 0; r < records; r++) {
        if (section[r] === ANSWER) {
          say.answers++;
          const seconds = response.ttl[r] > 0x7fff_ffff ? 0 : response.ttl[r];
          // Not a number at first: every comparison with it fails.
          if (r !== response.opt && !(seconds >= ttl)) ttl = seconds;
        } else if (section[r] === AUTHORITY) say.authority++;
        else if (section[r] === ADDITIONAL) say.additional++;
      }
      say.isResponse = true;
      form.write(response, say);
      to.string(AT.response, form.bytes, 0, form.length);
      to.string(AT.ttls, form.ttls, 0, form.ttlsLength);
    } else {
      to.string(AT.response, NOTHING, 0, 0);
      to.string(AT.ttls, NOTHING, 0, 0);
    }
    numbers[AT.answers][row] = say.answers;
    numbers[AT.authority][row] = say.authority;
    numbers[AT.additional][row] = say.additional;
    if (Number.isNaN(ttl)) to.null(AT.ttl_min);
    else numbers[AT.ttl_min][row] = ttl;
  }

  #frameNumbers(batch: TransactionBatch, i: number, to: ChunkWriter): void {
    const c = batch.col;
    const queries = c.queryFrames[i];
    const responses = c.responseFrames[i];
    const all = batch.numbers;
    const from = c.framesAt[i] >>> 3;
    const query = queries > 0 ? all[from] : 0;
    putInteger(to.words[AT.query_frame], to.count, query);
    putInteger(to.words[AT.response_after], to.count, responses > 0 ? all[from + queries] - query : 0);
    // One of each side that was there is what the two columns say.
    if (queries === (c.queries[i] > 0 ? 1 : 0) && responses === (c.responses[i] > 0 ? 1 : 0)) {
      to.string(AT.more_frames, NOTHING, 0, 0);
      return;
    }
    const n = queries + responses;
    const bytes = n > 128 ? new Uint8Array(4 + 8 * n) : this.#frames;
    const view = new DataView(bytes.buffer);
    view.setUint32(0, queries, true);
    for (let k = 0; k < n; k++) view.setFloat64(4 + 8 * k, all[from + k], true);
    to.string(AT.more_frames, bytes, 0, 4 + 8 * n);
  }
}

// One function by width: loops over arrays of one kind are fast.
function copy8(from: Uint8Array, to: Uint8Array, order: Uint32Array, at: number, n: number, row: number): void {
  for (let k = 0; k < n; k++) to[row + k] = from[order[at + k]];
}

function copy16(from: Uint16Array, to: Uint16Array, order: Uint32Array, at: number, n: number, row: number): void {
  for (let k = 0; k < n; k++) to[row + k] = from[order[at + k]];
}

/** Into every `stride`-th word, from word `lane` on. */
function copy32(
  from: Uint32Array,
  to: Uint32Array,
  order: Uint32Array,
  at: number,
  n: number,
  row: number,
  stride: number,
  lane: number,
): void {
  for (let k = 0; k < n; k++) to[(row + k) * stride + lane] = from[order[at + k]];
}

const EMPTY: MessageColumns = {
  id: 0,
  flags: 0,
  name: NOTHING,
  nameLength: 0,
  type: 0,
  class: 0,
  answers: 0,
  authority: 0,
  additional: 0,
  isResponse: false,
};

/** Nanoseconds since 1970 as 64 bits; times that do not fit (corrupt captures) become the last that do. */
function putTime(words: Uint32Array, row: number, seconds: number, nanos: number): void {
  if (Math.abs(seconds) > 9.2e9) {
    putWords(words, row, BigInt.asIntN(64, seconds > 0 ? 0x7fff_ffff_ffff_ffffn : -0x8000_0000_0000_0000n));
    return;
  }
  if (seconds < 0) {
    putWords(words, row, BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
    return;
  }
  // A double cannot hold it: in two parts of 16 bits and more.
  const low16 = seconds % 65_536;
  const high = ((seconds - low16) / 65_536) * 1e9;
  const low = low16 * 1e9 + nanos + (high % 65_536) * 65_536;
  words[row * 2] = low % 0x1_0000_0000;
  words[row * 2 + 1] = Math.floor(high / 65_536) + Math.floor(low / 0x1_0000_0000);
}

function putInteger(words: Uint32Array, row: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  words[row * 2] = value - high * 0x1_0000_0000;
  words[row * 2 + 1] = high;
}

function putWords(words: Uint32Array, row: number, value: bigint): void {
  words[row * 2] = Number(BigInt.asUintN(32, value));
  words[row * 2 + 1] = Number(BigInt.asUintN(32, value >> 32n));
}

function putAddress(to: Uint8Array, length: number, w0: number, w1: number, w2: number, w3: number): void {
  if (length === 16) {
    put32(to, 0, w0);
    put32(to, 4, w1);
    put32(to, 8, w2);
    put32(to, 12, w3);
  } else put32(to, 0, w3);
}

function put32(to: Uint8Array, at: number, word: number): void {
  to[at] = word >>> 24;
  to[at + 1] = word >>> 16;
  to[at + 2] = word >>> 8;
  to[at + 3] = word;
}

/** Rows of a result as rows of a batch again, with what the batch alone does not say. */
export interface StoredRows {
  batch: TransactionBatch;
  interfaces: string[];
  sensors: string[];
}

const utf8 = new TextDecoder();
const name = new StoredName();
const say: MessageColumns = { ...EMPTY, name: name.wire };

/** The rows of a chunk that begins with all columns of a transaction, in order. Closing times are not stored: 0. */
export function decodeRows(chunk: Chunk): StoredRows {
  const { count } = chunk;
  const texts = (at: number) => {
    const read = chunk.strings(at);
    return Array.from({ length: count }, (_, i) => read(i));
  };
  const queries = texts(AT.query);
  const responses = texts(AT.response);
  const names = texts(AT.name);
  const frames = texts(AT.more_frames);
  let room = 0;
  for (let i = 0; i < count; i++) {
    room += queries[i].length + responses[i].length + 2 * names[i].length + frames[i].length + 96;
  }
  const batch = Batch.create((count + 7) & ~7, room);
  batch.count = count;
  const c = batch.col;
  const ids = new Map<string, number>();
  const interfaces = texts(AT.interface).map((bytes) => utf8.decode(bytes));
  interfaces.forEach((text, i) => {
    const id = ids.get(text) ?? ids.size;
    ids.set(text, id);
    c.interfaceId[i] = id;
  });
  for (const [to, from] of COPIED) {
    const column = chunk.numbers(from);
    for (let i = 0; i < count; i++) c[to][i] = Number(column[i]);
  }
  for (const [high, low, from] of IDS) {
    const words = new Uint32Array(chunk.numbers(from).buffer);
    for (let i = 0; i < count; i++) {
      c[low][i] = words[i * 2];
      c[high][i] = words[i * 2 + 1];
    }
  }
  decodeTimes(chunk, batch);
  decodeAddresses(batch, texts(AT.client), texts(AT.server));
  decodeMessages(chunk, batch, { queries, responses, names, frames });
  return { batch, interfaces, sensors: texts(AT.sensor).map((bytes) => utf8.decode(bytes)) };
}

function decodeTimes(chunk: Chunk, { col: c, count }: TransactionBatch): void {
  const time = chunk.numbers(AT.time) as BigInt64Array;
  const last = chunk.numbers(AT.last_delay);
  const latency = chunk.numbers(AT.latency);
  const setup = chunk.numbers(AT.setup);
  const answered = chunk.validity(AT.latency);
  const isSetUp = chunk.validity(AT.setup);
  const put = (from: bigint, seconds: Float64Array, nanos: Uint32Array, i: number) => {
    const rest = ((from % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    seconds[i] = Number((from - rest) / 1_000_000_000n);
    nanos[i] = Number(rest);
  };
  for (let i = 0; i < count; i++) {
    put(time[i], c.openSeconds, c.openNanos, i);
    put(time[i] + (last[i] as bigint), c.lastSeconds, c.lastNanos, i);
    if (answered(i)) put(time[i] + (latency[i] as bigint), c.answerSeconds, c.answerNanos, i);
    else if (c.responses[i] > 0) put(time[i], c.answerSeconds, c.answerNanos, i);
    c.setupNanos[i] = isSetUp(i) ? Number(setup[i]) : Number.NaN;
  }
}

function decodeAddresses({ col: c, count }: TransactionBatch, clients: Uint8Array[], servers: Uint8Array[]): void {
  const word = (bytes: Uint8Array, at: number) =>
    ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  for (let i = 0; i < count; i++) {
    const client = clients[i];
    const server = servers[i];
    c.family[i] = client.length === 4 ? 4 : 6;
    c.client3[i] = word(client, client.length - 4);
    c.server3[i] = word(server, server.length - 4);
    if (client.length === 4) continue;
    c.client0[i] = word(client, 0);
    c.client1[i] = word(client, 4);
    c.client2[i] = word(client, 8);
    c.server0[i] = word(server, 0);
    c.server1[i] = word(server, 4);
    c.server2[i] = word(server, 8);
  }
}

type Texts = Record<'queries' | 'responses' | 'names' | 'frames', Uint8Array[]>;

function decodeMessages(chunk: Chunk, batch: TransactionBatch, { queries, responses, names, frames }: Texts): void {
  const { col: c, arena, count } = batch;
  const upper = chunk.strings(AT.name_case);
  const ttls = chunk.strings(AT.ttls);
  const column = (at: number) => chunk.numbers(at);
  const queryFlags = column(AT.query_flags);
  const responseFlags = column(AT.response_flags);
  const answers = column(AT.answers);
  const authority = column(AT.authority);
  const additional = column(AT.additional);
  const queryFrame = column(AT.query_frame);
  const responseAfter = column(AT.response_after);
  let at = 0;
  for (let i = 0; i < count; i++) {
    name.restore(names[i], upper(i));
    say.nameLength = name.wireLength;
    say.id = c.id[i];
    say.type = c.type[i];
    say.class = c.class[i];
    at = (at + 7) & ~7;
    at = decodeFrames(batch, i, at, frames[i], Number(queryFrame[i]), Number(responseAfter[i]));
    say.isResponse = false;
    say.flags = Number(queryFlags[i]);
    c.queryAt[i] = at;
    c.queryLength[i] = restoreMessage(queries[i], NOTHING, say, arena, at);
    at += c.queryLength[i];
    say.isResponse = true;
    say.flags = Number(responseFlags[i]);
    say.answers = Number(answers[i]);
    say.authority = Number(authority[i]);
    say.additional = Number(additional[i]);
    c.responseAt[i] = at;
    c.responseLength[i] = restoreMessage(responses[i], ttls(i), say, arena, at);
    at += c.responseLength[i];
  }
  batch.used = at;
}

function decodeFrames(
  batch: TransactionBatch,
  i: number,
  at: number,
  more: Uint8Array,
  query: number,
  after: number,
): number {
  const { col: c, numbers } = batch;
  c.framesAt[i] = at;
  let to = at >>> 3;
  if (more.length === 0) {
    c.queryFrames[i] = c.queries[i] > 0 ? 1 : 0;
    c.responseFrames[i] = c.responses[i] > 0 ? 1 : 0;
    if (c.queryFrames[i] > 0) numbers[to++] = query;
    if (c.responseFrames[i] > 0) numbers[to++] = query + after;
    return to * 8;
  }
  const view = new DataView(more.buffer, more.byteOffset, more.byteLength);
  const n = (more.length - 4) / 8;
  c.queryFrames[i] = view.getUint32(0, true);
  c.responseFrames[i] = n - c.queryFrames[i];
  for (let k = 0; k < n; k++) numbers[to++] = view.getFloat64(4 + 8 * k, true);
  return to * 8;
}

/** The native record of a stored row. */
export function recordOf({ batch, interfaces, sensors }: StoredRows, i: number): Transaction {
  return transactionValue(batch, i, {
    ...(interfaces[i] !== '' && { interfaceName: interfaces[i] }),
    ...(sensors[i] !== '' && { sensor: sensors[i] }),
    registrableDomain: registrable,
  });
}

/** The two messages of a stored row, copied. */
export function messagesOf(
  { batch }: StoredRows,
  i: number,
): { query: Uint8Array | null; response: Uint8Array | null } {
  const { col: c, arena } = batch;
  const copy = (at: number, length: number) => (length === 0 ? null : arena.slice(at, at + length));
  return {
    query: copy(c.queryAt[i], c.queryLength[i]),
    response: copy(c.responseAt[i], c.responseLength[i]),
  };
}

/** Stable id of a stored row. */
export function idOf({ batch }: StoredRows, i: number): string {
  return idText(batch.col.idHigh[i], batch.col.idLow[i]);
}
