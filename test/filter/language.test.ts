import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage } from '../../src/rr/encode.ts';
import { passes, query, response, sample, type Sample } from './messages.ts';

/**
 * One row per construct of the language: a filter, whether `MESSAGE` passes it, and which Wireshark release settles it.
 * `4.0` rows are also run through that release over captures (test/integration/filter.test.ts); `4.4`/`4.6` rows follow
 * the grammar of those releases; `ours` rows are rules of nametap's own.
 */
type Row = readonly [filter: string, passes: boolean, judge: '4.0' | '4.4' | '4.6' | 'ours'];

/** dns.a = 10.1.2.3, 93.184.216.34; dns.resp.ttl = 300, 60, 60; names in mixed case; rcode 0; EDNS. */
const MESSAGE = sample(
  response(
    [
      'MaLwArE.Example.com CNAME 300 web.example.net',
      'web.example.net A 60 10.1.2.3',
      'web.example.net A 60 93.184.216.34',
    ],
    { questions: [{ name: 'MaLwArE.Example.com', type: 'A' }], rcode: 'NOERROR', edns: { udp_size: 1232, do: true } },
  ),
  {},
  { responseTo: 3, latencyNanos: 1_500_000, latencyLastNanos: 500_000 },
);

const OPERATORS: readonly Row[] = [
  ['', true, '4.0'],
  [' \t\n\r ', true, '4.0'],
  ['dns', true, '4.0'],
  ['mdns', false, '4.0'],
  ['llmnr or nbns', false, '4.0'],
  ['udp and ip and eth and frame', true, '4.0'],
  ['tcp', false, '4.0'],
  ['vlan', true, '4.0'],
  ['not dns', false, '4.0'],
  ['!dns', false, '4.0'],
  ['!!dns', true, '4.0'],
  ['not not dns', true, '4.0'],
  ['dns && udp', true, '4.0'],
  ['dns || tcp', true, '4.0'],
  ['dns xor udp', false, '4.4'],
  ['dns ^^ tcp', true, '4.4'],
  ['dns xor udp xor ip', true, '4.4'],
  ['tcp or dns and udp', true, '4.0'],
  ['dns or tcp and tcp', true, '4.0'],
  ['(dns or tcp) and tcp', false, '4.0'],
  ['not dns.id == 1', true, '4.0'],
  ['not dns.id == 0x1234', false, '4.0'],
  ['dns.id==0x1234&&dns.flags.response==1', true, '4.0'],
];

