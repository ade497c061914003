import { MessageView } from '../../wire/message.ts';
import { copyName, skipName } from '../../wire/name.ts';
import { rdataText } from '../../rr/show.ts';
import { DomainName } from '../domain-name.ts';

/** Record types that are dealt with here by number. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  AAAA: 28,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
} as const;

/** A record with its rdata in canonical form (RFC 4034 §6.2). */
export interface CanonicalRecord {
  name: DomainName;
  type: number;
  class: number;
  ttl: number;
  rdata: Uint8Array;
  /** ANSWER, AUTHORITY, ADDITIONAL. */
  section: number;
  /** Presentation text of the rdata. */
  text: string;
}

/** A part of rdata: so many octets, a name, a character string. */
type Part = number | 'name' | 'string';
/** Types whose rdata holds names that are folded (RFC 4034 §6.2, RFC 6840 §5.1); what follows the parts stays as it is. */
const NAMES: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  ...[2, 3, 4, 5, 7, 8, 9, 12, 39].map((type): [number, readonly Part[]] => [type, ['name']]),
  ...[6, 14, 17].map((type): [number, readonly Part[]] => [type, ['name', 'name']]),
  ...[15, 18, 21, 36].map((type): [number, readonly Part[]] => [type, [2, 'name']]),
  [24, [18, 'name']],
  [26, [2, 'name', 'name']],
  [33, [6, 'name']],
  [35, [4, 'string', 'string', 'string', 'name']],
  [46, [18, 'name']],
]);

/** Records of a message that are looked at; ten times as many as others keep of one name and type. */
export const MOST_RECORDS = 1000;

/** The records of a message, in order, without OPT; those whose names cannot be read are left out. */
export function canonicalRecords(bytes: Uint8Array): CanonicalRecord[] {
  const view = new MessageView();
  view.read(bytes, 0, bytes.length);
  const records: CanonicalRecord[] = [];
  for (let i = 0; i < view.records && records.length < MOST_RECORDS; i++) {
    if (view.type[i] === TYPE.OPT) continue;
    const name = DomainName.read(bytes, view.owner[i], 0, view.end);
    const rdata = canonicalRdata(view, i);
    if (name === null || rdata === null) continue;
    records.push({
      name,
      type: view.type[i],
      class: view.class[i],
      ttl: view.ttl[i],
      rdata,
      section: view.section[i],
      text: rdataText(view, i),
    });
  }
  return records;
}

/** Rdata of record `i` without compression and with its names folded; null when it is malformed. */
export function canonicalRdata(view: MessageView, i: number): Uint8Array | null {
  const { bytes, start, end: messageEnd } = view;
  let at = view.rdata[i];
  const end = at + view.rdlength[i];
  const parts = NAMES.get(view.type[i]);
  if (parts === undefined) return bytes.slice(at, end);
  // Names grow when they are written out.
  const out = new Uint8Array(view.rdlength[i] + 2 * 256);
  let to = 0;
  for (const part of parts) {
    if (part === 'name') {
      const next = skipName(bytes, at, start, messageEnd);
      if (next < 0 || next > end) return null;
      to += copyName(bytes, at, start, out, to, true);
      at = next;
      continue;
    }
    const length = part === 'string' ? bytes[at] + 1 : part;
    if (at + length > end) return null;
    out.set(bytes.subarray(at, at + length), to);
    to += length;
    at += length;
  }
  out.set(bytes.subarray(at, end), to);
  return out.slice(0, to + end - at);
}

/** What a referral says about the keys of its child: DS records or their denial, with signatures. */
export function trustRecords(records: readonly CanonicalRecord[]): CanonicalRecord[] {
  const isOfTrust = (type: number) => type === TYPE.DS || type === TYPE.NSEC || type === TYPE.NSEC3;
  return records
    .filter(({ type, rdata }) => isOfTrust(type) || (type === TYPE.RRSIG && isOfTrust((rdata[0] << 8) | rdata[1])))
    .slice(0, 64);
}

/** Records of one name, type and class (RFC 2181 §5). */
export interface RecordSet {
  name: DomainName;
  type: number;
  records: CanonicalRecord[];
  signatures: CanonicalRecord[];
}

/** The record sets of `records`, each with the signatures over it, in order of their first record. */
export function recordSets(records: readonly CanonicalRecord[]): RecordSet[] {
  const sets = new Map<string, RecordSet>();
  for (const record of records) {
    const isSignature = record.type === TYPE.RRSIG;
    if (isSignature && record.rdata.length < 19) continue;
    const type = isSignature ? (record.rdata[0] << 8) | record.rdata[1] : record.type;
    const key = `${type} ${record.class} ${record.section} ${record.name.key}`;
    const set = sets.get(key) ?? { name: record.name, type, records: [], signatures: [] };
    sets.set(key, set);
    (isSignature ? set.signatures : set.records).push(record);
  }
  return [...sets.values()].filter((set) => set.records.length > 0);
}

/** The name that an NS, CNAME, DNAME or PTR record names; null when it is none. */
export function targetOf({ rdata }: CanonicalRecord): DomainName | null {
  return DomainName.read(rdata, 0, 0, rdata.length);
}
