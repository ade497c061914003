import { isIPv6 } from 'node:net';
import { plainText } from '../../core/figures.ts';
import { rcodeName } from '../../wire/iana.ts';
import type { Exchange } from '../exchange.ts';
import { messageView, questionsText, recordsText } from './records.ts';

/** The response as `dig +yaml` writes it. */
export function yamlText(result: Exchange): string {
  const { bytes, response, server, transport, attempts, ms, query } = result;
  const last = attempts[attempts.length - 1];
  if (bytes === null || response === null) {
    return `- type: DIG_ERROR\n  message: ${quoted(result.sentence)}\n`;
  }
  const view = messageView(bytes);
  const isAsked = (query[2] & 1) === 1;
  const lines = [
    '- type: MESSAGE',
    '  message:',
    `    type: ${isAsked ? 'RECURSIVE_RESPONSE' : 'AUTH_RESPONSE'}`,
    `    query_time: !!timestamp ${new Date(last.sentAt).toISOString()}`,
    `    response_time: !!timestamp ${new Date(last.sentAt + ms).toISOString()}`,
    `    message_size: ${bytes.length}b`,
    `    socket_family: ${isIPv6(server.address) ? 'INET6' : 'INET'}`,
    `    socket_protocol: ${transport === 'udp' ? 'UDP' : 'TCP'}`,
    `    response_address: "${server.address}"`,
    `    response_port: ${server.port}`,
    `    query_address: "${last.local?.address ?? '0.0.0.0'}"`,
    `    query_port: ${last.local?.port ?? 0}`,
    '    response_message_data:',
    `      opcode: ${response.opcode}`,
    `      status: ${rcodeName(view.rcode)}`,
    `      id: ${view.id}`,
    `      flags:${response.flags.map((flag) => ` ${flag}`).join('')}`,
    `      QUESTION: ${view.questionCount}`,
    `      ANSWER: ${view.answerCount}`,
    `      AUTHORITY: ${view.authorityCount}`,
    `      ADDITIONAL: ${view.additionalCount}`,
    ...ednsLines(result),
  ];
  const questions = questionsText(view);
  if (questions.length > 0) lines.push('      QUESTION_SECTION:');
  for (const { name, class: of, type } of questions) lines.push(`        - ${quoted(`${name} ${of} ${type}`)}`);
  let section = '';
  for (const row of recordsText(view)) {
    if (row.section !== section) {
      section = row.section;
      lines.push(`      ${section.toUpperCase()}_SECTION:`);
    }
    lines.push(`        - ${quoted(`${row.name} ${row.ttl} ${row.class} ${row.type} ${row.data}`)}`);
  }
  return `${lines.join('\n')}\n`;
}

function ednsLines({ response, bytes }: Exchange): string[] {
  const edns = response?.edns;
  if (edns === undefined || bytes === null) return [];
  const flags = edns.do ? ' do' : '';
  return [
    '      OPT_PSEUDOSECTION:',
    '        EDNS:',
    `          version: ${edns.version}`,
    `          flags:${flags}`,
    `          udp: ${edns.udp_size}`,
    ...edns.options.map(({ name, data }) => `          ${name}: ${quoted(data)}`),
  ];
}

/** A YAML scalar in single quotes. */
function quoted(text: string): string {
  return `'${plainText(text).replaceAll("'", "''")}'`;
}
