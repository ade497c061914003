import type { TransactionBatch } from '../core/transactions.ts';
import { findField } from '../filter/fields/registry.ts';
import { NEEDLE_FIELDS, type Needle } from '../filter/needles.ts';
import { RowSubject } from '../filter/row.ts';
import { foldText, Subject, type Value, Values } from '../filter/value.ts';
import { bloomHas, bloomOf } from '../sketch/bloom.ts';
import type { MessageView } from '../wire/message.ts';
import { hashName, mix, skipName } from '../wire/name.ts';
import { type Condition, during, type TimeRange } from './condition.ts';
import type { Connection } from './duckdb.ts';
import type { Parts } from './parts.ts';
import type { RowEncoder } from './row-encoder.ts';
import { NOTHING } from './row-columns.ts';
import { NAME_TEXT, StoredName } from './stored-name.ts';
import { loadProgress } from './upkeep.ts';

/** Different values of a stretch of rows; with so many it ends. */
const MOST_VALUES = 16_384;
/** Room for one row more, which may have thousands. */
const SLOTS = 65_536;
/** Stretches that could not be written yet; more become one. */
const MOST_WAITING = 256;
/** Times that the store can keep, ms. */
const FARTHEST = 9.2e12;
const A = 1;
const AAAA = 28;
const utf8 = new TextEncoder();
const name = new StoredName();
const FIELDS = NEEDLE_FIELDS.flatMap((name) => findField(name) ?? []);

/** Rows that came one after the other: times in ms, both among them, and which values they have. */
export interface Stretch {
  first: number;
  last: number;
  /** Bloom filter of names asked and addresses in records; without octets: they may have any. */
  held: Uint8Array;
}

/** Collects which names and addresses are in stretches of rows: who looks for a rare one need not read them all. */
export class StretchCollector {
  readonly #hashes = new Int32Array(SLOTS);
  /** The same one behind the other. */
  readonly #values = new Int32Array(SLOTS);
  #count = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #ended: Stretch[] = [];
  readonly #odd = new OddRow();

