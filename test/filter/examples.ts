import type { MessageInput } from '../../src/rr/encode.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { EXAMPLES } from '../rr/examples.ts';
import { query, response, sample, type Sample, type Way } from './messages.ts';

/** A sample that can be put into a capture again. */
export interface Example {
  readonly title: string;
  readonly sample: Sample;
  /** False where its relations are made up: a dissector would not see them. */
  readonly isWhole: boolean;
}

/** Texts of EDNS options by code. */
const OPTIONS: readonly (readonly [code: number, text: string])[] = [
  [1, '1 1 0 0102030405060708 3600'],
  [2, '3600 7200'],
  [3, '6E7331'],
  [5, '8 13'],
  [6, '2 4'],
  [7, '1'],
  [8, '192.0.2.0/24/16'],
  [8, '2001:db8::/32/0'],
  [9, '1200'],
  [10, '0102030405060708A1A2A3A4A5A6A7A8'],
  [11, '300'],
  [12, '0*4'],
  [13, 'example.com'],
  [14, '20326 38696'],
  [15, '15 "blocked by policy"'],
  [16, '5'],
  [17, '6'],
  [18, 'agent.example.net'],
  [19, '2 0 78C9A2F1'],
  [20, 'AAAA HTTPS'],
  [21, 'AAAA'],
  [22, '"en"'],
  [23, '"tel:+1"'],
  [24, '"ACME"'],
  [25, '"list"'],
  [26946, '0200000000AA'],
];
const UMBRELLA = '\\# 12 4F444E5301000008AABBCCDD';

/** A whole TLV of type 64 or what it says. */
const STATEFUL = Uint8Array.from([
  0x12, 0x34, 0xb0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0x3a, 0x98, 0, 0, 0x75, 0x30, 0, 2, 0, 4, 0, 0, 0, 9,
  0, 3, 0, 2, 0, 0, 0, 66, 0, 2, 0, 7,
]);

function example(
  title: string,
  message: MessageInput | Uint8Array,
  way: Way = {},
  join?: Sample['join'] | object,
): Example {
  return { title, sample: sample(message, way, join ?? {}), isWhole: join === undefined };
}

function ofTypes(): Example[] {
  return Object.entries(EXAMPLES)
    .filter(([type]) => type !== 'OPT')
    .map(([type, texts]) =>
      example(
        type,
        response(
          texts.map((text) => `x.example.com ${type} 300 ${text}`),
          { questions: [{ name: 'x.example.com', type }] },
        ),
      ),
    );
}

const netbios = (name: string): string =>
  Array.from(name.padEnd(15, ' ').padEnd(16, '\0'), (c) => {
    const code = c.charCodeAt(0);
    return String.fromCharCode(65 + (code >> 4), 65 + (code & 15));
  }).join('');
const NB_ADDRESS = '\\# 6 6000C0000207';

