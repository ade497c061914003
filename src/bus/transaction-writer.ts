import type { TransactionBatch, TransactionColumn } from '../core/transactions.ts';
import { ID_WORDS, transactionId } from '../rr/transaction-id.ts';
import { hashName } from '../wire/name.ts';
import { AddressTable, ByteTable, hashOctets } from './byte-table.ts';
import { ColumnWriter } from './columns.ts';
import { MOST_ROWS, SCHEMA_TRANSACTIONS, sealed } from './header.ts';
import { areNumbers, gather, gather32, idWords } from './gather.ts';
import { FLAG, MOST_ARENA, PLAIN, VERSION, zigzag } from './layout.ts';
import { writeTimes } from './times.ts';
import { MessageParts, NONE, plainName, type RowQuestion } from './message-parts.ts';

/** Whose rows they are, and what numbers in them stand for. */
export interface BusOrigin {
  sensor: string;
  /** Names of interfaces by `interfaceId`, of rules by `mark`. */
  interfaces: readonly (string | undefined)[];
  marks: readonly string[];
}

/** Uncompressed octets at which a batch is full: what cannot be compressed still fits into a message of a megabyte. */
const FULL_BYTES = 640 * 1024;
/** What a row takes besides its messages, at most and near enough. */
const ROW_BYTES = 48;
/** Left for the row that fills the batch. */
const MOST_ROW = 160 * 1024;

const utf8 = new TextEncoder();

/**
 * Gathers rows, and makes a batch of the bus of them: times as differences, addresses, names and messages by number of
 * their first appearance, ids and hashes left out where they follow from the rest, all of it in planes of octets,
 * compressed. About a microsecond a row.
 */
export class TransactionWriter {
  /** Rows taken since the last batch. */
  count = 0;
  readonly capacity: number;
  readonly #out = new ColumnWriter();
  readonly #parts = new MessageParts();
  readonly #names: ByteTable;
  readonly #rests: ByteTable;
  readonly #addresses: AddressTable;
  readonly #plain: readonly Uint32Array[];
  readonly #words: Record<
    | 'openNanos'
    | 'lastNanos'
    | 'answerNanos'
    | 'closeNanos'
    | 'idHigh'
    | 'idLow'
    | 'nameHash'
    | 'client'
    | 'server'
    | 'name'
    | 'queryForm'
    | 'queryFlags'
    | 'queryRest'
    | 'queryCut'
    | 'responseForm'
    | 'responseFlags'
    | 'responseRest'
    | 'responseCut',
    Uint32Array
  >;
  readonly #doubles: Record<
    'openSeconds' | 'lastSeconds' | 'answerSeconds' | 'closeSeconds' | 'closeNumber' | 'setupNanos',
    Float64Array
  >;
  readonly #wide: Float64Array;
  #frames = new Float64Array(4096);
  #frameCount = 0;
  #ttls = new Uint32Array(4096);
  #ttlCount = 0;
  #arena = 0;
  #flags = 0;
  #idsFollow = true;
  readonly #asked: RowQuestion = { id: 0, bytes: new Uint8Array(0), nameAt: 0, nameLength: 0, type: 0, class: 0 };
  readonly #idWords = new Uint32Array(ID_WORDS);
  readonly #id = { high: 0, low: 0 };

