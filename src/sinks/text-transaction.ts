import type { TransactionBatch } from '../core/transactions.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { ByteWriter } from './byte-writer.ts';
import { Column, cut, CYAN, DIM, GREEN, Line, localTime, MAGENTA, RED, shown, spanText, YELLOW } from './line.ts';
import type { OutputOptions, TransactionOutput } from './output.ts';

/** Answers shown of one transaction. */
const MOST_ANSWERS = 8;
/** Characters shown of one answer. */
const MOST_DATA = 80;
/** Least room left for answers on a narrow terminal before the marks give way. */
const LEAST_ANSWERS = 12;
const SLOW_MS = 200;

/** One line per transaction: time, client → server, type, name, latency, what came back, and marks of all that is unusual. */
export class TransactionText implements TransactionOutput {
  readonly #line: Line;
  readonly #onTerminal: boolean;
  readonly #client = new Column(13, 39);
  readonly #server = new Column(13, 42);
  readonly #type = new Column(5, 12);
  readonly #name: Column;

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#line = new Line(writer, options);
    this.#onTerminal = options.width !== undefined;
    this.#name = new Column(24, Math.max(24, Math.min(48, (options.width ?? 160) - 90)));
  }

  batch(batch: TransactionBatch, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#row(batch, i);
  }

  #row(batch: TransactionBatch, i: number): void {
    const value = transactionValue(batch, i);
    const line = this.#line;
    line.add(`${localTime(batch.col.openSeconds[i], batch.col.openNanos[i], !this.#onTerminal)} `, DIM);
    line.pad(value.client, this.#client.fit(value.client.length)).add(' → ', DIM);
    const server = endText(value.server, value.server_port);
    line.pad(server, this.#server.fit(server.length)).add(' ');
    // What was announced without a question (mDNS) is called by its first record.
    const { name = '', type } = value.name === undefined ? (value.answers?.[0] ?? {}) : value;
    const kind = kindText(value, type);
    line.pad(kind, this.#type.fit(kind.length), CYAN).add(' ');
    line.pad(name, this.#name.fit(name.length)).add(' ');
    const latency = batch.latencyNanos(i);
    line.add((Number.isNaN(latency) ? '' : spanText(latency)).padStart(10), latency > SLOW_MS * 1e6 ? YELLOW : DIM);
    line.add('  ');
    const marks = marksOf(value).join(', ');
    const result = resultText(value);
    // Marks stay in sight: a long list of answers is cut in front of them.
    const room = Math.max(LEAST_ANSWERS, line.room - (marks === '' ? 0 : marks.length + 4));
    line.add(cut(result.text, room), result.style);
    if (marks !== '') line.add('  [', DIM).add(marks, MAGENTA).add(']', DIM);
    line.end();
  }
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

/** What came back, in words: the answers, or why there are none. */
function resultText(value: Transaction): { text: string; style: string } {
  const { outcome, rcode, answers = [] } = value;
  if (outcome === 'unanswered') return { text: 'no answer', style: RED };
  if (outcome === 'capture_ended') return { text: 'no answer before the end', style: DIM };
  if (outcome === 'unreachable') return { text: 'unreachable', style: RED };
  if (outcome === 'evicted') return { text: 'not followed: too many at once', style: RED };
  const why = value.ede?.map((error) => ` (${error.code} ${shown(error.text)})`).join('') ?? '';
  const list = answersText(value);
  if (rcode !== undefined && rcode !== 'NOERROR') {
    const text = list === '' ? `${rcode}${why}` : `${rcode}${why} ${list}`;
    return { text, style: rcode === 'NXDOMAIN' ? YELLOW : RED };
  }
  const none = value.answer_kind === 'nodata';
  if (list !== '') return { text: `${list}${none ? ', NODATA' : ''}${why}`, style: none ? YELLOW : GREEN };
  if (value.answer_kind === 'referral') {
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
