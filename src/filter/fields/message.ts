import { LLMNR, MDNS, NBNS, TCP } from '../../core/carrier.ts';
import { FAULT, FAULTS } from '../../wire/fault.ts';
import type { Subject } from '../value.ts';
import { type Column, columnField, field, type FieldType, type FilterField, once } from './field.ts';
import { CLASS_NAMES, OPCODE_NAMES, RCODE_NAMES, TYPE_NAMES } from './names.ts';

const TYPE_OPT = 41;
const UPDATE = 5;

const header = { group: 'header' } as const;
const question = { group: 'question' } as const;
const record = { group: 'record' } as const;

/** DNS, mDNS or LLMNR: NetBIOS has fields of its own. */
export const isDns = (s: Subject): boolean => s.carrier.protocol !== NBNS;
const hasFlags = (s: Subject): boolean => s.view.end - s.view.start >= 4 && isDns(s);
const hasCounts = (s: Subject): boolean => s.view.end - s.view.start >= 12 && isDns(s);
const isLlmnr = (s: Subject): boolean => s.carrier.protocol === LLMNR;
const isResponse = (s: Subject): boolean => hasFlags(s) && (s.view.flags & 0x8000) !== 0;
const onDns = (s: Subject): boolean => hasFlags(s) && !isLlmnr(s);
const inResponse = (s: Subject): boolean => isResponse(s) && !isLlmnr(s);

const asksAuthenticated = (s: Subject): boolean => onDns(s) && (s.view.flags & 0x8020) === 0x0020;

/** The bits of the flags word under a mask, where `when` holds. */
function flag(name: string, title: string, mask: number, when: (s: Subject) => boolean): FilterField {
  const at = (s: Subject): number => ((s.view.flags & mask) === 0 ? 0 : 1);
  return columnField([name, 'FT_BOOLEAN', title], header, once(when, at), (s) => s.view.start + 2);
}

function count(name: string, title: string, at: number, when: (s: Subject) => boolean): FilterField {
  const read = (s: Subject): number => (s.view.bytes[s.view.start + at] << 8) | s.view.bytes[s.view.start + at + 1];
  return columnField([name, 'FT_UINT16', title], header, once(when, read), (s) => s.view.start + at);
}
const isUpdate = (s: Subject): boolean => hasCounts(s) && s.view.opcode === UPDATE;
const isPlain = (s: Subject): boolean => hasCounts(s) && s.view.opcode !== UPDATE;

const HEADER: readonly FilterField[] = [
  columnField(
    ['dns.id', 'FT_UINT16', 'Transaction ID'],
    { ...header, hex: true },
    once(
      (s) => s.view.end - s.view.start >= 2 && isDns(s),
      (s) => s.view.id,
    ),
    (s) => s.view.start,
  ),
  columnField(
    ['dns.flags', 'FT_UINT16', 'Flags'],
    { ...header, hex: true },
    once(hasFlags, (s) => s.view.flags),
    (s) => s.view.start + 2,
  ),
  flag('dns.flags.response', 'Response', 0x8000, hasFlags),
  columnField(
    ['dns.flags.opcode', 'FT_UINT16', 'Opcode'],
    { ...header, names: OPCODE_NAMES },
    once(hasFlags, (s) => s.view.opcode),
    (s) => s.view.start + 2,
  ),
  flag('dns.flags.authoritative', 'Authoritative', 0x0400, inResponse),
  flag('dns.flags.conflict', 'Conflict', 0x0400, (s) => hasFlags(s) && isLlmnr(s)),
  flag('dns.flags.truncated', 'Truncated', 0x0200, hasFlags),
  flag('dns.flags.recdesired', 'Recursion desired', 0x0100, onDns),
  flag('dns.flags.tentative', 'Tentative', 0x0100, (s) => hasFlags(s) && isLlmnr(s)),
  flag('dns.flags.recavail', 'Recursion available', 0x0080, inResponse),
  flag('dns.flags.z', 'Z', 0x0040, onDns),
  // In a query the bit asks for the answer's (RFC 6840 §5.7); the reference dissector shows it there only when it is set.
  flag('dns.flags.authenticated', 'Answer authenticated', 0x0020, (s) => inResponse(s) || asksAuthenticated(s)),
  flag('dns.flags.ad', 'AD bit of a query', 0x0020, asksAuthenticated),
  flag('dns.flags.checkdisable', 'Non-authenticated data', 0x0010, onDns),
  columnField(
    ['dns.flags.rcode', 'FT_UINT16', 'Reply code'],
    { ...header, names: RCODE_NAMES },
    once(isResponse, (s) => s.view.flags & 15),
    (s) => s.view.start + 2,
  ),
  columnField(
    ['dns.length', 'FT_UINT16', 'Length'],
    header,
    once(
      (s) => s.carrier.transport === TCP && isDns(s),
      (s) => s.carrier.claimedLength,
    ),
  ),
  count('dns.count.queries', 'Questions', 4, isPlain),
  count('dns.count.answers', 'Answer RRs', 6, isPlain),
  count('dns.count.auth_rr', 'Authority RRs', 8, isPlain),
  count('dns.count.add_rr', 'Additional RRs', 10, hasCounts),
  count('dns.count.zones', 'Zones', 4, isUpdate),
  count('dns.count.prerequisites', 'Prerequisites', 6, isUpdate),
  count('dns.count.updates', 'Updates', 8, isUpdate),
];