const COMPARISONS: readonly Row[] = [
  ['dns.a == 10.1.2.3', true, '4.0'],
  ['dns.a eq 10.1.2.3', true, '4.0'],
  ['dns.a any_eq 10.1.2.3', true, '4.0'],
  ['dns.a != 10.1.2.3', false, '4.0'],
  ['dns.a ne 10.1.2.3', false, '4.0'],
  ['dns.a all_ne 10.9.9.9', true, '4.0'],
  ['dns.a != 10.9.9.9', true, '4.0'],
  ['dns.a === 10.1.2.3', false, '4.0'],
  ['dns.a all_eq 10.1.2.3', false, '4.0'],
  ['dns.resp.ttl === 60', false, '4.0'],
  ['dns.a !== 10.1.2.3', true, '4.0'],
  ['dns.a any_ne 10.1.2.3', true, '4.0'],
  ['dns.aaaa != ::1', false, '4.0'],
  ['!(dns.aaaa == ::1)', true, '4.0'],
  ['dns.resp.ttl > 299', true, '4.0'],
  ['dns.resp.ttl gt 300', false, '4.0'],
  ['dns.resp.ttl >= 300', true, '4.0'],
  ['dns.resp.ttl < 60', false, '4.0'],
  ['dns.resp.ttl le 60', true, '4.0'],
  ['all dns.resp.ttl >= 60', true, '4.4'],
  ['all dns.resp.ttl > 60', false, '4.4'],
  ['any dns.resp.ttl > 60', true, '4.4'],
  ['all dns.a == 10.1.2.3', false, '4.4'],
  ['any dns.a != 10.1.2.3', true, '4.4'],
  ['all dns.aaaa == ::1', false, '4.4'],
  ['all dns.resp.ttl in {60, 300}', true, '4.4'],
  ['all dns.resp.ttl in {60}', false, '4.4'],
  ['10 < dns.resp.ttl', true, '4.4'],
  ['10 < dns.resp.ttl < 70', true, '4.4'],
  ['70 < dns.resp.ttl < 100', true, '4.4'],
  ['dns.count.answers == 3 == dns.count.answers', true, '4.4'],
  ['10.1.2.3 == dns.a', true, '4.4'],
  ['dns.id == dns.id', true, '4.0'],
  ['dns.resp.ttl == dns.count.answers', false, '4.0'],
  ['dns.qry.name == dns.resp.name', true, '4.0'],
  ['ip.src != ip.dst', true, '4.0'],
  ['dns.flags & 0x8000', true, '4.0'],
  ['dns.flags & 0x0200', false, '4.0'],
  ['dns.flags bitand 0x8000 == 0x8000', true, '4.4'],
  ['dns.flags bitwise_and 0x8000', true, '4.4'],
  ['dns.count.answers + 1 == 4', true, '4.0'],
  ['{dns.resp.ttl - 60} == 240', true, '4.0'],
  ['dns.resp.ttl - 60 == 240', true, '4.0'],
  ['2 * {dns.count.answers + 1} == 8', true, '4.4'],
  ['dns.count.answers * 2 + 1 == 7', true, '4.0'],
  ['1 + dns.count.answers * 2 == 7', true, '4.4'],
  ['dns.resp.ttl / 7 == 8', true, '4.0'],
  ['dns.resp.ttl % 7 == 4', true, '4.0'],
  ['dns.resp.ttl / 0 == 1', false, '4.4'],
  ['-dns.count.answers == -3', true, '4.4'],
  ['dns.count.answers - 3 == 0', true, '4.0'],
  ['dns.count.answers - 3', false, '4.4'],
];

