import type { TransactionBatch } from '../core/transactions.ts';
import { isIrregular } from '../filter/row.ts';
import { ADDITIONAL, ANSWER, AUTHORITY, MessageView } from '../wire/message.ts';
import { DomainLengths } from './domain-lengths.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { LeanForm, type MessageColumns } from './message-form.ts';
import { copy16, copy32, copy8, putAddress, putInteger, putTime } from './cells.ts';
import { AT, COPIED, EMPTY, IDS, NOTHING } from './row-columns.ts';
import { StoredName } from './stored-name.ts';

/** What a batch alone does not say of its rows, as UTF-8: by interface, by mark. */
export interface OriginTexts {
  readonly sensor: Uint8Array;
  readonly interfaces: readonly Uint8Array[];
  readonly marks: readonly Uint8Array[];
}

/** What rows are written into: columns of some rows, `count` of them so far. */
export type RowTarget = Pick<ChunkWriter, 'count' | 'numbers' | 'words' | 'string' | 'null'>;

/** Writes rows of batches into chunks. What it read of the row stays: `query`, `response` (see `hasQuery` …), `name`. */
export class RowEncoder {
  readonly query = new MessageView();
  readonly response = new MessageView();
  hasQuery = false;
  hasResponse = false;
  /** Columns do not tell all of it: see `isIrregular`. */
  isIrregular = false;
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
    this.isIrregular = isIrregular(batch, i, this.hasQuery ? query : null, this.hasResponse ? response : null);
  }

  /** Copies the plain numbers of rows `order[from, from + count)` behind the rows of the chunk; `write` adds the rest. */
  copy(batch: TransactionBatch, order: Uint32Array, from: number, count: number, to: RowTarget): void {
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
  write(batch: TransactionBatch, i: number, to: RowTarget, from: OriginTexts): void {
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
    numbers[AT.suspicious][row] = c.mark[i] === 0 ? 0 : 1;
    numbers[AT.irregular][row] = this.isIrregular ? 1 : 0;
    this.#strings(batch, i, to, from);
    this.#messages(batch, i, to);
    this.#frameNumbers(batch, i, to);
    to.count = row + 1;
  }

  #strings(batch: TransactionBatch, i: number, to: RowTarget, { interfaces, sensor, marks }: OriginTexts): void {
    const c = batch.col;
    const a = this.#address;
    const length = c.family[i] === 4 ? 4 : 16;
    putAddress(a, length, c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    to.string(AT.client, a, 0, length);
    putAddress(a, length, c.server0[i], c.server1[i], c.server2[i], c.server3[i]);
    to.string(AT.server, a, 0, length);
    const on = interfaces[c.interfaceId[i]] ?? NOTHING;
    to.string(AT.interface, on, 0, on.length);
    const rules = c.mark[i] === 0 ? NOTHING : (marks[c.mark[i]] ?? NOTHING);
    to.string(AT.rules, rules, 0, rules.length);
    to.string(AT.sensor, sensor, 0, sensor.length);
    const { name } = this;
    to.string(AT.name, name.text, 0, name.textLength);
    to.string(AT.name_case, name.upper, 0, name.upperLength);
    to.numbers[AT.domain_length][to.count] = this.domainLength;
  }

  #messages(batch: TransactionBatch, i: number, to: RowTarget): void {
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

  #frameNumbers(batch: TransactionBatch, i: number, to: RowTarget): void {
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
