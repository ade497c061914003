import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileFilter } from '../../src/filter/compile.ts';
import { FilterError } from '../../src/filter/errors.ts';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { passes, query, response, sample } from './messages.ts';

const WORDS = [
  ...'dns dns.qry.name dns.a dns.resp.ttl dns.flags.response ip.src frame.time dns.time dns.opt eth.src udp'.split(' '),
  ...'== != === !== < <= > >= ~= && || ^^ and or xor not ! contains matches ~ in any all'.split(' '),
  ...'( ) { } [0] [1:2] [-1] [0-1,2] # #1 @ , .. + - * / % & $ lower( len( count( max( hex('.split(' '),
  ...'0 1 65536 0x10 017 0b1 1.5 10.0.0.0/8 ::1 2001:db8::/32 00:11:22 AAAA true "a" "\\x41" r"a+" \'c\' 99999999999999999999'.split(
    ' ',
  ),
];
const MESSAGES = [
  sample(query('Www.Example.com', 'AAAA', { edns: { udp_size: 1232, options: [] } })),
  sample(response(['a.example A 60 192.0.2.1', 'a.example TXT 5 "x"'])),
  sample(Uint8Array.of(1, 2, 3)),
];

/** Compiles and runs a filter; anything but a FilterError is a defect. */
function tryFilter(text: string): void {
  for (const compat of ['nametap', 'wireshark'] as const) {
    let filter;
    try {
      filter = compileFilter(text, { compat });
    } catch (error) {
      assert.ok(error instanceof FilterError, `${JSON.stringify(text)}: ${String(error)}`);
      assert.match(error.message, /\n {4}.*\n {4} *\^~*$/s);
      continue;
    }
    for (const { carrier, view, join } of MESSAGES) assert.equal(typeof filter.matches(carrier, view, join), 'boolean');
  }
}

test('any words in any order give a filter or a FilterError', () => {
  const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 });
  fc.assert(
    fc.property(words, fc.constantFrom(' ', ''), (list, glue) => tryFilter(list.join(glue))),
    { numRuns: 3000 },
  );
});

test('any text gives a filter or a FilterError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), tryFilter), { numRuns: 2000 });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (text) => tryFilter(`dns.qry.name == ${text}`)),
    { numRuns: 1000 },
  );
});

test('every field can be read from any octets', () => {
  const all = FIELDS.map(({ name }) => compileFilter(name));
  const seed = encodeMessage(
    response([
      'a.example SVCB 60 1 . alpn="h2"',
      'a.example APL 5 1:10.0.0.0/8',
      'a.example TSIG 0 hmac-sha256 1 300 4 AQIDBA== 1 NOERROR 0',
    ]),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(seed.length), fc.boolean(), (noise, at, header) => {
      const bytes = header ? Uint8Array.from([...seed.subarray(0, at), ...noise, ...seed.subarray(at)]) : noise;
      const { carrier, view, join } = sample(bytes);
      for (const filter of all) assert.equal(typeof filter.matches(carrier, view, join), 'boolean');
    }),
    { numRuns: 300 },
  );
});

test('patterns that make other engines hang take linear time', () => {
  const name = `${'a'.repeat(60)}.${'a'.repeat(60)}.${'a'.repeat(60)}.b`;
  const message = sample(query(name));
  const started = performance.now();
  for (const pattern of ['^(a+)+$', '(a|aa)+c$', '(.*a){20}x', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
    assert.equal(passes(`dns.qry.name matches "${pattern}" and dns.id == 0x1234`, message), false);
  }
  assert.ok(performance.now() - started < 5000);
});

test('a message built to cost time stays bounded', () => {
  const answers = Array.from({ length: 4000 }, () => 'a.example A 1 192.0.2.1');
  const many = sample(response(answers));
  const started = performance.now();
  assert.ok(passes('dns.a == dns.a and dns.resp.name == dns.qry.name or dns.a', many));
  assert.ok(!passes('dns.resp.ttl + dns.resp.ttl == 3', many));
  assert.ok(passes('all dns.resp.name matches "^a" and all dns.resp.name contains "EXAMPLE"', many));
  assert.ok(performance.now() - started < 5000);
});