const SETS_AND_SLICES: readonly Row[] = [
  ['dns.qry.type in {1, 28, 64 .. 65}', true, '4.0'],
  ['dns.qry.type in {2..5}', false, '4.0'],
  ['dns.qry.type in {A, AAAA}', true, '4.6'],
  ['dns.a in {10.0.0.0/8}', true, '4.0'],
  ['dns.a in {10.1.2.0 .. 10.1.2.9}', true, '4.0'],
  ['dns.a not in {10.0.0.0/8}', false, '4.4'],
  ['dns.a not in {172.16.0.0/12}', true, '4.4'],
  ['dns.aaaa not in {::1}', false, '4.4'],
  ['not dns.aaaa in {::1}', true, '4.0'],
  ['dns.time in {0.001 .. 0.002}', true, '4.0'],
  ['dns.cname in {"a.example", "web.example.net"}', true, '4.0'],
  ['dns.cname in {"web.a" .. "web.f"}', true, '4.0'],
  ['dns[0:2] == 12:34', true, '4.0'],
  ['dns[0:2] == 12.34', true, '4.0'],
  ['dns[0:2] == 12-34', true, '4.0'],
  ['dns[0:2] == 1234', true, '4.4'],
  ['dns[0-1] == 12:34', true, '4.0'],
  ['dns[0] == 12', true, '4.0'],
  ['dns[:2] == 12:34', true, '4.0'],
  ['dns[0,1] == 12:34', true, '4.0'],
  ['dns[1:1,0:1] == 34:12', true, '4.0'],
  ['dns[-2:] == 00:00', true, '4.0'],
  ['dns[100000:2] == 00:00', false, '4.0'],
  ['dns.a[0] == 0a', true, '4.0'],
  ['dns.a[2:2] == 02:03', true, '4.0'],
  ['dns.cname[0:3] == "web"', true, '4.0'],
  ['dns.cname[-3:3] == "net"', true, '4.0'],
  ['dns.cname[-3--1] == "net"', true, '4.0'],
  ['dns.cname[0:3] contains 77:65', true, '4.0'],
  ['dns.cname[4:7][0:2] == "ex"', true, '4.0'],
  ['eth.src[0:3] == 02:00:00', true, '4.0'],
  ['dns.cname contains "example"', true, '4.0'],
  ['dns.cname contains 77:65:62', true, '4.0'],
  ["dns.cname contains 'w'", true, '4.0'],
  ['frame contains "example"', true, '4.0'],
  ['udp contains 12:34', true, '4.0'],
  ['dns contains "malware.example"', false, '4.0'],
  ['dns contains "web"', true, '4.0'],
  ['dns.cname contains dns.qry.name', false, '4.0'],
  ['dns.resp.name contains dns.cname', true, '4.0'],
  ['dns.qry.type contains "A"', true, '4.6'],
  ['dns.flags.rcode matches "no err"', true, '4.4'],
  ['dns.cname matches "^WEB"', true, '4.0'],
  ['dns.cname ~ "^(?-i)WEB"', false, '4.0'],
  ['dns.cname ~ r"net$"', true, '4.0'],
  ['dns.cname ~ "web\\\\.ex"', true, '4.0'],
  ['dns.cname ~ r"web\\.ex"', true, '4.0'],
  ['dns ~ "\\x04web"', false, '4.0'],
  ['dns ~ "\\x03web"', true, '4.0'],
  ['ip.addr#1 == 10.0.0.1', true, '4.4'],
  ['ip.addr#2 == 10.0.0.1', false, '4.4'],
  ['ip.addr#-1 == 10.0.0.1', true, '4.4'],
  ['udp.port#[1-4] == 53', true, '4.4'],
  ['udp.port#[2-4] == 53', false, '4.4'],
  ['@dns.id == 12:34', true, '4.4'],
  ['@dns.flags == 81:80', true, '4.4'],
  ['@dns.resp.ttl == 00:00:00:3c', true, '4.4'],
  ['@dns.a == 0a:01:02:03', true, '4.4'],
  ['@dns.cname contains "web"', true, '4.4'],
  ['@dns.cname[0:1] == 03', true, '4.4'],
];

const FUNCTIONS: readonly Row[] = [
  ['lower(dns.qry.name) == "malware.example.com"', true, '4.0'],
  ['upper(dns.qry.name) contains "MALWARE"', true, '4.0'],
  ['len(dns.qry.name) == 19', true, '4.0'],
  ['len(dns.id) == 2', true, '4.0'],
  ['len(dns.a) == 4', true, '4.0'],
  ['count(dns.a) == 2', true, '4.0'],
  ['count(dns.aaaa) == 0', true, '4.4'],
  ['string(dns.id) == "0x1234"', true, '4.0'],
  ['string(dns.a) matches r"^10\\."', true, '4.0'],
  ['string(dns.resp.ttl) == "300"', true, '4.0'],
  ['max(dns.resp.ttl) == 300', true, '4.0'],
  ['min(dns.resp.ttl) == 60', true, '4.0'],
  ['max(dns.resp.ttl, dns.id) == 0x1234', true, '4.0'],
  ['abs(dns.count.answers - 5) == 2', true, '4.0'],
  ['vals(dns.qry.type) == "A"', true, '4.6'],
  ['vals(dns.flags.rcode) contains "error"', true, '4.4'],
  ['dec(dns.id) == "4660"', true, '4.4'],
  ['hex(dns.id) == "0x1234"', true, '4.4'],
  ['float(dns.count.answers) > 2.5', true, '4.4'],
  ['double(dns.time) < 0.01', true, '4.4'],
  ['ip_rfc1918(ip.src)', true, '4.4'],
  ['ip_rfc1918(ip.dst)', false, '4.4'],
  ['ip_special_name(ip.src) == "Private-Use"', true, '4.4'],
  ['ip_special_mask(ip.src) == 8', true, '4.4'],
  ['ip_linklocal(ip.src)', false, '4.4'],
  ['ip_multicast(ip.dst)', false, '4.4'],
  ['ip_ula(ipv6.src)', false, '4.4'],
  ['lower(upper(dns.cname)) == "web.example.net"', true, '4.0'],
  ['len(dns.cname[0:3]) == 3', true, '4.4'],
];

