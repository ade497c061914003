import { TransactionBatch } from '../core/transactions.ts';
import { ID_WORDS, transactionId } from '../rr/transaction-id.ts';
import { ColumnReader } from './columns.ts';
import { refuse } from './error.ts';
import { idWords } from './gather.ts';
import { bodyOf, type BusHeader, headerOf, SCHEMA_TRANSACTIONS } from './header.ts';
import { FLAG, MOST_ARENA, PLAIN, unzigzag, VERSION } from './layout.ts';
import { lengthOf, NONE, putMessage, type RowQuestion } from './message-parts.ts';
import { checkIndices, checkNames, FrameReading, readNames, readRests, type Strings } from './reading.ts';

/** What a batch of the bus holds. */
export interface BusTransactions {
  header: BusHeader;
  batch: TransactionBatch;
  /** Names of interfaces by `interfaceId`, of rules by `mark`; empty texts: without a name. */
  interfaces: string[];
  marks: string[];
}

const MOST_TTLS = 1 << 20;
const utf8 = new TextDecoder();

/** Rows as they were when the sensor wrote them, columns and messages. Throws BusError, and nothing else. */
export function readTransactions(bytes: Uint8Array): BusTransactions {
  const header = headerOf(bytes);
  if (header.schema !== SCHEMA_TRANSACTIONS) refuse(`its schema ${header.schema} is none of transactions`);
  if (header.version !== VERSION) {
    refuse(`its schema has version ${header.version}, this program reads ${VERSION}`);
  }
  const reader = new ColumnReader(bodyOf(bytes));
  const reading = new Reading(reader, header.rows);
  reading.times();
  reading.numbers();
  for (const name of PLAIN) reader.words(reading.batch.col[name], header.rows);
  reading.strings();
  reading.ids();
  reader.end();
  const { batch, interfaces, marks } = reading;
  checkIndices(batch, marks.length);
  checkNames(batch);
  return { header, batch, interfaces, marks };
}

function readTexts(reader: ColumnReader): string[] {
  const count = reader.octet() | (reader.octet() << 8);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) texts.push(utf8.decode(reader.octets(reader.octet() | (reader.octet() << 8))));
  return texts;
}

/** A body while it is read, in the order of the layout: see `TransactionWriter`. */
class Reading {
  readonly batch: TransactionBatch;
  readonly interfaces: string[];
  readonly marks: string[];
  readonly #reader: ColumnReader;
  readonly #rows: number;
  readonly #flags: number;
  readonly #unit: number;
  readonly #wide: Float64Array;
  #frames: Float64Array;

  constructor(reader: ColumnReader, rows: number) {
    this.#reader = reader;
    this.#rows = rows;
    this.#flags = reader.octet();
    this.#unit = (this.#flags & FLAG.micros) !== 0 ? 1000 : 1;
    const arena = reader.word();
    if (arena > MOST_ARENA) refuse('its messages are larger than they may be');
    this.interfaces = readTexts(reader);
    this.marks = readTexts(reader);
    this.batch = TransactionBatch.create(Math.max(8, (rows + 7) & ~7), (arena + 15) & ~7);
    this.batch.count = rows;
    this.#wide = new Float64Array(rows);
    this.#frames = this.#wide;
  }

