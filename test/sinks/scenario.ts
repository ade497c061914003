import { LLMNR, MDNS, TCP } from '../../src/core/carrier.ts';
import type { MessageInput } from '../../src/rr/encode.ts';
import { type Sent, sent } from './rows.ts';

const V6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const V6_SERVER = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];

/** A query and, `after` seconds later, its response. */
function lookup(
  at: number,
  after: number,
  query: MessageInput,
  response: MessageInput,
  more: Partial<Sent> = {},
): Sent[] {
  const both = { id: query.id, questions: query.questions };
  return [
    sent(at, { flags: ['rd'], ...query }, more),
    sent(at + after, { flags: ['qr', 'rd', 'ra'], ...both, ...response }, more),
  ];
}

const soa = { name: 'test', type: 'SOA', ttl: 900, data: 'ns1.test root.test 1 3600 900 604800 300' };
const asks = (name: string, type: string) => [{ name, type }];

/** One of each: what a capture may hold and an output has to show. */
export const SCENARIO: readonly Sent[] = [
  ...lookup(
    0,
    0.0125,
    { id: 1, questions: asks('WwW.Example.test', 'A') },
    {
      answers: [
        { name: 'www.example.test', type: 'CNAME', ttl: 60, data: 'edge.cdn.test' },
        { name: 'edge.cdn.test', type: 'A', ttl: 30, data: '192.0.2.7' },
        { name: 'edge.cdn.test', type: 'A', ttl: 30, data: '192.0.2.8' },
      ],
    },
  ),
  ...lookup(
    0.1,
    0.25,
    { id: 2, questions: asks('no.test', 'AAAA'), edns: { udp_size: 1232, do: true, options: [] } },
    {
      rcode: 'NXDOMAIN',
      flags: ['qr', 'aa', 'rd'],
      authority: [soa],
      edns: {
        udp_size: 1232,
        options: [
          { code: 15, name: 'EDE', data: '15 "on \u202ea list\u001b[31m"' },
          { code: 8, name: 'ECS', data: '192.0.2.0/24/0' },
        ],
      },
    },
  ),
  ...lookup(0.5, 0.01, { id: 3, questions: asks('empty.test', 'TXT') }, { authority: [soa] }),
  // Asked three times, never answered.
  sent(1, { id: 4, flags: ['rd'], questions: asks('silent.test', 'A') }),
  sent(2, { id: 4, flags: ['rd'], questions: asks('silent.test', 'A') }),
  sent(4, { id: 4, flags: ['rd'], questions: asks('silent.test', 'A') }),
  // A truncated answer, asked again over TCP.
  ...lookup(
    10,
    0.002,
    { id: 5, questions: asks('big.test', 'TXT') },
    { flags: ['qr', 'tc', 'rd', 'ra'] },
    { clientPort: 5005 },
  ),
  ...lookup(
    10.01,
    0.004,
    { id: 6, questions: asks('big.test', 'TXT') },
    { answers: [{ name: 'big.test', type: 'TXT', ttl: 5, data: '"say \\"hi\\"" "\\009tab, comma;\\010" "=1+1"' }] },
    { clientPort: 5006, transport: TCP },
  ),
  // A response nobody asked for.
  sent(11, {
    id: 7,
    flags: ['qr', 'aa'],
    questions: asks('orphan.test', 'MX'),
    answers: [{ name: 'orphan.test', type: 'MX', ttl: 60, data: '10 mx.orphan.test' }],
  }),
  // Names that mean something to spreadsheets, terminals and readers of tables.
  ...lookup(
    12,
    0.001,
    { id: 8, questions: asks('=cmd|calc\\027[2J\\009\\,x.a\\.b"c.-', 'HTTPS') },
    {
      answers: [
        { name: 'x.test', type: 'HTTPS', ttl: 60, data: '1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 ech=AQID' },
      ],
    },
    { client: V6, server: V6_SERVER, vlan: 12, interfaceId: 0 },
  ),
  ...lookup(
    13,
    0.003,
    { id: 9, questions: asks('sub.deleg.test', 'A'), flags: [] },
    { flags: ['qr'], authority: [{ name: 'deleg.test', type: 'NS', ttl: 60, data: 'ns.deleg.test' }] },
  ),
  ...lookup(
    14,
    0.003,
    { id: 10, opcode: 'UPDATE', questions: asks('zone.test', 'SOA'), flags: [] },
    { opcode: 'UPDATE', rcode: 'REFUSED', flags: ['qr'] },
  ),
  sent(
    15,
    {
      flags: ['qr', 'aa'],
      answers: [{ name: 'printer.local', type: 'A', ttl: 120, data: '192.0.2.10' }],
    },
    { protocol: MDNS, serverPort: 5353, clientPort: 5353, server: [224, 0, 0, 251] },
  ),
  sent(15.1, { id: 11, questions: asks('host', 'A') }, { protocol: LLMNR, serverPort: 5355, server: [224, 0, 0, 252] }),
  // Malformed: the header claims an answer that is not there. Then one cut by the capture.
  { at: 16, bytes: Uint8Array.from([0, 12, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]) },
  { at: 17, bytes: Uint8Array.from([0, 13, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x62, 0]), claimed: 40 },
  sent(18, { id: 14, opcode: 'DSO', dso: [{ type: 1, name: 'KEEPALIVE', data: '15000 3600000' }] }, { transport: TCP }),
];
