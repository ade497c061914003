import { type Carrier, NBNS, PROTOCOL_NAMES, TCP } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import { recordReader } from '../rr/define.ts';
import { rrTypeOf } from '../rr/registry.ts';
import { showOpaque } from '../wire/bytes-field.ts';
import { OPCODE_DSO, readDso } from '../wire/dso.ts';
import { EDNS_CO, EDNS_DE, EDNS_DO, OptionCursor, optionText, optionTypeOf } from '../wire/edns.ts';
import { FAULT, FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import type { RdataValue } from '../wire/field.ts';
import { OPTIONS, rcodeName, SVC_PARAMS } from '../wire/iana.ts';
import type { MessageView } from '../wire/message.ts';
import { skipName } from '../wire/name.ts';
import {
  flagBits,
  netbiosName,
  operationName,
  protocolClassName,
  protocolTypeName,
  topClassBit,
} from '../wire/protocol.ts';
import type { FieldSpec } from '../wire/structure.ts';
import { readSvcParams } from '../wire/svcb.ts';
import { rdataText } from '../rr/show.ts';
import { spanText } from './line.ts';
import type { TreeField } from './tree-lines.ts';

const TYPE_SVCB = 64;
const TYPE_HTTPS = 65;
const OPCODE_UPDATE = 5;
const SECTIONS = ['Question', 'Answer', 'Authority', 'Additional'];
const UPDATE_SECTIONS = ['Zone', 'Prerequisite', 'Update', 'Additional'];

/** What the header's bits say, by the names of `flagBits`. */
const FLAG_MEANINGS: Readonly<Record<string, string>> = {
  qr: '0 query, 1 response',
  aa: 'The server is an authority for the name',
  tc: 'Truncated: ask again over TCP',
  rd: 'Recursion desired',
  ra: 'Recursion available',
  z: 'Reserved, 0',
  ad: 'All data authenticated (DNSSEC)',
  cd: 'Checking disabled: the client validates itself',
  c: 'Conflict: several hosts claim the name',
  t: 'Tentative: the responder has not verified the name',
  b: 'Broadcast',
};
const COUNT_MEANINGS = ['Entries in the question section', 'Answers', 'Name servers', 'Additional records'];

/** Takes the fields of a message in order, each with its depth. */
export interface TreeTarget {
  field(field: TreeField): void;
  /** What is wrong, and where. */
  fault(depth: number, text: string, at?: number): void;
}

/** Shows a message field by field; all offsets come from the readers and declarations that decode it. */
export class MessageTree {
  readonly #lines: TreeTarget;
  readonly #cursor = new OptionCursor();
  #protocol = 0;
  #isFaultShown = false;

  constructor(lines: TreeTarget) {
    this.#lines = lines;
  }

  show(carrier: Carrier, view: MessageView, join: MessageJoin): void {
    this.#protocol = carrier.protocol;
    this.#isFaultShown = view.fault === 0;
    recordReader.begin(view);
    this.#prefix(carrier);
    this.#title(carrier, view, join);
    this.#header(view);
    this.#fault(view, view.start + 12);
    for (let q = 0; q < view.questions; q++) this.#question(view, q);
    const numbers = [0, 0, 0, 0];
    for (let i = 0; i < view.records; i++) this.#record(view, i, ++numbers[view.section[i]]);
    if (view.opcode === OPCODE_DSO) this.#dso(view);
    const { parsedEnd, end } = view;
    if (view.fault === FAULT.trailing_bytes) {
      const value = showOpaque(view.bytes.subarray(parsedEnd, end));
      this.#lines.field({ depth: 1, name: 'Left over', value, at: parsedEnd, length: end - parsedEnd });
    }
    this.#fault(view, Number.POSITIVE_INFINITY);
  }

  #title(carrier: Carrier, view: MessageView, join: MessageJoin): void {
    const kind = view.isResponse ? 'response' : 'query';
    const parts = [`${operationName(view.flags, this.#protocol)} ${kind}, ${carrier.claimedLength} octets`];
    if (carrier.transport === TCP) parts.push('over TCP');
    if (carrier.fragmented) parts.push('put together from fragments');
    if (carrier.segmented) parts.push('put together from segments');
    if (join.responseTo > 0) parts.push(`to frame ${join.responseTo}`);
    if (!Number.isNaN(join.latencyNanos)) parts.push(`after ${spanText(join.latencyNanos)}`);
    if (join.retransmission) parts.push('seen before');
    const name = PROTOCOL_NAMES[this.#protocol].toUpperCase();
    this.#lines.field({ depth: 0, name, value: parts.join(', '), at: view.start, length: view.end - view.start });
  }

  /** The two octets of length in front of a message over TCP (RFC 1035 §4.2.2), where they are in the same frame. */
  #prefix({ frame, bytes, at, frameAt, transport, claimedLength }: Carrier): void {
    if (transport !== TCP || bytes !== frame || at - 2 < frameAt) return;
    const value = String(claimedLength);
    this.#lines.field({ depth: 0, name: 'Length', value, meaning: 'Octets of the message', at: at - 2, length: 2 });
  }

  #header(view: MessageView): void {
    const { start, end, id, flags } = view;
    const lines = this.#lines;
    const protocol = this.#protocol;
    if (end - start < 2) return;
    const hex = (value: number) => `0x${value.toString(16).padStart(4, '0')}`;
    const joins = 'Joins a response with its query';
    lines.field({ depth: 1, name: 'ID', value: `${id} (${hex(id)})`, meaning: joins, at: start, length: 2 });
    if (end - start < 4) return;
    const what = 'Kind of message, flags and response code';
    lines.field({ depth: 1, name: 'Flags', value: hex(flags), meaning: what, at: start + 2, length: 2 });
    for (const [mask, name] of flagBits(protocol)) {
      const value = (flags & mask) === 0 ? '0' : '1';
      const at = start + (mask > 0xff ? 2 : 3);
      lines.field({ depth: 2, name: name.toUpperCase(), value, meaning: FLAG_MEANINGS[name], at, bits: 1 });
      if (mask !== 0x8000) continue;
      const operation = `${operationName(flags, protocol)} (${view.opcode})`;
      lines.field({ depth: 2, name: 'OPCODE', value: operation, meaning: 'What is to be done', at, bits: 4 });
    }
    const code = `${rcodeName(flags & 15)} (${flags & 15})`;
    const says = view.opt < 0 ? 'Response code' : 'Response code, low four bits';
    lines.field({ depth: 2, name: 'RCODE', value: code, meaning: says, at: start + 3, bits: 4 });
    if (end - start < 12) return;
    const counts = [view.questionCount, view.answerCount, view.authorityCount, view.additionalCount];
    counts.forEach((count, k) => {
      const name = `${this.#sections(view)[k]} count`;
      const meaning = COUNT_MEANINGS[k];
      lines.field({ depth: 1, name, value: String(count), meaning, at: start + 4 + 2 * k, length: 2 });
    });
  }

  #sections(view: MessageView): readonly string[] {
    return view.opcode === OPCODE_UPDATE && this.#protocol !== NBNS ? UPDATE_SECTIONS : SECTIONS;
  }

  #question(view: MessageView, q: number): void {
    const at = view.questionName[q];
    const nameEnd = skipName(view.bytes, at, view.start, view.end);
    const name = this.#name(at);
    const type = protocolTypeName(view.questionType[q], this.#protocol);
    const classText = protocolClassName(view.questionClass[q], this.#protocol);
    const unicast = topClassBit(view.questionClass[q], this.#protocol);
    const lines = this.#lines;
    const title = `${this.#sections(view)[0]} ${q + 1}`;
    lines.field({ depth: 1, name: title, value: `${name} ${type} ${classText}`, at, length: nameEnd + 4 - at });
    this.#nameField(view, 2, 'Name', at, nameEnd, 'Name asked for');
    const typeValue = `${type} (${view.questionType[q]})`;
    lines.field({ depth: 2, name: 'Type', value: typeValue, meaning: 'Records asked for', at: nameEnd, length: 2 });
    const classValue = `${classText} (${view.questionClass[q]})${unicast ? ', unicast response wanted' : ''}`;
    lines.field({
      depth: 2,
      name: 'Class',
      value: classValue,
      meaning: 'IN: the Internet',
      at: nameEnd + 2,
      length: 2,
    });
    this.#fault(view, nameEnd + 4);
  }

  #record(view: MessageView, i: number, number: number): void {
    const lines = this.#lines;
    const { bytes, start, end } = view;
    const at = view.owner[i];
    const nameEnd = skipName(bytes, at, start, end);
    const rdataEnd = view.rdata[i] + view.rdlength[i];
    const type = protocolTypeName(view.type[i], this.#protocol);
    const isOpt = i === view.opt;
    const classText = protocolClassName(view.class[i], this.#protocol);
    const summary = isOpt
      ? 'EDNS'
      : `${this.#name(at)} ${view.ttl[i]} ${classText} ${type} ${rdataText(view, i, false, this.#protocol)}`.trimEnd();
    const title = `${this.#sections(view)[view.section[i]]} ${number}`;
    lines.field({ depth: 1, name: title, value: summary, at, length: rdataEnd - at });
    this.#nameField(view, 2, 'Name', at, nameEnd, 'Owner of the record');
    const typeValue = `${type} (${view.type[i]})`;
    const meaning = rrTypeOf(view.type[i], this.#protocol)?.summary ?? 'Type without a known form (RFC 3597)';
    lines.field({ depth: 2, name: 'Type', value: typeValue, meaning, at: nameEnd, length: 2 });
    if (isOpt) this.#opt(view, i, nameEnd);
    else {
      const flush = topClassBit(view.class[i], this.#protocol) ? ', replaces what is cached' : '';
      const value = `${classText} (${view.class[i]})${flush}`;
      lines.field({ depth: 2, name: 'Class', value, meaning: 'IN: the Internet', at: nameEnd + 2, length: 2 });
      const ttl = `${view.ttl[i]} s`;
      lines.field({ depth: 2, name: 'TTL', value: ttl, meaning: 'May be cached so long', at: nameEnd + 4, length: 4 });
    }
    const length = String(view.rdlength[i]);
    lines.field({ depth: 2, name: 'RDLENGTH', value: length, meaning: 'Octets of data', at: nameEnd + 8, length: 2 });
    if (isOpt) this.#options(view);
    else this.#rdata(view, i);
    this.#fault(view, rdataEnd);
  }

  /** EDNS's own use of class and TTL (RFC 6891 §6.1.3). */
  #opt(view: MessageView, i: number, nameEnd: number): void {
    const lines = this.#lines;
    const ttl = view.ttl[i];
    const bit = (mask: number) => ((ttl & mask) === 0 ? '0' : '1');
    const at = nameEnd + 2;
    const size = String(view.class[i]);
    lines.field({ depth: 2, name: 'UDP size', value: size, meaning: 'Largest datagram taken', at, length: 2 });
    const code = `${ttl >>> 24}, in all ${rcodeName(view.rcode)} (${view.rcode})`;
    const upper = 'Response code, upper eight bits';
    lines.field({ depth: 2, name: 'Extended RCODE', value: code, meaning: upper, at: at + 2, length: 1 });
    const version = String((ttl >>> 16) & 255);
    lines.field({ depth: 2, name: 'Version', value: version, meaning: 'Of EDNS', at: at + 3, length: 1 });
    const flags = `0x${(ttl & 0xffff).toString(16).padStart(4, '0')}`;
    lines.field({ depth: 2, name: 'EDNS flags', value: flags, meaning: 'DO and others', at: at + 4, length: 2 });
    const wanted = 'DNSSEC records wanted';
    lines.field({ depth: 3, name: 'DO', value: bit(EDNS_DO), meaning: wanted, at: at + 4, bits: 1 });
    const compact = 'Compact denial understood (RFC 9824)';
    lines.field({ depth: 3, name: 'CO', value: bit(EDNS_CO), meaning: compact, at: at + 4, bits: 1 });
    lines.field({ depth: 3, name: 'DE', value: bit(EDNS_DE), meaning: 'DELEG understood', at: at + 4, bits: 1 });
  }

  #options(view: MessageView): void {
    const lines = this.#lines;
    const { bytes } = view;
    const cursor = this.#cursor.open(view);
    while (cursor.next()) {
      const { code, at, length } = cursor;
      const type = optionTypeOf(code);
      const name = OPTIONS.name(code);
      const value = optionText(code, bytes, at, length);
      lines.field({ depth: 2, name: `Option ${name}`, value, meaning: type?.summary, at: at - 4, length: length + 4 });
      lines.field({
        depth: 3,
        name: 'Code',
        value: `${name} (${code})`,
        meaning: 'Kind of option',
        at: at - 4,
        length: 2,
      });
      lines.field({
        depth: 3,
        name: 'Length',
        value: String(length),
        meaning: 'Octets of data',
        at: at - 2,
        length: 2,
      });
      recordReader.range(at, at + length);
      if (type?.inOrder) this.#fields(type.fields, 3);
      else this.#opaque(view, at, at + length, 3);
    }
    if (cursor.malformedAt >= 0) {
      lines.fault(2, 'malformed: opt_malformed, an option passes the end of OPT', cursor.malformedAt);
    }
  }

  #rdata(view: MessageView, i: number): void {
    const from = view.rdata[i];
    const to = from + view.rdlength[i];
    const type = rrTypeOf(view.type[i], this.#protocol);
    recordReader.open(view, i);
    const isService = view.type[i] === TYPE_SVCB || view.type[i] === TYPE_HTTPS;
    if (from === to) return;
    if (type?.inOrder) this.#fields(type.fields, 2, isService);
    else this.#opaque(view, from, to, 2);
  }

  /** Fields in the order of their declaration, read by their own codecs from where the reader stands. */
  #fields(specs: readonly FieldSpec[], depth: number, isService = false): void {
    const lines = this.#lines;
    const siblings: Record<string, RdataValue> = {};
    for (const { name, kind, codec, summary, wireshark } of specs) {
      const at = recordReader.at;
      if (isService && kind === 'params') {
        this.#params(depth);
        continue;
      }
      const value = codec.read(recordReader, siblings);
      if (!recordReader.sound) break;
      siblings[name] = value;
      const text = codec.show(value, false, siblings);
      const length = recordReader.at - at;
      // A field that is not there, such as the timeout in a query's keepalive.
      if (length === 0 && text === '') continue;
      const meaning = wireshark === undefined ? summary : `${summary} (${wireshark})`;
      lines.field({ depth, name, value: text, meaning, at, ...(length === 0 ? { bits: 1 } : { length }) });
    }
    if (recordReader.finish()) return;
    const { start, failedAt, fault } = recordReader;
    lines.fault(depth, `malformed: ${FAULTS[fault]}`, start + failedAt);
  }

  /** Parameters of SVCB and HTTPS, one by one. */
  #params(depth: number): void {
    readSvcParams(recordReader, (key, at, value) => {
      const length = (recordReader.bytes[at + 2] << 8) | recordReader.bytes[at + 3];
      const name = SVC_PARAMS.name(key);
      this.#lines.field({ depth, name, value, meaning: `Service parameter ${key}`, at, length: 4 + length });
    });
  }

  #opaque(view: MessageView, at: number, to: number, depth: number): void {
    if (at === to) return;
    const value = showOpaque(view.bytes.subarray(at, to));
    this.#lines.field({ depth, name: 'Data', value, meaning: 'Octets as they are', at, length: to - at });
  }

  #dso(view: MessageView): void {
    let at = view.parsedEnd;
    for (const { type, name, data } of readDso(view)) {
      const length = (view.bytes[at + 2] << 8) | view.bytes[at + 3];
      const meaning = `Stateful operation, type ${type}`;
      this.#lines.field({ depth: 1, name: `TLV ${name}`, value: data, meaning, at, length: 4 + length });
      at += 4 + length;
    }
  }

  #name(at: number): string {
    const text = recordReader.nameAt(at);
    if (text === undefined) return '(too costly to show)';
    return this.#protocol === NBNS ? (netbiosName(text) ?? text) : text;
  }

  #nameField(view: MessageView, depth: number, name: string, at: number, end: number, meaning: string): void {
    const n = view.bytes[at];
    const target = ((n & 0x3f) << 8) | view.bytes[at + 1];
    const value = n >= 0xc0 ? `${this.#name(at)} (pointer to ${target})` : this.#name(at);
    this.#lines.field({ depth, name, value, meaning, at, length: end - at });
  }

  /** Says what is wrong with the message, once, where it lies before `to`. */
  #fault(view: MessageView, to: number): void {
    if (this.#isFaultShown || view.start + view.faultAt >= to) return;
    this.#isFaultShown = true;
    const cause = view.fault === FAULT.cut ? 'cut by the snapshot length' : `malformed: ${FAULTS[view.fault]}`;
    this.#lines.fault(
      1,
      `${cause} at octet ${view.faultAt} (${FAULT_PLACES[view.faultIn]})`,
      view.start + view.faultAt,
    );
  }
}
