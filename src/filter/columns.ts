import { LLMNR, MDNS, NBNS, PROTOCOL_NAMES, TCP, UDP } from '../core/carrier.ts';
import { NO_VLAN, OUTCOMES } from '../core/transactions.ts';
import { DUCKDB, type SqlDialect } from './dialect.ts';
import type { FilterField } from './fields/field.ts';
import { and, FALSE, type Fragment, not, TRUE } from './fragment.ts';

/** A message of a row. */
export type Side = 'query' | 'response';

/** One value of a field in a message: an expression, and when it is there (never NULL). */
export interface StoredValue {
  readonly value: Fragment;
  readonly when: Fragment;
  /** Set where it is always the same number. */
  readonly constant?: number;
}

/** How columns of a stored transaction tell a field of its query and of its response. */
interface ColumnField {
  readonly query: readonly StoredValue[];
  readonly response: readonly StoredValue[];
  /** It holds for rows marked as irregular too. */
  readonly always?: true;
}

/** How the store answers a field: from columns, by reading messages again (slower), or not at all. */
export type Storage = 'column' | 'message' | 'none';

const raw = (text: string): Fragment => ({ sql: text, params: [] });
const value = (text: string, when: Fragment = TRUE): StoredValue => ({
  value: raw(text),
  when,
  ...(/^[0-9]+$/.test(text) && { constant: Number(text) }),
});

const ON_DNS = raw(`protocol <> ${NBNS}`);
const NOT_LLMNR = raw(`protocol NOT IN (${LLMNR}, ${NBNS})`);
const ON_LLMNR = raw(`protocol = ${LLMNR}`);
const ON_MDNS = raw(`protocol = ${MDNS}`);
const ANSWERED = raw('responses > 0');
const HAS_QUESTION = and(ON_DNS, raw("name <> ''"));

/** The same in both messages. */
function both(...values: readonly StoredValue[]): ColumnField {
  return { query: values, response: values };
}
/** In one of them only. */
function inQuery(...values: readonly StoredValue[]): ColumnField {
  return { query: values, response: [] };
}
function inResponse(...values: readonly StoredValue[]): ColumnField {
  return { query: [], response: values };
}
const always = (field: ColumnField): ColumnField => ({ ...field, always: true });

/** Addresses: source and destination of a message are the ends of its row. */
function ends(octets: 4 | 16, source: boolean, destination: boolean): ColumnField {
  const when = raw(`octet_length(client) = ${octets}`);
  const [client, server] = [value('client', when), value('server', when)];
  return always({
    query: [...(source ? [client] : []), ...(destination ? [server] : [])],
    response: [...(source ? [server] : []), ...(destination ? [client] : [])],
  });
}

function ports(transport: number, source: boolean, destination: boolean): ColumnField {
  const when = raw(`transport = ${transport}`);
  const [client, server] = [value('client_port', when), value('server_port', when)];
  return always({
    query: [...(source ? [client] : []), ...(destination ? [server] : [])],
    response: [...(source ? [server] : []), ...(destination ? [client] : [])],
  });
}

const TIME: ColumnField = always({
  query: [value('time')],
  response: [value('(time + coalesce(latency, 0))')],
});
const HAS_LATENCY = raw('latency IS NOT NULL');
const REPEATED_QUERY = raw('queries > 1');
// Of a transfer over TCP every message is a response of its own.
const REPEATED_RESPONSE = raw(`(responses > 1 AND transport = ${UDP})`);
const ANSWER_FRAME = '(query_frame + response_after)';
const UNSOLICITED = raw(`(outcome = ${OUTCOMES.indexOf('orphan')} AND late = 0)`);
const QUESTIONS = "(CASE name WHEN '' THEN 0 ELSE 1 END)";