function eachQuestion(at: Column['at'], when: (s: Subject) => boolean = isDns): Column {
  return { next: (s, from) => (from < s.view.questions && when(s) ? from : -1), at };
}

/** Octets of a name as text without escapes, and its labels; the root is `<Root>`. */
function measure(s: Subject, offset: number): { length: number; labels: number } {
  const { bytes, start } = s.view;
  let at = offset;
  let length = -1;
  let labels = 0;
  for (let n = bytes[at]; n !== 0; n = bytes[at]) {
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    length += n + 1;
    labels++;
    at += n + 1;
  }
  return labels === 0 ? { length: 6, labels: 1 } : { length, labels };
}

/** Class without mDNS's top bit. */
const classOf = (s: Subject, raw: number): number => (s.carrier.protocol === MDNS ? raw & 0x7fff : raw);
const isMdns = (s: Subject): boolean => s.carrier.protocol === MDNS;
const behindName = (s: Subject, i: number): number => {
  const { bytes } = s.view;
  let at = s.view.questionName[i];
  while (bytes[at] !== 0 && bytes[at] < 0xc0) at += bytes[at] + 1;
  return at + (bytes[at] === 0 ? 1 : 2);
};

const QUESTION: readonly FilterField[] = [
  columnField(
    ['dns.qry.name', 'FT_STRING', 'Name'],
    { ...question, name: true },
    eachQuestion((s, i) => s.view.questionName[i]),
  ),
  columnField(
    ['dns.qry.name.len', 'FT_UINT16', 'Name Length'],
    question,
    eachQuestion((s, i) => measure(s, s.view.questionName[i]).length),
  ),
  columnField(
    ['dns.count.labels', 'FT_UINT16', 'Label Count'],
    question,
    eachQuestion((s, i) => measure(s, s.view.questionName[i]).labels),
  ),
  columnField(
    ['dns.qry.type', 'FT_UINT16', 'Type'],
    { ...question, names: TYPE_NAMES },
    eachQuestion((s, i) => s.view.questionType[i]),
    behindName,
  ),
  columnField(
    ['dns.qry.class', 'FT_UINT16', 'Class'],
    { ...question, hex: true, names: CLASS_NAMES },
    eachQuestion((s, i) => classOf(s, s.view.questionClass[i])),
    (s, i) => behindName(s, i) + 2,
  ),
  columnField(
    ['dns.qry.qu', 'FT_BOOLEAN', '"QU" question'],
    question,
    eachQuestion((s, i) => s.view.questionClass[i] >> 15, isMdns),
  ),
];