const LITERALS: readonly Row[] = [
  ['dns.id == 4660', true, '4.0'],
  ['dns.id == 0X1234', true, '4.0'],
  ['dns.id == 011064', true, '4.0'],
  ['dns.id == 0b1001000110100', true, '4.4'],
  ["dns.count.answers == '\\x03'", true, '4.0'],
  ["dns.count.answers == '\\003'", true, '4.0'],
  ['dns.flags.response == 1', true, '4.0'],
  ['dns.flags.response == True', true, '4.4'],
  ['dns.flags.response == true', true, '4.4'],
  ['dns.flags.response == FALSE', false, '4.4'],
  ['dns.qry.type == A', true, '4.6'],
  ['dns.qry.type == "a"', true, '4.6'],
  ['dns.qry.type == TYPE1', true, 'ours'],
  ['dns.flags.rcode == "No error"', true, '4.0'],
  ['dns.flags.rcode == "no ERROR"', true, '4.6'],
  ['dns.flags.rcode == NOERROR', true, 'ours'],
  ['dns.flags.opcode == "Standard query"', true, '4.0'],
  ['dns.resp.class == IN', true, '4.0'],
  ['dns.cname == "web\\x2eexample\\056net"', true, '4.0'],
  ['dns.cname == "\\u0077eb.example.net"', true, '4.0'],
  ['dns.cname == "\\U00000077eb.example.net"', true, '4.0'],
  ['dns.cname == web.example.net', true, '4.0'],
  ['ip.src == 10.0.0.0/8', true, '4.0'],
  ['ip.src == 10.0.0.0/255.0.0.0', true, '4.4'],
  ['ip.src != 10.0.0.0/8', false, '4.0'],
  ['ip.dst == 10.0.0.0/8', false, '4.0'],
  ['ip.addr != 10.0.0.0/8', false, '4.0'],
  ['ip.addr !== 10.0.0.0/8', true, '4.0'],
  ['ip.src < 10.0.0.2', true, '4.0'],
  ['eth.src == 02:00:00:00:00:02', true, '4.0'],
  ['eth.src == 02-00-00-00-00-02', true, '4.0'],
  ['eth.src == 0200.0000.0002', true, '4.0'],
  ['eth.addr == 02:00:00:00:00:01', true, '4.0'],
  ['dns.time > 0.001', true, '4.0'],
  ['dns.time == 0.0015', true, '4.0'],
  ['dns.time.last < 0.001', true, 'ours'],
  ['dns.time + 0.0005 == 0.002', true, '4.0'],
  ['dns.time * 2 == 0.003', true, '4.4'],
  ['frame.time == "2023-11-14T22:13:20.123456789Z"', true, '4.4'],
  ['frame.time > "2023-11-14 22:13:20 UTC"', true, '4.0'],
  ['frame.time < "Nov 14, 2023 22:13:21 UTC"', true, '4.0'],
  ['frame.time >= "2023-11-15T00:13:20.123456789+02:00"', true, '4.4'],
  ['frame.time_epoch > 1700000000.1', true, '4.0'],
  ['frame.time - frame.time == 0', true, '4.4'],
  ['.dns.id == 4660', true, '4.4'],
  ['udp.payload[0:2] == :12:34', true, '4.4'],
];

