import { DNS, NBNS } from '../core/carrier.ts';
import { showOpaque } from '../wire/bytes-field.ts';
import { readDso } from '../wire/dso.ts';
import { EDNS_CO, EDNS_DE, EDNS_DO, OptionCursor, optionText } from '../wire/edns.ts';
import { FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import { showName } from '../wire/field.ts';
import { EXTENDED_ERRORS, OPTIONS, rcodeName } from '../wire/iana.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { flagNames, netbiosName, operationName, protocolClassName, protocolTypeName } from '../wire/protocol.ts';
import { recordReader } from './define.ts';
import { rrTypeOf } from './registry.ts';

const CLASS_NONE = 254;
const CLASS_ANY = 255;
const OPCODE_UPDATE = 5;
const TSIG = 250;

/**
 * Presentation text of a record's rdata: `\# n hex` for unknown types and malformed rdata (RFC 3597 §5), '' for the empty
 * rdata of UPDATE (class ANY or NONE, RFC 2136 §2.4). `dots`: names end in a dot, as dig shows them.
 */
export function rdataText(view: MessageView, i: number, dots = false, protocol: number = DNS): string {
  recordReader.open(view, i);
  const at = view.rdata[i];
  const length = view.rdlength[i];
  if (length === 0 && (view.class[i] === CLASS_ANY || view.class[i] === CLASS_NONE)) return '';
  const text = rrTypeOf(view.type[i], protocol)?.text(view, i, dots);
  return text ?? showOpaque(view.bytes.subarray(at, at + length));
}

/** A record as dig shows it: owner, TTL, class, type and rdata, by tabs. Empty when the owner's name is too costly. */
export function recordText(view: MessageView, i: number, protocol: number = DNS): string {
  recordReader.enter(view);
  const owner = dottedName(view.owner[i], protocol);
  if (owner === undefined) return '';
  const type = protocolTypeName(view.type[i], protocol);
  const start = `${owner}\t${view.ttl[i]}\t${protocolClassName(view.class[i], protocol)}\t${type}`;
  const data = rdataText(view, i, true, protocol);
  return data === '' ? start : `${start}\t${data}`;
}

function dottedName(at: number, protocol: number): string | undefined {
  const text = recordReader.nameAt(at);
  if (text === undefined) return undefined;
  return showName(protocol === NBNS ? (netbiosName(text) ?? text) : text, true);
}

const TITLES = ['QUESTION', 'ANSWER', 'AUTHORITY', 'ADDITIONAL'];
const UPDATE_TITLES = ['ZONE', 'PREREQUISITE', 'UPDATE', 'ADDITIONAL'];
const COUNTS = ['QUERY', 'ANSWER', 'AUTHORITY', 'ADDITIONAL'];
const UPDATE_COUNTS = ['ZONE', 'PREREQ', 'UPDATE', 'ADDITIONAL'];

/** Parts of a message's text: `comments` are header, EDNS and titles, `size` the last line. */
export interface MessageParts {
  comments: boolean;
  question: boolean;
  answer: boolean;
  authority: boolean;
  additional: boolean;
  size: boolean;
}

const ALL_PARTS: MessageParts = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  size: true,
};

/**
 * A message as dig shows it, down to its size; lines end in a line feed. A malformed one shows what could be read.
 * `parts`: which of it, all unless told.
 */