  /** `capacity` rows at a time, at most `MOST_ROWS`. */
  constructor(capacity: number = MOST_ROWS) {
    this.capacity = Math.min(capacity, MOST_ROWS);
    const column = () => new Uint32Array(this.capacity);
    const double = () => new Float64Array(this.capacity);
    this.#names = new ByteTable(this.capacity);
    this.#rests = new ByteTable(2 * this.capacity);
    this.#addresses = new AddressTable(2 * this.capacity);
    this.#plain = PLAIN.map(column);
    this.#words = {
      openNanos: column(),
      lastNanos: column(),
      answerNanos: column(),
      closeNanos: column(),
      idHigh: column(),
      idLow: column(),
      nameHash: column(),
      client: column(),
      server: column(),
      name: column(),
      queryForm: column(),
      queryFlags: column(),
      queryRest: column(),
      queryCut: column(),
      responseForm: column(),
      responseFlags: column(),
      responseRest: column(),
      responseCut: column(),
    };
    this.#doubles = {
      openSeconds: double(),
      lastSeconds: double(),
      answerSeconds: double(),
      closeSeconds: double(),
      closeNumber: double(),
      setupNanos: double(),
    };
    this.#wide = double();
  }

  /** Whether a batch has to be made before more is taken. */
  get isFull(): boolean {
    const bytes = this.#names.used + this.#rests.used + 8 * this.#frameCount + ROW_BYTES * this.count;
    return this.count === this.capacity || bytes >= FULL_BYTES || this.#arena > MOST_ARENA - MOST_ROW;
  }

  /** Takes rows `rows[from, to)` of a batch, as many as fit; where it stopped. */
  add(batch: TransactionBatch, rows: Uint32Array, from: number, to: number): number {
    const first = this.count;
    let k = from;
    for (; k < to && !this.isFull; k++) this.#row(batch, rows[k], this.count++);
    if (k === from) return from;
    const { col } = batch;
    PLAIN.forEach((name, p) => gather(col[name], rows, from, k, this.#plain[p], first));
    for (const name of [
      'openNanos',
      'lastNanos',
      'answerNanos',
      'closeNanos',
      'idHigh',
      'idLow',
      'nameHash',
    ] as const) {
      gather32(col[name], rows, from, k, this.#words[name], first);
    }
    for (const [name, into] of Object.entries(this.#doubles)) {
      const source = col[name as TransactionColumn] as Float64Array;
      for (let i = from, n = first; i < k; i++, n++) into[n] = source[rows[i]];
    }
    return k;
  }

  /** What is not copied column by column: addresses, name, messages, frame numbers. */
  #row(batch: TransactionBatch, i: number, n: number): void {
    const { col: c, arena } = batch;
    const words = this.#words;
    const addresses = this.#addresses;
    const family = c.family[i];
    if (this.#idsFollow) {
      idWords(this.#idWords, c, i);
      transactionId(this.#idWords, 0, c.openSeconds[i], c.openNanos[i], this.#id);
      this.#idsFollow = this.#id.high === c.idHigh[i] && this.#id.low === c.idLow[i];
    }
    words.client[n] = addresses.put(family, c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    words.server[n] = addresses.put(family, c.server0[i], c.server1[i], c.server2[i], c.server3[i]);
    const queryAt = c.queryAt[i];
    const queryLength = c.queryLength[i];
    const responseAt = c.responseAt[i];
    const responseLength = c.responseLength[i];
    const asked = this.#asked;
    asked.id = c.id[i];
    asked.type = c.type[i];
    asked.class = c.class[i];
    asked.bytes = arena;
    asked.nameLength = plainName(arena, queryAt, queryLength);
    asked.nameAt = queryAt + 12;
    if (asked.nameLength === 0) {
      asked.nameLength = plainName(arena, responseAt, responseLength);
      asked.nameAt = responseAt + 12;
    }
    const { nameLength, nameAt } = asked;
    // 0 = none, 1 = one that is new, else the number of one that has come before + 2.
    if (nameLength === 0) words.name[n] = 0;
    else {
      words.name[n] = 1 + this.#names.put(arena, nameAt, nameLength, hashOctets(arena, nameAt, nameLength));
    }
    this.#message(arena, queryAt, queryLength, false, n);
    this.#message(arena, responseAt, responseLength, true, n);
    words.queryCut[n] = c.queryBytes[i] - queryLength;
    words.responseCut[n] = c.responseBytes[i] - responseLength;
    const frames = c.queryFrames[i] + c.responseFrames[i];
    this.#takeFrames(batch, c.framesAt[i] >>> 3, frames);
    this.#arena += 8 * frames + 8 + queryLength + responseLength;
  }

  #message(arena: Uint8Array, at: number, length: number, isResponse: boolean, n: number): void {
    const parts = this.#parts;
    const words = this.#words;
    parts.take(arena, at, length, this.#asked, isResponse);
    const { form } = parts;
    let rest = 0;
    // 0 = new, else the number of one that has come before + 1; without a message there is none.
    if (form !== NONE) rest = this.#rests.put(parts.rest, 0, parts.length, hashOctets(parts.rest, 0, parts.length));
    if (isResponse) {
      words.responseForm[n] = form;
      words.responseFlags[n] = parts.flags;
      words.responseRest[n] = rest;
    } else {
      words.queryForm[n] = form;
      words.queryFlags[n] = parts.flags;
      words.queryRest[n] = rest;
    }
    const { ttlCount } = parts;
    if (ttlCount === 0) return;
    const to = this.#ttlCount;
    if (to + ttlCount > this.#ttls.length) {
      const wider = new Uint32Array(2 * (to + ttlCount));
      wider.set(this.#ttls);
      this.#ttls = wider;
    }
    for (let k = 0; k < ttlCount; k++) this.#ttls[to + k] = parts.ttls[k];
    this.#ttlCount = to + ttlCount;
  }

  #takeFrames({ numbers }: TransactionBatch, from: number, count: number): void {
    const to = this.#frameCount;
    if (to + count > this.#frames.length) {
      const wider = new Float64Array(2 * (to + count));
      wider.set(this.#frames);
      this.#frames = wider;
    }
    for (let k = 0; k < count; k++) this.#frames[to + k] = numbers[from + k];
    this.#frameCount = to + count;
  }

  /** The batch of all rows taken; the writer is empty then. */
  finish(origin: BusOrigin, place: { epoch: number; line: number; sequence: number }): Uint8Array<ArrayBuffer> {
    const n = this.count;
    const out = this.#out;
    out.clear();
    const { openSeconds } = this.#doubles;
    const { openNanos } = this.#words;
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      const ms = openSeconds[i] * 1000 + openNanos[i] / 1e6;
      if (ms < from) from = ms;
      if (ms > to) to = ms;
    }
    const flagsAt = out.length;
    out.octet(0);
    out.word(this.#arena);
    this.#texts(origin.interfaces);
    this.#texts(origin.marks);
    this.#flags = writeTimes(out, this.#doubles, this.#words, this.#wide, n);
    this.#numbers(n);
    for (const column of this.#plain) out.words(column, n);
    this.#strings(n);
    this.#ids(n);
    out.written[flagsAt] = this.#flags;
    const header = {
      schema: SCHEMA_TRANSACTIONS,
      version: VERSION,
      sensor: origin.sensor,
      ...place,
      rows: n,
      from: n === 0 ? 0 : from,
      to: n === 0 ? 0 : to,
    };
    const bytes = sealed(header, out.written);
    this.#clear();
    return bytes;
  }

  #clear(): void {
    this.count = this.#frameCount = this.#ttlCount = this.#arena = 0;
    this.#idsFollow = true;
    this.#names.clear();
    this.#rests.clear();
    this.#addresses.clear();
  }

  #texts(list: readonly (string | undefined)[]): void {
    const out = this.#out;
    const known = list.slice(0, 0xffff);
    out.octet(known.length);
    out.octet(known.length >>> 8);
    for (const text of known) {
      const bytes = utf8.encode(text ?? '').subarray(0, 0xffff);
      out.octet(bytes.length);
      out.octet(bytes.length >>> 8);
      out.octets(bytes);
    }
  }

  /** Frame numbers: from the first of a row to that of the next, else from one to the next; last, those of closing. */
  #numbers(n: number): void {
    const frames = this.#frames;
    const { closeNumber } = this.#doubles;
    const count = this.#frameCount;
    const out = this.#out;
    out.word(count);
    if (!areNumbers(frames, count, 2 ** 51) || !areNumbers(closeNumber, n, 2 ** 52 + 2 ** 51)) {
      this.#flags |= FLAG.rawFrames;
      out.doubles(frames, count);
      out.doubles(closeNumber, n);
      return;
    }
    const queries = this.#plain[PLAIN.indexOf('queryFrames')];
    const responses = this.#plain[PLAIN.indexOf('responseFrames')];
    const apart = count <= n ? this.#wide : new Float64Array(count);
    const closing = new Float64Array(n);
    let first = 0;
    for (let i = 0, k = 0; i < n; i++) {
      let before = first;
      for (const end = k + queries[i] + responses[i], begin = k; k < end; k++) {
        apart[k] = zigzag(frames[k] - before);
        before = frames[k];
        if (k === begin) first = before;
      }
      closing[i] = zigzag(closeNumber[i] - before);
    }
    out.wide(apart, count);
    out.wide(closing, n);
  }

  /** Addresses, names and messages, each with those that are new in order. */
  #strings(n: number): void {
    const out = this.#out;
    const words = this.#words;
    const addresses = this.#addresses;
    out.word(addresses.count);
    for (const column of addresses.columns) out.words(column, addresses.count);
    out.words(words.client, n);
    out.words(words.server, n);
    const names = this.#names;
    out.word(names.count);
    out.word(names.used);
    out.octets(names.bytes.subarray(0, names.used));
    out.words(words.name, n);
    const rests = this.#rests;
    out.word(rests.count);
    const lengths = new Uint32Array(rests.count);
    for (let i = 0; i < rests.count; i++) lengths[i] = rests.starts[i + 1] - rests.starts[i];
    out.words(lengths, rests.count);
    out.octets(rests.bytes.subarray(0, rests.used));
    for (const side of ['query', 'response'] as const) {
      for (const part of ['Form', 'Flags', 'Rest', 'Cut'] as const) out.words(words[`${side}${part}`], n);
    }
    out.word(this.#ttlCount);
    out.words(this.#ttls, this.#ttlCount);
  }

  /** Ids and hashes of names, where the reader cannot work them out. */
  #ids(n: number): void {
    const { idHigh, idLow, nameHash } = this.#words;
    if (!this.#hashesFollow(n)) {
      this.#flags |= FLAG.rawHashes;
      this.#out.words(nameHash, n);
    }
    if (!this.#idsFollow) {
      this.#flags |= FLAG.rawIds;
      this.#out.words(idHigh, n);
      this.#out.words(idLow, n);
    }
  }

  #hashesFollow(n: number): boolean {
    const { nameHash, name } = this.#words;
    const { bytes, starts, count } = this.#names;
    const hashes = new Uint32Array(count);
    for (let k = 0; k < count; k++) hashes[k] = hashName(bytes, starts[k], 0);
    for (let i = 0, next = 0; i < n; i++) {
      const code = name[i];
      const hash = code === 0 ? 0 : hashes[code === 1 ? next++ : code - 2];
      if (hash !== nameHash[i]) return false;
    }
    return true;
  }
}
