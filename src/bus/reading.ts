import { PROTOCOL_NAMES } from '../core/carrier.ts';
import { ANSWER_KINDS, LEGS, NO_KIND, OUTCOMES, ROLES, type TransactionBatch } from '../core/transactions.ts';
import { FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import { hashName, skipName } from '../wire/name.ts';
import type { ColumnReader } from './columns.ts';
import { refuse } from './error.ts';
import { unzigzag } from './layout.ts';

/** Octets of a message's header. */
const HEADER = 12;

/** Strings, one behind the other. */
export interface Table {
  bytes: Uint8Array;
  count: number;
  starts: Uint32Array;
}

/** What names and messages are made of. */
export interface Strings {
  /** `codes`: 0 none, 1 the next new one, else number + 2. */
  names: Table & { codes: Uint32Array; hashes: Uint32Array };
  rests: Table;
  /** Of queries, then of responses. */
  forms: Uint8Array;
  flags: Uint16Array;
  /** 0 the next new one, else number + 1. */
  codes: readonly [Uint32Array, Uint32Array];
  ttls: Uint32Array;
}

/** Names, in wire form without compression: they tell their own length. */
export function readNames(reader: ColumnReader, n: number): Strings['names'] {
  const count = reader.word();
  const bytes = reader.octets(reader.word());
  if (count > n) refuse('it has more names than rows');
  const starts = new Uint32Array(count + 1);
  const hashes = new Uint32Array(count);
  let at = 0;
  for (let k = 0; k < count; k++) {
    starts[k] = at;
    while (at < bytes.length && bytes[at] !== 0) {
      if (bytes[at] >= 0x40) refuse('a name is none');
      at += bytes[at] + 1;
    }
    at++;
    if (at > bytes.length || at - starts[k] > 255) refuse('a name is none');
    hashes[k] = hashName(bytes, starts[k], 0);
  }
  starts[count] = at;
  if (at !== bytes.length) refuse('it has more of names than names');
  const codes = new Uint32Array(n);
  reader.words(codes, n);
  return { bytes, count, starts, hashes, codes };
}

/** What is left of messages. */
export function readRests(reader: ColumnReader, n: number): Table {
  const count = reader.word();
  if (count > 2 * n) refuse('it has more messages than rows');
  const lengths = new Uint16Array(count);
  reader.words(lengths, count);
  const starts = new Uint32Array(count + 1);
  for (let k = 0; k < count; k++) starts[k + 1] = starts[k] + lengths[k];
  return { bytes: reader.octets(starts[count]), count, starts };
}

/** Puts frame numbers, told as differences unless they are raw, before the messages of their row. */
export class FrameReading {
  readonly #batch: TransactionBatch;
  readonly #told: Float64Array;
  readonly #isRaw: boolean;
  #next = 0;
  #first = 0;

  constructor(batch: TransactionBatch, told: Float64Array, isRaw: boolean) {
    this.#batch = batch;
    this.#told = told;
    this.#isRaw = isRaw;
  }

  /** Those of row `i`, from `at` in the arena on; where they end. */
  put(i: number, at: number): number {
    const { col: c, numbers, arena } = this.#batch;
    const told = this.#told;
    const count = c.queryFrames[i] + c.responseFrames[i];
    at = (at + 7) & ~7;
    if (at + 8 * count > arena.length || count > told.length - this.#next) refuse('frame numbers are missing');
    c.framesAt[i] = at;
    let k = this.#next;
    this.#next = k + count;
    let to = at >>> 3;
    if (this.#isRaw) {
      while (k < this.#next) numbers[to++] = frameNumber(told[k++]);
      return to * 8;
    }
    let number = this.#first;
    for (let j = 0; j < count; j++) {
      number += unzigzag(told[k++]);
      if (j === 0) this.#first = number;
      numbers[to++] = frameNumber(number);
    }
    c.closeNumber[i] = number + unzigzag(c.closeNumber[i]);
    return to * 8;
  }

  end(): void {
    if (this.#next !== this.#told.length) refuse('it has more frame numbers than rows have');
  }
}

/** Outputs write them without a look. */
function frameNumber(number: number): number {
  if (!Number.isSafeInteger(number) || number < 0) refuse('a frame number is none');
  return number;
}

/** Numbers that stand for something must: whoever reads the rows looks it up. */
export function checkIndices({ col: c, count }: TransactionBatch, marks: number): void {
  within(c.protocol, count, PROTOCOL_NAMES.length);
  within(c.outcome, count, OUTCOMES.length);
  within(c.role, count, ROLES.length);
  within(c.leg, count, LEGS.length);
  within(c.fault, count, FAULTS.length);
  within(c.faultIn, count, FAULT_PLACES.length);
  within(c.faultSide, count, 2);
  within(c.mark, count, Math.max(1, marks));
  for (let i = 0; i < count; i++) {
    if (c.answerKind[i] >= ANSWER_KINDS.length && c.answerKind[i] !== NO_KIND) refuse('a number stands for nothing');
    if (!Number.isSafeInteger(c.closeNumber[i])) refuse('a frame number is none');
  }
}

/**
 * A row with a hash has its name where whoever reads rows takes it from unlooked: behind the header of the query, or of the
 * response where there is no query.
 */
export function checkNames({ col: c, count, arena }: TransactionBatch): void {
  for (let i = 0; i < count; i++) {
    if (c.nameHash[i] === 0) continue;
    const isQuery = c.queryLength[i] >= HEADER;
    const at = isQuery ? c.queryAt[i] : c.responseAt[i];
    const end = at + (isQuery ? c.queryLength[i] : c.responseLength[i]);
    if (skipName(arena, at + HEADER, at, end) < 0) refuse('a name is not in its message');
  }
}

function within(column: Uint8Array, count: number, most: number): void {
  let largest = 0;
  for (let i = 0; i < count; i++) if (column[i] > largest) largest = column[i];
  if (largest >= most) refuse('a number stands for nothing');
}
