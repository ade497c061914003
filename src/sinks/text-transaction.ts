import type { TransactionBatch } from '../core/transactions.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  Column,
  cut,
  cutFront,
  CYAN,
  DIM,
  GREEN,
  isNarrow,
  Line,
  localTime,
  MAGENTA,
  RED,
  shown,
  spanText,
  YELLOW,
} from './line.ts';
import type { OutputOptions, TransactionOutput } from './output.ts';

/** Answers shown of one transaction. */
const MOST_ANSWERS = 8;
/** Characters shown of one answer. */
const MOST_DATA = 80;
/** Least room left for answers on a narrow terminal before the marks give way. */
const LEAST_ANSWERS = 12;
/** What a line of a narrow terminal takes besides addresses, type and name: time, arrow, gaps, latency, answer. */
const NARROW_REST = 38;
const LEAST_NAME = 12;
const SLOW_NANOS = 200e6;

/** One line per transaction: time, client → server, type, name, latency, what came back, and marks of all that is unusual. */
export class TransactionText implements TransactionOutput {
  readonly #line: Line;
  readonly #onTerminal: boolean;
  readonly #isNarrow: boolean;
  readonly #client: Column;
  readonly #server: Column;
  readonly #type: Column;
  readonly #name: Column;
  readonly #width: number;

  constructor(options: OutputOptions, writer: ByteWriter) {
    const { width = Number.POSITIVE_INFINITY } = options;
    this.#line = new Line(writer, options);
    this.#width = width;
    this.#onTerminal = options.width !== undefined;
    this.#isNarrow = isNarrow(options);
    this.#client = this.#isNarrow ? new Column(0, 15) : new Column(13, 39);
    this.#server = this.#isNarrow ? new Column(0, 15) : new Column(13, 42);
    this.#type = this.#isNarrow ? new Column(4, 5) : new Column(5, 12);
    this.#name = this.#isNarrow ? new Column(0, 48) : new Column(24, Math.min(48, Math.max(24, width - 90)));
  }

  batch(batch: TransactionBatch, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#row(batch, i);
  }

