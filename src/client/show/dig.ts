import { decodeMessage } from '../../rr/encode.ts';
import { messageText } from '../../rr/show.ts';
import { recordsText, messageView } from './records.ts';
import type { Exchange } from '../exchange.ts';
import type { TransportName } from '../server.ts';
import { serverText } from '../server.ts';
import type { Look } from './look.ts';

const OVER: Readonly<Record<TransportName, string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS', https: 'HTTPS' };

/** dig's text, with what dig says around it. */
export function digText(result: Exchange, { parts, words, version }: Look): string {
  const lines: string[] = [];
  if (parts.cmd) lines.push('', `; <<>> nametap ${version} <<>> ${words.join(' ')}`, ';; global options: +cmd');
  const { response, bytes } = result;
  for (const attempt of result.attempts) {
    if (attempt.outcome === 'truncated' && attempt !== result.attempts.at(-1))
      lines.push(';; Truncated, retrying in TCP mode.');
    if (attempt.outcome === 'formerr_fallback') lines.push(';; FORMERR, retrying without EDNS.');
    if (attempt.outcome === 'badvers_fallback')
      lines.push(`;; BADVERS, retrying with EDNS version ${decodeMessage(result.query).edns?.version ?? 0}.`);
    if (attempt.outcome === 'badcookie_retry') lines.push(';; BADCOOKIE, retrying.');
  }
  if (response === null || bytes === null) {
    lines.push(`;; ${result.sentence}`, ';; no servers could be reached', '');
    return lines.join('\n');
  }
  // Who wants no TCP knows that the answer was cut.
  const isAsked = result.outcome === 'truncated' && result.transport === 'udp';
  if (result.outcome !== 'answered' && !isAsked) lines.push(`;; Warning: ${result.sentence}`);
  if (parts.comments) lines.push(';; Got answer:');
  const view = messageView(bytes);
  let text = messageText(view, undefined, { ...parts, size: false });
  if (parts.comments && isRecursionMissing(result)) {
    text = text.replace(/^(;; flags:.*)\n/m, '$1\n;; WARNING: recursion requested but not available\n');
  }
  if (text !== '') lines.push(text.replace(/\n$/, ''));
  if (parts.stats) lines.push(...statsLines(result, bytes));
  return `${lines.join('\n')}\n`;
}

function statsLines({ ms, server, transport, attempts, udpMs, tcpMs }: Exchange, bytes: Uint8Array): string[] {
  const at = new Date((attempts.at(-1)?.sentAt ?? 0) + ms);
  const both =
    udpMs !== undefined && tcpMs !== undefined
      ? [`;; Cut over UDP after ${udpMs.toFixed(3)} msec, over TCP ${tcpMs.toFixed(3)} msec`]
      : [];
  return [
    `;; Query time: ${Math.round(ms)} msec`,
    ...both,
    `;; SERVER: ${serverText(server)}(${server.name ?? server.address}) (${OVER[transport]})`,
    `;; WHEN: ${whenText(at)}`,
    `;; MSG SIZE  rcvd: ${bytes.length}`,
    '',
  ];
}

/** `Wed Nov 25 02:54:22 UTC 2026`. */
function whenText(at: Date): string {
  const [day, date, month, year, time] = at.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}

/** The data of the answers, a line each; the chain of aliases too, as dig does. */
export function shortText({ bytes }: Exchange): string {
  if (bytes === null) return '';
  const rows = recordsText(messageView(bytes)).filter(({ section }) => section === 'answer');
  return rows.map(({ data }) => `${data}\n`).join('');
}

/** True when the query asked the server to find out, and the server does not do that. */
export function isRecursionMissing({ query, bytes, response }: Exchange): boolean {
  if (bytes === null || response === null || response.opcode !== 'QUERY') return false;
  return (query[2] & 1) === 1 && (bytes[3] & 0x80) === 0;
}
