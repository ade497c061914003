import type { Carrier } from '../core/carrier.ts';
import { csvCell } from '../core/csv.ts';
import type { MessageJoin } from '../core/join.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { RecordData } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type CapturedMessage, capturedMessage } from './captured-message.ts';
import { shown } from './line.ts';
import { type OutputFormat, type OutputOptions, shownInterface } from './output.ts';

type Cell = string | number | undefined;

/** A column: its name, and its cell of a value; undefined = empty. */
type Columns<V> = readonly (readonly [name: string, cell: (value: V) => Cell])[];

/** Between several values of one cell. */
const JOINT = ';';
const joined = (list: readonly (string | number)[] | undefined) => list?.join(JOINT);
const records = (list: readonly RecordData[] | undefined) =>
  list?.map(({ type, data }) => `${type} ${data}`).join(JOINT);

/** The first five are what spreadsheets and scripts want; the rest is the native record. */
const TRANSACTION: Columns<Transaction> = [
  ['timestamp', (t) => t.time],
  ['domain', (t) => t.name],
  ['query_type', (t) => t.type],
  ['response_time', (t) => t.latency_ms],
  ['ip_returned', (t) => joined(t.addresses)],
  ['outcome', (t) => t.outcome],
  ['rcode', (t) => t.rcode],
  ['answer_kind', (t) => t.answer_kind],
  ['client', (t) => t.client],
  ['client_port', (t) => t.client_port],
  ['server', (t) => t.server],
  ['server_port', (t) => t.server_port],
  ['transport', (t) => t.transport],
  ['protocol', (t) => t.protocol],
  ['id', (t) => t.id],
  ['class', (t) => t.class],
  ['opcode', (t) => t.opcode],
  ['flags', (t) => joined(t.flags)],
  ['role', (t) => t.role],
  ['leg', (t) => t.leg],
  ['response_time_last', (t) => t.latency_last_ms],
  ['queries', (t) => t.queries],
  ['responses', (t) => t.responses],
  ['duplicates', (t) => t.duplicates],
  ['late', (t) => t.late],
  ['cnames', (t) => joined(t.cnames)],
  ['answers', (t) => records(t.answers)],
  ['ttl_min', (t) => t.ttl_min],
  ['query_bytes', (t) => t.query_bytes],
  ['response_bytes', (t) => t.response_bytes],
  ['ede', (t) => joined(t.ede?.map(({ code, text }) => `${code} ${text}`))],
  ['registrable_domain', (t) => t.registrable_domain],
  ['public_suffix', (t) => t.public_suffix],
  ['interface', (t) => t.interface],
  ['sensor', (t) => t.sensor],
  ['vlan', (t) => t.vlan],
  ['query_frames', (t) => joined(t.frames.query)],
  ['response_frames', (t) => joined(t.frames.response)],
  ['transaction', (t) => t.transaction],
  ['tcp_retry', (t) => t.tcp_retry],
  ['parent', (t) => t.parent],
  ['fault', (t) => t.fault?.cause],
];

/** Where rules may mark rows. */
const MARKED: Columns<Transaction> = [
  ...TRANSACTION,
  ['is_suspicious', (t) => String(t.is_suspicious === true)],
  ['rules', (t) => joined(t.rules)],
];

const MESSAGE: Columns<CapturedMessage> = [
  ['timestamp', (m) => m.time],
  ['frame', (m) => m.frame],
  ['source', (m) => m.source],
  ['source_port', (m) => m.source_port],
  ['destination', (m) => m.destination],
  ['destination_port', (m) => m.destination_port],
  ['transport', (m) => m.transport],
  ['protocol', (m) => m.protocol],
  ['kind', (m) => (m.flags[0] === 'qr' ? 'response' : 'query')],
  ['id', (m) => m.id],
  ['opcode', (m) => m.opcode],
  ['rcode', (m) => (m.flags[0] === 'qr' ? m.rcode : undefined)],
  ['flags', (m) => joined(m.flags)],
  ['domain', (m) => joined(m.questions.map(({ name }) => name))],
  ['query_type', (m) => joined(m.questions.map(({ type }) => type))],
  ['class', (m) => joined(m.questions.map((question) => question.class))],
  ['answers', (m) => records(m.answers)],
  ['authority', (m) => records(m.authority)],
  ['additional', (m) => records(m.additional)],
  ['bytes', (m) => m.bytes],
  ['response_to', (m) => m.response_to],
  ['response_time', (m) => m.latency_ms],
  ['ede', (m) => joined(m.ede?.map(({ code, text }) => `${code} ${text}`))],
  ['interface', (m) => m.interface],
  ['sensor', (m) => m.sensor],
  ['vlan', (m) => m.vlan],
  ['fault', (m) => m.fault?.cause],
];

/**
 * Comma-separated values (RFC 4180, lines end in a line feed) under a header line. Several values in a cell are joined by
 * `;`. A text that a spreadsheet could take for a formula (it begins with `=` `+` `-` `@`, or with `'`) gets one `'` in
 * front: to read it back, remove it. Control characters are shown as `\u{…}`, so a row is one line.
 */
export const csv: OutputFormat = {
  name: 'csv',
  summary: 'comma-separated values with a header line',
  unit: 'transaction',
  transaction(options, writer) {
    const { sensor, registrable, marks } = options;
    const columns = marks === undefined ? TRANSACTION : MARKED;
    return {
      begin: () => writer.ascii(header(columns)),
      batch(batch, from, to) {
        for (let i = from; i < to; i++) {
          const interfaceName = shownInterface(options, batch.col.interfaceId[i]);
          const rules = marks?.[batch.col.mark[i]];
          const value = transactionValue(batch, i, { interfaceName, sensor, registrableDomain: registrable, rules });
          writer.text(row(columns, value));
        }
      },
    };
  },
  message(options: OutputOptions, writer: ByteWriter) {
    return {
      begin: () => writer.ascii(header(MESSAGE)),
      message(carrier: Carrier, view: MessageView, join: MessageJoin) {
        writer.text(row(MESSAGE, capturedMessage(carrier, view, join, options)));
      },
    };
  },
};

function header<V>(columns: Columns<V>): string {
  return `${columns.map(([name]) => name).join(',')}\n`;
}

function row<V>(columns: Columns<V>, value: V): string {
  let line = '';
  for (let i = 0; i < columns.length; i++) {
    const cell = columns[i][1](value);
    if (i > 0) line += ',';
    if (typeof cell === 'string') line += quotedCell(cell);
    else if (cell !== undefined) line += cell;
  }
  return `${line}\n`;
}

/** Most cells: nothing in them needs a look. */
const PLAIN = /^[\w.][\w.:; /-]*$/;

/** A text as a cell: in quotes where RFC 4180 §2 wants them, harmless to spreadsheets. */
export function quotedCell(text: string): string {
  if (PLAIN.test(text)) return text;
  return csvCell(shown(text));
}
