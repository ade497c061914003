import { TCP } from '../core/carrier.ts';
import { epochText } from '../core/clock.ts';
import { NO_RCODE, type TransactionBatch } from '../core/transactions.ts';
import { transactionValue } from '../rr/transaction.ts';
import type { RecordData } from '../rr/value.ts';
import { TYPES } from '../wire/iana.ts';
import { MessageView } from '../wire/message.ts';
import { shown } from './line.ts';
import type { OutputFormat } from './output.ts';

/** The columns of Zeek's dns.log and their types, in order. */
const COLUMNS = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['trans_id', 'count'],
  ['rtt', 'interval'],
  ['query', 'string'],
  ['qclass', 'count'],
  ['qclass_name', 'string'],
  ['qtype', 'count'],
  ['qtype_name', 'string'],
  ['rcode', 'count'],
  ['rcode_name', 'string'],
  ['AA', 'bool'],
  ['TC', 'bool'],
  ['RD', 'bool'],
  ['RA', 'bool'],
  ['Z', 'count'],
  ['answers', 'vector[string]'],
  ['TTLs', 'vector[interval]'],
  ['rejected', 'bool'],
] as const;

const HEADER = `#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tdns
#fields\t${COLUMNS.map(([name]) => name).join('\t')}
#types\t${COLUMNS.map(([, type]) => type).join('\t')}
`;

const UNSET = '-';
const CLASS_NAMES = new Map([
  [1, 'C_INTERNET'],
  [2, 'C_CSNET'],
  [3, 'C_CHAOS'],
  [4, 'C_HESIOD'],
  [254, 'C_NONE'],
  [255, 'C_ANY'],
]);
/** Mnemonics that Zeek writes its own way. */
const TYPE_NAMES = new Map([[255, '*']]);
const RCODE_NAMES = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSet'],
  [8, 'NXRRSet'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
]);

/**
 * Zeek's dns.log as tab-separated values, with its meanings: the query's name in lower case, `rtt` only where the answer
 * section holds a record, AA and RA of such an answer, TC, RD and Z of the query, answers without their type,
 * names in them in lower case too. The `#open`
 * and `#close` lines, which hold the time of writing, are left out: the same input gives the same bytes. `uid` follows
 * from the transaction's id.
 */
export const zeek: OutputFormat = {
  name: 'zeek',
  summary: "tab-separated lines as in Zeek's dns.log",
  unit: 'transaction',
  transaction(_options, writer) {
    const query = new MessageView();
    const response = new MessageView();
    return {
      begin: () => writer.ascii(HEADER),
      batch(batch, from, to) {
        for (let i = from; i < to; i++) writer.text(`${row(batch, i, query, response).join('\t')}\n`);
      },
    };
  },
};

/** The cells of row `i`. The views are scratch memory. */
function row(batch: TransactionBatch, i: number, query: MessageView, response: MessageView): string[] {
  const c = batch.col;
  const value = transactionValue(batch, i);
  const asked = c.queryLength[i] > 0;
  const answered = c.responseLength[i] > 0;
  if (asked) query.read(batch.arena, c.queryAt[i], c.queryLength[i], Math.max(c.queryBytes[i], c.queryLength[i]));
  if (answered) {
    response.read(batch.arena, c.responseAt[i], c.responseLength[i], Math.max(c.responseBytes[i], c.responseLength[i]));
  }
  // A response that came alone stands for its query, as dns_request does for it in Zeek.
  const question = asked ? query.flags : answered ? response.flags : 0;
  const answers = value.answers ?? [];
  const answer = answered && answers.length > 0 ? response.flags : 0;
  const rcode = c.rcode[i];
  const known = rcode !== NO_RCODE;
  const hasQuestion = value.name !== undefined;
  const latency = batch.latencyNanos(i);
  const seconds = answers.length > 0 && latency > 0 ? (latency / 1e9).toFixed(6) : UNSET;
  const texts = answers.map(answerText).map(inList);
  return [
    epochText(c.openSeconds[i], c.openNanos[i]).slice(0, -3),
    uidOf(c.idHigh[i], c.idLow[i]),
    value.client,
    String(value.client_port),
    value.server,
    String(value.server_port),
    c.transport[i] === TCP ? 'tcp' : 'udp',
    String(c.id[i]),
    seconds,
    hasQuestion ? cell(lower(value.name ?? '')) : UNSET,
    hasQuestion ? String(c.class[i]) : UNSET,
    hasQuestion ? (CLASS_NAMES.get(c.class[i]) ?? `qclass-${c.class[i]}`) : UNSET,
    hasQuestion ? String(c.type[i]) : UNSET,
    hasQuestion ? typeText(c.type[i], value.type ?? '') : UNSET,
    known ? String(rcode) : UNSET,
    known ? (RCODE_NAMES.get(rcode) ?? value.rcode ?? UNSET) : UNSET,
    bool(answer & 0x0400),
    bool(question & 0x0200),
    bool(question & 0x0100),
    bool(answer & 0x0080),
    String((question >> 4) & 7),
    texts.length > 0 ? texts.join(',') : UNSET,
    texts.length > 0 ? answers.map(({ ttl }) => `${ttl}.000000`).join(',') : UNSET,
    bool(answered && isRejected(response) ? 1 : 0),
  ];
}

