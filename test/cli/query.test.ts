import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PLUS_OPTIONS } from '../../src/client/words-plus.ts';
import { decodeMessage } from '../../src/rr/encode.ts';
import { address, answerTo, udpServer } from '../client/servers.ts';
import { capture, folder, started } from './nametap.ts';

const run = (...words: string[]) => started(words).ended;

/** A server on the loopback, in the place of one elsewhere; what it was asked. */
async function server(t: TestContext, isRecursive = true) {
  const asked: { name: string; type: string; flags: string[] }[] = [];
  const { port } = await udpServer(t, (query, reply) => {
    const { questions, flags } = decodeMessage(query);
    const [{ name, type }] = questions;
    asked.push({ name, type, flags });
    if (name === 'silent.example.com') return;
    const own = ['qr', ...flags.filter((flag) => flag === 'rd'), ...(isRecursive ? ['ra'] : [])];
    if (name === 'nowhere.example.com') return reply(answerTo(query, { flags: own, rcode: 'NXDOMAIN' }));
    const answers = type === 'PTR' ? [{ name, type, ttl: 60, data: 'host.example.com' }] : [address(name)];
    reply(answerTo(query, { flags: own, answers, edns: {} }));
  });
  return { asked, words: ['@127.0.0.1', '-p', String(port)], at: `@127.0.0.1:${port}` };
}

test('query @SERVER NAME A +recurse: RD is sent, RA received, the words stand in any order', async (t) => {
  const { asked, at } = await server(t);
  const { code, out, err } = await run('query', at, 'www.example.com', 'A', '+recurse');
  assert.equal(code, 0);
  assert.equal(err, '');
  const [record, status] = out.trimEnd().split('\n');
  assert.equal(record, 'A www.example.com. 1m00s   192.0.2.7');
  assert.match(status, /^NOERROR · 1 answer · [\d.]+ ms · 127\.0\.0\.1#\d+ UDP · \d+ bytes · RD sent, RA received$/);
  await run('query', '+recurse', 'A', at, 'www.example.com');
  assert.deepEqual(asked, [
    { name: 'www.example.com', type: 'A', flags: ['rd', 'ad'] },
    { name: 'www.example.com', type: 'A', flags: ['rd', 'ad'] },
  ]);
  await run('query', at, 'www.example.com', '+norecurse');
  assert.deepEqual(asked[2].flags, ['ad']);
});

test('a server that does no recursion: a warning, and where the path is shown', async (t) => {
  const { at } = await server(t, false);
  const asked = await run('query', at, 'www.example.com');
  assert.equal(asked.code, 0);
  assert.match(asked.out, /RD sent, RA not received/);
  assert.match(asked.err, /does not do recursion, which was asked for/);
  assert.match(asked.err, /nametap trace www\.example\.com A/);
  const dig = await run('query', at, 'www.example.com', '+dig');
  assert.match(dig.out, /;; flags: qr rd; .*\n;; WARNING: recursion requested but not available/);
  const not = await run('query', at, 'www.example.com', '+norecurse');
  assert.equal(not.err, '');
});

test('aliases in a circle, and a server that makes answers up, are told', async (t) => {
  const { port } = await udpServer(t, (query, reply) => {
    const [{ name, type }] = decodeMessage(query).questions;
    const circle = [
      { name: 'a.example', type: 'CNAME', ttl: 1, data: 'b.example' },
      { name: 'b.example', type: 'CNAME', ttl: 1, data: 'a.example' },
    ];
    reply(answerTo(query, { answers: name === 'a.example' ? circle : [address(name, '203.0.113.5')] }));
    assert.equal(type, 'A');
  });
  const circle = await run('query', `@127.0.0.1:${port}`, 'a.example');
  assert.equal(circle.code, 0);
  assert.match(circle.err, /The aliases go round in a circle: a\.example → b\.example → a\.example\./);
  const made = await run('query', `@127.0.0.1:${port}`, 'www.example', '+rewriting');
  assert.match(made.err, /rewrites NXDOMAIN: to names that do not exist it answers 203\.0\.113\.5\./);
});

test("dig's exit codes: 0 for any answer, 1 for mistakes, 8 for the file of names, 9 when nobody answers", async (t) => {
  const { at } = await server(t);
  assert.equal((await run('query', at, 'nowhere.example.com')).code, 0);
  const wrong = await run('query', at, 'www.example.com', '+nonsense');
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /no option \+nonsense/);
  const file = await run('query', at, '-f', '/nonexistent');
  assert.equal(file.code, 8);
  assert.match(file.err, /Cannot open \/nonexistent: there is no such file/);
  const silent = await run('query', at, 'silent.example.com', '+time=0.1', '+tries=2');
  assert.equal(silent.code, 9);
  assert.match(silent.out, /did not answer within [\d.]+ ms \(2 tries\)/);
  const refused = await run('query', '@127.0.0.1:9', 'www.example.com', '+short');
  assert.deepEqual([refused.code, refused.out], [9, '']);
  assert.match(refused.err, /nothing listens on that port/);
});

