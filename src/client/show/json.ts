import { jsonLine } from '../../core/figures.ts';
import { CLASSES, TYPES } from '../../wire/iana.ts';
import type { MessageView } from '../../wire/message.ts';
import { nameText } from '../../wire/name.ts';
import { rdataText } from '../../rr/show.ts';
import type { Exchange } from '../exchange.ts';
import { dotted } from './look.ts';
import { messageView, questionsText, recordsText } from './records.ts';

/** A query and its response as RFC 8427 §3 pairs them, in one line; what happened is told beside them. */
export function rfc8427Text(result: Exchange): string {
  const { bytes, query, outcome, sentence, ms, server, transport, attempts } = result;
  const last = attempts[attempts.length - 1];
  const value = {
    queryMessage: rfc8427(query),
    ...(bytes !== null && { responseMessage: rfc8427(bytes) }),
    dateSeconds: last.sentAt / 1000,
    dateString: new Date(last.sentAt).toISOString(),
    comment: sentence,
    outcome,
    transport,
    server: `${server.address}#${server.port}`,
    milliseconds: Math.round(ms * 1000) / 1000,
    attempts,
  };
  return jsonLine(value);
}

/** A message as RFC 8427 §2 writes it. */
function rfc8427(bytes: Uint8Array): Record<string, unknown> {
  const view = messageView(bytes);
  const bit = (mask: number) => ((view.flags & mask) === 0 ? 0 : 1);
  const message: Record<string, unknown> = {
    ID: view.id,
    QR: bit(0x8000),
    Opcode: view.opcode,
    AA: bit(0x0400),
    TC: bit(0x0200),
    RD: bit(0x0100),
    RA: bit(0x0080),
    AD: bit(0x0020),
    CD: bit(0x0010),
    RCODE: view.flags & 15,
    QDCOUNT: view.questionCount,
    ANCOUNT: view.answerCount,
    NSCOUNT: view.authorityCount,
    ARCOUNT: view.additionalCount,
  };
  if (view.questions > 0) {
    message.QNAME = dotted(nameText(bytes, view.questionName[0], 0));
    message.QTYPE = view.questionType[0];
    message.QTYPEname = TYPES.name(view.questionType[0]);
    message.QCLASS = view.questionClass[0];
    message.QCLASSname = CLASSES.name(view.questionClass[0]);
  }
  const sections: Record<string, unknown>[][] = [[], [], [], []];
  for (let i = 0; i < view.records; i++) sections[view.section[i]].push(record(view, i));
  if (sections[1].length > 0) message.answerRRs = sections[1];
  if (sections[2].length > 0) message.authorityRRs = sections[2];
  if (sections[3].length > 0) message.additionalRRs = sections[3];
  if (view.fault !== 0) message.messageOctetsHEX = Buffer.from(bytes).toString('hex').toUpperCase();
  return message;
}

function record(view: MessageView, i: number): Record<string, unknown> {
  const at = view.rdata[i];
  const type = TYPES.name(view.type[i]);
  const value: Record<string, unknown> = {
    NAME: dotted(nameText(view.bytes, view.owner[i], view.start)),
    TYPE: view.type[i],
    TYPEname: type,
    CLASS: view.class[i],
    ...(i !== view.opt && { CLASSname: CLASSES.name(view.class[i]) }),
    TTL: view.ttl[i],
    RDLENGTH: view.rdlength[i],
    RDATAHEX: Buffer.from(view.bytes.subarray(at, at + view.rdlength[i]))
      .toString('hex')
      .toUpperCase(),
  };
  if (i !== view.opt) value[`rdata${type}`] = rdataText(view, i, true);
  return value;
}

/** The response as public resolvers write it (`application/dns-json`), in one line; `Status` −1 without one. */
export function dnsJsonText({ bytes, sentence, response }: Exchange): string {
  if (bytes === null || response === null) return jsonLine({ Status: -1, Comment: sentence });
  const view = messageView(bytes);
  const has = (flag: string) => response.flags.includes(flag);
  const rows = recordsText(view);
  const section = (name: string) =>
    rows
      .filter((row) => row.section === name)
      .map(({ name: owner, type, ttl, data }) => ({ name: owner, type: TYPES.number(type), TTL: ttl, data }));
  const value: Record<string, unknown> = {
    Status: view.rcode,
    TC: has('tc'),
    RD: has('rd'),
    RA: has('ra'),
    AD: has('ad'),
    CD: has('cd'),
    Question: questionsText(view).map(({ name, type }) => ({ name, type: TYPES.number(type) })),
  };
  for (const [key, name] of [
    ['Answer', 'answer'],
    ['Authority', 'authority'],
    ['Additional', 'additional'],
  ]) {
    const list = section(name);
    if (list.length > 0) value[key] = list;
  }
  const { ecs, ede } = response;
  if (ecs !== undefined) value.edns_client_subnet = `${ecs.address}/${ecs.scope}`;
  if (ede !== undefined) value.Comment = ede.map(({ code, text }) => `EDE(${code}): ${text}`);
  return jsonLine(value);
}
