import { addressText } from '../../src/core/address.ts';
import { type Carrier, MDNS, PROTOCOL_NAMES, TCP } from '../../src/core/carrier.ts';
import { epochText } from '../../src/core/clock.ts';
import type { MessageJoin } from '../../src/core/join.ts';
import { FAULT } from '../../src/wire/fault.ts';
import type { MessageView } from '../../src/wire/message.ts';
import { copyName, skipName } from '../../src/wire/name.ts';

/** A message in the columns of the ground truth. */
export type Row = Record<string, string>;

const A = 1;
const CNAME = 5;
const AAAA = 28;
const OPT = 41;
const SECTIONS = ['', 'an', 'ns', 'ar'];

/** The columns of the ground truth for a message that the engine hands over. */
export function rowOf(carrier: Carrier, view: MessageView, join: MessageJoin): Row {
  const c = carrier;
  const tcp = c.transport === TCP;
  const response = view.isResponse;
  // tshark names the query of a response's first copy only.
  const answers = response && join.responseTo > 0 && !join.retransmission;
  return {
    frame: String(c.number),
    time_epoch: epochText(c.seconds, c.nanos),
    msg: String(c.messageInFrame),
    proto: PROTOCOL_NAMES[c.protocol],
    src: addressText(c.family, c.source0, c.source1, c.source2, c.source3),
    dst: addressText(c.family, c.destination0, c.destination1, c.destination2, c.destination3),
    transport: tcp ? 'tcp' : 'udp',
    sport: String(c.sourcePort),
    dport: String(c.destinationPort),
    // Of a message that the capture cut, tshark tells what is there.
    len: String(c.length + (tcp ? 2 : 0)),
    ...headerOf(view),
    ...questionsOf(view, c.protocol === MDNS),
    ...recordsOf(view, c.protocol === MDNS),
    dns_time: answers ? seconds(join.latencyNanos) : '',
    response_to: answers ? String(join.responseTo) : '',
    retransmission: retransmissionOf(join, response),
    unsolicited: join.unsolicited ? '1' : '',
    malformed: view.fault === 0 ? '' : view.fault === FAULT.cut ? 'short' : 'malformed',
  };
}

/** As much of the header as there is. */
function headerOf(view: MessageView): Row {
  const { bytes, start, end } = view;
  const u16 = (at: number) => (bytes[start + at] << 8) | bytes[start + at + 1];
  const hex = (value: number) => `0x${value.toString(16).padStart(4, '0')}`;
  const row: Row = {};
  const length = end - start;
  if (length >= 2) row.id = hex(view.id);
  if (length >= 4) {
    row.flags = hex(view.flags);
    row.qr = view.isResponse ? '1' : '0';
    row.opcode = String(view.opcode);
    row.rcode = view.isResponse ? String(view.flags & 15) : '';
  }
  for (const [i, count] of ['qd', 'an', 'ns', 'ar'].entries()) {
    if (length >= 6 + 2 * i) row[count] = String(u16(4 + 2 * i));
  }
  return row;
}

function questionsOf(view: MessageView, mdns: boolean): Row {
  const hex: string[] = [];
  const types: string[] = [];
  const classes: string[] = [];
  for (let i = 0; i < view.questions; i++) {
    const at = view.questionName[i];
    hex.push(hexText(view.bytes, at, skipName(view.bytes, at, view.start, view.end)));
    types.push(String(view.questionType[i]));
    classes.push(String(view.questionClass[i] & (mdns ? 0x7fff : 0xffff)));
  }
  return { qname_hex: hex.join('|'), qtype: types.join('|'), qclass: classes.join('|') };
}

function recordsOf(view: MessageView, mdns: boolean): Row {
  const a: string[] = [];
  const aaaa: string[] = [];
  const cname: string[] = [];
  const ttl: string[] = [];
  const rrs: string[] = [];
  let edns = '';
  for (let r = 0; r < view.records; r++) {
    const { bytes, start } = view;
    const type = view.type[r];
    const at = view.rdata[r];
    const length = view.rdlength[r];
    const raw = hexText(bytes, at, at + length);
    if (type === A && length === 4) a.push(`${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`);
    if (type === AAAA && length === 16) {
      const word = (i: number) => new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(i * 4);
      aaaa.push(addressText(6, word(0), word(1), word(2), word(3)));
    }
    if (type === CNAME && skipName(bytes, at, start, at + length) >= 0) cname.push(tsharkName(bytes, at, start));
    if (type === OPT) {
      const ttlWord = view.ttl[r];
      const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
      edns = `${view.class[r]}:${hex(ttlWord >>> 24, 2)}:${(ttlWord >>> 16) & 255}:${hex(ttlWord & 0xffff, 4)}`;
    } else ttl.push(String(view.ttl[r]));
    const owner = tsharkName(bytes, view.owner[r], start).replaceAll(';', '%3B');
    const cls = type === OPT ? view.class[r] : view.class[r] & (mdns ? 0x7fff : 0xffff);
    rrs.push(
      `${SECTIONS[view.section[r]]};${owner};${type};${cls};${type === OPT ? '' : view.ttl[r]};${length};${raw}`,
    );
  }
  return {
    a: a.join('|'),
    aaaa: aaaa.join('|'),
    cname: cname.join('|'),
    ttl: ttl.join('|'),
    rrs: rrs.join('|'),
    edns,
    edns_opts: view.opt < 0 ? '' : optionsOf(view),
  };
}

/** `code:data` of the options of OPT, as far as they fit. */
function optionsOf(view: MessageView): string {
  const { bytes } = view;
  const end = view.rdata[view.opt] + view.rdlength[view.opt];
  const options: string[] = [];
  for (let at = view.rdata[view.opt]; at + 4 <= end; ) {
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    options.push(`${(bytes[at] << 8) | bytes[at + 1]}:${hexText(bytes, at + 4, Math.min(end, at + 4 + length))}`);
    at += 4 + length;
  }
  return options.join('|');
}

function retransmissionOf(join: MessageJoin, response: boolean): string {
  if (!join.retransmission) return '';
  const original = response ? join.retransmitResponseIn : join.retransmitRequestIn;
  return response ? `R,R>${original}` : `Q,Q>${original}`;
}

/** tshark's relative time: seconds with 9 decimals, a minus before negative ones; empty where it is unknown. */
function seconds(nanos: number): string {
  if (Number.isNaN(nanos)) return '';
  const n = Math.abs(nanos);
  const whole = Math.floor(n / 1e9);
  return `${nanos < 0 ? '-' : ''}${whole}.${String(n - whole * 1e9).padStart(9, '0')}`;
}

function hexText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from)).toString('hex');
}

const out = new Uint8Array(256);
const C_ESCAPES: Record<number, string> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

/** A name as tshark 4.0 prints it, in the escapes of the ground truth: lossy, which is why names are compared raw too. */
function tsharkName(bytes: Uint8Array, at: number, start: number): string {
  const length = copyName(bytes, at, start, out, 0, false);
  if (length === 1) return '<Root>';
  const flat = Buffer.from(out.subarray(1, length - 1));
  for (let i = out[0]; i < flat.length; i += out[i + 1] + 1) flat[i] = 0x2e;
  let text = '';
  for (const char of flat.toString('utf8')) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 32 || code === 127) text += C_ESCAPES[code] ?? `\\${code.toString(8).padStart(3, '0')}`;
    else if (char === '%' || char === '|') text += `%${code.toString(16).toUpperCase()}`;
    else text += char;
  }
  return text;
}