const PRESENCE: readonly Row[] = [
  ['dns.flags.response', true, '4.0'],
  ['dns.flags.truncated', true, '4.0'],
  ['not dns.flags.truncated', false, '4.0'],
  ['dns.aaaa', false, '4.0'],
  ['dns.a', true, '4.0'],
  ['dns.response_to', true, '4.0'],
  ['dns.response_in', false, '4.0'],
  ['dns.retransmission', false, '4.0'],
  ['dns.opt', false, '4.0'],
  ['dns.resp.z.do == 1', true, '4.0'],
  ['_ws.malformed', false, '4.0'],
  ['dns.flags.rcode', true, '4.0'],
  ['dns.qry.name[0]', true, '4.0'],
  ['dns.qry.name[99]', false, '4.0'],
];

describe('constructs of the language', () => {
  const tables = { OPERATORS, COMPARISONS, SETS_AND_SLICES, FUNCTIONS, LITERALS, PRESENCE };
  for (const [name, rows] of Object.entries(tables)) {
    for (const [filter, wanted, judge] of rows) {
      test(`${name.toLowerCase()} (${judge}): ${JSON.stringify(filter)} is ${wanted}`, () => {
        assert.equal(passes(filter, MESSAGE), wanted);
      });
    }
  }
});

describe('names', () => {
  /** filter, passes by default, passes with compat wireshark */
  const ROWS: readonly (readonly [string, boolean, boolean])[] = [
    ['dns.qry.name contains "malware"', true, false],
    ['dns.qry.name contains "MALWARE"', true, false],
    ['dns.qry.name contains "MaLwArE"', true, true],
    ['lower(dns.qry.name) contains "malware"', true, true],
    ['upper(dns.qry.name) contains "malware"', false, false],
    ['dns.qry.name matches "malware"', true, true],
    ['dns.qry.name matches "(?-i)malware"', false, false],
    ['dns.qry.name == "malware.example.com"', true, false],
    ['dns.qry.name == "MALWARE.EXAMPLE.COM."', true, false],
    ['dns.qry.name == "MaLwArE.Example.com"', true, true],
    ['dns.qry.name == "MaLwArE.Example.com."', true, false],
    ['dns.qry.name != "malware.example.com"', false, true],
    ['dns.qry.name in {"malware.example.com"}', true, false],
    ['dns.qry.name not in {"malware.example.com", "a.example"}', false, true],
    ['dns.qry.name >= "malware.example.com"', true, false],
    ['dns.qry.name < "n"', true, true],
    ['dns.qry.name[0:3] == "mal"', true, false],
    ['@dns.qry.name contains "malware"', false, false],
    ['@dns.qry.name contains "MaLwArE"', true, true],
    ['dns contains "malware"', false, false],
    ['dns.qry.name == dns.cname', false, false],
  ];
  for (const [filter, folded, exact] of ROWS) {
    test(`${filter}: ${folded}, as Wireshark compares ${exact}`, () => {
      assert.equal(passes(filter, MESSAGE), folded);
      assert.equal(passes(filter, MESSAGE, 'wireshark'), exact);
    });
  }

  test('the root is found as "." and as "<Root>"', () => {
    const root = sample(query('.', 'NS'));
    for (const text of ['.', '<Root>', '<root>']) assert.ok(passes(`dns.qry.name == "${text}"`, root), text);
    assert.ok(passes('dns.qry.name == "<Root>"', root, 'wireshark'));
    assert.ok(passes('dns.qry.name.len == 6 and dns.count.labels == 1', root));
    assert.ok(!passes('dns.qry.name == ""', root));
  });

  test('octets beyond printable ASCII are found as text, as escapes, and as octets', () => {
    const cafe = sample(query('Caf\\195\\169 Bar._http.local', 'TXT'));
    for (const text of ['Café Bar', 'café\\\\032bar', 'caf\\\\195\\\\169', '\\xc3\\xa9', 'bar._http']) {
      assert.ok(passes(`dns.qry.name contains "${text.replace('\\xc3\\xa9', 'é')}"`, cafe), text);
    }
    assert.ok(passes('dns.qry.name == "café bar._HTTP.local."', cafe));
    assert.ok(passes('dns.qry.name matches "é bar"', cafe));
    assert.ok(passes('dns.qry.name contains "Café Bar"', cafe, 'wireshark'));
    assert.ok(!passes('dns.qry.name contains "café Bar"', cafe, 'wireshark'));
  });

  test('a dot within a label is not a label boundary', () => {
    const dotted = sample(query('host\\.master.example.com', 'A'));
    assert.ok(passes('dns.qry.name == "host\\\\.master.example.com"', dotted));
    assert.ok(!passes('dns.qry.name == "host.master.example.com"', dotted));
    assert.ok(passes('dns.qry.name == "host.master.example.com"', dotted, 'wireshark'));
  });

  test('compressed names and names of 255 octets', () => {
    const label = 'x'.repeat(61);
    const long = `${label}.${label}.${label}.${label}.abc`;
    const message = sample(
      response([`${long} CNAME 1 www.${long.slice(62)}`], { questions: [{ name: long, type: 'A' }] }),
    );
    assert.ok(passes('dns.resp.name contains "X.ABC" and dns.qry.name.len == 251', message));
    assert.ok(passes(`dns.cname == "www.${long.slice(62)}"`, message));
  });
});

