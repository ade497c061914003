import { TCP } from '../core/carrier.ts';
import { LEGS, type TransactionBatch, type Vantage } from '../core/transactions.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Message.Type of the query; the response has the next number (dnstap.proto). */
const TYPES = { authority: 1, upstream: 3, client: 5 } as const;
const UPSTREAM = LEGS.indexOf('upstream');
/** Dnstap.type. */
const MESSAGE = 1;

export interface DnstapSender {
  identity: Uint8Array;
  version: Uint8Array;
  vantage: Vantage;
}

/** What a payload is about, as offsets into the batch's arena. */
interface Half {
  type: number;
  isResponse: boolean;
  at: number;
  length: number;
}

/** Writes the query and the response of a row as dnstap payloads, each a data frame of Frame Streams. */
export class DnstapWriter {
  readonly #sender: DnstapSender;

  constructor(sender: DnstapSender) {
    this.#sender = sender;
  }

  write(batch: TransactionBatch, row: number, out: ByteWriter, ends: number[]): void {
    const { queryAt, queryLength, responseAt, responseLength, leg } = batch.col;
    const vantage = this.#sender.vantage === 'authority' ? 'authority' : leg[row] === UPSTREAM ? 'upstream' : 'client';
    const type = TYPES[vantage];
    if (queryLength[row] > 0) {
      this.#frame(batch, row, { type, isResponse: false, at: queryAt[row], length: queryLength[row] }, out);
      ends.push(out.length);
    }
    if (responseLength[row] > 0) {
      this.#frame(
        batch,
        row,
        { type: type + 1, isResponse: true, at: responseAt[row], length: responseLength[row] },
        out,
      );
      ends.push(out.length);
    }
  }

  #frame(batch: TransactionBatch, row: number, half: Half, out: ByteWriter): void {
    const { identity, version } = this.#sender;
    const inner = messageBytes(batch, row, half);
    const length = fieldBytes(identity.length) + fieldBytes(version.length) + fieldBytes(inner) + 2;
    out.room(4 + length);
    out.words.setUint32(out.length, length);
    out.length += 4;
    bytesField(out, 1, identity);
    bytesField(out, 2, version);
    key(out, 14, 2);
    varint(out, inner);
    writeMessage(batch, row, half, out);
    key(out, 15, 0);
    varint(out, MESSAGE);
  }
}

/** Bytes of the inner message: what `writeMessage` writes. */
function messageBytes(batch: TransactionBatch, row: number, { isResponse, length }: Half): number {
  const c = batch.col;
  const address = c.family[row] === 4 ? 4 : 16;
  const hasQuery = c.queries[row] > 0;
  const times =
    (hasQuery ? 1 + varintBytes(c.openSeconds[row]) + 5 : 0) +
    (isResponse ? 1 + varintBytes(c.answerSeconds[row]) + 5 : 0);
  const ports = 2 + varintBytes(c.clientPort[row]) + varintBytes(c.serverPort[row]);
  return 6 + 2 * fieldBytes(address) + ports + times + fieldBytes(length);
}

function writeMessage(
  batch: TransactionBatch,
  row: number,
  { type, isResponse, at, length }: Half,
  out: ByteWriter,
): void {
  const c = batch.col;
  const isFour = c.family[row] === 4;
  numberField(out, 1, type);
  numberField(out, 2, isFour ? 1 : 2);
  numberField(out, 3, c.transport[row] === TCP ? 2 : 1);
  addressField(out, 4, isFour ? [c.client3[row]] : [c.client0[row], c.client1[row], c.client2[row], c.client3[row]]);
  addressField(out, 5, isFour ? [c.server3[row]] : [c.server0[row], c.server1[row], c.server2[row], c.server3[row]]);
  numberField(out, 6, c.clientPort[row]);
  numberField(out, 7, c.serverPort[row]);
  if (c.queries[row] > 0) {
    numberField(out, 8, c.openSeconds[row]);
    fixedField(out, 9, c.openNanos[row]);
  }
  if (isResponse) {
    numberField(out, 12, c.answerSeconds[row]);
    fixedField(out, 13, c.answerNanos[row]);
  }
  bytesField(out, isResponse ? 14 : 10, batch.arena.subarray(at, at + length));
}

/** Fields below number 16 have a key of one byte. */
function key(out: ByteWriter, field: number, wire: number): void {
  out.byte((field << 3) | wire);
}

function varint(out: ByteWriter, value: number): void {
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) out.byte((left % 128) | 128);
  out.byte(left);
}

function varintBytes(value: number): number {
  let count = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) count++;
  return count;
}

/** Bytes of a field of so many bytes, with its key and length. */
function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

function numberField(out: ByteWriter, field: number, value: number): void {
  key(out, field, 0);
  varint(out, value);
}

function fixedField(out: ByteWriter, field: number, value: number): void {
  key(out, field, 5);
  out.room(4);
  out.words.setUint32(out.length, value, true);
  out.length += 4;
}

function bytesField(out: ByteWriter, field: number, bytes: Uint8Array): void {
  key(out, field, 2);
  varint(out, bytes.length);
  out.room(bytes.length);
  out.bytes.set(bytes, out.length);
  out.length += bytes.length;
}

function addressField(out: ByteWriter, field: number, words: readonly number[]): void {
  key(out, field, 2);
  varint(out, 4 * words.length);
  out.room(4 * words.length);
  for (const word of words) {
    out.words.setUint32(out.length, word);
    out.length += 4;
  }
}
