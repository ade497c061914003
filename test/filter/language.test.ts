import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage } from '../../src/rr/encode.ts';
import { CONSTRUCTS, MESSAGE } from './constructs.ts';
import { passes, query, response, sample, type Sample } from './messages.ts';

describe('constructs of the language', () => {
  for (const [group, rows] of Object.entries(CONSTRUCTS)) {
    for (const [filter, wanted, judge] of rows) {
      test(`${group} (${judge}): ${JSON.stringify(filter)} is ${wanted}`, () => {
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
    // Plain patterns see what others see: the root's text, and no escapes.
    assert.ok(passes('dns.qry.name matches "root"', root) && passes('dns.qry.name matches "[r]oot"', root));
    const spaced = sample(query('a\\032c.test', 'A'));
    for (const text of ['032', '2c', 'a\\\\\\\\032'])
      assert.ok(!passes(`dns.qry.name matches "${text}"`, spaced), text);
    assert.ok(passes('dns.qry.name matches "a c"', spaced));
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
