import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeQuery, randomId, randomizeCase } from '../../src/client/question.ts';
import { parseServer, serverOf } from '../../src/client/server.ts';
import { parseResolvConf } from '../../src/client/system.ts';
import { decodeMessage } from '../../src/rr/encode.ts';

const question = { name: 'www.example.com', type: 'AAAA' };

test('a query with all of EDNS', () => {
  const bytes = encodeQuery(
    question,
    {
      flags: ['ad', 'cd'],
      edns: {
        size: 4096,
        do: true,
        nsid: true,
        subnet: '192.0.2.77/20',
        expire: true,
        keepalive: true,
        cookie: true,
        options: [{ code: 65001, data: '\\# 2 abcd' }],
      },
    },
    7,
    '0123456789abcdef',
  );
  const { id, flags, questions, edns } = decodeMessage(bytes);
  assert.deepEqual([id, flags, questions], [7, ['rd', 'ad', 'cd'], [{ ...question, class: 'IN' }]]);
  assert.deepEqual([edns?.udp_size, edns?.do, edns?.version], [4096, true, 0]);
  assert.deepEqual(
    edns?.options.map(({ code, data }) => [code, data.toLowerCase()]),
    [
      [3, ''],
      [8, '192.0.0.0/20/0'],
      [9, ''],
      [10, '0123456789abcdef'],
      [11, ''],
      [65001, '\\# 2 abcd'],
    ],
    'the subnet has no bits behind its prefix (RFC 7871 §6)',
  );
});

test('without EDNS, without recursion', () => {
  const { flags, edns } = decodeMessage(encodeQuery(question, { recursionDesired: false, edns: null }, 1));
  assert.deepEqual(flags, []);
  assert.equal(edns, undefined);
  assert.equal(decodeMessage(encodeQuery(question, { edns: {} }, 1)).edns?.udp_size, 1232);
});

test('padding makes the query a multiple of its block (RFC 8467)', () => {
  for (let n = 1; n < 60; n++) {
    const name = `${'x'.repeat(n)}.example`;
    assert.equal(
      encodeQuery({ name, type: 'A' }, { edns: { padding: true, cookie: true } }, 1, '0123456789abcdef').length,
      128,
    );
    assert.equal(encodeQuery({ name, type: 'A' }, { edns: { padding: 64 } }, 1).length % 64, 0);
  }
});

test('client subnets: both families, none, and what is none', () => {
  const shown = (subnet: string) =>
    decodeMessage(encodeQuery(question, { edns: { subnet } }, 1)).edns?.options[0]?.data;
  assert.equal(shown('192.0.2.1'), '192.0.2.1/32/0');
  assert.equal(shown('2001:db8:1234:5678::1/48'), '2001:db8:1234::/48/0');
  assert.equal(shown('2001:db8::/33'), '2001:db8::/33/0');
  assert.equal(shown('0'), '0.0.0.0/0/0');
  for (const wrong of ['192.0.2.0/33', 'example.com', '::/129', '']) assert.throws(() => shown(wrong), /client subnet/);
});

test('letters get random cases, nothing else changes', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const bytes = encodeQuery({ name: 'a-long.name-with.letters.example', type: 'A' }, {}, 1);
    randomizeCase(bytes);
    const [{ name }] = decodeMessage(bytes).questions;
    assert.equal(name.toLowerCase(), 'a-long.name-with.letters.example');
    seen.add(name);
  }
  assert.ok(seen.size > 15);
});

test('ids are spread over all 16 bits', () => {
  const ids = Array.from({ length: 20_000 }, randomId);
  assert.ok(new Set(ids).size > 16_000);
  assert.ok(Math.min(...ids) < 50 && Math.max(...ids) > 65_400);
});

test('servers as people write them', () => {
  assert.deepEqual(parseServer('192.0.2.1'), { host: '192.0.2.1' });
  assert.deepEqual(parseServer('192.0.2.1:5353'), { host: '192.0.2.1', port: 5353 });
  assert.deepEqual(parseServer('192.0.2.1#53'), { host: '192.0.2.1', port: 53 });
  assert.deepEqual(parseServer('2001:db8::1'), { host: '2001:db8::1' });
  assert.deepEqual(parseServer('2001:db8::1#5353'), { host: '2001:db8::1', port: 5353 });
  assert.deepEqual(parseServer('[2001:db8::1]:53'), { host: '2001:db8::1', port: 53 });
  assert.deepEqual(parseServer('tls://dns.example'), { host: 'dns.example', transport: 'tls' });
  assert.deepEqual(parseServer('https://dns.example:8443/q{?dns}'), {
    host: 'dns.example',
    port: 8443,
    transport: 'https',
    path: '/q{?dns}',
  });
  assert.deepEqual(serverOf('tls://192.0.2.1'), { address: '192.0.2.1', port: 853, transport: 'tls' });
  assert.deepEqual(serverOf('192.0.2.1'), { address: '192.0.2.1', port: 53, transport: 'udp' });
  for (const wrong of [
    '',
    'quic://x',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    'a b',
    '[192.0.2.1]:53',
    'a:b:c',
    'user@host',
  ]) {
    assert.throws(() => parseServer(wrong), /is not a DNS server/, wrong);
  }
  assert.throws(() => serverOf('dns.example'), /give the server's address/);
});

test('resolv.conf as the C library reads it', () => {
  const text = `# comment
nameserver 192.0.2.53
nameserver 2001:db8::53%eth0
nameserver not-an-address
search a.example b.example
options ndots:2 timeout:3 attempts:4 edns0 rotate
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: ['192.0.2.53', '2001:db8::53%eth0'],
    search: ['a.example', 'b.example'],
    ndots: 2,
    timeoutMs: 3000,
    tries: 4,
  });
  assert.deepEqual(parseResolvConf('').servers, ['127.0.0.1']);
});
