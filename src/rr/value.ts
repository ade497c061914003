import { DNS, NBNS } from '../core/carrier.ts';
import { type DsoData, readDso } from '../wire/dso.ts';
import {
  EDE,
  ECS,
  EDNS_CO,
  EDNS_DE,
  EDNS_DO,
  OptionCursor,
  type OptionData,
  optionText,
  optionValue,
} from '../wire/edns.ts';
import { EXTENDED_ERRORS, OPTIONS, rcodeName } from '../wire/iana.ts';
import { FAULT, FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import type { MessageView } from '../wire/message.ts';
import {
  flagNames,
  netbiosName,
  operationName,
  protocolClassName,
  protocolTypeName,
  topClassBit,
} from '../wire/protocol.ts';
import { recordReader } from './define.ts';
import { rdataText } from './show.ts';

export interface QuestionData {
  name: string;
  type: string;
  class: string;
  /** mDNS: a unicast response is wanted. */
  unicast?: true;
}

/** A resource record. `data` is its presentation text, names without trailing dot; `\# n hex` when unknown or malformed. */
export interface RecordData {
  name: string;
  type: string;
  class: string;
  /** Seconds, as on the wire. */
  ttl: number;
  data: string;
  /** mDNS: replaces what is cached. */
  flush?: true;
}

/** EDNS (RFC 6891). Keys that are false or 0 beyond `do` are left out. */
export interface EdnsData {
  udp_size: number;
  version: number;
  do: boolean;
  co?: true;
  de?: true;
  /** The other flag bits, where any is set. */
  z?: number;
  /** The eight upper bits of the response code, already part of the message's `rcode`. */
  ext_rcode?: number;
  options: OptionData[];
}

/** Extended DNS error: its code; its text as sent, or the registered meaning where none was sent (RFC 8914). */
export interface EdeData {
  code: number;
  text: string;
}

/** Client subnet: its address, the prefix asked for, the prefix the answer holds for (RFC 7871). */
export interface EcsData {
  address: string;
  source: number;
  scope: number;
}

/** Why bytes are malformed: `FAULTS` name, offset from the message's start, `FAULT_PLACES` name. */
export interface FaultData {
  cause: string;
  offset: number;
  in: string;
}

/** A DNS message as a plain value that JSON can hold. In UPDATE, zone = questions, prerequisites = answers, updates = authority. */
export interface Message {
  id: number;
  opcode: string;
  rcode: string;
  /** Of `qr aa tc rd ra z ad cd`; LLMNR `c t`, NetBIOS `b`. */
  flags: string[];
  questions: QuestionData[];
  answers: RecordData[];
  authority: RecordData[];
  /** Without OPT, which is `edns`. */
  additional: RecordData[];
  edns?: EdnsData;
  ede?: EdeData[];
  ecs?: EcsData;
  /** DNS Stateful Operations (RFC 8490). */
  dso?: DsoData[];
  fault?: FaultData;
}

/**
 * The value of a message that a view has read; what could be read of a malformed one, with its `fault`. Work is linear in
 * the message's size: names that expand to far more than it end the lists with fault `too_costly`.
 */
export function messageValue(view: MessageView, protocol: number = DNS): Message {
  recordReader.begin(view);
  const message: Message = {
    id: view.id,
    opcode: operationName(view.flags, protocol),
    rcode: rcodeName(view.rcode),
    flags: flagNames(view.flags, protocol),
    questions: questionValues(view, protocol),
    answers: [],
    authority: [],
    additional: [],
  };
  const fault = new FaultFinder(view);
  const sections = [message.answers, message.answers, message.authority, message.additional];
  for (let i = 0; i < view.records; i++) {
    if (i === view.opt) continue;
    const record = recordValue(view, i, protocol);
    if (record === undefined) {
      fault.found(FAULT.too_costly, view.owner[i] - view.start, i);
      break;
    }
    fault.rdata(i);
    sections[view.section[i]].push(record);
  }
  addEdns(message, view, fault);
  const dso = readDso(view);
  if (dso.length > 0) message.dso = dso;
  if (fault.code !== 0) message.fault = fault.value();
  return message;
}

/** The first fault of a message: the view's own, or one found in rdata on the way. */
class FaultFinder {
  code: number;
  #offset: number;
  #place: number;
  readonly #view: MessageView;

  constructor(view: MessageView) {
    this.#view = view;
    this.code = view.fault;
    this.#offset = view.faultAt;
    this.#place = view.faultIn;
  }

  found(code: number, offset: number, record: number): void {
    if (this.code !== 0) return;
    this.code = code;
    this.#offset = offset;
    this.#place = this.#view.section[record] + 1;
  }

  /** Asks the reader about the record it just read. */
  rdata(record: number): void {
    if (!recordReader.sound) this.found(recordReader.fault, recordReader.failedAt, record);
  }

  value(): FaultData {
    return { cause: FAULTS[this.code], offset: this.#offset, in: FAULT_PLACES[this.#place] };
  }
}

/** The questions of a message; fewer when names are too costly. */
export function questionValues(view: MessageView, protocol: number = DNS): QuestionData[] {
  const list: QuestionData[] = [];
  recordReader.enter(view);
  for (let q = 0; q < view.questions; q++) {
    const name = shownName(view.questionName[q], protocol);
    if (name === undefined) break;
    const question: QuestionData = {
      name,
      type: protocolTypeName(view.questionType[q], protocol),
      class: protocolClassName(view.questionClass[q], protocol),
    };
    if (topClassBit(view.questionClass[q], protocol)) question.unicast = true;
    list.push(question);
  }
  return list;
}

/** One record of a message; undefined when its owner's name is too costly. */
export function recordValue(view: MessageView, i: number, protocol: number = DNS): RecordData | undefined {
  recordReader.enter(view);
  const name = shownName(view.owner[i], protocol);
  if (name === undefined) return undefined;
  const record: RecordData = {
    name,
    type: protocolTypeName(view.type[i], protocol),
    class: protocolClassName(view.class[i], protocol),
    ttl: view.ttl[i],
    data: rdataText(view, i, false, protocol),
  };
  if (topClassBit(view.class[i], protocol)) record.flush = true;
  return record;
}

function shownName(at: number, protocol: number): string | undefined {
  const text = recordReader.nameAt(at);
  return protocol === NBNS && text !== undefined ? (netbiosName(text) ?? text) : text;
}

const EDNS_RESERVED = 0xffff & ~(EDNS_DO | EDNS_CO | EDNS_DE);
const cursor = new OptionCursor();
const utf8 = new TextDecoder();

/** EDNS of a message, undefined without OPT. Options up to the first malformed one. */
export function ednsValue(view: MessageView): EdnsData | undefined {
  if (view.opt < 0) return undefined;
  const ttl = view.ttl[view.opt];
  const edns: EdnsData = {
    udp_size: view.class[view.opt],
    version: (ttl >>> 16) & 255,
    do: (ttl & EDNS_DO) !== 0,
    options: [],
  };
  if ((ttl & EDNS_CO) !== 0) edns.co = true;
  if ((ttl & EDNS_DE) !== 0) edns.de = true;
  if ((ttl & EDNS_RESERVED) !== 0) edns.z = ttl & EDNS_RESERVED;
  if (ttl >>> 24 !== 0) edns.ext_rcode = ttl >>> 24;
  cursor.open(view);
  while (cursor.next()) {
    const data = optionText(cursor.code, view.bytes, cursor.at, cursor.length);
    edns.options.push({ code: cursor.code, name: OPTIONS.name(cursor.code), data });
  }
  return edns;
}

/** Extended errors of a message, in order. */
export function edeValues(view: MessageView): EdeData[] {
  const list: EdeData[] = [];
  cursor.open(view);
  while (cursor.next()) {
    if (cursor.code !== EDE.code || cursor.length < 2) continue;
    const code = (view.bytes[cursor.at] << 8) | view.bytes[cursor.at + 1];
    const sent = utf8.decode(view.bytes.subarray(cursor.at + 2, cursor.at + cursor.length));
    const text = safeText(sent);
    list.push({ code, text: text === '' ? EXTENDED_ERRORS.name(code) : text });
  }
  return list;
}

const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\uFEFF]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE.source, 'gu');

/** Text with the octets of control characters, of what turns the direction of writing and of line separators as `\DDD`. */
export function safeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(EVERY_UNSAFE, octetsText) : text;
}

function octetsText(c: string): string {
  return Array.from(new TextEncoder().encode(c), (octet) => `\\${String(octet).padStart(3, '0')}`).join('');
}

/** Client subnet of a message; undefined without, or when malformed. */
export function ecsValue(view: MessageView): EcsData | undefined {
  cursor.open(view);
  while (cursor.next()) {
    if (cursor.code !== ECS.code) continue;
    const value = optionValue(ECS.code, view.bytes, cursor.at, cursor.length) as EcsData | undefined;
    return value && { address: value.address, source: value.source, scope: value.scope };
  }
  return undefined;
}

function addEdns(message: Message, view: MessageView, fault: FaultFinder): void {
  const edns = ednsValue(view);
  if (edns === undefined) return;
  message.edns = edns;
  if (cursor.malformedAt >= 0) fault.found(FAULT.opt_malformed, cursor.malformedAt - view.start, view.opt);
  const ede = edeValues(view);
  if (ede.length > 0) message.ede = ede;
  const ecs = ecsValue(view);
  if (ecs !== undefined) message.ecs = ecs;
}