/** Messages that have every field of the language at least once. */
export const EXAMPLE_MESSAGES: readonly Example[] = [
  example('query', query('www.example.com', 'A', { flags: ['rd', 'ad', 'cd'] })),
  example(
    'response',
    response(['www.example.com CNAME 60 web.example.net', 'web.example.net A 300 192.0.2.1'], {
      rcode: 'NOERROR',
      flags: ['qr', 'aa', 'rd', 'ra', 'ad'],
    }),
  ),
  example('root', query('.', 'NS')),
  example('truncated NXDOMAIN', response([], { rcode: 'NXDOMAIN', flags: ['qr', 'tc', 'rd', 'ra'] })),
  example('update', {
    id: 7,
    opcode: 'UPDATE',
    questions: [{ name: 'example.com', type: 'SOA' }],
    authority: [{ name: 'new.example.com', type: 'A', ttl: 60, data: '192.0.2.9' }],
  }),
  example(
    'options',
    query('o.example.com', 'A', {
      edns: {
        udp_size: 1232,
        version: 0,
        do: true,
        co: true,
        de: true,
        z: 1,
        options: OPTIONS.map(([code, data]) => ({ code, name: '', data })),
      },
    }),
  ),
  example(
    'umbrella',
    query('o.example.com', 'A', {
      edns: { udp_size: 512, options: [{ code: 20292, name: '', data: UMBRELLA }] },
    }),
  ),
  example(
    'unknown subnet family',
    query('o.example.com', 'A', {
      edns: { udp_size: 512, options: [{ code: 8, name: '', data: '\\# 6 00090800AABB' }] },
    }),
  ),
  example('tcp', query('tcp.example.com', 'A'), { transport: 'tcp' }),
  example(
    'segments',
    query('tcp.example.com', 'A'),
    {
      transport: 'tcp',
      carrier: {
        segmented: true,
        segmentFrames: [8, 10],
        flowNanos: 3_000_000,
        flowDeltaNanos: 1_500_000,
        sequence: 1,
        acknowledgment: 20,
        windowFactor: 128,
      },
    },
    {},
  ),
  example(
    'joined fragments',
    query('parts.example.com', 'A'),
    { carrier: { fragmented: true, fragmentFrames: [9, 10], flowNanos: 2_000_000, flowDeltaNanos: 1000 } },
    {},
  ),
  example(
    'joined fragments over IPv6',
    query('parts.example.com', 'A'),
    { family: 6, carrier: { fragmented: true, fragmentFrames: [7, 9, 10] } },
    {},
  ),
  example('ipv6', query('six.example.com', 'AAAA'), { family: 6 }),
  example('sll', query('sll.example.com', 'A'), { link: 'sll' }),
  example('sll2', query('sll2.example.com', 'A'), { link: 'sll2' }),
  example(
    'mdns query',
    query('_http._tcp.local', 'PTR', {
      questions: [{ name: '_http._tcp.local', type: 'PTR', unicast: true }],
    }),
    { protocol: 'mdns' },
  ),
  example(
    'mdns response',
    {
      id: 0,
      flags: ['qr', 'aa'],
      questions: [],
      answers: [{ name: 'host.local', type: 'A', ttl: 120, data: '192.0.2.3', flush: true }],
    },
    { protocol: 'mdns' },
  ),
  example('llmnr', query('host', 'A', { flags: [] }), { protocol: 'llmnr' }),
  example(
    'llmnr response',
    response(['host A 30 192.0.2.4'], { flags: ['qr'], questions: [{ name: 'host', type: 'A' }] }),
    { protocol: 'llmnr' },
  ),
  example(
    'nbns',
    {
      id: 9,
      flags: ['qr', 'aa', 'rd', 'ra'],
      questions: [],
      answers: [{ name: netbios('FILESRV'), type: 'TYPE32', ttl: 300, data: NB_ADDRESS }],
    },
    { protocol: 'nbns' },
  ),
  example('stateful', STATEFUL),
  example('octets behind the message', Uint8Array.from([...encodeMessage(query('t.example.com')), 1, 2, 3])),
  example('high ttl', response(['h.example.com A 2147483649 192.0.2.5'])),
  example('malformed', Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 1, 0, 1])),
  example(
    'answered',
    response(['r.example.com A 1 192.0.2.6']),
    {},
    { responseTo: 3, latencyNanos: 1_500_000, latencyLastNanos: 500_000 },
  ),
  example('open', query('q.example.com'), {}, { responseIn: 12 }),
  example('missing', query('m.example.com'), {}, { responseMissing: true }),
  example('again', query('a.example.com'), {}, { retransmission: true, retransmitRequestIn: 4 }),
  example(
    'answered again',
    response(['a.example.com A 1 192.0.2.6']),
    {},
    { retransmission: true, retransmitResponseIn: 5 },
  ),
  example('orphan', response(['b.example.com A 1 192.0.2.6']), {}, { unsolicited: true }),
  example(
    'caa tags',
    response(['c.example.com CAA 1 0 issuewild "ca.example"', 'c.example.com CAA 1 0 iodef "mailto:a@example.com"']),
  ),
  example('snap', query('snap.example.com'), { link: 'snap' }),
  example('apl of another family', response(['p.example.com APL 1 \\# 6 00030802AABB'])),
  example('tkey', response(['k.example.com TKEY 0 gss-tsig 20261124120000 20261125120000 3 NOERROR 3 AQID 2 AQI='])),
  example(
    'service',
    response(['Café._http._tcp.example.com SRV 9 0 0 80 web.example.com', '_sip._udp.example.com SRV 9 0 0 5060 .']),
  ),
  example('unknown type', response(['u.example.com TYPE65300 9 \\# 3 0A0B0C'])),
  example('chaos', {
    ...response([]),
    answers: [{ name: 'c.example.com', type: 'A', class: 'CH', ttl: 9, data: '\\# 11 036E73310362697400000A' }],
  }),
  example('atomic fragment', query('frag.example.com'), { family: 6, isAtomic: true }),
  example(
    'times',
    query('late.example.com'),
    {},
    { times: { sinceFirst: () => 2_500_000_000, sincePrevious: () => 1000 } },
  ),
  example('fragments', response(['f.example.com A 1 192.0.2.7']), { carrier: { fragmented: true } }, {}),
  example(
    'fragments over IPv6',
    response(['f.example.com A 1 192.0.2.7']),
    { family: 6, carrier: { fragmented: true } },
    {},
  ),
  example(
    'handshake',
    response(['s.example.com A 1 192.0.2.8']),
    { transport: 'tcp', carrier: { setupNanos: 12_345_678 } },
    {},
  ),
  example(
    'certificate',
    response([
      `2.dnscrypt-cert.example.com TXT 60 \\# 125 7C444E534300020000${'51'.repeat(64)}${'52'.repeat(32)}${'53'.repeat(8)}00000007655360006555B180`,
    ]),
  ),
  example('proxied', response(['x.example.com TYPE65422 0 \\# 14 0411C0000201C0000235D4310035'])),
  example(
    'proxied over IPv6',
    response([
      `x.example.com TYPE65422 0 \\# 38 0611${'20010DB8'.padEnd(31, '0')}1${'20010DB8'.padEnd(30, '0')}35D4310035`,
    ]),
  ),
  example('place of another version', response(['l.example.com LOC 9 \\# 3 010203']), {}, {}),
  example('oblivious', response(['o.example.com HTTPS 9 \\# 10 00010080010003ABCDEF'])),
  ...ofTypes(),
];