test('outputs: short, dig, JSON, dns-json, YAML, colours', async (t) => {
  const { at, words } = await server(t);
  assert.equal((await run('query', at, 'www.example.com', '+short')).out, '192.0.2.7\n');
  const dig = (await run('query', ...words, 'www.example.com', '-T', 'dig')).out;
  assert.match(dig, /^\n; <<>> nametap [\d.]+ <<>> @127\.0\.0\.1 www\.example\.com\n/);
  assert.match(dig, /;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: \d+\n;; flags: qr rd ra; QUERY: 1, ANSWER: 1/);
  assert.match(dig, /;; ANSWER SECTION:\nwww\.example\.com\.\t60\tIN\tA\t192\.0\.2\.7\n/);
  assert.match(
    dig,
    /;; Query time: \d+ msec\n;; SERVER: 127\.0\.0\.1#\d+\(127\.0\.0\.1\) \(UDP\)\n;; WHEN: \w{3} \w{3} \d\d /,
  );
  assert.equal(
    (await run('query', at, 'www.example.com', '+noall', '+answer')).out,
    'www.example.com.\t60\tIN\tA\t192.0.2.7\n',
  );

  const json = JSON.parse((await run('query', at, 'www.example.com', '+json')).out) as {
    queryMessage: Record<string, unknown>;
    responseMessage: { ID: number; answerRRs: Record<string, unknown>[] };
  };
  assert.equal(json.queryMessage.QNAME, 'www.example.com.');
  assert.equal(json.queryMessage.ID, json.responseMessage.ID);
  assert.deepEqual(json.responseMessage.answerRRs[0], {
    NAME: 'www.example.com.',
    TYPE: 1,
    TYPEname: 'A',
    CLASS: 1,
    CLASSname: 'IN',
    TTL: 60,
    RDLENGTH: 4,
    RDATAHEX: 'C0000207',
    rdataA: '192.0.2.7',
  });
  const doh: unknown = JSON.parse((await run('query', at, 'www.example.com', '-T', 'dns-json')).out);
  assert.deepEqual(doh, {
    Status: 0,
    TC: false,
    RD: true,
    RA: true,
    AD: false,
    CD: false,
    Question: [{ name: 'www.example.com.', type: 1 }],
    Answer: [{ name: 'www.example.com.', type: 1, TTL: 60, data: '192.0.2.7' }],
  });
  const { parse } = await import('yaml');
  const yaml = parse((await run('query', at, 'www.example.com', '+yaml')).out, { logLevel: 'silent' }) as {
    message: { response_message_data: { status: string; ANSWER_SECTION: string[] } };
  }[];
  assert.equal(yaml[0].message.response_message_data.status, 'NOERROR');
  assert.deepEqual(yaml[0].message.response_message_data.ANSWER_SECTION, ['www.example.com. 60 IN A 192.0.2.7']);
  const colored = (await run('query', at, 'www.example.com', '--color', 'always')).out;
  assert.ok(colored.includes('\u001b[32mA\u001b[0m'));
});

test('+help lists every option with what it does', async () => {
  const { code, out } = await run('query', '+help');
  assert.equal(code, 0);
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, PLUS_OPTIONS.length);
  for (const [i, { name, summary }] of PLUS_OPTIONS.entries()) {
    assert.match(lines[i], new RegExp(`^\\+(?:\\[no\\])?${name}[ =[]`));
    assert.ok(lines[i].endsWith(summary));
  }
});

test('-x, -f, -q, -t, several names', async (t) => {
  const { at, asked } = await server(t);
  const reverse = await run('query', at, '-x', '192.0.2.7', '+short');
  assert.equal(reverse.out, 'host.example.com.\n');
  const file = join(folder(), 'words');
  writeFileSync(file, '# a comment\nwww.example.com AAAA\n\nmail.example.com +norecurse\n');
  assert.equal((await run('query', at, '-f', file, '+short')).out, '192.0.2.7\n192.0.2.7\n');
  await run('query', at, '-q', 'mx', '-t', 'ns');
  await run('query', at, 'a.example', 'b.example', 'A', 'MX');
  assert.deepEqual(
    asked.map(({ name, type }) => `${name} ${type}`),
    [
      '7.2.0.192.in-addr.arpa PTR',
      'www.example.com AAAA',
      'mail.example.com A',
      'mx NS',
      'a.example A',
      'a.example MX',
      'b.example A',
      'b.example MX',
    ],
  );
  assert.deepEqual(asked[2].flags, ['ad']);
});

