import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/client/exchange.ts';
import { QueryFit } from '../../src/client/fit.ts';
import { isOwnTraffic, noteOwnSocket, ownTraffic } from '../../src/client/own-traffic.ts';
import { nothingDiscarded, type Outcome, sentenceOf } from '../../src/client/outcome.ts';
import { encodeQuery } from '../../src/client/question.ts';
import { OUTPUTS } from '../../src/client/show/index.ts';
import { ttlText } from '../../src/client/show/look.ts';
import { noWords } from '../../src/client/words.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { answerTo } from './servers.ts';

const question = { name: 'www.example.com', type: 'TXT' };
const query = encodeQuery(question, { edns: {} }, 7);
const look = { color: false, parts: noWords().show, words: ['www.example.com'], version: '1' };

function resultOf(bytes: Uint8Array, outcome: Outcome = 'answered'): Exchange {
  const server = { address: '127.0.0.1', port: 53 };
  const attempt = { transport: 'udp', server, sentAt: 0, ms: 1, bytesOut: 1, bytesIn: bytes.length, outcome } as const;
  return {
    question,
    attempts: [attempt],
    response: decodeMessage(bytes),
    bytes,
    query,
    outcome,
    sentence: sentenceOf([attempt], outcome, nothingDiscarded()),
    discarded: nothingDiscarded(),
    ms: 1,
    server,
    transport: 'udp',
  };
}

// What a terminal acts upon: control characters, and what turns the direction of writing.
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

test('octets of a server steer no terminal, whatever the output', () => {
  const all = Array.from({ length: 250 }, (_, i) => `\\${String(i).padStart(3, '0')}`).join('');
  const bidi = '\u202eevil';
  const hex = Buffer.from(bidi).toString('hex');
  const bytes = answerTo(query, {
    answers: [
      { name: '\\027[2J\\007.example', type: 'TXT', ttl: 1, data: `"${all}"` },
      { name: 'x.example', type: 'CNAME', ttl: 1, data: '\\027]0;evil\\007.example' },
    ],
    edns: {
      options: [
        { code: 15, name: 'EDE', data: `\\# ${2 + hex.length / 2} 000f${hex}` },
        { code: 65001, name: 'X', data: '\\# 3 1b5b4a' },
      ],
    },
  });
  for (const [name, { show }] of Object.entries(OUTPUTS)) {
    const text = show(resultOf(bytes), look);
    for (const line of text.split('\n')) {
      assert.doesNotMatch(line.replaceAll('\t', ' '), UNSAFE, `${name}: ${JSON.stringify(line)}`);
    }
    if (name === 'json' || name === 'dns-json') assert.doesNotThrow(() => JSON.parse(text) as unknown);
  }
});

test('bytes that are no sound message are shown as far as they go, and never thrown at', () => {
  const sound = answerTo(query, {
    answers: [{ name: 'www.example.com', type: 'SOA', ttl: 5, data: 'a.example b.example 1 2 3 4 5' }],
    edns: { do: true },
  });
  const fit = new QueryFit(query);
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
  for (let i = 0; i < 3000; i++) {
    const bytes = sound.slice(0, random(10) === 0 ? random(sound.length + 1) : sound.length);
    for (let n = random(4); n > 0 && bytes.length > 0; n--) bytes[random(bytes.length)] = random(256);
    const judged = fit.judge(bytes);
    assert.ok(['fits', 'malformed', 'wrongId', 'wrongQuestion', 'garbage'].includes(judged));
    for (const { show } of Object.values(OUTPUTS)) assert.equal(typeof show(resultOf(bytes), look), 'string');
  }
});