  /** Adds row `i`, which `encoder` has read; `time` in ms. */
  add(batch: TransactionBatch, i: number, encoder: RowEncoder, time: number): void {
    const ms = Math.max(-FARTHEST, Math.min(FARTHEST, time));
    if (ms < this.#first) this.#first = ms;
    if (ms > this.#last) this.#last = ms;
    if (encoder.isIrregular) this.#odd.each(batch, i, (value) => this.#put(hashOf(value)));
    else {
      const { name } = encoder;
      if (name.textLength > 0) this.#put(batch.col.nameHash[i] | 0 || 1);
      if (encoder.hasResponse) this.#addresses(encoder.response);
    }
    if (this.#count >= MOST_VALUES) this.#end();
  }

  #addresses({ bytes, records, type, rdata, rdlength }: MessageView): void {
    for (let r = 0; r < records; r++) {
      if ((type[r] === A && rdlength[r] === 4) || (type[r] === AAAA && rdlength[r] === 16)) {
        this.#put(octetsHash(bytes, rdata[r], rdata[r] + rdlength[r]));
      }
    }
  }

  #put(hash: number): void {
    const hashes = this.#hashes;
    let at = hash & (SLOTS - 1);
    while (hashes[at] !== 0) {
      if (hashes[at] === hash) return;
      at = (at + 1) & (SLOTS - 1);
    }
    hashes[at] = hash;
    this.#values[this.#count++] = hash;
  }

  #end(): void {
    if (this.#last < this.#first) return;
    const held = bloomOf(this.#values.subarray(0, this.#count));
    this.#ended.push({ first: this.#first, last: this.#last, held });
    this.#hashes.fill(0);
    this.#count = 0;
    this.#first = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
  }

  /** Takes the stretches of all rows until now; none while the only one may still grow, unless `all`. */
  take(all: boolean): Stretch[] {
    if (all || this.#ended.length > 0) this.#end();
    const taken = this.#ended;
    this.#ended = [];
    return taken;
  }

  /** What was taken could not be written. */
  putBack(stretches: readonly Stretch[]): void {
    const all = [...stretches, ...this.#ended];
    const first = all.reduce((least, one) => Math.min(least, one.first), Number.POSITIVE_INFINITY);
    const last = all.reduce((most, one) => Math.max(most, one.last), Number.NEGATIVE_INFINITY);
    this.#ended = all.length > MOST_WAITING ? [{ first, last, held: new Uint8Array(0) }] : all;
  }
}

/** Values of a row that columns do not tell all of, as a filter reads them. */
class OddRow {
  readonly #row = new RowSubject([]);
  readonly #subject = new Subject();
  readonly #values = new Values();

  constructor() {
    const { carrier, view, join } = this.#row;
    Object.assign(this.#subject, { carrier, view, join });
  }

  each(batch: TransactionBatch, i: number, found: (value: Value) => void): void {
    if (this.#row.query(batch, i)) this.#message(found);
    if (this.#row.response(batch, i)) this.#message(found);
  }

  #message(found: (value: Value) => void): void {
    const values = this.#values;
    values.clear();
    for (const field of FIELDS) field.read(this.#subject, values);
    for (let k = 0; k < values.count; k++) found(values.list[k]);
  }
}

/** Of a name as its text: what batches have of it. Never 0. */
function hashOf(value: Value): number {
  if (value instanceof Uint8Array) return octetsHash(value, 0, value.length);
  const text = utf8.encode(foldText(String(value)));
  if (text.length >= NAME_TEXT) return 1;
  name.restore(text, NOTHING);
  // A text that is no name is in no row.
  const { wire, wireLength } = name;
  if (wireLength > 255 || skipName(wire, 0, 0, wireLength) !== wireLength) return 1;
  return hashName(name.wire, 0, 0) | 0 || 1;
}

/** Never 0. */
function octetsHash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c_9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i], 0x0100_0193);
  return mix(h) | 0 || 1;
}

/** Says whether a stretch may hold one of the values, from its `held`. */
export function holding(needles: readonly Needle[]): (held: Uint8Array) => boolean {
  const hashes = needles.map(({ value }) => hashOf(value));
  return (held) => held.length === 0 || hashes.some((hash) => bloomHas(held, hash));
}

/** Where in [from, to) rows may be that have one of the values: ranges of time, the latest first, apart from each other. */
export async function rangesOf(
  connection: Connection,
  parts: Parts,
  needles: readonly Needle[],
  { from, to }: TimeRange,
): Promise<TimeRange[]> {
  const mayHold = holding(needles);
  const ranges: TimeRange[] = [];
  const add = (first: number, last: number) => ranges.push({ from: Math.max(from, first), to: Math.min(to, last + 1) });
  await connection.run('BEGIN');
  try {
    // Rows that are in no stretch yet: the last ones that came.
    const { sought } = await loadProgress(connection);
    const rest = await connection.one<{ first: number | null; last: number | null }>(
      `SELECT min(time) // 1000000 AS first, max(time) // 1000000 AS last FROM (${parts.sequence(sought, parts.end)})`,
    );
    if (rest?.first !== undefined && rest.first !== null) add(rest.first, rest.last ?? rest.first);
    const stretches = connection.chunks('SELECT first, last, held FROM stretches WHERE last >= ? AND first < ?', [
      Math.floor(from),
      Math.ceil(to),
    ]);
    for await (const chunk of stretches) {
      const [firsts, lasts] = [chunk.numbers(0), chunk.numbers(1)];
      const held = chunk.strings(2);
      for (let i = 0; i < chunk.count; i++) {
        if (mayHold(held(i))) add(Number(firsts[i]), Number(lasts[i]));
      }
    }
  } finally {
    await connection.run('ROLLBACK');
  }
  return merged(ranges);
}

/** A condition that also says where in the range its rows are, as far as is known. */
export async function narrowed(
  connection: Connection,
  parts: Parts,
  condition: Condition,
  range: TimeRange,
): Promise<Condition> {
  const { needles } = condition;
  return needles === undefined ? condition : during(condition, await rangesOf(connection, parts, needles, range));
}

function merged(ranges: readonly TimeRange[]): TimeRange[] {
  const list: TimeRange[] = [];
  for (const range of ranges.filter(({ from, to }) => from < to).sort((a, b) => b.to - a.to)) {
    const last = list.at(-1);
    if (last !== undefined && range.to >= last.from) last.from = Math.min(last.from, range.from);
    else list.push({ ...range });
  }
  return list;
}