  times(): void {
    const n = this.#rows;
    const reader = this.#reader;
    const { col: c } = this.batch;
    const pairs = [
      [c.openSeconds, c.openNanos],
      [c.lastSeconds, c.lastNanos],
      [c.answerSeconds, c.answerNanos],
    ] as const;
    if ((this.#flags & FLAG.rawTimes) !== 0) for (const [seconds, nanos] of pairs) this.#raw(seconds, nanos);
    else {
      this.#open(c.openSeconds, c.openNanos);
      this.#since(c.lastSeconds, c.lastNanos);
      this.#since(c.answerSeconds, c.answerNanos);
    }
    if ((this.#flags & FLAG.rawClose) !== 0) this.#raw(c.closeSeconds, c.closeNanos);
    else this.#close();
    reader.doubles(c.setupNanos, n);
    for (let i = 0; i < n; i++) if (Math.abs(c.setupNanos[i]) === Infinity) refuse('a time is none');
  }

  #raw(seconds: Float64Array, nanos: Uint32Array): void {
    const n = this.#rows;
    this.#reader.doubles(seconds, n);
    this.#reader.words(nanos, n);
    for (let i = 0; i < n; i++) {
      if (!Number.isSafeInteger(seconds[i]) || nanos[i] > 4e9) refuse('a time is none');
    }
  }

  /** From one row to the next. */
  #open(seconds: Float64Array, nanos: Uint32Array): void {
    const n = this.#rows;
    const unit = this.#unit;
    const wide = this.#wide;
    const first = Math.min(1, n);
    this.#reader.doubles(seconds, first);
    this.#reader.words(nanos, first);
    this.#reader.wide(wide, n);
    if (n === 0) return;
    if (!Number.isSafeInteger(seconds[0])) refuse('a time is none');
    let s = seconds[0];
    let t = nanos[0];
    for (let i = 0; i < n; i++) {
      t += unzigzag(wide[i]) * unit;
      if (t < 0 || t >= 1e9) {
        const more = Math.floor(t / 1e9);
        s += more;
        t -= more * 1e9;
      }
      seconds[i] = s;
      nanos[i] = t;
    }
  }

  /** Since the first query; 0 = there is none. */
  #since(seconds: Float64Array, nanos: Uint32Array): void {
    const n = this.#rows;
    const unit = this.#unit;
    const wide = this.#wide;
    const { openSeconds, openNanos } = this.batch.col;
    this.#reader.wide(wide, n);
    for (let i = 0; i < n; i++) {
      const value = wide[i];
      if (value === 0) continue;
      const t = openNanos[i] + unzigzag(value - 1) * unit;
      const more = t < 0 || t >= 1e9 ? Math.floor(t / 1e9) : 0;
      seconds[i] = openSeconds[i] + more;
      nanos[i] = t - more * 1e9;
    }
  }

  /** Since the response, else the last query, else the first. */
  #close(): void {
    const n = this.#rows;
    const unit = this.#unit;
    const wide = this.#wide;
    const { openSeconds, openNanos, lastSeconds, lastNanos, answerSeconds, answerNanos, closeSeconds, closeNanos } =
      this.batch.col;
    this.#reader.wide(wide, n);
    for (let i = 0; i < n; i++) {
      const hasAnswer = answerSeconds[i] !== 0 || answerNanos[i] !== 0;
      const hasLast = lastSeconds[i] !== 0 || lastNanos[i] !== 0;
      const base = hasAnswer ? answerSeconds[i] : hasLast ? lastSeconds[i] : openSeconds[i];
      const t = (hasAnswer ? answerNanos[i] : hasLast ? lastNanos[i] : openNanos[i]) + unzigzag(wide[i]) * unit;
      const more = t < 0 || t >= 1e9 ? Math.floor(t / 1e9) : 0;
      closeSeconds[i] = base + more;
      closeNanos[i] = t - more * 1e9;
    }
  }

