import { timeText } from '../core/clock.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { RecordData } from '../rr/value.ts';
import { MessageView } from '../wire/message.ts';
import type { OutputFormat, OutputOptions } from './output.ts';

/**
 * DNS-collector's flat JSON: one object of scalar keys per transaction, that of the response, or of the query with rcode
 * `TIMEOUT` where none came. Text that is absent is `-`; latency is in seconds.
 */
export const flat: OutputFormat = {
  name: 'flat',
  summary: "JSON lines with DNS-collector's flat keys",
  unit: 'transaction',
  transaction(options, writer) {
    const view = new MessageView();
    return {
      batch(batch, from, to) {
        for (let i = from; i < to; i++) {
          writer.text(JSON.stringify(object(batch, i, view, options)));
          writer.byte(0x0a);
        }
      },
    };
  },
};

type Scalar = string | number | boolean;

function object(batch: TransactionBatch, i: number, view: MessageView, options: OutputOptions): Record<string, Scalar> {
  const c = batch.col;
  const value = transactionValue(batch, i);
  const answered = c.responseLength[i] > 0;
  const at = answered ? c.responseAt[i] : c.queryAt[i];
  const length = answered ? c.responseLength[i] : c.queryLength[i];
  view.read(batch.arena, at, length, Math.max(answered ? c.responseBytes[i] : c.queryBytes[i], length));
  const latency = batch.latencyNanos(i);
  const fromAnswer = answered && !Number.isNaN(latency);
  const edns = answered ? value.edns?.response : value.edns?.query;
  const flag = (name: string) => value.flags.includes(name);
  return {
    'dns.flags.aa': flag('aa'),
    'dns.flags.ad': flag('ad'),
    'dns.flags.qr': flag('qr'),
    'dns.flags.ra': flag('ra'),
    'dns.flags.tc': flag('tc'),
    'dns.flags.rd': flag('rd'),
    'dns.flags.cd': flag('cd'),
    'dns.length': (answered ? value.response_bytes : value.query_bytes) ?? 0,
    'dns.malformed-packet': value.fault !== undefined,
    'dns.id': value.id,
    'dns.opcode': c.opcode[i],
    'dns.qname': value.name ?? '-',
    'dns.qtype': value.type ?? '-',
    'dns.qclass': value.class ?? '-',
    'dns.rcode': value.rcode ?? (value.outcome === 'capture_ended' ? '-' : 'TIMEOUT'),
    'dns.qdcount': view.questionCount,
    'dns.ancount': view.answerCount,
    'dns.nscount': view.authorityCount,
    'dns.arcount': view.additionalCount,
    ...recordKeys('an', value.answers),
    ...recordKeys('ns', value.authority),
    ...recordKeys('ar', value.additional),
    'dnstap.identity': options.sensor ?? '-',
    'dnstap.latency': Number.isNaN(latency) ? 0 : latency / 1e9,
    'dnstap.operation': operation(value, answered),
    'dnstap.timestamp-rfc3339ns': fromAnswer ? timeText(c.answerSeconds[i], c.answerNanos[i]) : value.time,
    'dnstap.version': '-',
    'dnstap.extra': '-',
    'dnstap.policy-rule': '-',
    'dnstap.policy-type': '-',
    'dnstap.policy-action': '-',
    'dnstap.policy-match': '-',
    'dnstap.policy-value': '-',
    'dnstap.peer-name': '-',
    'dnstap.query-zone': '-',
    'edns.dnssec-ok': edns?.do ? 1 : 0,
    ...optionKeys(edns?.options),
    'edns.rcode': edns?.ext_rcode ?? 0,
    'edns.udp-size': edns?.udp_size ?? 0,
    'edns.version': edns?.version ?? 0,
    'network.family': c.family[i] === 4 ? 'IPv4' : 'IPv6',
    'network.ip-defragmented': false,
    'network.protocol': value.transport.toUpperCase(),
    'network.query-ip': value.client,
    'network.query-port': String(value.client_port),
    'network.response-ip': value.server,
    'network.response-port': String(value.server_port),
    'network.tcp-reassembled': false,
    ...suffixKeys(value, options),
  };
}

/** dnstap's message type, as far as the traffic tells. */
function operation({ leg, role }: Transaction, answered: boolean): string {
  const who = leg === 'upstream' ? 'RESOLVER' : leg !== 'client' && role === 'authoritative' ? 'AUTH' : 'CLIENT';
  return `${who}_${answered ? 'RESPONSE' : 'QUERY'}`;
}

function recordKeys(section: string, list: readonly RecordData[] = []): Record<string, Scalar> {
  const prefix = `dns.resource-records.${section}`;
  if (list.length === 0) return { [prefix]: '-' };
  const keys: Record<string, Scalar> = {};
  list.forEach(({ name, type, class: recordClass, ttl, data }, n) => {
    keys[`${prefix}.${n}.name`] = name;
    keys[`${prefix}.${n}.rdata`] = data;
    keys[`${prefix}.${n}.rdatatype`] = type;
    keys[`${prefix}.${n}.ttl`] = ttl;
    keys[`${prefix}.${n}.class`] = recordClass;
  });
  return keys;
}

function optionKeys(list: readonly { code: number; name: string; data: string }[] = []): Record<string, Scalar> {
  if (list.length === 0) return { 'edns.options': '-' };
  const keys: Record<string, Scalar> = {};
  list.forEach(({ code, name, data }, n) => {
    keys[`edns.options.${n}.code`] = code;
    keys[`edns.options.${n}.data`] = data === '' ? '-' : data;
    keys[`edns.options.${n}.name`] = name;
  });
  return keys;
}

function suffixKeys({ name }: Transaction, { registrable }: OutputOptions): Record<string, Scalar> {
  if (registrable === undefined || name === undefined) return {};
  const { domain, suffix } = registrable(name);
  return { 'publicsuffix.tld': suffix ?? '-', 'publicsuffix.etld+1': domain ?? '-' };
}