describe('what is tested is a message', () => {
  test('two messages of one frame are not mixed', () => {
    const first = sample(query('a.com', 'A'));
    const second = sample(query('b.com', 'AAAA'));
    const filter = 'dns.qry.name == "a.com" and dns.qry.type == AAAA';
    assert.deepEqual([passes(filter, first), passes(filter, second)], [false, false]);
  });

  test('layers', () => {
    const mdns = sample(query('x.local', 'A'), { protocol: 'mdns' });
    assert.ok(passes('mdns and not dns and dns.qry.name == "x.local"', mdns));
    const llmnr = sample(query('x', 'A', { flags: [] }), { protocol: 'llmnr' });
    assert.ok(passes('llmnr and not dns and dns.flags.conflict == 0 and not dns.flags.recdesired', llmnr));
    const nbns = sample(query('x', 'A'), { protocol: 'nbns' });
    assert.ok(passes('nbns and nbns.id == 0x1234 and not dns.id', nbns));
    const tcp = sample(query(), { transport: 'tcp', family: 6 });
    assert.ok(passes('tcp.port == 53 and ipv6.src == 2001:db8::/32 and ipv6 and not ip and dns.length == 33', tcp));
    assert.ok(passes('ipv6.dst in {2001:db8::30 .. 2001:db8::40} and ipv6.addr != ::1', tcp));
    const cooked = sample(query(), { link: 'sll' });
    assert.ok(passes('sll and sll.pkttype == "Sent by us" and not eth and not vlan', cooked));
  });

  test('a cut message has the fields that were captured', () => {
    const cut = sample(query('cut.example.com'), { missing: 6 });
    assert.ok(passes('dns.id == 0x1234 and dns.count.queries == 1 and not dns.qry.name', cut));
    const scrap = sample(Uint8Array.of(0x12, 0x34, 0x81), {});
    assert.ok(passes('dns.id == 0x1234 and not dns.flags', scrap));
    assert.ok(passes('not dns.id', sample(Uint8Array.of(0x12), {})));
  });

  test('everything can be asked of any cut of a message', () => {
    const whole = encodeMessage(
      response(['a.example MX 1 10 mail.example', 'b.example TXT 1 "x"', 'c.example HTTPS 1 1 . alpn="h2"']),
    );
    const filters = [
      'dns.mx.preference > 3',
      'dns.txt contains "x"',
      'dns.svcb.svcparam.alpn == "h2"',
      '_ws.malformed',
      'dns contains 00',
    ];
    const cut: Sample[] = Array.from(whole, (_, i) => sample(whole.subarray(0, i)));
    for (const filter of filters) {
      const found = cut.filter((one) => passes(filter, one)).length;
      assert.ok(found >= 0 && found <= whole.length);
    }
  });
});