/** Zeek calls a reply rejected when nothing but an error is in it. */
function isRejected(view: MessageView): boolean {
  if (view.answerCount + view.authorityCount + view.additionalCount === 0) return true;
  return (view.flags & 15) !== 0 && view.questionCount === 0;
}

function bool(bits: number): string {
  return bits !== 0 ? 'T' : 'F';
}

function typeText(type: number, name: string): string {
  return TYPE_NAMES.get(type) ?? (name.startsWith('TYPE') ? `query-${type}` : name);
}

/** An answer as Zeek's scripts put it: addresses and names bare, others with a word in front. */
function answerText({ type, data, name }: RecordData): string {
  const unknown = `<unknown type=${TYPES.number(type)}>`;
  if (data.startsWith('\\#')) return unknown;
  const words = data.split(' ');
  switch (type) {
    case 'A':
    case 'AAAA':
      return data;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return lower(data);
    case 'MX':
      return lower(words[1]);
    case 'SOA':
      return lower(words[0]);
    case 'SRV':
      return lower(words[3]);
    case 'TXT':
    case 'SPF':
      return stringsText(type, data);
    case 'RRSIG':
      return `RRSIG ${TYPES.number(words[0])} ${words[7] === '.' ? '<Root>' : lower(words[7])}`;
    case 'DNSKEY':
      return `DNSKEY ${words[2]}`;
    case 'DS':
      return `DS ${words[1]} ${words[2]}`;
    case 'NSEC':
      return `NSEC ${lower(name)} ${lower(words[0])}`;
    case 'NSEC3':
    case 'NSEC3PARAM':
      return type;
    case 'SSHFP':
      return `SSHFP: ${words[2].toLowerCase()}`;
    default:
      return unknown;
  }
}

/** A name as Zeek has it: in lower case. */
function lower(name: string): string {
  return plain(name.toLowerCase());
}

/** `TXT 5 hello` for each character-string, with its length in octets. */
function stringsText(type: string, data: string): string {
  const list: string[] = [];
  for (const [, escaped] of data.matchAll(/"((?:[^"\\]|\\.)*)"/gs)) {
    const text = escaped.replaceAll('\\"', '"');
    const octets = text.replace(/\\(?:\d{3}|.)/gs, '.').length;
    list.push(`${type} ${octets} ${plain(text)}`);
  }
  return list.join(' ');
}

/** An escaped text of ours with the escapes of Zeek's logs: `\x07` for octets, a backslash doubled. */
function plain(text: string): string {
  return text.replace(/\\(\d{3}|.)/gs, (_, code: string) => {
    if (code.length === 3) return `\\x${Number(code).toString(16).padStart(2, '0')}`;
    return code === '\\' ? '\\\\' : `\\x${code.charCodeAt(0).toString(16)}`;
  });
}

/** A text as a cell: what means something to readers of the log is escaped. */
function cell(text: string): string {
  if (text === '') return '(empty)';
  if (text === '-' || text === '(empty)') return `\\x${text.charCodeAt(0).toString(16)}${text.slice(1)}`;
  return shown(text);
}

/** A text as an element of a vector. */
function inList(text: string): string {
  return cell(text).replaceAll(',', '\\x2c');
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `C` and letters and digits, as Zeek's connection ids look. */
function uidOf(high: number, low: number): string {
  let rest = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  let text = '';
  do {
    text = DIGITS[Number(rest % 62n)] + text;
    rest /= 62n;
  } while (rest > 0n);
  return `C${text}`;
}