test('without an answer every output says why, or nothing', () => {
  const none: Exchange = { ...resultOf(query, 'timeout'), response: null, bytes: null };
  const shown = Object.fromEntries(Object.entries(OUTPUTS).map(([name, { show }]) => [name, show(none, look)]));
  assert.match(shown.pretty, /did not answer within 1 ms/);
  assert.match(shown.dig, /;; no servers could be reached/);
  assert.equal(shown.short, '');
  assert.match(shown.yaml, /DIG_ERROR/);
  const { outcome, responseMessage } = JSON.parse(shown.json) as { outcome: string; responseMessage?: unknown };
  assert.deepEqual([outcome, responseMessage], ['timeout', undefined]);
  assert.equal((JSON.parse(shown['dns-json']) as { Status: number }).Status, -1);
});

test('the short form tells what was asked for by options', () => {
  const options = [
    { code: 3, name: 'NSID', data: '\\# 7 6b6e6f742d6964' },
    { code: 8, name: 'ECS', data: '192.0.2.0/24/16' },
    { code: 10, name: 'COOKIE', data: '\\# 8 0102030405060708' },
  ];
  const text = OUTPUTS.pretty.show(resultOf(answerTo(query, { edns: { options } })), look);
  assert.match(text, /^NSID knot-id\nECS 192\.0\.2\.0\/24\/16\nNOERROR/m);
  assert.doesNotMatch(text, /COOKIE/);
});

test('a cut answer tells both times; TTLs as people read them', () => {
  const cut = { ...resultOf(answerTo(query)), udpMs: 1.5, tcpMs: 20 };
  assert.match(OUTPUTS.pretty.show(cut, look), /cut over UDP after 1\.5 ms, over TCP 20 ms/);
  assert.match(OUTPUTS.dig.show(cut, look), /;; Cut over UDP after 1\.500 msec, over TCP 20\.000 msec/);
  assert.deepEqual([0, 59, 60, 3600, 86_399, 90_061].map(ttlText), [
    '0s',
    '59s',
    '1m00s',
    '1h00m00s',
    '23h59m59s',
    '1d1h01m01s',
  ]);
});

test('every outcome has a sentence of its own', () => {
  const { attempts } = resultOf(encodeMessage({ questions: [question] }));
  const outcomes: Outcome[] = [
    'timeout',
    'slow',
    'refused',
    'unreachable',
    'wrong_id',
    'wrong_question',
    'garbage',
    'closed',
  ];
  outcomes.push(
    'certificate',
    'tls_failed',
    'http_failed',
    'truncated',
    'bad_signature',
    'not_sent',
    'aborted',
    'answered',
  );
  const sentences = outcomes.map((outcome) => sentenceOf(attempts, outcome, nothingDiscarded()));
  assert.equal(new Set(sentences).size, outcomes.length);
  for (const sentence of sentences) assert.match(sentence, /^(?:The query to )?127\.0\.0\.1#53 .*\.$/);
});

test('sockets of our own are remembered, and only so many', () => {
  const forget = noteOwnSocket('tcp', '192.0.2.1', 4000);
  assert.equal(isOwnTraffic('tcp', '192.0.2.1', 4000, Date.now()), true);
  assert.equal(isOwnTraffic('tcp', '192.0.2.2', 4000, Date.now()), false, 'another host may use the same port');
  assert.equal(isOwnTraffic('tcp', '192.0.2.1', 4000, Date.now() + 10 ** 9), true, 'as long as it is open');
  forget();
  assert.equal(isOwnTraffic('tcp', '192.0.2.1', 4000, Date.now() + 10_000), true, 'an answer may be on its way');
  assert.equal(isOwnTraffic('tcp', '192.0.2.1', 4000, Date.now() + 60_000), false);
  for (let i = 0; i < 65_536; i++) noteOwnSocket('udp', `10.0.${i >> 8}.${i & 255}`, 1);
  const { sockets, forgotten } = ownTraffic();
  assert.equal(sockets, 65_536);
  assert.ok(forgotten >= 1);
  assert.equal(isOwnTraffic('tcp', '192.0.2.1', 4000, Date.now()), false, 'the oldest went');
});
