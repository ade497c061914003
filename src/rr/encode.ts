import { UserError } from '../core/errors.ts';
import { opaque } from '../wire/bytes-field.ts';
import { OPCODE_DSO, writeDso } from '../wire/dso.ts';
import { EDNS_CO, EDNS_DE, EDNS_DO, parseOption } from '../wire/edns.ts';
import { type RdataValue, Words } from '../wire/field.ts';
import { CLASSES, OPCODES, RCODES } from '../wire/iana.ts';
import { MessageView } from '../wire/message.ts';
import { flagBits } from '../wire/protocol.ts';
import { Writer } from '../wire/writer.ts';
import { DNS } from '../core/carrier.ts';
import { rrTypeOf, typeNumber } from './registry.ts';
import { type EdnsData, type Message, messageValue, type QuestionData, type RecordData } from './value.ts';

const TYPE_OPT = 41;

/** A record to write: `data` is presentation text, or the type's value (`{ preference: 10, exchange: 'mx.example' }`). */
export type RecordInput = Omit<RecordData, 'data' | 'class'> & {
  class?: string;
  data: string | Readonly<Record<string, RdataValue>>;
};

/** A message to write. What is left out is usual: id 0, QUERY, NOERROR, no flags, empty sections, class IN. */
export interface MessageInput {
  id?: number;
  opcode?: string;
  rcode?: string;
  flags?: readonly string[];
  questions?: readonly (Omit<QuestionData, 'class'> & { class?: string })[];
  answers?: readonly RecordInput[];
  authority?: readonly RecordInput[];
  additional?: readonly RecordInput[];
  edns?: Partial<EdnsData>;
  dso?: Message['dso'];
}

/**
 * The wire form of a message, names compressed (RFC 1035 §4.1.4), at most 65535 bytes. `decodeMessage` gives the message
 * back. Throws `UserError` that names what cannot be written.
 */
export function encodeMessage(message: MessageInput): Uint8Array {
  const w = new Writer();
  const opcode = known(OPCODES.number(message.opcode ?? 'QUERY'), 'an operation', message.opcode, 15);
  const rcode = known(RCODES.number(message.rcode ?? 'NOERROR'), 'a response code', message.rcode, 0xfff);
  if (rcode > 15 && message.edns === undefined) {
    throw new UserError(`The response code ${message.rcode} needs EDNS: its upper bits are in OPT. Give 'edns: {}'.`);
  }
  const sections = [message.answers ?? [], message.authority ?? [], message.additional ?? []];
  w.u16(inRange(message.id ?? 0, 0xffff, 'The message id'));
  w.u16(headerFlags(message.flags ?? []) | (opcode << 11) | (rcode & 15));
  w.u16((message.questions ?? []).length);
  w.u16(sections[0].length);
  w.u16(sections[1].length);
  w.u16(sections[2].length + (message.edns === undefined ? 0 : 1));
  for (const question of message.questions ?? []) {
    w.name(question.name, true);
    w.u16(known(typeNumber(question.type), 'an RR type', question.type, 0xffff));
    w.u16(classOf(question.class, question.unicast));
  }
  sections[0].forEach((record) => writeRecord(w, record));
  sections[1].forEach((record) => writeRecord(w, record));
  // OPT before the other additional records: TSIG and SIG(0), where present, must stay last (RFC 8945 §5.1).
  if (message.edns !== undefined) writeEdns(w, message.edns, rcode >> 4);
  sections[2].forEach((record) => writeRecord(w, record));
  if (opcode === OPCODE_DSO) writeDso(w, message.dso ?? []);
  return w.result();
}

/** The message in `bytes`; what could be read of a malformed one, with its `fault`. Never throws. */
export function decodeMessage(bytes: Uint8Array, protocol: number = DNS): Message {
  const view = new MessageView();
  view.read(bytes, 0, bytes.length);
  return messageValue(view, protocol);
}

function headerFlags(names: readonly string[]): number {
  let flags = 0;
  for (const name of names) {
    const bit = flagBits(DNS).find((one) => one[1] === name.toLowerCase());
    if (bit === undefined) throw new UserError(`'${name}' is not a header flag: qr aa tc rd ra z ad cd are.`);
    flags |= bit[0];
  }
  return flags;
}

function writeRecord(w: Writer, record: RecordInput): void {
  const type = known(typeNumber(record.type), 'an RR type', record.type, 0xffff);
  w.name(record.name, true);
  w.u16(type);
  w.u16(classOf(record.class, record.flush));
  w.u32(inRange(record.ttl, 0xffffffff, `The TTL of ${record.name}`));
  const from = w.openLength();
  writeRdata(w, type, record);
  w.patchLength(from);
}

function writeRdata(w: Writer, type: number, { data, class: recordClass }: RecordInput): void {
  const form = rrTypeOf(type);
  if (typeof data !== 'string') {
    if (form === undefined) throw new UserError(`TYPE${type} has no known form: give its data as '\\# length hex'.`);
    form.write(data, w);
    return;
  }
  // Empty rdata is UPDATE's way to say "any" and "none" (RFC 2136 §2.4).
  if (data === '' && (recordClass === 'ANY' || recordClass === 'NONE')) return;
  if (form === undefined || data.startsWith('\\#')) opaque.write(w, opaque.parse(new Words(data), {}), {});
  else form.write(form.parse(data), w);
}

function writeEdns(w: Writer, edns: Partial<EdnsData>, upper: number): void {
  w.u8(0);
  w.u16(TYPE_OPT);
  w.u16(inRange(edns.udp_size ?? 1232, 0xffff, 'The UDP size'));
  w.u8(upper);
  w.u8(inRange(edns.version ?? 0, 255, 'The EDNS version'));
  w.u16(
    (edns.z ?? 0) |
      (edns.do === true ? EDNS_DO : 0) |
      (edns.co === true ? EDNS_CO : 0) |
      (edns.de === true ? EDNS_DE : 0),
  );
  const from = w.openLength();
  for (const { code, data } of edns.options ?? []) {
    w.u16(code);
    const octets = parseOption(code, data);
    w.u16(octets.length);
    w.put(octets);
  }
  w.patchLength(from);
}

function classOf(name: string | undefined, top: true | undefined): number {
  const number = known(CLASSES.number(name ?? 'IN'), 'a class', name, 0xffff);
  return top === true ? number | 0x8000 : number;
}

function known(number: number, what: string, text: string | undefined, max: number): number {
  if (number < 0 || number > max) throw new UserError(`'${text}' is not ${what}.`);
  return number;
}

function inRange(number: number, max: number, what: string): number {
  if (!Number.isInteger(number) || number < 0 || number > max)
    throw new UserError(`${what} is ${number}; 0 to ${max} fit.`);
  return number;
}
