import type { Message, RecordData } from '../rr/value.ts';

/** In what two responses differ. */
export type DifferenceKind =
  | 'silence'
  | 'rcode'
  | 'answers'
  | 'some_answers'
  | 'validation'
  | 'truncation'
  | 'referral'
  | 'authority'
  | 'additional'
  | 'flags'
  | 'ttl'
  | 'order'
  | 'edns';

/** Whether a difference changes what a client gets. */
export type Weight = 'matters' | 'may matter' | 'harmless';

export interface Difference {
  kind: DifferenceKind;
  weight: Weight;
  /** What the one and the other say. */
  a: string;
  b: string;
}

/** What each kind means, for people. */
export const DIFFERENCES: Readonly<Record<DifferenceKind, { weight: Weight; summary: string }>> = {
  silence: { weight: 'matters', summary: 'only one of them answered' },
  rcode: { weight: 'matters', summary: 'another response code' },
  answers: { weight: 'matters', summary: 'other answers, none in common' },
  some_answers: { weight: 'may matter', summary: 'answers that only one of them has: rotation, or a stale copy' },
  validation: { weight: 'may matter', summary: 'only one of them says it has validated (AD)' },
  truncation: { weight: 'may matter', summary: 'only one of them was cut (TC)' },
  referral: { weight: 'may matter', summary: 'they refer to other name servers' },
  authority: { weight: 'harmless', summary: 'another authority section' },
  additional: { weight: 'harmless', summary: 'another additional section' },
  flags: { weight: 'harmless', summary: 'other flags' },
  ttl: { weight: 'harmless', summary: 'other times to live' },
  order: { weight: 'harmless', summary: 'another order' },
  edns: { weight: 'harmless', summary: 'another EDNS' },
};

/** The differences of two responses to one question, the weightiest first; null is silence. */
export function differences(a: Message | null, b: Message | null): Difference[] {
  if (a === null || b === null) {
    return a === b
      ? []
      : [difference('silence', a === null ? 'no answer' : a.rcode, b === null ? 'no answer' : b.rcode)];
  }
  const list: Difference[] = [];
  const add = (kind: DifferenceKind, left: string, right: string) => list.push(difference(kind, left, right));
  if (a.rcode !== b.rcode) add('rcode', a.rcode, b.rcode);
  for (const kind of ['tc', 'ad'] as const) {
    const [left, right] = [a.flags.includes(kind), b.flags.includes(kind)];
    if (left !== right) add(kind === 'tc' ? 'truncation' : 'validation', said(kind, left), said(kind, right));
  }
  // What was cut says nothing about what is missing.
  const isCut = a.flags.includes('tc') || b.flags.includes('tc');
  if (!isCut) {
    compareAnswers(a, b, add);
    compareAuthority(a, b, add);
    compareSets('additional', a.additional, b.additional, add);
  }
  const flags = (message: Message) => message.flags.filter((flag) => !['tc', 'ad', 'qr'].includes(flag)).join(' ');
  if (flags(a) !== flags(b)) add('flags', flags(a), flags(b));
  const edns = ({ edns: one }: Message) =>
    one === undefined ? 'none' : `version ${one.version}, ${one.udp_size} bytes`;
  if (edns(a) !== edns(b)) add('edns', edns(a), edns(b));
  return list;
}

type Add = (kind: DifferenceKind, a: string, b: string) => void;

function compareAnswers(a: Message, b: Message, add: Add): void {
  const left = keys(a.answers);
  const right = keys(b.answers);
  if (!sameSet(left, right)) {
    const others = new Set(right);
    const hasCommon = left.some((key) => others.has(key));
    add(hasCommon ? 'some_answers' : 'answers', dataOf(a.answers), dataOf(b.answers));
    return;
  }
  if (left.join('\n') !== right.join('\n')) add('order', dataOf(a.answers), dataOf(b.answers));
  const times = (records: readonly RecordData[]) => keys(records).map((key, i) => `${key} ${records[i].ttl}`);
  const least = (records: readonly RecordData[]) => `${Math.min(...records.map(({ ttl }) => ttl))} s`;
  if (!sameSet(times(a.answers), times(b.answers))) add('ttl', least(a.answers), least(b.answers));
}

function compareAuthority(a: Message, b: Message, add: Add): void {
  // Without answers, NS records there are what is answered.
  const isReferral = a.answers.length === 0 && a.authority.some(({ type }) => type === 'NS');
  compareSets(isReferral ? 'referral' : 'authority', a.authority, b.authority, add);
}

function compareSets(kind: DifferenceKind, a: readonly RecordData[], b: readonly RecordData[], add: Add): void {
  if (!sameSet(keys(a), keys(b))) add(kind, dataOf(a), dataOf(b));
}

/** A record without its TTL; the letters of names count in one case, those of other data as they are. */
function keys(records: readonly RecordData[]): string[] {
  return records.map(({ name, type, class: of, data }) => {
    const shown = NAMES.has(type) ? data.toLowerCase() : data;
    // Signatures differ with every signing: that there is one is what counts.
    return `${name.toLowerCase()} ${of} ${type} ${type === 'RRSIG' ? data.split(' ')[0] : shown}`;
  });
}

const NAMES = new Set(['CNAME', 'DNAME', 'NS', 'PTR', 'MX', 'SRV', 'SOA']);

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.toSorted().join('\n') === b.toSorted().join('\n');
}

/** `192.0.2.1 192.0.2.2 … 3 more`. */
function dataOf(records: readonly RecordData[]): string {
  if (records.length === 0) return 'nothing';
  const shown = records
    .slice(0, 4)
    .map(({ type, data }) => `${type} ${data.length > 60 ? `${data.slice(0, 60)}…` : data}`);
  return `${shown.join(', ')}${records.length > 4 ? ` … ${records.length - 4} more` : ''}`;
}

function said(flag: string, is: boolean): string {
  return is ? flag : `no ${flag}`;
}

function difference(kind: DifferenceKind, a: string, b: string): Difference {
  return { kind, weight: DIFFERENCES[kind].weight, a, b };
}

const ORDER: readonly Weight[] = ['matters', 'may matter', 'harmless'];

/** The weightiest of several; undefined without any. */
export function weightOf(list: readonly Difference[]): Weight | undefined {
  return ORDER.find((weight) => list.some((one) => one.weight === weight));
}
