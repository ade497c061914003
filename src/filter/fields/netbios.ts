import { NBNS } from '../../core/carrier.ts';
import { word } from '../../core/address.ts';
import { nameText } from '../../wire/name.ts';
import { netbiosName } from '../../wire/protocol.ts';
import type { Subject, Values } from '../value.ts';
import { columnField, field, type FilterField, numberOctets, once } from './field.ts';

const nbns = { group: 'nbns' } as const;
const TYPE_NB = 32;
const isNetbios = (s: Subject): boolean => s.carrier.protocol === NBNS && s.view.end - s.view.start >= 12;
const isResponse = (s: Subject): boolean => isNetbios(s) && s.view.isResponse;

function flag(name: string, title: string, mask: number, when = isNetbios): FilterField {
  return columnField(
    [`nbns.flags.${name}`, 'FT_BOOLEAN', title],
    nbns,
    once(when, (s) => ((s.view.flags & mask) === 0 ? 0 : 1)),
  );
}
function number(name: string, title: string, at: (s: Subject) => number, hex = false): FilterField {
  return columnField([`nbns.${name}`, 'FT_UINT16', title], { ...nbns, hex }, once(isNetbios, at));
}

/** Every question and record, by the place of its name. */
function eachName(s: Subject, out: Values): void {
  if (!isNetbios(s)) return;
  const { view } = s;
  let left = view.end - view.start;
  const add = (at: number) => {
    const text = nameText(view.bytes, at, view.start);
    left -= text.length;
    if (left > -4096) out.add(netbiosName(text) ?? text);
  };
  for (let q = 0; q < view.questions; q++) add(view.questionName[q]);
  for (let i = 0; i < view.records; i++) add(view.owner[i]);
}

function each(question: (s: Subject, q: number) => number, record: (s: Subject, i: number) => number) {
  return (s: Subject, out: Values): void => {
    if (!isNetbios(s)) return;
    for (let q = 0; q < s.view.questions; q++) out.add(question(s, q));
    for (let i = 0; i < s.view.records; i++) out.add(record(s, i));
  };
}

/** The basics of NetBIOS name service, which has names of its own in the filter language. */
export const NETBIOS_FIELDS: readonly FilterField[] = [
  number('id', 'Transaction ID', (s) => s.view.id, true),
  number('flags', 'Flags', (s) => s.view.flags, true),
  flag('response', 'Response', 0x8000),
  number('flags.opcode', 'Opcode', (s) => s.view.opcode),
  flag('authoritative', 'Authoritative', 0x0400, isResponse),
  flag('truncated', 'Truncated', 0x0200),
  flag('recdesired', 'Recursion desired', 0x0100),
  flag('recavail', 'Recursion available', 0x0080, isResponse),
  flag('broadcast', 'Broadcast', 0x0010),
  columnField(
    ['nbns.flags.rcode', 'FT_UINT16', 'Reply code'],
    nbns,
    once(isResponse, (s) => s.view.flags & 15),
  ),
  number('count.queries', 'Questions', (s) => s.view.questionCount),
  number('count.answers', 'Answer RRs', (s) => s.view.answerCount),
  number('count.auth_rr', 'Authority RRs', (s) => s.view.authorityCount),
  number('count.add_rr', 'Additional RRs', (s) => s.view.additionalCount),
  field(['nbns.name', 'FT_STRING', 'Name, such as WORKSTATION<00>'], { ...nbns, name: true }, eachName),
  field(
    ['nbns.type', 'FT_UINT16', 'Type'],
    nbns,
    each(
      (s, q) => s.view.questionType[q],
      (s, i) => s.view.type[i],
    ),
  ),
  field(
    ['nbns.class', 'FT_UINT16', 'Class'],
    nbns,
    each(
      (s, q) => s.view.questionClass[q],
      (s, i) => s.view.class[i],
    ),
  ),
  field(['nbns.ttl', 'FT_UINT32', 'Time to live'], nbns, (s, out) => {
    if (isNetbios(s)) for (let i = 0; i < s.view.records; i++) out.add(s.view.ttl[i]);
  }),
  field(['nbns.addr', 'FT_IPv4', 'Address of the name'], nbns, (s, out) => {
    if (!isNetbios(s)) return;
    const { view } = s;
    for (let i = 0; i < view.records; i++) {
      if (view.type[i] !== TYPE_NB) continue;
      for (let at = 2; at + 4 <= view.rdlength[i]; at += 6)
        out.add(numberOctets(word(view.bytes, view.rdata[i] + at) >>> 0, 4));
    }
  }),
];
