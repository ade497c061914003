import { NBNS } from '../core/carrier.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { recordReader } from '../rr/define.ts';
import { rdataText } from '../rr/show.ts';
import { showName } from '../wire/field.ts';
import { TYPES } from '../wire/iana.ts';
import { ANSWER, MessageView } from '../wire/message.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { OutputFormat, OutputOptions, TransactionOutput } from './output.ts';

/** RRsets kept at a time, and the characters they may hold together. */
const MOST_RRSETS = 200_000;
const MOST_CHARACTERS = 64 << 20;
const TYPE_OPT = 41;
const TYPE_TSIG = 250;

/** One object of the passive DNS common output format; times are seconds (UTC). */
interface Entry {
  rrname: string;
  /** Mnemonic; the number of a type without one. */
  rrtype: string | number;
  rdata: string[];
  time_first: number;
  time_last: number;
  count: number;
  sensor_id?: string;
}

/**
 * Passive DNS, common output format (draft-dulaunoy-dnsop-passive-dns-cof-13): what the answer sections of responses
 * with rcode 0 held, an RRset per line, with its first and last time and its count. No client is in it. Names end in a
 * dot and are in lower case. When more RRsets are at hand than fit, the oldest is written early; should it come again,
 * it gets another line: readers add the counts.
 */
export const cof: OutputFormat = {
  name: 'cof',
  summary: 'passive DNS, one RRset per line (common output format)',
  unit: 'rrset',
  transaction: (options, writer) => new RrsetOutput(options, writer),
};

/** Gathers RRsets; `limit` is their number. */
export class RrsetOutput implements TransactionOutput {
  /** RRsets written before the end because they did not fit. */
  evicted = 0;
  readonly #writer: ByteWriter;
  readonly #sensor: string | undefined;
  readonly #limit: number;
  readonly #view = new MessageView();
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(options: OutputOptions, writer: ByteWriter, limit = MOST_RRSETS) {
    this.#writer = writer;
    this.#sensor = options.sensor;
    this.#limit = limit;
  }

  batch(batch: TransactionBatch, from: number, to: number): void {
    const c = batch.col;
    for (let i = from; i < to; i++) {
      if (c.rcode[i] !== 0 || c.responseLength[i] === 0 || c.protocol[i] === NBNS) continue;
      const length = c.responseLength[i];
      this.#view.read(batch.arena, c.responseAt[i], length, Math.max(c.responseBytes[i], length));
      const orphan = c.queries[i] === 0;
      this.#gather(orphan ? c.openSeconds[i] : c.answerSeconds[i]);
    }
  }

  end(): void {
    for (const entry of this.#entries.values()) this.#write(entry);
    this.#entries.clear();
  }

  notes(): readonly string[] {
    if (this.evicted === 0) return [];
    return [
      `${this.evicted} RRsets were written early because more than ${this.#limit} were at hand: add their counts.`,
    ];
  }

  /** Adds the RRsets of the answer section of the message read. */
  #gather(seconds: number): void {
    const view = this.#view;
    recordReader.begin(view);
    const sets = new Map<string, { rrname: string; type: number; rdata: string[] }>();
    for (let i = 0; i < view.records && view.section[i] === ANSWER; i++) {
      const type = view.type[i];
      if (type === TYPE_OPT || type === TYPE_TSIG) continue;
      const owner = recordReader.nameAt(view.owner[i]);
      if (owner === undefined) break;
      const rrname = showName(owner.toLowerCase(), true);
      const rdata = rdataText(view, i, true);
      const key = `${rrname} ${type}`;
      const set = sets.get(key);
      if (set === undefined) sets.set(key, { rrname, type, rdata: [rdata] });
      else if (!set.rdata.includes(rdata)) set.rdata.push(rdata);
    }
    for (const [key, { rrname, type, rdata }] of sets) this.#add(key, rrname, type, rdata.sort(), seconds);
  }

  #add(set: string, rrname: string, type: number, rdata: string[], seconds: number): void {
    const key = `${set} ${rdata.join('\n')}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.time_first = Math.min(known.time_first, seconds);
      known.time_last = Math.max(known.time_last, seconds);
      known.count++;
      return;
    }
    const name = TYPES.name(type);
    const rrtype = name.startsWith('TYPE') ? type : name;
    this.#entries.set(key, {
      rrname,
      rrtype,
      rdata,
      time_first: seconds,
      time_last: seconds,
      count: 1,
      ...(this.#sensor !== undefined && { sensor_id: this.#sensor }),
    });
    this.#characters += key.length;
    while (this.#entries.size > this.#limit || this.#characters > MOST_CHARACTERS) this.#evict();
  }

  /** Writes the RRset that has been here longest. */
  #evict(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      this.#characters -= key.length;
      this.#write(entry);
      this.evicted++;
      return;
    }
  }

  #write(entry: Entry): void {
    this.#writer.text(JSON.stringify(entry));
    this.#writer.byte(0x0a);
  }
}