  /** Most characters of a name: on a narrow terminal what the columns in front and the marks leave, else all it has. */
  #longestName(marks: string): number {
    if (!this.#isNarrow) return 255 * 4;
    const before = this.#client.width + this.#server.width + this.#type.width;
    return Math.max(LEAST_NAME, this.#width - NARROW_REST - before - besideText(marks));
  }

  #row(batch: TransactionBatch, i: number): void {
    const value = transactionValue(batch, i);
    const line = this.#line;
    const time = localTime(batch.col.openSeconds[i], batch.col.openNanos[i], !this.#onTerminal);
    line.add(`${this.#isNarrow ? time.slice(0, -7) : time} `, DIM);
    line.pad(value.client, this.#client.fit(value.client.length)).add(' → ', DIM);
    const server = endText(value.server, value.server_port);
    line.pad(server, this.#server.fit(server.length)).add(' ');
    // What was announced without a question (mDNS) is called by its first record.
    const { name = '', type } = value.name === undefined ? (value.answers?.[0] ?? {}) : value;
    const kind = kindText(value, type);
    line.pad(kind, this.#type.fit(kind.length), CYAN).add(' ');
    const marks = marksOf(value).join(', ');
    const longest = this.#longestName(marks);
    const called = cutFront(name, longest);
    line.pad(called, Math.min(this.#name.fit(called.length), longest)).add(' ');
    const latency = batch.latencyNanos(i);
    const took = Number.isNaN(latency) ? '' : spanText(latency, this.#isNarrow ? 1 : 3);
    line.add(took.padStart(this.#isNarrow ? 8 : 10), latency > SLOW_NANOS ? YELLOW : DIM).add('  ');
    const result = resultText(value, this.#isNarrow);
    // Marks stay in sight: a long list of answers is cut in front of them.
    const room = Math.min(line.room, Math.max(LEAST_ANSWERS, line.room - besideText(marks)));
    line.add(cut(result.text, room), result.style);
    if (marks !== '') line.add('  [', DIM).add(marks, MAGENTA).add(']', DIM);
    line.end();
  }
}

/** Characters that marks take at a line's end. */
function besideText(marks: string): number {
  return marks === '' ? 0 : marks.length + 4;
}

/** An address, with its port unless that is 53. */
function endText(address: string, port: number): string {
  if (port === 53) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The type asked for; the operation in front where it is no query, the class behind where it is not IN. */
function kindText({ opcode, class: name = 'IN' }: Transaction, type = ''): string {
  const shownClass = name === 'IN' ? type : `${type} ${name}`;
  return opcode === 'QUERY' ? shownClass : `${opcode} ${shownClass}`.trimEnd();
}

/** What came back, in words: the answers (`brief`: without aliases in front of addresses), or why there are none. */
function resultText(value: Transaction, brief: boolean): { text: string; style: string } {
  const { outcome, rcode, answers = [] } = value;
  if (outcome === 'unanswered') return { text: 'no answer', style: RED };
  if (outcome === 'capture_ended') return { text: 'no answer before the end', style: DIM };
  if (outcome === 'unreachable') return { text: 'unreachable', style: RED };
  if (outcome === 'evicted') return { text: 'not followed: too many at once', style: RED };
  const why = value.ede?.map((error) => ` (${error.code} ${shown(error.text)})`).join('') ?? '';
  const list = brief && value.addresses !== undefined ? value.addresses.join(', ') : answersText(value);
  if (rcode !== undefined && rcode !== 'NOERROR') {
    const text = list === '' ? `${rcode}${why}` : `${rcode}${why} ${list}`;
    return { text, style: rcode === 'NXDOMAIN' ? YELLOW : RED };
  }
  const none = value.answer_kind === 'nodata';
  if (list !== '') return { text: `${list}${none ? ', NODATA' : ''}${why}`, style: none ? YELLOW : GREEN };
  if (value.answer_kind === 'referral') {
    if (brief)
      return {
        text: `referral ${value.authority?.find(({ type }) => type === 'NS')?.name ?? ''}${why}`,
        style: YELLOW,
      };
    const servers = value.authority?.filter(({ type }) => type === 'NS').map(({ data }) => data) ?? [];
    return { text: `referral to ${servers.join(', ')}${why}`, style: YELLOW };
  }
  // Nothing in a truncated or malformed response does not mean that there is nothing.
  if (value.flags.includes('tc')) return { text: `truncated${why}`, style: YELLOW };
  if (none && value.fault === undefined) return { text: `NODATA${why}`, style: YELLOW };
  return { text: `${rcode ?? ''}${answers.length === 0 ? '' : ` ${answers.length} answers`}${why}`, style: DIM };
}

/** Data of the answers in order; those of another type than asked for say theirs. */
function answersText({ answers = [], type }: Transaction): string {
  const texts = answers.slice(0, MOST_ANSWERS).map((record) => {
    const data = cut(record.data, MOST_DATA);
    return record.type === type ? data : `${record.type} ${data}`.trimEnd();
  });
  if (answers.length > MOST_ANSWERS) texts.push(`${answers.length - MOST_ANSWERS} more`);
  return shown(texts.join(', '));
}

function marksOf(value: Transaction): string[] {
  const marks: string[] = [];
  if (value.protocol !== undefined) marks.push(value.protocol);
  if (value.transport === 'tcp') marks.push('TCP');
  if (value.flags.includes('qr') && value.flags.includes('tc')) {
    marks.push(value.tcp_retry === undefined ? 'truncated' : 'TC→TCP');
  }
  if (value.queries > 1) marks.push(`asked ×${value.queries}`);
  if (value.responses > 1) marks.push(`${value.responses} responses`);
  // Multicast answers come unasked by design (RFC 6762 §8.3).
  if (value.outcome === 'orphan' && value.protocol !== 'mdns') marks.push(value.late > 0 ? 'late' : 'orphan');
  else if (value.late > 0) marks.push(`late ×${value.late}`);
  if (value.duplicates > 0) marks.push(`duplicate ×${value.duplicates}`);
  if (value.fault !== undefined) {
    marks.push(value.fault.cause === 'cut' ? 'cut' : `malformed: ${value.fault.cause}`);
  }
  return marks;
}
