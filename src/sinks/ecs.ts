import { TCP } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { EdnsData } from '../rr/value.ts';
import { communityId } from './community-id.ts';
import { type OutputFormat, type OutputOptions, shownInterface } from './output.ts';

/**
 * Elastic Common Schema 9.4 with the further `dns.*` keys, `status`, `method`, `query` and `resource` of Packetbeat: one
 * JSON object per transaction.
 */
export const ecs: OutputFormat = {
  name: 'ecs',
  summary: 'JSON lines in the Elastic Common Schema, as Packetbeat',
  unit: 'transaction',
  transaction(options, writer) {
    return {
      batch(batch, from, to) {
        for (let i = from; i < to; i++) {
          writer.text(JSON.stringify(event(batch, i, options)));
          writer.byte(0x0a);
        }
      },
    };
  },
};

function event(batch: TransactionBatch, i: number, options: OutputOptions): object {
  const c = batch.col;
  const interfaceName = shownInterface(options, c.interfaceId[i]);
  const rules = options.marks?.[c.mark[i]];
  const value = transactionValue(batch, i, { interfaceName, sensor: options.sensor, rules });
  const latency = batch.latencyNanos(i);
  const answered = c.responseLength[i] > 0;
  const suffix = value.name === undefined ? undefined : options.registrable?.(value.name);
  const client = endpoint(value.client, value.client_port, value.query_bytes);
  const server = endpoint(value.server, value.server_port, value.response_bytes);
  const failed = value.outcome !== 'answered' && value.outcome !== 'orphan';
  const observed = value.interface !== undefined || value.sensor !== undefined;
  return {
    '@timestamp': value.time,
    ecs: { version: '9.4.0' },
    event: {
      kind: 'event',
      category: ['network'],
      type: ['connection', 'protocol'],
      dataset: 'dns',
      id: value.transaction,
      start: value.time,
      ...(!Number.isNaN(latency) && { duration: latency, end: timeText(c.answerSeconds[i], c.answerNanos[i]) }),
    },
    network: {
      type: c.family[i] === 4 ? 'ipv4' : 'ipv6',
      transport: c.transport[i] === TCP ? 'tcp' : 'udp',
      protocol: value.protocol ?? 'dns',
      bytes: (value.query_bytes ?? 0) + (value.response_bytes ?? 0),
      community_id: communityId(batch, i),
      ...(value.vlan !== undefined && { vlan: { id: String(value.vlan) } }),
    },
    source: client,
    client,
    destination: server,
    server,
    related: { ip: related(value), ...(value.name !== undefined && { hosts: [value.name] }) },
    // Several where several marked it: any field of ECS may hold a list.
    ...(value.rules !== undefined && { rule: { name: value.rules }, tags: ['suspicious'] }),
    ...(observed && { observer: observer(value) }),
    type: 'dns',
    status: failed || (value.rcode !== undefined && value.rcode !== 'NOERROR') ? 'Error' : 'OK',
    method: value.opcode,
    ...(value.name !== undefined && {
      query: `class ${value.class}, type ${value.type}, ${value.name}`,
      resource: value.name,
    }),
    dns: dns(value, answered, suffix),
    ...(failed && { error: { message: FAILURES[value.outcome] } }),
  };
}

const FAILURES: Partial<Record<Transaction['outcome'], string>> = {
  unanswered: 'Response not received',
  capture_ended: 'Capture ended before a response came',
  unreachable: 'Server unreachable (ICMP)',
  evicted: 'Not followed: too many transactions at once',
};

function endpoint(ip: string, port: number, bytes: number | undefined): object {
  return { ip, port, ...(bytes !== undefined && { bytes }) };
}

function related(value: Transaction): string[] {
  return [...new Set([value.client, value.server, ...(value.addresses ?? [])])];
}

function observer({ interface: name, sensor }: Transaction): object {
  return {
    ...(sensor !== undefined && { name: sensor }),
    ...(name !== undefined && { ingress: { interface: { name } } }),
  };
}

function dns(
  value: Transaction,
  answered: boolean,
  suffix: ReturnType<NonNullable<OutputOptions['registrable']>> | undefined,
) {
  const { flags, name } = value;
  const edns = value.edns?.response ?? value.edns?.query;
  const upper = flags.filter((flag) => HEADER_FLAGS.has(flag)).map((flag) => flag.toUpperCase());
  if (edns?.do) upper.push('DO');
  const { answers = [], authority = [], additional = [] } = value;
  return {
    type: answered ? 'answer' : 'query',
    id: String(value.id),
    op_code: value.opcode,
    header_flags: upper,
    flags: {
      authoritative: flags.includes('aa'),
      truncated_response: flags.includes('tc'),
      recursion_desired: flags.includes('rd'),
      recursion_available: flags.includes('ra'),
      authentic_data: flags.includes('ad'),
      checking_disabled: flags.includes('cd'),
    },
    ...(value.rcode !== undefined && { response_code: value.rcode }),
    ...(name !== undefined && { question: question(value, name, suffix) }),
    ...(answered && {
      answers_count: answers.length,
      authorities_count: authority.length,
      additionals_count: additional.length,
    }),
    ...(answers.length > 0 && { answers }),
    ...(authority.length > 0 && { authorities: authority }),
    ...(additional.length > 0 && { additionals: additional }),
    ...(value.addresses !== undefined && { resolved_ip: value.addresses }),
    ...(edns !== undefined && { opt: opt(edns) }),
  };
}
const HEADER_FLAGS = new Set(['aa', 'tc', 'rd', 'ra', 'ad', 'cd']);

function question(
  value: Transaction,
  name: string,
  suffix: { domain: string | null; suffix: string | null } | undefined,
) {
  const domain = suffix?.domain ?? null;
  const top = suffix?.suffix ?? null;
  // Where the name is longer than its registrable domain, what stands in front is the subdomain.
  const front = domain === null ? 0 : name.length - domain.length - 1;
  return {
    name,
    type: value.type,
    class: value.class,
    ...(domain !== null && { registered_domain: domain, etld_plus_one: domain }),
    ...(top !== null && { top_level_domain: top }),
    ...(front > 0 && { subdomain: name.slice(0, front) }),
  };
}

function opt(edns: EdnsData): object {
  return {
    version: String(edns.version),
    do: edns.do,
    udp_size: edns.udp_size,
    ext_rcode: edns.ext_rcode ?? 0,
  };
}