/** Fields that every database says in the same way. */
const PLAIN: Readonly<Record<string, ColumnField>> = {
  'frame.time': TIME,
  'frame.time_epoch': TIME,
  'frame.interface_name': always(both(value('interface', raw("interface <> ''")))),
  'vlan.id': always(both(value('vlan', raw(`vlan <> ${NO_VLAN}`)))),
  'ip.version': always(both(value('(CASE octet_length(client) WHEN 4 THEN 4 ELSE 6 END)'))),
  'ip.addr': ends(4, true, true),
  'ip.src': ends(4, true, false),
  'ip.dst': ends(4, false, true),
  'ipv6.addr': ends(16, true, true),
  'ipv6.src': ends(16, true, false),
  'ipv6.dst': ends(16, false, true),
  'udp.port': ports(UDP, true, true),
  'udp.srcport': ports(UDP, true, false),
  'udp.dstport': ports(UDP, false, true),
  'tcp.port': ports(TCP, true, true),
  'tcp.srcport': ports(TCP, true, false),
  'tcp.dstport': ports(TCP, false, true),
  'dns.id': both(value('id', ON_DNS)),
  'dns.flags.response': { query: [value('0', ON_DNS)], response: [value('1', ON_DNS)] },
  'dns.length': {
    query: [value('query_bytes', and(ON_DNS, raw(`transport = ${TCP}`)))],
    response: [value('response_bytes', and(ON_DNS, raw(`transport = ${TCP}`)))],
  },
  'dns.message.length': always({
    query: [value('query_bytes', ON_DNS)],
    response: [value('response_bytes', ON_DNS)],
  }),
  sensor: always(both(value('sensor', raw("sensor <> ''")))),
  rule: always(both(value('rules', raw("rules <> ''")))),
  'dns.qry.name': both(value('name', HAS_QUESTION)),
  'dns.qry.type': both(value('type', HAS_QUESTION)),
  'dns.response_in': always(inQuery(value(ANSWER_FRAME, and(ANSWERED, raw(`${ANSWER_FRAME} > 0`))))),
  'dns.response_missing': always(inQuery(value('0', raw('responses = 0')))),
  'dns.response_to': always(inResponse(value('query_frame', raw('query_frame > 0')))),
  'dns.time': always(inResponse(value('latency', HAS_LATENCY))),
  'dns.time.last': always(inResponse(value('(latency - last_delay)', HAS_LATENCY))),
  'dns.retransmission': always({ query: [value('1', REPEATED_QUERY)], response: [value('1', REPEATED_RESPONSE)] }),
  'dns.retransmit_request': always(inQuery(value('0', REPEATED_QUERY))),
  'dns.retransmit_response': always(inResponse(value('0', REPEATED_RESPONSE))),
  'dns.retransmit_request_in': always(inQuery(value('query_frame', and(REPEATED_QUERY, raw('query_frame > 0'))))),
  'dns.retransmit_response_in': always(
    inResponse(value(ANSWER_FRAME, and(REPEATED_RESPONSE, raw(`${ANSWER_FRAME} > 0`)))),
  ),
  'dns.unsolicited': always(inResponse(value('1', and(UNSOLICITED, ON_DNS)))),
};

/** What of the flags words is said in the database's own way. */
function wordsIn(dialect: SqlDialect) {
  const of = (word: string, shift: number, mask: number): string => dialect.bits(raw(word), shift, mask).sql;
  /** Bits of the flags word of each message, shifted down by `shift` and masked. */
  const bits = (shift: number, mask: number, when: Fragment = ON_DNS): ColumnField => ({
    query: [value(of('query_flags', shift, mask), when)],
    response: [value(of('response_flags', shift, mask), when)],
  });
  const responseBits = (shift: number, mask: number, when: Fragment): ColumnField => ({
    ...bits(shift, mask, when),
    query: [],
  });
  const plain = (word: string, isUpdate: boolean): Fragment => {
    const other = raw(`${of(word, 11, 15)} <> 5`);
    return and(ON_DNS, isUpdate ? not(other) : other);
  };
  /** Counts of the header. Queries have no records but OPT, else they are irregular. */
  const count = (query: string, response: string, isUpdate: boolean): ColumnField => ({
    query: [value(query, plain('query_flags', isUpdate))],
    response: [value(response, plain('response_flags', isUpdate))],
  });
  return { of, bits, responseBits, count };
}

