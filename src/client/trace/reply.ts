import { DNS } from '../../core/carrier.ts';
import { typeName } from '../../rr/registry.ts';
import type { RecordData } from '../../rr/value.ts';
import { ADDITIONAL, ANSWER, AUTHORITY } from '../../wire/message.ts';
import { protocolClassName } from '../../wire/protocol.ts';
import type { DomainName } from '../domain-name.ts';
import { type CanonicalRecord, canonicalRecords, MOST_RECORDS, targetOf, TYPE } from '../dnssec/canonical.ts';
import type { Exchange } from '../exchange.ts';
import type { ServerName, StepKind } from './types.ts';

/** Servers of a zone that are taken from one referral. */
const MOST_SERVERS = 32;
const MOST_ADDRESSES = 8;
const FAILURES = new Set(['SERVFAIL', 'FORMERR', 'NOTIMP']);

/** A referral as its parent gave it. */
export interface Referral {
  zone: DomainName;
  ttl: number;
  servers: ServerName[];
  signed: boolean;
}

/** An answer as an iterative resolver understands it. */
export interface Reply {
  kind: StepKind;
  records: CanonicalRecord[];
  referral: Referral | null;
  /** Numeric response code, −1 without an answer. */
  rcode: number;
  remarks: string[];
}

/** What the answer of a server of `zone` to (name, type) means (RFC 1034 §5.3.3). */
export function readReply(result: Exchange, zone: DomainName, name: DomainName, type: number): Reply {
  const { response, bytes } = result;
  const isAnswered =
    response !== null && bytes !== null && (result.outcome === 'answered' || result.outcome === 'truncated');
  if (!isAnswered) return { kind: 'failed', records: [], referral: null, rcode: -1, remarks: [] };
  const rcode = bytes[3] & 15;
  const remarks: string[] = [];
  const all = canonicalRecords(bytes);
  if (all.length === MOST_RECORDS) remarks.push(`more than ${MOST_RECORDS} records are not looked at`);
  const records = believed(all, zone, remarks);
  const reply: Reply = { kind: 'failed', records, referral: null, rcode, remarks };
  const isAuthoritative = response.flags.includes('aa');
  if (FAILURES.has(response.rcode)) return reply;
  if (response.rcode === 'REFUSED' || response.rcode === 'NOTAUTH') return lame(reply, 'does not serve the zone');
  const answers = records.filter((record) => record.section === ANSWER);
  const own = answers.filter((record) => record.name.is(name));
  const soa = records.find((record) => record.section === AUTHORITY && record.type === TYPE.SOA);
  const servers = records.filter((record) => record.section === AUTHORITY && record.type === TYPE.NS);
  if (own.length > 0 || answers.some((record) => record.type === TYPE.DNAME)) {
    const isAlias = type !== TYPE.CNAME && own.every((record) => record.type !== type && type !== 255);
    if (!isAuthoritative) lame(reply, 'answers without authority');
    else reply.kind = isAlias ? 'alias' : 'answer';
    return reply;
  }
  if (rcode === 3) {
    if (isAuthoritative || soa !== undefined) reply.kind = 'nxdomain';
    else lame(reply, 'denies the name without authority');
    return reply;
  }
  const cut = servers.find(
    (record) => record.name.labels > zone.labels && name.isWithin(record.name) && record.name.isWithin(zone),
  );
  if (cut !== undefined && soa === undefined) {
    reply.kind = 'referral';
    reply.referral = referralTo(cut.name, zone, records, reply.remarks);
    return reply;
  }
  if (isAuthoritative || soa?.name.isWithin(zone) === true) {
    reply.kind = 'nodata';
    return reply;
  }
  if (servers.length > 0) return lame(reply, `refers to ${servers[0].name.text}, from where we come`);
  return lame(reply, 'neither answers nor refers');
}

/** A server is believed about names of its zone only (RFC 2181 §5.4.1); glue is judged with its referral. */
function believed(records: CanonicalRecord[], zone: DomainName, remarks: string[]): CanonicalRecord[] {
  const inside = records.filter(({ section, name }) => section === ADDITIONAL || name.isWithin(zone));
  const outside = records.length - inside.length;
  if (outside > 0) remarks.push(`${outside} records outside ${zone.text} are not believed`);
  return inside;
}

/** The records of an answer as plain values, without signatures; the first of them. */
export function answerRecords({ records }: Reply, most = Number.POSITIVE_INFINITY): RecordData[] {
  return records
    .filter(({ section, type }) => section === ANSWER && type !== TYPE.RRSIG)
    .slice(0, Math.max(0, most))
    .map(({ name, type, class: number, ttl, text }) => ({
      name: name.text,
      type: typeName(type),
      class: protocolClassName(number, DNS),
      ttl,
      data: text,
    }));
}

/** Of a step so many records are shown, and so much of each: hundreds of answers of 64 KiB are held at a time. */
const MOST_SHOWN = 64;
const MOST_TEXT = 2000;

/** The records that a step shows. */
export function shownRecords(reply: Reply): RecordData[] {
  return answerRecords(reply, MOST_SHOWN).map((record) =>
    record.data.length <= MOST_TEXT ? record : { ...record, data: `${record.data.slice(0, MOST_TEXT)}…` },
  );
}

function lame(reply: Reply, remark: string): Reply {
  reply.kind = 'lame';
  reply.remarks.push(`lame: ${remark}`);
  return reply;
}

function referralTo(
  child: DomainName,
  zone: DomainName,
  records: readonly CanonicalRecord[],
  remarks: string[],
): Referral {
  const delegating = records.filter(
    ({ section, type, name }) => section === AUTHORITY && type === TYPE.NS && name.is(child),
  );
  const servers: ServerName[] = [];
  let strangers = 0;
  for (const record of delegating.slice(0, MOST_SERVERS)) {
    const target = targetOf(record);
    if (target === null) continue;
    const glue = records.filter(
      ({ section, type, name }) => section === ADDITIONAL && (type === TYPE.A || type === TYPE.AAAA) && name.is(target),
    );
    // A parent may be believed about names within its zone only (RFC 2181 §5.4.1).
    const isBelieved = target.isWithin(zone);
    if (glue.length > 0 && !isBelieved) strangers++;
    const addresses = isBelieved ? glue.slice(0, MOST_ADDRESSES).map(({ text }) => text) : [];
    servers.push({ name: target.text, addresses, from: addresses.length > 0 ? 'glue' : 'none' });
    if (glue.length === 0 && target.isWithin(child))
      remarks.push(`no glue for ${target.text}, which lies in the zone itself`);
  }
  if (delegating.length > MOST_SERVERS)
    remarks.push(`${delegating.length} servers, of which ${MOST_SERVERS} are looked at`);
  if (strangers > 0) remarks.push(`addresses of ${strangers} servers outside ${zone.text} are not believed`);
  return {
    zone: child,
    ttl: delegating[0]?.ttl ?? 0,
    servers,
    signed: records.some(({ section, type, name }) => section === AUTHORITY && type === TYPE.DS && name.is(child)),
  };
}
