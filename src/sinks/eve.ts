import { type Carrier, LLMNR, MDNS } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import { type Message, messageValue, type QuestionData, type RecordData } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import { destinationText, sourceText, transportName } from './captured-message.ts';
import { type OutputFormat, type OutputOptions, shownInterface } from './output.ts';

/**
 * Suricata's EVE events, DNS version 3 (Suricata 8): one JSON object per message; `mdns` and `llmnr` are events of their
 * own. `flow_id` is the number of the stream within the run.
 */
export const eve: OutputFormat = {
  name: 'eve',
  summary: "JSON lines as Suricata's EVE, DNS version 3",
  unit: 'message',
  message(options, writer) {
    return {
      message(carrier, view) {
        writer.text(JSON.stringify(event(carrier, view, options)));
        writer.byte(0x0a);
      },
    };
  },
};

function event(carrier: Carrier, view: MessageView, options: OutputOptions): object {
  const { vlan, stream } = carrier;
  const name = shownInterface(options, carrier.interfaceId);
  const kind = carrier.protocol === MDNS ? 'mdns' : carrier.protocol === LLMNR ? 'llmnr' : 'dns';
  return {
    // Microseconds and the zone without a colon, as Suricata writes it.
    timestamp: timeText(carrier.seconds, carrier.nanos).replace(/\d{3}Z$/, '+0000'),
    ...(stream >= 0 && { flow_id: stream }),
    ...(name !== undefined && { in_iface: name }),
    ...(options.sensor !== undefined && { host: options.sensor }),
    pcap_cnt: carrier.number,
    event_type: kind,
    ...(vlan >= 0 && { vlan: [vlan] }),
    src_ip: sourceText(carrier),
    src_port: carrier.sourcePort,
    dest_ip: destinationText(carrier),
    dest_port: carrier.destinationPort,
    proto: transportName(carrier).toUpperCase(),
    ip_v: carrier.family,
    pkt_src: 'wire/pcap',
    [kind]: dns(view, messageValue(view, carrier.protocol)),
  };
}

function dns(view: MessageView, message: Message): object {
  const { flags } = view;
  const records = (list: readonly RecordData[]) => list.map(recordEvent);
  const additionals: object[] = records(message.additional);
  if (message.edns !== undefined) {
    additionals.push({
      rrname: '',
      rrtype: 'OPT',
      ttl: view.ttl[view.opt],
      opt: message.edns.options.map(({ code, data }) => ({ code, data })),
    });
  }
  return {
    version: 3,
    type: view.isResponse ? 'response' : 'request',
    tx_id: 0,
    id: view.id,
    flags: flags.toString(16),
    ...(view.isResponse && { qr: true }),
    ...((flags & 0x0400) !== 0 && { aa: true }),
    ...((flags & 0x0200) !== 0 && { tc: true }),
    ...((flags & 0x0100) !== 0 && { rd: true }),
    ...((flags & 0x0080) !== 0 && { ra: true }),
    ...((flags & 0x0040) !== 0 && { z: true }),
    opcode: view.opcode,
    rcode: message.rcode,
    queries: message.questions.map(questionEvent),
    ...(message.answers.length > 0 && { answers: records(message.answers), grouped: grouped(message.answers) }),
    ...(message.authority.length > 0 && { authorities: records(message.authority) }),
    ...(additionals.length > 0 && { additionals }),
  };
}

function questionEvent({ name, type }: QuestionData): object {
  return { rrname: rrname(name), rrtype: type };
}

/** The root's name is empty in EVE. */
function rrname(name: string): string {
  return name === '.' ? '' : name;
}

function recordEvent(record: RecordData): object {
  const { name, type, ttl, data } = record;
  const plain = { rrname: rrname(name), rrtype: type, ttl };
  const words = data.split(' ');
  if (data.startsWith('\\#')) return { ...plain, rdata: data };
  if (type === 'SOA') {
    const [mname, rname, ...numbers] = words;
    const [serial, refresh, retry, expire, minimum] = numbers.map(Number);
    return { ...plain, soa: { mname: rrname(mname), rname: rrname(rname), serial, refresh, retry, expire, minimum } };
  }
  if (type === 'SRV') {
    const [priority, weight, port] = words.map(Number);
    return { ...plain, srv: { priority, weight, port, name: rrname(words[3]) } };
  }
  if (type === 'SSHFP') {
    const fingerprint = words[2].toLowerCase().replace(/(..)(?=.)/g, '$1:');
    return { ...plain, sshfp: { fingerprint, algo: Number(words[0]), type: Number(words[1]) } };
  }
  return { ...plain, rdata: groupedText(record) };
}

/** Text of a record's data as Suricata has it: MX without preference, TXT without quotes. */
function groupedText({ type, data }: RecordData): string {
  if (data.startsWith('\\#')) return data;
  if (type === 'MX') return rrname(data.slice(data.indexOf(' ') + 1));
  if (type === 'TXT') {
    return Array.from(data.matchAll(/"((?:[^"\\]|\\.)*)"/gs), ([, text]) => text.replaceAll('\\"', '"')).join('');
  }
  return rrname(data);
}

/** Answers by type: addresses, names and texts. */
function grouped(answers: readonly RecordData[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const record of answers) {
    if (!GROUPED.has(record.type)) continue;
    const list = (groups[record.type] ??= []);
    list.push(groupedText(record));
  }
  return groups;
}
const GROUPED = new Set(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'NULL', 'PTR', 'SOA', 'SRV', 'SSHFP', 'TXT']);