/** Every field that columns of the store tell, and how. The one place that says so (with `PLAIN`). */
function columnsIn(dialect: SqlDialect): Readonly<Record<string, ColumnField>> {
  const { of, bits, responseBits, count } = wordsIn(dialect);
  const octets = (text: string): string => dialect.octets(raw(text)).sql;
  const length = `(CASE name WHEN '.' THEN 6 ELSE ${octets('name')} END)`;
  const labels = `(CASE name WHEN '.' THEN 1 ELSE ${octets('name')} - ${octets("replace(name, '.', '')")} + 1 END)`;
  const isAuthentic = and(NOT_LLMNR, raw(`${of('query_flags', 5, 1)} <> 0`));
  const qclass = `(CASE protocol WHEN ${MDNS} THEN ${of('class', 0, 32_767)} ELSE class END)`;
  return {
    ...PLAIN,
    'dns.flags': bits(0, 0xffff),
    'dns.flags.opcode': bits(11, 15),
    'dns.flags.authoritative': responseBits(10, 1, NOT_LLMNR),
    'dns.flags.conflict': bits(10, 1, ON_LLMNR),
    'dns.flags.truncated': bits(9, 1),
    'dns.flags.recdesired': bits(8, 1, NOT_LLMNR),
    'dns.flags.tentative': bits(8, 1, ON_LLMNR),
    'dns.flags.recavail': responseBits(7, 1, NOT_LLMNR),
    'dns.flags.z': bits(6, 1, NOT_LLMNR),
    'dns.flags.authenticated': {
      query: [value('1', isAuthentic)],
      response: [value(of('response_flags', 5, 1), NOT_LLMNR)],
    },
    'dns.flags.ad': inQuery(value('1', isAuthentic)),
    'dns.flags.checkdisable': bits(4, 1, NOT_LLMNR),
    'dns.flags.rcode': responseBits(0, 15, ON_DNS),
    'dns.count.queries': count(QUESTIONS, QUESTIONS, false),
    'dns.count.answers': count('0', 'answers', false),
    'dns.count.auth_rr': count('0', 'authority', false),
    'dns.count.zones': count(QUESTIONS, QUESTIONS, true),
    'dns.count.prerequisites': count('0', 'answers', true),
    'dns.count.updates': count('0', 'authority', true),
    'dns.qry.name.len': both(value(length, HAS_QUESTION)),
    'dns.count.labels': both(value(labels, HAS_QUESTION)),
    'dns.qry.class': both(value(qclass, HAS_QUESTION)),
    'dns.qry.qu': both(value(of('class', 15, 1), and(HAS_QUESTION, ON_MDNS))),
  };
}

const COLUMNS = columnsIn(DUCKDB);
const OTHERS = new Map<SqlDialect, Readonly<Record<string, ColumnField>>>();

function columnsOf(dialect: SqlDialect): Readonly<Record<string, ColumnField>> {
  if (dialect === DUCKDB) return COLUMNS;
  let columns = OTHERS.get(dialect);
  if (columns === undefined) OTHERS.set(dialect, (columns = columnsIn(dialect)));
  return columns;
}

/** The values that columns tell; undefined for a field that has to be read from the messages. */
export function columnValues(name: string, side: Side, dialect: SqlDialect): readonly StoredValue[] | undefined {
  return columnsOf(dialect)[name]?.[side];
}

/** True when the columns of an irregular row tell the field too. */
export function isAlwaysTold(name: string): boolean {
  return COLUMNS[name]?.always === true;
}

/** How the store answers a field. */
export function storageOf({ name, stored }: FilterField): Storage {
  if (COLUMNS[name] !== undefined) return 'column';
  return stored ? 'message' : 'none';
}

const HAS_RECORDS = raw('(answers > 0 OR authority > 0 OR additional > 0)');

/** When a field is there, where columns tell no more than that: its octets are those of messages. */
const PRESENCE: Readonly<Record<string, Fragment>> = {
  ...Object.fromEntries(PROTOCOL_NAMES.map((name, number) => [name, raw(`protocol = ${number}`)])),
  vlan: raw(`vlan <> ${NO_VLAN}`),
};

/** When a field is there, as columns tell of every row; undefined where they do not. */
export function presenceOf(name: string): Fragment | undefined {
  return PRESENCE[name];
}

/** Fields of records whose values lie in the message octet by octet, and so in the column of the response. */
const VERBATIM = new Set([
  'dns.a',
  'dns.aaaa',
  'dns.txt',
  'dns.svcb.svcparam.ipv4hint.ip',
  'dns.svcb.svcparam.ipv6hint.ip',
]);

/** Holds for every regular row whose response has a value of the field with these octets in it; for some others too. */
export function mayHold(name: string, octets: Uint8Array, dialect: SqlDialect): Fragment {
  if (!VERBATIM.has(name) || octets.length < 3) return TRUE;
  return dialect.holds(raw('response'), octets);
}

/** In which rows a field that columns do not tell can be there at all. */
export function mayBeThere({ name, group }: FilterField, side: Side): Fragment {
  const known = PRESENCE[name];
  if (known !== undefined) return known;
  switch (group) {
    case 'nbns':
      return raw(`protocol = ${NBNS}`);
    // Regular rows have no fault, no TLVs, and no records in their query but OPT.
    case 'dso':
      return FALSE;
    case 'rdata':
      return side === 'query' ? FALSE : and(ON_DNS, HAS_RECORDS);
    case 'record':
    case 'edns':
      return side === 'query' ? ON_DNS : and(ON_DNS, HAS_RECORDS);
    case 'ip':
      return raw('octet_length(client) = 4');
    case 'ipv6':
      return raw('octet_length(client) = 16');
    case 'faults':
      return name === '_ws.malformed' || name === 'dns.ttl.high_bit_set' ? TRUE : FALSE;
    default:
      return TRUE;
  }
}