/** Every record, OPT with or without. */
function eachRecord(withOpt: boolean, at: Column['at'], when: (s: Subject) => boolean = isDns): Column {
  return {
    next: (s, from) => {
      if (!when(s)) return -1;
      let i = from;
      if (!withOpt) while (i < s.view.records && s.view.type[i] === TYPE_OPT) i++;
      return i < s.view.records ? i : -1;
    },
    at,
  };
}

/** Where a record's field lies: so many octets before its rdata. */
const beforeRdata =
  (octets: number) =>
  (s: Subject, i: number): number =>
    s.view.rdata[i] - octets;

const RECORD: readonly FilterField[] = [
  columnField(
    ['dns.resp.name', 'FT_STRING', 'Name'],
    { ...record, name: true },
    eachRecord(true, (s, i) => s.view.owner[i]),
  ),
  columnField(
    ['dns.resp.type', 'FT_UINT16', 'Type'],
    { ...record, names: TYPE_NAMES },
    eachRecord(true, (s, i) => s.view.type[i]),
    beforeRdata(10),
  ),
  columnField(
    ['dns.resp.class', 'FT_UINT16', 'Class'],
    { ...record, hex: true, names: CLASS_NAMES },
    eachRecord(false, (s, i) => classOf(s, s.view.class[i])),
    beforeRdata(8),
  ),
  columnField(
    ['dns.resp.cache_flush', 'FT_BOOLEAN', 'Cache flush'],
    record,
    eachRecord(true, (s, i) => (i === s.view.opt ? 0 : s.view.class[i] >> 15), isMdns),
  ),
  columnField(
    ['dns.resp.ttl', 'FT_UINT32', 'Time to live'],
    record,
    eachRecord(false, (s, i) => s.view.ttl[i]),
    beforeRdata(6),
  ),
  columnField(
    ['dns.resp.len', 'FT_UINT16', 'Data length'],
    record,
    eachRecord(true, (s, i) => s.view.rdlength[i]),
    beforeRdata(2),
  ),
];

function none(name: string, title: string, when: (s: Subject) => boolean): FilterField {
  const type: FieldType = 'FT_NONE';
  return field([name, type, title], { group: 'faults' }, (s, out) => {
    if (when(s)) out.addFrom(EMPTY, s.view.bytes, s.view.start, 0);
  });
}
const EMPTY = new Uint8Array(0);
const hasTrailer = (s: Subject): boolean => s.view.fault === FAULT.trailing_bytes && isDns(s);

const FAULT_FIELDS: readonly FilterField[] = [
  none('dns.extraneous', 'Extraneous data', hasTrailer),
  field(['dns.extraneous.data', 'FT_BYTES', 'Extraneous Data Bytes'], { group: 'faults' }, (s, out) => {
    if (hasTrailer(s)) out.add(s.view.bytes.subarray(s.view.parsedEnd, s.view.end));
  }),
  columnField(
    ['dns.extraneous.length', 'FT_INT32', 'Extraneous Data Length'],
    { group: 'faults' },
    once(hasTrailer, (s) => s.view.end - s.view.parsedEnd),
  ),
  none('dns.ttl.high_bit_set', 'The uppermost bit of the TTL is set (RFC 2181, section 8)', (s) => {
    for (let i = 0; i < s.view.records; i++) {
      if (s.view.ttl[i] > 0x7fffffff && s.view.type[i] !== TYPE_OPT) return isDns(s);
    }
    return false;
  }),
  field(
    ['dns.fault', 'FT_STRING', 'Why the message is malformed, such as pointer_outside'],
    { group: 'faults' },
    (s, out) => {
      if (s.view.fault !== 0) out.add(FAULTS[s.view.fault]);
    },
  ),
];

/** Header, question and the common part of records. */
export const MESSAGE_FIELDS: readonly FilterField[] = [...HEADER, ...QUESTION, ...RECORD, ...FAULT_FIELDS];