export function messageText(
  view: MessageView,
  protocol: number = DNS,
  parts: Readonly<Partial<MessageParts>> = {},
): string {
  const shown = { ...ALL_PARTS, ...parts };
  recordReader.begin(view);
  const lines: string[] = [];
  if (shown.comments) headerLines(view, protocol, lines);
  const titles = view.opcode === OPCODE_UPDATE ? UPDATE_TITLES : TITLES;
  if (shown.comments && view.opt >= 0) ednsLines(view, lines);
  if (shown.question) questionLines(view, protocol, shown.comments ? titles[0] : '', lines);
  recordLines(view, protocol, titles, shown, lines);
  for (const tlv of readDso(view)) lines.push(`; DSO ${tlv.name}: ${tlv.data}`);
  if (view.fault !== 0) {
    lines.push(`;; MALFORMED: ${FAULTS[view.fault]} at octet ${view.faultAt} (${FAULT_PLACES[view.faultIn]})`);
  }
  if (shown.size) lines.push(`;; MSG SIZE  rcvd: ${view.end - view.start}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function questionLines(view: MessageView, protocol: number, title: string, lines: string[]): void {
  if (view.questions > 0 && title !== '') lines.push(`;; ${title} SECTION:`);
  for (let q = 0; q < view.questions; q++) {
    const name = dottedName(view.questionName[q], protocol);
    if (name === undefined) break;
    const type = protocolTypeName(view.questionType[q], protocol);
    lines.push(`;${name}\t\t${protocolClassName(view.questionClass[q], protocol)}\t${type}`);
  }
  if (view.questions > 0 && title !== '') lines.push('');
}

function headerLines(view: MessageView, protocol: number, lines: string[]): void {
  const operation = operationName(view.flags, protocol);
  lines.push(`;; ->>HEADER<<- opcode: ${operation}, status: ${rcodeName(view.rcode)}, id: ${view.id}`);
  const counts = [view.questionCount, view.answerCount, view.authorityCount, view.additionalCount];
  const names = view.opcode === OPCODE_UPDATE ? UPDATE_COUNTS : COUNTS;
  const flags = flagNames(view.flags, protocol).filter((flag) => flag !== 'z');
  const zero = (view.flags & 0x40) !== 0 && protocol === DNS ? '; MBZ: 0x4' : '';
  const shown = counts.map((count, i) => `${names[i]}: ${count}`).join(', ');
  lines.push(`;; flags:${flags.map((flag) => ` ${flag}`).join('')}${zero}; ${shown}`, '');
}

function recordLines(
  view: MessageView,
  protocol: number,
  titles: string[],
  shown: MessageParts,
  lines: string[],
): void {
  const isShown = [shown.question, shown.answer, shown.authority, shown.additional];
  let section = 0;
  for (let i = 0; i < view.records; i++) {
    if (i === view.opt || !isShown[view.section[i]]) continue;
    const text = recordText(view, i, protocol);
    if (text === '') {
      lines.push(';; names are too costly to show', '');
      return;
    }
    const title = view.type[i] === TSIG ? 'TSIG PSEUDOSECTION' : `${titles[view.section[i]]} SECTION`;
    const key = view.type[i] === TSIG ? 9 : view.section[i];
    if (key !== section) {
      if (shown.comments && section >= ANSWER) lines.push('');
      if (shown.comments) lines.push(`;; ${title}:`);
      section = key;
    }
    lines.push(text);
  }
  if (shown.comments && section >= ANSWER) lines.push('');
}

const cursor = new OptionCursor();

function ednsLines(view: MessageView, lines: string[]): void {
  const ttl = view.ttl[view.opt];
  const flags = [
    (ttl & EDNS_DO) !== 0 ? ' do' : '',
    (ttl & EDNS_CO) !== 0 ? ' co' : '',
    (ttl & EDNS_DE) !== 0 ? ' de' : '',
  ];
  lines.push(';; OPT PSEUDOSECTION:');
  lines.push(`; EDNS: version: ${(ttl >>> 16) & 255}, flags:${flags.join('')}; udp: ${view.class[view.opt]}`);
  cursor.open(view);
  while (cursor.next()) lines.push(`; ${optionLine(cursor.code, view.bytes, cursor.at, cursor.length)}`);
}

// As dig 9.18 words them; options it does not word are shown by name and text.
function optionLine(code: number, bytes: Uint8Array, at: number, length: number): string {
  const octets = bytes.subarray(at, at + length);
  const u16 = length >= 2 ? (octets[0] << 8) | octets[1] : 0;
  if (code === 3) return `NSID: ${hexAndText(octets)}`;
  if (code === 8) return `CLIENT-SUBNET: ${optionText(code, bytes, at, length)}`;
  if (code === 10) return `COOKIE: ${optionText(code, bytes, at, length).toLowerCase()}`;
  if (code === 11) return length === 2 ? `TCP-KEEPALIVE: ${(u16 / 10).toFixed(1)} secs` : 'TCP-KEEPALIVE';
  if (code === 12) return `PAD: (${length} bytes)`;
  if (code === 15 && length >= 2) {
    const text = asciiText(octets.subarray(2));
    return `EDE: ${u16} (${EXTENDED_ERRORS.name(u16)})${text === '' ? '' : `: (${text})`}`;
  }
  const name = OPTIONS.name(code);
  return name === `OPT${code}`
    ? `OPT=${code}: ${hexAndText(octets)}`
    : `${name}: ${optionText(code, bytes, at, length)}`;
}

function hexAndText(octets: Uint8Array): string {
  const hex = Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(' ');
  return `${hex} ("${asciiText(octets)}")`;
}

/** Printable ASCII as it is, all else a dot: nothing from the wire reaches a terminal as a control character. */
function asciiText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('');
}