  /** Frame numbers as they are told; `strings` puts them in their places once it is known whose they are. */
  numbers(): void {
    const n = this.#rows;
    const reader = this.#reader;
    const { closeNumber } = this.batch.col;
    const count = reader.word();
    if (8 * count > this.batch.arena.length) refuse('it has too many frame numbers');
    this.#frames = new Float64Array(count);
    if ((this.#flags & FLAG.rawFrames) !== 0) {
      reader.doubles(this.#frames, count);
      reader.doubles(closeNumber, n);
      if (!this.#frames.every(Number.isSafeInteger)) refuse('a frame number is none');
    } else {
      reader.wide(this.#frames, count);
      reader.wide(closeNumber, n);
    }
  }

  /** Addresses, names, messages and frame numbers. */
  strings(): void {
    this.#addressed();
    const n = this.#rows;
    const reader = this.#reader;
    const { batch } = this;
    const { col: c } = batch;
    const names = readNames(reader, n);
    const rests = readRests(reader, n);
    const column = () => new Uint32Array(n);
    const forms = new Uint8Array(2 * n);
    const flags = new Uint16Array(2 * n);
    const codes = [column(), column()] as const;
    for (const side of [0, 1] as const) {
      reader.words(forms.subarray(side * n, side * n + n), n);
      reader.words(flags.subarray(side * n, side * n + n), n);
      reader.words(codes[side], n);
      reader.words(side === 0 ? c.queryBytes : c.responseBytes, n);
    }
    const ttlCount = reader.word();
    if (ttlCount > MOST_TTLS) refuse('it has too many TTLs');
    const ttls = new Uint32Array(ttlCount);
    reader.words(ttls, ttlCount);
    this.#write({ names, rests, forms, flags, codes, ttls });
  }

  #addressed(): void {
    const n = this.#rows;
    const reader = this.#reader;
    const { col: c } = this.batch;
    const count = reader.word();
    if (count > 2 * n) refuse('it has more addresses than rows');
    const addresses = Array.from({ length: 5 }, () => new Uint32Array(count));
    for (const column of addresses) reader.words(column, count);
    const clients = new Uint32Array(n);
    const servers = new Uint32Array(n);
    reader.words(clients, n);
    reader.words(servers, n);
    const [family, w0, w1, w2, w3] = addresses;
    for (let i = 0, next = 0; i < n; i++) {
      const from = clients[i] === 0 ? next++ : clients[i] - 1;
      const to = servers[i] === 0 ? next++ : servers[i] - 1;
      if (from >= count || to >= count) refuse('an address is not there');
      if (family[from] > 255) refuse('an address has no family');
      c.family[i] = family[from];
      c.client0[i] = w0[from];
      c.client1[i] = w1[from];
      c.client2[i] = w2[from];
      c.client3[i] = w3[from];
      c.server0[i] = w0[to];
      c.server1[i] = w1[to];
      c.server2[i] = w2[to];
      c.server3[i] = w3[to];
    }
  }

  /** Writes messages and frame numbers into the arena, row by row. */
  #write({ names, rests, forms, flags, codes, ttls }: Strings): void {
    const n = this.#rows;
    const { batch } = this;
    const { col: c, arena } = batch;
    const raw = (this.#flags & FLAG.rawHashes) !== 0;
    const asked: RowQuestion = { id: 0, bytes: names.bytes, nameAt: 0, nameLength: 0, type: 0, class: 0 };
    const rowFrames = new FrameReading(batch, this.#frames, (this.#flags & FLAG.rawFrames) !== 0);
    let at = 0;
    let newName = 0;
    let newRest = 0;
    let ttl = 0;
    for (let i = 0; i < n; i++) {
      const code = names.codes[i];
      asked.nameLength = 0;
      if (code !== 0) {
        const name = code === 1 ? newName++ : code - 2;
        if (name >= names.count) refuse('a name is not there');
        asked.nameAt = names.starts[name];
        asked.nameLength = names.starts[name + 1] - asked.nameAt;
        if (!raw) c.nameHash[i] = names.hashes[name];
      }
      asked.id = c.id[i];
      asked.type = c.type[i];
      asked.class = c.class[i];
      at = rowFrames.put(i, at);
      for (let side = 0; side < 2; side++) {
        const form = forms[side * n + i];
        let from = 0;
        let restLength = 0;
        if (form !== NONE) {
          const told = codes[side][i];
          const rest = told === 0 ? newRest++ : told - 1;
          if (rest >= rests.count) refuse('a message is not there');
          from = rests.starts[rest];
          restLength = rests.starts[rest + 1] - from;
        }
        const length = lengthOf(form, restLength, asked.nameLength);
        if (length < 0 || length > arena.length - at) refuse('a message does not fit');
        const used =
          length === 0
            ? 0
            : putMessage(form, flags[side * n + i], rests.bytes, from, length, asked, arena, at, ttls, ttl);
        if (used < 0) refuse('TTLs do not fit a message');
        ttl += used;
        if (side === 0) {
          c.queryAt[i] = at;
          c.queryLength[i] = length;
          c.queryBytes[i] += length;
        } else {
          c.responseAt[i] = at;
          c.responseLength[i] = length;
          c.responseBytes[i] += length;
        }
        at += length;
      }
    }
    if (ttl !== ttls.length) refuse('it has more TTLs than records');
    rowFrames.end();
    batch.used = at;
  }

  /** Hashes of names where they do not follow, and ids. */
  ids(): void {
    const n = this.#rows;
    const { col: c } = this.batch;
    if ((this.#flags & FLAG.rawHashes) !== 0) this.#reader.words(c.nameHash, n);
    if ((this.#flags & FLAG.rawIds) !== 0) {
      this.#reader.words(c.idHigh, n);
      this.#reader.words(c.idLow, n);
      return;
    }
    const id = { high: 0, low: 0 };
    const words = new Uint32Array(ID_WORDS);
    for (let i = 0; i < n; i++) {
      idWords(words, c, i);
      transactionId(words, 0, c.openSeconds[i], c.openNanos[i], id);
      c.idHigh[i] = id.high;
      c.idLow[i] = id.low;
    }
  }
}
