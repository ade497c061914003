import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noWords, type QueryWords, readWords } from '../../src/client/words.ts';
import { PLUS_OPTIONS } from '../../src/client/words-plus.ts';

const read = (line: string) => readWords(line.split(' '));

test('words in any order ask the same', () => {
  const words = ['@8.8.8.8', 'www.example.com', 'A', '+recurse'];
  const orders = permutations(words);
  assert.equal(orders.length, 24);
  for (const order of orders) {
    const { servers, questions, recursionDesired } = readWords(order);
    assert.deepEqual(servers, [{ host: '8.8.8.8' }]);
    assert.deepEqual(questions, [{ name: 'www.example.com', type: 'A' }]);
    assert.equal(recursionDesired, true);
  }
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((one, i) => permutations(list.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}

test('names, types and classes are told apart', () => {
  const asked = (line: string) => read(line).questions;
  assert.deepEqual(asked('example.com'), [{ name: 'example.com', type: 'A' }]);
  assert.deepEqual(asked('mx example.com'), [{ name: 'example.com', type: 'MX' }]);
  assert.deepEqual(asked('example.com type65280 ch'), [{ name: 'example.com', type: 'TYPE65280', class: 'CH' }]);
  assert.deepEqual(asked('version.bind TXT CHAOS'), [{ name: 'version.bind', type: 'TXT', class: 'CH' }]);
  assert.deepEqual(asked('example.com A AAAA'), [
    { name: 'example.com', type: 'A' },
    { name: 'example.com', type: 'AAAA' },
  ]);
  assert.deepEqual(asked('a.example b.example NS').length, 2);
  assert.deepEqual(readWords([]).questions, [{ name: '.', type: 'NS' }]);
  assert.deepEqual(asked('1234'), [{ name: '1234', type: 'A' }]);
  assert.deepEqual(readWords([], { names: ['mx'], types: ['ns'] }).questions, [{ name: 'mx', type: 'NS' }]);
  const ixfr = read('example.com IXFR=2026112501');
  assert.deepEqual([ixfr.questions[0].type, ixfr.serial], ['IXFR', 2026112501]);
  assert.equal(asked('münchen.example')[0].name, 'xn--mnchen-3ya.example');
  assert.throws(() => readWords(['x'], { types: ['nonsense'] }), /not an RR type/);
});

test('reverse names', () => {
  const name = (address: string) => readWords([], { reverse: [address] }).questions[0];
  assert.deepEqual(name('192.0.2.7'), { name: '7.2.0.192.in-addr.arpa', type: 'PTR' });
  assert.equal(name('192.0.2').name, '2.0.192.in-addr.arpa');
  assert.equal(
    name('2001:db8::567:89ab').name,
    'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});

test("every option of dig's that is promised", () => {
  const expected: [string, (words: QueryWords) => unknown, unknown][] = [
    ['+short', ({ output }) => output, 'short'],
    ['+trace', ({ trace }) => trace, true],
    ['+norecurse', ({ recursionDesired }) => recursionDesired, false],
    ['+tcp', ({ transport }) => transport, 'tcp'],
    ['+tls', ({ transport }) => transport, 'tls'],
    ['+https=/x', ({ transport, path }) => [transport, path], ['https', '/x']],
    ['+https-get', ({ transport, httpGet }) => [transport, httpGet], ['https', true]],
    ['+dnssec', ({ edns }) => edns?.do, true],
    ['+subnet=192.0.2.0/24', ({ edns }) => edns?.subnet, '192.0.2.0/24'],
    ['+nsid', ({ edns }) => edns?.nsid, true],
    ['+cookie=0123456789abcdef', ({ edns }) => edns?.cookie, '0123456789abcdef'],
    ['+nocookie', ({ edns }) => edns?.cookie, false],
    ['+bufsize=512', ({ edns }) => edns?.size, 512],
    ['+timeout=2', ({ timeoutMs }) => timeoutMs, 2000],
    ['+time=0.5', ({ timeoutMs }) => timeoutMs, 500],
    ['+tries=7', ({ tries }) => tries, 7],
    ['+retry=7', ({ tries }) => tries, 8],
    ['+noedns', ({ edns }) => edns, null],
    ['+edns=1', ({ edns }) => edns?.version, 1],
    ['+ignore', ({ fallbackToTcp }) => fallbackToTcp, false],
    ['+cdflag', ({ flags }) => [...flags], ['ad', 'cd']],
    ['+noadflag', ({ flags }) => [...flags], []],
    ['+opcode=NOTIFY', ({ opcode }) => opcode, 'NOTIFY'],
    ['+ednsopt=65001:ab', ({ edns }) => edns?.options, [{ code: 65001, data: '\\# 1 ab' }]],
    ['+noall', ({ show }) => Object.values(show).some(Boolean), false],
    ['+json', ({ output }) => output, 'json'],
    ['+yaml', ({ output }) => output, 'yaml'],
    ['+0x20', ({ caseRandom }) => caseRandom, true],
    ['+rec', ({ recursionDesired }) => recursionDesired, true],
    ['+norec', ({ recursionDesired }) => recursionDesired, false],
    ['+dnss', ({ edns }) => edns?.do, true],
  ];
  for (const [word, of, value] of expected) assert.deepEqual(of(read(`example.com ${word}`)), value, word);
});

test('every option can be said, and taken back where it is a switch', () => {
  for (const { name, value } of PLUS_OPTIONS) {
    const given = value === undefined || value.startsWith('[') ? '' : `=${SAMPLES[name] ?? '1'}`;
    assert.doesNotThrow(() => read(`+${name}${given} x.example`), name);
    if (value === undefined) assert.doesNotThrow(() => read(`+no${name} x.example`), `no${name}`);
  }
  const back = read('+noall +all x.example');
  assert.deepEqual(back.show, noWords().show);
});

const SAMPLES: Record<string, string> = { subnet: '192.0.2.0/24', opcode: 'NOTIFY', ednsopt: '3' };

test('mistakes are told in words', () => {
  const mistakes: [string, RegExp][] = [
    ['+nonsense', /no option \+nonsense/],
    ['+t', /no option \+t/],
    ['+ed', /could be \+ednsflags, \+ednsopt/],
    ['+bufsize=70000', /\+bufsize wants a number from 0 to 65535/],
    ['+bufsize', /\+bufsize wants a value/],
    ['+short=1', /\+short takes no value/],
    ['+ednsopt=zz', /\+ednsopt wants a code/],
    ['@quic://x', /not a DNS server/],
    ['+opcode=nonsense', /not an operation/],
  ];
  for (const [word, message] of mistakes) assert.throws(() => read(`example.com ${word}`), message, word);
});