test('compare: what differs, whether it matters, exit as diff', async (t) => {
  const { at: one } = await server(t);
  const { port } = await udpServer(t, (query, reply) => {
    const [{ name }] = decodeMessage(query).questions;
    const data = name === 'other.example.com' ? '203.0.113.9' : '192.0.2.7';
    reply(answerTo(query, { answers: [address(name, data, 5)], edns: {} }));
  });
  const names = join(folder(), 'names');
  writeFileSync(names, 'www.example.com\nother.example.com A\n');
  const same = await run('compare', one, `@127.0.0.1:${port}`, 'www.example.com');
  assert.equal(same.code, 0, same.out);
  assert.match(same.out, /^1 question, 0 the same, 1 harmless\n {2}1 × other times to live\n/);
  const differs = await run('compare', one, `@127.0.0.1:${port}`, '-f', names);
  assert.equal(differs.code, 1);
  assert.match(
    differs.out,
    /other\.example\.com A {2}matters {2}[\d.]+ ms \| [\d.]+ ms\n {2}other answers, none in common: .*192\.0\.2\.7 \| .*203\.0\.113\.9/,
  );
  const json = (await run('compare', one, `@127.0.0.1:${port}`, '-f', names, '-T', 'json')).out.trimEnd().split('\n');
  assert.equal(json.length, 3);
  const { summary } = JSON.parse(json[2]) as { summary: { questions: number; weights: object } };
  assert.deepEqual([summary.questions, summary.weights], [2, { harmless: 1, matters: 1 }]);
  assert.match((await run('compare', one)).err, /wants two servers/);
});

test('replay: a capture and a file of names, and what is answered otherwise', async (t) => {
  const { at, asked } = await server(t);
  const names = join(folder(), 'names');
  writeFileSync(names, 'www.example.com\nmail.example.com MX\n');
  const plain = await run('replay', names, at, '-T', 'json');
  assert.equal(plain.code, 0, plain.err);
  const told = JSON.parse(plain.out) as { sent: number; answered: number; lost: number; rcodes: object };
  assert.deepEqual([told.sent, told.answered, told.lost, told.rcodes], [2, 2, 0, { NOERROR: 2 }]);
  assert.deepEqual(asked.map(({ type }) => type).toSorted(), ['A', 'MX']);

  const before = await run('replay', capture('udp.pcap'), at, '--timeout', '1');
  assert.equal(before.code, 1, 'answers differ from those of then');
  assert.match(before.out, /compared with before, \d+ the same, \d+ matters/);
  assert.match(before.out, /× other answers, none in common/);

  const nobody = await run('replay', names, '@127.0.0.1:9', '--timeout', '1');
  assert.equal(nobody.code, 2);
  assert.match(nobody.out, /ended early: nobody listens there/);
  const wrong = await run('replay', names);
  assert.match(wrong.err, /wants one file and one server/);
});

test('mistakes in words are told before anything is printed or sent', async (t) => {
  const { asked, at } = await server(t);
  for (const [words, expected] of [
    [['query', at, 'www.example', '-b', '127.0.0.1#99999'], /-b wants an address of this machine, or ADDRESS#PORT/],
    [['query', at, 'www.example', '-b', '127.0.0.1#x'], /-b wants an address/],
    [['query', at, 'www.example', 'IXFR=abc'], /IXFR wants a serial/],
    [['trace', 'a..b', '--root', '127.0.0.1'], /empty label/],
    [['trace', 'www.example', 'NOTYPE'], /is not an RR type/],
    [['trace', 'www.example', '--timeout', '0'], /--timeout wants seconds/],
  ] as const) {
    const { code, out, err } = await run(...words);
    assert.deepEqual([code, out], [1, ''], words.join(' '));
    assert.match(err, expected);
  }
  assert.deepEqual(asked, []);
});

test('servers that are not there are compared with nothing', async () => {
  const { code, out, err } = await run('compare', '@127.0.0.1:9', '@127.0.0.1:9', 'www.example');
  assert.equal(code, 2);
  assert.match(out, /^1 question, 1 the same/);
  assert.match(err, /none of the servers answered/);
  const one = join(folder(), 'one.txt');
  writeFileSync(one, 'a.example\n'.repeat(50));
  const began = performance.now();
  const replay = await run('replay', one, '@127.0.0.1:9', '-w', '1');
  assert.equal(replay.code, 2);
  assert.match(replay.out, /ended early: nobody listens there/);
  assert.ok(performance.now() - began < 30_000, 'not five seconds for each');
});

test('an answer larger than what was asked for is told', async (t) => {
  const { port } = await udpServer(t, (query, reply) => {
    const [{ name }] = decodeMessage(query).questions;
    const answers = [{ name, type: 'TXT', ttl: 1, data: `"${'x'.repeat(250)}" `.repeat(4) }];
    reply(answerTo(query, { answers }));
  });
  const asked = (...words: string[]) => run('query', `@127.0.0.1:${port}`, 'big.example', 'TXT', ...words);
  const small = await asked('+bufsize=600');
  assert.equal(small.code, 0);
  assert.match(small.err, /the answer has 1\d{3} bytes, more than the 600 that were asked for/);
  assert.match((await asked('+noedns')).err, /more than the 512/);
  assert.equal((await asked()).err, '');
});
