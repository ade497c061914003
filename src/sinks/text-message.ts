import { type Carrier, DNS, MDNS, PROTOCOL_NAMES, TCP } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import { recordReader } from '../rr/define.ts';
import { questionValues, recordValue } from '../rr/value.ts';
import { EDNS_DO } from '../wire/edns.ts';
import { FAULT, FAULTS } from '../wire/fault.ts';
import { rcodeName } from '../wire/iana.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { flagNames, operationName } from '../wire/protocol.ts';
import type { ByteWriter } from './byte-writer.ts';
import { destinationText, sourceText, transportName } from './captured-message.ts';
import {
  Column,
  cut,
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
import type { MessageOutput, OutputOptions } from './output.ts';

/** Answers shown of one message, and characters of each. */
const MOST_ANSWERS = 4;
const MOST_DATA = 80;

/**
 * One line per message: time, source → destination, id, QUERY or RESPONSE, flags, question, and of a response its code,
 * the header's counts (answer/authority/additional), the first answers and the latency; then the length in parentheses.
 */
export class MessageText implements MessageOutput {
  readonly #line: Line;
  readonly #onTerminal: boolean;
  readonly #isNarrow: boolean;
  readonly #source: Column;
  readonly #destination: Column;
  readonly #kind = new Column(8, 20);
  readonly #flags = new Column(5, 20);

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#line = new Line(writer, options);
    this.#onTerminal = options.width !== undefined;
    this.#isNarrow = isNarrow(options);
    this.#source = this.#isNarrow ? new Column(0, 21) : new Column(18, 47);
    this.#destination = this.#isNarrow ? new Column(0, 21) : new Column(18, 47);
  }

  message(carrier: Carrier, view: MessageView, join: MessageJoin): void {
    const line = this.#line;
    const { protocol } = carrier;
    recordReader.begin(view);
    const time = localTime(carrier.seconds, carrier.nanos, !this.#onTerminal);
    line.add(`${this.#isNarrow ? time.slice(0, -7) : time} `, DIM);
    const source = endText(sourceText(carrier), carrier.sourcePort);
    const destination = endText(destinationText(carrier), carrier.destinationPort);
    line.pad(source, this.#source.fit(source.length)).add(' → ', DIM);
    line.pad(destination, this.#destination.fit(destination.length));
    const id = ` 0x${view.id.toString(16).padStart(4, '0')} `;
    const flags = flagsText(view, protocol);
    const kind = kindText(view, protocol);
    // On a narrow terminal the question comes first: id and flags are cut before it is.
    line.add(this.#isNarrow ? ' ' : id, DIM);
    line.pad(kind, this.#kind.fit(kind.length), view.isResponse ? GREEN : CYAN).add(' ');
    if (!this.#isNarrow) line.pad(flags, this.#flags.fit(flags.length), DIM).add(' ');
    const questions = questionValues(view, protocol).map((question) => {
      const named = question.class === 'IN' ? question.type : `${question.type} ${question.class}`;
      return `${named} ${question.name}${question.unicast ? ' (QU)' : ''}`;
    });
    line.add(questions.length > 3 ? `${questions.slice(0, 3).join(', ')} …` : questions.join(', '));
    if (view.isResponse) this.#response(view, protocol);
    else if (view.answerCount + view.authorityCount > 0) line.add(` ${countsText(view)}`, DIM);
    if (!Number.isNaN(join.latencyNanos)) line.add(`  ${spanText(join.latencyNanos)}`, DIM);
    if (this.#isNarrow) line.add(`${id}${flags}`.trimEnd(), DIM);
    line.add(` (${carrier.claimedLength})`, DIM);
    const marks = marksOf(carrier, view, join).join(', ');
    if (marks !== '') line.add('  [', DIM).add(marks, MAGENTA).add(']', DIM);
    line.end();
  }

  #response(view: MessageView, protocol: number): void {
    const line = this.#line;
    const code = rcodeName(view.rcode);
    line.add(` ${code}`, code === 'NOERROR' ? GREEN : code === 'NXDOMAIN' ? YELLOW : RED);
    line.add(` ${countsText(view)}`, DIM);
    const texts: string[] = [];
    let more = 0;
    for (let i = 0; i < view.records; i++) {
      if (view.section[i] !== ANSWER || i === view.opt) continue;
      if (texts.length === MOST_ANSWERS) more++;
      else {
        const record = recordValue(view, i, protocol);
        if (record === undefined) break;
        texts.push(`${record.type} ${cut(record.data, MOST_DATA)}`.trimEnd());
      }
    }
    if (more > 0) texts.push(`${more} more`);
    if (texts.length > 0) line.add(` ${shown(texts.join(', '))}`);
  }
}

function endText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function kindText(view: MessageView, protocol: number): string {
  const operation = operationName(view.flags, protocol);
  if (operation === 'QUERY') return view.isResponse ? 'RESPONSE' : 'QUERY';
  return view.isResponse ? `${operation} RESPONSE` : operation;
}

/** Flags that are set, without QR, and EDNS's DO. */
function flagsText(view: MessageView, protocol: number): string {
  const names = flagNames(view.flags & 0x7fff, protocol);
  if (view.opt >= 0 && (view.ttl[view.opt] & EDNS_DO) !== 0) names.push('do');
  return names.join(' ');
}

function countsText(view: MessageView): string {
  return `${view.answerCount}/${view.authorityCount}/${view.additionalCount}`;
}

function marksOf(carrier: Carrier, view: MessageView, join: MessageJoin): string[] {
  const marks: string[] = [];
  if (carrier.protocol !== DNS) marks.push(PROTOCOL_NAMES[carrier.protocol]);
  if (carrier.transport === TCP || carrier.tapProtocol > 1) marks.push(transportName(carrier).toUpperCase());
  if (carrier.fragmented) marks.push('fragments');
  if (join.retransmission) marks.push(view.isResponse ? 'repeated' : 'asked again');
  if (join.unsolicited && carrier.protocol !== MDNS) marks.push('no query seen');
  if (view.fault !== 0) marks.push(view.fault === FAULT.cut ? 'cut' : `malformed: ${FAULTS[view.fault]}`);
  return marks;
}
