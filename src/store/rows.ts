import { type TransactionBatch, TransactionBatch as Batch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { Chunk } from './duckdb.ts';
import { type MessageColumns, restoreMessage } from './message-form.ts';
import { AT, COPIED, EMPTY, IDS, NOTHING } from './row-columns.ts';
import { StoredName } from './stored-name.ts';

/** Rows of a result by column, as some database gives them. */
export type RowChunk = Pick<Chunk, 'count' | 'numbers' | 'validity' | 'strings'>;

/** Rows of a result as rows of a batch again, with what the batch alone does not say. */
export interface StoredRows {
  batch: TransactionBatch;
  interfaces: string[];
  sensors: string[];
  /** Names of the rules that marked each row; empty without. */
  rules: string[];
}

const utf8 = new TextDecoder();
const name = new StoredName();
const say: MessageColumns = { ...EMPTY, name: name.wire };

/** The rows of a chunk that begins with all columns of a transaction, in order. Closing times are not stored: 0. */
export function decodeRows(chunk: RowChunk): StoredRows {
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
  const words = (at: number) => texts(at).map((bytes) => utf8.decode(bytes));
  const interfaces = words(AT.interface);
  const ids = new Map<string, number>();
  interfaces.forEach((text, i) => {
    const id = ids.get(text) ?? ids.size;
    ids.set(text, id);
    c.interfaceId[i] = id;
  });
  // That there is a mark; `rules` says which.
  const rules = words(AT.rules);
  rules.forEach((text, i) => {
    c.mark[i] = text === '' ? 0 : 1;
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
  return { batch, interfaces, sensors: words(AT.sensor), rules };
}

function decodeTimes(chunk: RowChunk, { col: c, count }: TransactionBatch): void {
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

function decodeMessages(chunk: RowChunk, batch: TransactionBatch, { queries, responses, names, frames }: Texts): void {
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
export function recordOf({ batch, interfaces, sensors, rules }: StoredRows, i: number): Transaction {
  return transactionValue(batch, i, {
    ...(interfaces[i] !== '' && { interfaceName: interfaces[i] }),
    ...(sensors[i] !== '' && { sensor: sensors[i] }),
    ...(rules[i] !== '' && { rules: rules[i] }),
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
