import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter } from '../../src/filter/compile.ts';
import { FILTER } from '../../src/server/filters.ts';
import { abridged, and, conjuncts, not, pieces, quote, term, type ValueKind, without } from '../../web/src/filter.ts';

const HOSTILE = [
  'a"b',
  'x\\y',
  'example.com',
  '<script>.x',
  "o'; drop table",
  '.',
  'xn--bcher-kva.example',
  '*.x',
  '((',
];

test('terms are filters, whatever the value holds', () => {
  const kinds: ValueKind[] = ['name', 'domain', 'type', 'rcode'];
  for (const value of HOSTILE) {
    for (const kind of kinds) {
      if (kind === 'rcode' || kind === 'type') continue;
      const text = term(kind, value);
      assert.ok(text !== null);
      assert.doesNotThrow(() => compileFilter(text), `${kind} ${value}: ${text}`);
    }
  }
  for (const address of ['192.0.2.1', '2001:db8::1']) {
    for (const kind of ['client', 'server', 'address'] as const) {
      assert.doesNotThrow(() => compileFilter(term(kind, address) ?? ''));
    }
  }
  assert.doesNotThrow(() => compileFilter(term('type', 'HTTPS') ?? ''));
  assert.doesNotThrow(() => compileFilter(term('rcode', 'NXDOMAIN') ?? ''));
  assert.equal(term('data', 'x'), null);
});

test('the page and the server write the same filters', () => {
  for (const value of HOSTILE) assert.equal(term('domain', value), FILTER.name(value));
  for (const address of ['10.2.3.4', '2001:db8::1']) {
    assert.equal(term('client', address), FILTER.client(address));
    assert.equal(term('server', address), FILTER.server(address));
  }
  assert.equal(term('name', 'a.example'), FILTER.exactName('a.example'));
  assert.equal(term('type', 'A'), FILTER.type('A'));
  assert.equal(term('rcode', 'SERVFAIL'), FILTER.rcode('SERVFAIL'));
});

test('parts are put together and taken apart again', () => {
  const client = term('client', '10.2.3.4') ?? '';
  const domain = term('domain', 'example.com') ?? '';
  const whole = and(and(client, domain), not('dns.flags.rcode == 3'));
  assert.doesNotThrow(() => compileFilter(whole));
  assert.deepEqual(conjuncts(whole).map(abridged), [
    'client == 10.2.3.4',
    'domain == example.com',
    'not (dns.flags.rcode == 3)',
  ]);
  assert.deepEqual(conjuncts(without(whole, 1)).map(abridged), ['client == 10.2.3.4', 'not (dns.flags.rcode == 3)']);
  assert.equal(without('a.b == 1', 0), '');
  assert.equal(and('', 'dns'), 'dns');
  assert.equal(abridged(`not (${client})`), 'not client == 10.2.3.4');
});

test('and inside of strings and brackets does not split, or keeps the filter whole', () => {
  assert.deepEqual(conjuncts('dns.qry.name contains " and " && udp'), ['dns.qry.name contains " and "', 'udp']);
  assert.deepEqual(conjuncts('(udp and tcp) and (dns)'), ['udp', 'tcp', '(dns)']);
  assert.deepEqual(conjuncts('(udp or tcp) and dns'), ['(udp or tcp)', 'dns']);
  assert.deepEqual(conjuncts(`${'('.repeat(3000)}${')'.repeat(3000)}`).length, 1);
  assert.deepEqual(conjuncts('udp and tcp or dns'), ['udp and tcp or dns']);
  assert.deepEqual(conjuncts('dns.qry.type in {1, 28} and udp'), ['dns.qry.type in {1, 28}', 'udp']);
  assert.deepEqual(conjuncts('  '), []);
  assert.deepEqual(conjuncts('dns.qry.name == "broken'), ['dns.qry.name == "broken']);
});

test('what only looks like a long form of the page stays as it is', () => {
  const mixed = '(dns.flags.response == 0 and ip.src == 1.1.1.1) or (dns.flags.response == 1 and ip.dst == 2.2.2.2)';
  assert.equal(abridged(mixed), mixed);
  const other = 'dns.qry.name == "a.example" or dns.qry.name matches "b"';
  assert.equal(abridged(other), other);
});

test('pieces are the text, each of its kind', () => {
  const text = 'not ip.src == 10.0.0.0/8 and dns.qry.name contains "a b"';
  const found = pieces(text);
  assert.equal(found.map((piece) => piece.text).join(''), text);
  assert.deepEqual(
    found.filter(({ kind }) => kind !== 'space').map(({ kind, text: piece }) => `${kind} ${piece}`),
    [
      'operator not',
      'field ip.src',
      'operator ==',
      'number 10.0.0.0/8',
      'operator and',
      'field dns.qry.name',
      'operator contains',
      'string "a b"',
    ],
  );
  assert.equal(quote('a"\\'), '"a\\"\\\\"');
});
