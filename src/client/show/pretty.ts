import { plainText } from '../../core/figures.ts';
import { messageView, recordsText } from './records.ts';
import type { Exchange } from '../exchange.ts';
import { msText } from '../outcome.ts';
import { serverText } from '../server.ts';
import { type Color, dotted, type Look, paint, ttlText } from './look.ts';

const TYPE_COLORS: Readonly<Record<string, Color>> = {
  A: 'green',
  AAAA: 'green',
  CNAME: 'yellow',
  DNAME: 'yellow',
  MX: 'cyan',
  NS: 'red',
  PTR: 'red',
  SOA: 'magenta',
  SRV: 'cyan',
  TXT: 'yellow',
};

/** The coloured short form: records in columns, and one line of how they came. */
export function prettyText(result: Exchange, look: Look): string {
  const { response, bytes } = result;
  if (response === null || bytes === null) return `${paint(result.sentence, 'red', look)}\n`;
  const lines: string[] = [];
  const rows = recordsText(messageView(bytes)).filter(({ type }) => type !== 'TSIG');
  const width = (of: (row: (typeof rows)[number]) => string) => Math.max(0, ...rows.map((row) => of(row).length));
  const typeWidth = width(({ type }) => type);
  const nameWidth = Math.min(
    60,
    width(({ name }) => name),
  );
  const ttlWidth = width(({ ttl }) => ttlText(ttl));
  let section = 'answer';
  for (const row of rows) {
    if (row.section !== section) {
      section = row.section;
      lines.push(paint(section, 'dim', look));
    }
    const type = paint(row.type.padEnd(typeWidth), TYPE_COLORS[row.type] ?? 'blue', look);
    const name = paint(row.name.padEnd(nameWidth), 'bold', look);
    lines.push(`${type} ${name} ${paint(ttlText(row.ttl).padStart(ttlWidth), 'dim', look)}   ${row.data}`);
  }
  for (const { code, text } of response.ede ?? [])
    lines.push(paint(`why: ${plainText(text)} (EDE ${code})`, 'yellow', look));
  for (const { name, data } of response.edns?.options ?? [])
    if (!QUIET.has(name))
      lines.push(paint(plainText(`${name} ${name === 'NSID' ? octetsText(data) : data}`), 'dim', look));
  lines.push(statusLine(result, look));
  return `${lines.join('\n')}\n`;
}

/** Options that say nothing to people, or are told already. */
const QUIET: ReadonlySet<string> = new Set(['COOKIE', 'PADDING', 'EDE']);

/** Octets given in hexadecimal, as text where they are one. */
function octetsText(hex: string): string {
  const text = Buffer.from(hex, 'hex').toString('latin1');
  return /^[\x20-\x7e]+$/.test(text) ? text : hex;
}

/** `NOERROR · 1 answer · 0.42 ms · 192.0.2.53#53 UDP · 61 bytes · RD sent, RA received · aa`. */
function statusLine(result: Exchange, look: Look): string {
  const { response, bytes, question, server, transport, udpMs, tcpMs } = result;
  const rcode = response?.rcode ?? '';
  const flags = response?.flags ?? [];
  const answers = response?.answers.length ?? 0;
  const asked = (result.query[2] & 1) === 1 ? 'RD sent' : 'RD not sent';
  const parts = [
    paint(rcode, rcode === 'NOERROR' ? 'green' : 'red', look),
    `${answers} ${answers === 1 ? 'answer' : 'answers'}`,
    udpMs !== undefined && tcpMs !== undefined
      ? `cut over UDP after ${msText(udpMs)}, over TCP ${msText(tcpMs)}`
      : msText(result.ms),
    `${serverText(server)} ${transport.toUpperCase()}`,
    `${bytes?.length ?? 0} bytes`,
    `${asked}, ${flags.includes('ra') ? 'RA received' : 'RA not received'}`,
    flags.filter((flag) => ['aa', 'tc', 'ad', 'cd'].includes(flag)).join(' '),
    result.outcome === 'answered' ? '' : paint(result.sentence, 'red', look),
  ];
  if (answers === 0)
    parts.splice(1, 1, `no ${question.type} of ${dotted(plainText(question.name).replace(/\.$/, '')) || '.'}`);
  return paint(parts.filter((part) => part !== '').join(' · '), 'dim', look);
}
