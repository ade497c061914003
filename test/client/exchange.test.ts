import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { exchange, type ExchangeOptions } from '../../src/client/exchange.ts';
import { Connections } from '../../src/client/connections.ts';
import { Deadline } from '../../src/client/deadline.ts';
import { CookieJar } from '../../src/client/cookies.ts';
import { isOwnTraffic } from '../../src/client/own-traffic.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { address, answerTo, bothServers, framed, tcpServer, udpServer } from './servers.ts';

const question = { name: 'www.Example.com', type: 'A' };
const udp = { transport: 'udp', timeoutMs: 200, tries: 1 } as const;
const www = address('www.example.com');

test('an answer over UDP: times, sizes, both ends, own traffic', async (t) => {
  const server = await udpServer(t, (query, reply) => reply(answerTo(query, { answers: [www] })));
  const result = await exchange(question, { ...udp, server });
  assert.equal(result.outcome, 'answered');
  assert.deepEqual(result.response?.answers, [{ ...www, class: 'IN' }]);
  const [attempt] = result.attempts;
  assert.equal(result.attempts.length, 1);
  assert.equal(attempt.bytesOut, result.query.length);
  assert.equal(attempt.bytesIn, result.bytes?.length);
  assert.ok(attempt.ms > 0 && attempt.ms === result.ms);
  assert.match(result.sentence, /^127\.0\.0\.1#\d+ over UDP answered in [\d.]+ ms\.$/);
  assert.ok(attempt.local !== undefined);
  assert.equal(isOwnTraffic('udp', attempt.local.address, attempt.local.port, Date.now()), true);
  assert.equal(isOwnTraffic('udp', attempt.local.address, attempt.local.port, Date.now() + 60_000), false);
  assert.equal(isOwnTraffic('tcp', attempt.local.address, attempt.local.port, Date.now()), false);
});

test('every query has an id and a port nobody can guess', async (t) => {
  const ids = new Set<number>();
  const ports = new Set<number>();
  const server = await udpServer(t, (query, reply, from) => {
    ids.add(query.readUInt16BE(0));
    ports.add(from.port);
    reply(answerTo(query));
  });
  for (let i = 0; i < 40; i++) await exchange(question, { ...udp, server });
  assert.ok(ids.size >= 38, `${ids.size} ids`);
  assert.ok(ports.size >= 35, `${ports.size} ports`);
});

test('silence: exact tries and times', async (t) => {
  let seen = 0;
  const server = await udpServer(t, () => void seen++);
  const began = performance.now();
  const result = await exchange(question, { ...udp, server, timeoutMs: 100, tries: 3 });
  const took = performance.now() - began;
  assert.equal(result.outcome, 'timeout');
  assert.equal(result.response, null);
  assert.deepEqual([seen, result.attempts.length], [3, 3]);
  assert.ok(took >= 300 && took < 2000, `${took} ms`);
  for (const { ms } of result.attempts) assert.ok(ms >= 100 && ms < 1000, `${ms} ms`);
  assert.match(result.sentence, /did not answer within .* \(3 tries\)/);
});

test('a time-out is never early, even when the event loop was held up', async () => {
  const held = performance.now();
  while (performance.now() - held < 20);
  const began = performance.now();
  await new Promise<void>((resolve) => void new Deadline(30, resolve));
  assert.ok(performance.now() - began >= 30);
});

test('an answer to the second try', async (t) => {
  let seen = 0;
  const server = await udpServer(t, (query, reply) => {
    if (++seen === 2) reply(answerTo(query, { answers: [www] }));
  });
  const result = await exchange(question, { ...udp, server, timeoutMs: 100, tries: 3 });
  assert.deepEqual(
    result.attempts.map(({ outcome }) => outcome),
    ['timeout', 'answered'],
  );
});

test('what does not fit is passed over and counted', async (t) => {
  const server = await udpServer(t, (query, reply) => {
    const wrong = Buffer.from(answerTo(query, { answers: [address('www.example.com', '203.0.113.66')] }));
    wrong.writeUInt16BE((query.readUInt16BE(0) + 1) & 0xffff, 0);
    reply(wrong);
    reply(answerTo(query, { questions: [{ name: 'evil.example', type: 'A' }] }));
    reply(Buffer.from('no message'));
    // A query with our id is no answer.
    reply(query);
    reply(answerTo(query, { answers: [www] }));
  });
  const result = await exchange(question, { ...udp, server });
  assert.equal(result.outcome, 'answered');
  assert.equal(result.response?.answers[0].data, '192.0.2.7');
  assert.deepEqual(result.discarded, { wrongId: 1, wrongQuestion: 1, wrongSource: 0, garbage: 2 });
  assert.match(result.sentence, /Passed over: 1 with another id, 1 to another question, 2 that were no DNS messages\./);
});

test('letters in random cases have to come back as they went', async (t) => {
  let exact = false;
  const asked = new Set<string>();
  const server = await udpServer(t, (query, reply) => {
    const { questions } = decodeMessage(query);
    asked.add(questions[0].name);
    reply(answerTo(query, exact ? {} : { questions: [{ name: questions[0].name.toLowerCase(), type: 'A' }] }));
  });
  const long = { name: 'a-name-with-a-great-many-letters.example.com', type: 'A' };
  const forged = await exchange(long, { ...udp, server, caseRandom: true });
  assert.equal(forged.outcome, 'wrong_question');
  assert.equal(forged.discarded.wrongQuestion, 1);
  exact = true;
  assert.equal((await exchange(long, { ...udp, server, caseRandom: true })).outcome, 'answered');
  assert.equal(asked.size, 2, 'each query has its own cases');
});

test('a cut answer is asked for again over TCP, with both times', async (t) => {
  const many = Array.from({ length: 100 }, (_, i) => address('www.example.com', `192.0.2.${i}`));
  const server = await bothServers(
    t,
    (query, reply) => reply(answerTo(query, { flags: ['qr', 'tc', 'ra'] })),
    (query, socket) => socket.write(framed(answerTo(query, { answers: many }))),
  );
  const result = await exchange(question, { ...udp, server });
  assert.equal(result.outcome, 'answered');
  assert.equal(result.response?.answers.length, 100);
  assert.deepEqual(
    result.attempts.map(({ transport, outcome }) => [transport, outcome]),
    [
      ['udp', 'truncated'],
      ['tcp', 'answered'],
    ],
  );
  assert.equal(result.udpMs, result.attempts[0].ms);
  assert.equal(result.tcpMs, result.attempts[1].ms);
  assert.ok((result.attempts[1].connectMs ?? 0) > 0);

  const kept = await exchange(question, { ...udp, server, fallbackToTcp: false });
  assert.equal(kept.outcome, 'truncated');
  assert.ok(kept.response?.flags.includes('tc'));
});

test('a cut answer without TCP stays what it is', async (t) => {
  const server = await udpServer(t, (query, reply) => reply(answerTo(query, { flags: ['qr', 'tc'], answers: [www] })));
  const result = await exchange(question, { ...udp, server });
  assert.equal(result.outcome, 'truncated');
  assert.equal(result.response?.answers.length, 1);
  assert.deepEqual(
    result.attempts.map(({ outcome }) => outcome),
    ['truncated', 'refused'],
  );
});

test('servers that do not understand EDNS, or not its version, are asked otherwise, and it is told', async (t) => {
  const old = await udpServer(t, (query, reply) =>
    reply(
      decodeMessage(query).edns === undefined
        ? answerTo(query, { answers: [www] })
        : answerTo(query, { rcode: 'FORMERR', questions: [] }),
    ),
  );
  const without = await exchange(question, { ...udp, server: old, edns: { do: true } });
  assert.deepEqual(
    without.attempts.map(({ outcome }) => outcome),
    ['formerr_fallback', 'answered'],
  );
  assert.equal(without.response?.answers.length, 1);
  const asItIs = await exchange(question, { ...udp, server: old, edns: {}, ednsFallback: false });
  assert.equal(asItIs.response?.rcode, 'FORMERR');

  const strict = await udpServer(t, (query, reply) => {
    const isNew = (decodeMessage(query).edns?.version ?? 0) > 0;
    reply(answerTo(query, isNew ? { rcode: 'BADVERS', edns: { version: 0 } } : { answers: [www], edns: {} }));
  });
  const older = await exchange(question, { ...udp, server: strict, edns: { version: 3 } });
  assert.deepEqual(
    older.attempts.map(({ outcome }) => outcome),
    ['badvers_fallback', 'answered'],
  );
});

test('the cookie of a server is kept and given back; BADCOOKIE is asked again', async (t) => {
  const cookies = new CookieJar();
  const seen: string[] = [];
  const server = await udpServer(t, (query, reply) => {
    const cookie = decodeMessage(query).edns?.options.find(({ code }) => code === 10)?.data ?? '';
    seen.push(cookie.toLowerCase());
    const given = { options: [{ code: 10, name: 'COOKIE', data: `${cookie.slice(0, 16)}0011223344556677` }] };
    const isFirst = cookie.length === 16;
    reply(answerTo(query, isFirst ? { rcode: 'BADCOOKIE', edns: given } : { answers: [www], edns: given }));
  });
  const result = await exchange(question, { ...udp, server, edns: { cookie: true }, cookies });
  assert.deepEqual(
    result.attempts.map(({ outcome }) => outcome),
    ['badcookie_retry', 'answered'],
  );
  assert.equal(seen[1], `${seen[0]}0011223344556677`);
  await exchange(question, { ...udp, server, edns: { cookie: true }, cookies });
  assert.equal(seen[2], seen[1], 'at once the next time');
  const other = await udpServer(t, (query, reply) => {
    seen.push(decodeMessage(query).edns?.options[0]?.data ?? '');
    reply(answerTo(query));
  });
  await exchange(question, { ...udp, server: other, edns: { cookie: true }, cookies });
  assert.notEqual(seen[3].toLowerCase().slice(0, 16), seen[0], 'another server gets another cookie');
});

test('cookies that are never taken lead to TCP, those of others are not for us', async (t) => {
  const cookieOf = (query: Uint8Array) =>
    decodeMessage(query).edns?.options.find(({ code }) => code === 10)?.data ?? '';
  const option = (data: string) => ({ options: [{ code: 10, name: 'COOKIE', data }] });
  const never = await bothServers(
    t,
    (query, reply) =>
      reply(answerTo(query, { rcode: 'BADCOOKIE', edns: option(`${cookieOf(query).slice(0, 16)}0011223344556677`) })),
    (query, socket) => socket.write(framed(answerTo(query, { answers: [www] }))),
  );
  const result = await exchange(question, { ...udp, server: never, edns: { cookie: true } });
  assert.deepEqual(
    result.attempts.map(({ transport, outcome }) => `${transport} ${outcome}`),
    ['udp badcookie_retry', 'udp badcookie_retry', 'tcp answered'],
  );
  const other = await udpServer(t, (query, reply) =>
    reply(answerTo(query, { answers: [www], edns: option('ffffffffffffffff0011223344556677') })),
  );
  const forged = await exchange(question, { ...udp, tries: 2, server: other, edns: { cookie: true } });
  assert.equal(forged.outcome, 'wrong_question');
  assert.deepEqual([forged.response, forged.discarded.wrongQuestion, forged.attempts.length], [null, 2, 2]);
});

test('TCP: many questions on one connection, answers in any order', async (t) => {
  const held: (() => void)[] = [];
  let connections = 0;
  const seen = new Set<unknown>();
  const server = await tcpServer(t, (query, socket) => {
    if (!seen.has(socket)) connections++;
    seen.add(socket);
    const { name } = decodeMessage(query).questions[0];
    held.push(() =>
      socket.write(framed(answerTo(query, { answers: [address(name, `192.0.2.${name.slice(1, -5)}`)] }))),
    );
    if (held.length === 20) for (const send of held.reverse()) send();
  });
  const pool = new Connections();
  const options: ExchangeOptions = { transport: 'tcp', server, timeoutMs: 2000, tries: 1, connections: pool };
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => exchange({ name: `n${i}.test`, type: 'A' }, options)),
  );
  assert.deepEqual(
    results.map(({ response }) => response?.answers[0].data),
    results.map((_, i) => `192.0.2.${i}`),
  );
  assert.equal(connections, 1);
  assert.equal(
    results.filter(({ attempts }) => attempts[0].connectMs !== undefined).length,
    1,
    'one of them opened it',
  );
  pool.close();
});

test('TCP: a connection that went silent is not asked again', async (t) => {
  const seen = new Set<unknown>();
  const server = await tcpServer(t, (query, socket) => {
    seen.add(socket);
    // The first connection answers once.
    if (seen.size > 1 || decodeMessage(query).questions[0].name === 'first.test') socket.write(framed(answerTo(query)));
  });
  const connections = new Connections();
  const options = { transport: 'tcp', server, timeoutMs: 150, tries: 2, connections } as const;
  assert.equal((await exchange({ name: 'first.test', type: 'A' }, options)).attempts.length, 1);
  const second = await exchange({ name: 'second.test', type: 'A' }, options);
  assert.deepEqual(
    second.attempts.map(({ outcome }) => outcome),
    ['timeout', 'answered'],
  );
  assert.equal(seen.size, 2);
  connections.close();
});

test('TCP: an answer in single bytes comes, one that drips too slowly does not hold us', async (t) => {
  const server = await tcpServer(t, (query, socket) => {
    const bytes = framed(answerTo(query, { answers: [www] }));
    const isSlow = decodeMessage(query).questions[0].name.startsWith('slow');
    let at = 0;
    const timer = setInterval(
      () => {
        if (at < bytes.length) socket.write(bytes.subarray(at, ++at));
        else clearInterval(timer);
      },
      isSlow ? 50 : 1,
    );
    socket.once('close', () => clearInterval(timer));
  });
  const options = { transport: 'tcp', server, timeoutMs: 400, tries: 3 } as const;
  const bits = await exchange(question, { ...options, timeoutMs: 2000 });
  assert.equal(bits.outcome, 'answered');
  const began = performance.now();
  const slow = await exchange({ name: 'slow.example.com', type: 'A' }, options);
  const took = performance.now() - began;
  assert.equal(slow.outcome, 'slow');
  assert.ok(took >= 400 && took < 2000, `${took} ms`);
  assert.match(slow.sentence, /began to answer and had sent \d+ bytes/);
});

test('UPDATE, NOTIFY and other operations are answered as such', async (t) => {
  const server = await udpServer(t, (query, reply) => reply(answerTo(query, { flags: ['qr'] })));
  const result = await exchange(
    { name: 'example.com', type: 'SOA' },
    { ...udp, server, opcode: 'NOTIFY', flags: ['aa'], recursionDesired: false },
  );
  assert.equal(result.outcome, 'answered');
  assert.equal(result.response?.opcode, 'NOTIFY');
  assert.deepEqual(decodeMessage(result.query).flags, ['aa']);
});

/** Each failure has an outcome of its own and says in plain words what it is. */
test('nobody there, no way there, no DNS there, gone too early', async (t) => {
  const refused = await exchange(question, { ...udp, server: { address: '127.0.0.1', port: 9 } });
  assert.equal(refused.outcome, 'refused');
  assert.match(refused.sentence, /refused: nothing listens on that port\.$/);
  assert.equal(refused.attempts.length, 1, 'at once, without further tries');
  const refusedTcp = await exchange(question, { ...udp, transport: 'tcp', server: { address: '127.0.0.1', port: 9 } });
  assert.equal(refusedTcp.outcome, 'refused');

  // A link-local address without its link: no system has a way there.
  const nowhere = await exchange(question, { ...udp, server: { address: 'fe80::1', port: 53 } });
  assert.ok(['unreachable', 'not_sent'].includes(nowhere.outcome), nowhere.outcome);

  const garbage = await udpServer(t, (query, reply) => {
    const bytes = Buffer.from(answerTo(query, { answers: [www] }));
    bytes.writeUInt16BE(5, 6);
    reply(bytes);
  });
  const cut = await exchange(question, { ...udp, server: garbage });
  assert.equal(cut.outcome, 'garbage');
  assert.match(cut.sentence, /no DNS message: count short at octet \d+\.$/);
  assert.equal(cut.response?.answers.length, 1, 'what could be read is shown');

  const noise = await udpServer(t, (_, reply) => reply(Buffer.from('HTTP/1.1 400 Bad Request')));
  assert.equal((await exchange(question, { ...udp, server: noise })).outcome, 'garbage');

  const guesser = await udpServer(t, (query, reply) => {
    const bytes = Buffer.from(answerTo(query));
    bytes[0] ^= 0xff;
    reply(bytes);
  });
  const guessed = await exchange(question, { ...udp, server: guesser });
  assert.equal(guessed.outcome, 'wrong_id');
  assert.match(guessed.sentence, /only answers with another id .* somebody is guessing/);

  const early = await tcpServer(t, (query, socket) => socket.end(framed(answerTo(query)).subarray(0, 9)));
  const closed = await exchange(question, { ...udp, transport: 'tcp', server: early });
  assert.equal(closed.outcome, 'closed');
  assert.match(closed.sentence, /closed the connection before its answer was complete/);

  const empty = await tcpServer(t, (_, socket) => socket.write(Buffer.from([0, 0])));
  assert.equal((await exchange(question, { ...udp, transport: 'tcp', server: empty })).outcome, 'garbage');
});

test('giving up: by a signal, before and while', async (t) => {
  const server = await udpServer(t, () => undefined);
  const before = await exchange(question, { ...udp, server, signal: AbortSignal.abort() });
  assert.equal(before.outcome, 'aborted');
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const began = performance.now();
  const during = await exchange(question, { ...udp, server, timeoutMs: 5000, tries: 3, signal: stop.signal });
  assert.equal(during.outcome, 'aborted');
  assert.ok(performance.now() - began < 1000);
});

test('a connection that is never taken up ends in time', async (t) => {
  // The backlog of a listener that takes nobody: the handshake stands, nothing is read.
  const server = createServer({ pauseOnConnect: true }, (socket) => void socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const result = await exchange(question, { ...udp, transport: 'tcp', server: { address: '127.0.0.1', port } });
  assert.equal(result.outcome, 'timeout');
});

test('what cannot be asked is a mistake of the caller', async () => {
  const server = { address: '127.0.0.1', port: 9 };
  await assert.rejects(exchange({ name: 'a..b', type: 'A' }, { ...udp, server }), /empty label/);
  await assert.rejects(exchange({ name: 'a', type: 'NOTYPE' }, { ...udp, server }), /not an RR type/);
  assert.throws(() => encodeMessage({ questions: [{ name: 'a'.repeat(64), type: 'A' }] }), /64 bytes/);
});

test('floods of what nobody asked for: time-outs hold over UDP, a stream is ended', async (t) => {
  let flood: NodeJS.Timeout | undefined;
  const udp = await udpServer(t, (query, reply) => {
    const wrong = answerTo(query);
    wrong[0] ^= 1;
    flood = setInterval(() => {
      for (let i = 0; i < 200; i++) reply(wrong);
    }, 1);
  });
  const began = performance.now();
  const flooded = await exchange(question, { server: udp, transport: 'udp', timeoutMs: 300, tries: 1 });
  clearInterval(flood);
  assert.equal(flooded.outcome, 'wrong_id');
  assert.ok(flooded.discarded.wrongId > 100, String(flooded.discarded.wrongId));
  assert.ok(performance.now() - began < 5000);
  const tcp = await tcpServer(t, (query, socket) => {
    const wrong = answerTo(query);
    wrong[0] ^= 1;
    const many = Buffer.concat(Array.from({ length: 500 }, () => framed(wrong)));
    const write = (): void => {
      while (!socket.destroyed && socket.write(many));
    };
    socket.on('drain', write);
    write();
  });
  const ended = await exchange(question, { server: tcp, transport: 'tcp', timeoutMs: 30_000, tries: 1 });
  assert.equal(ended.outcome, 'wrong_id');
  assert.ok(ended.ms < 20_000, `${ended.ms} ms`);
  assert.equal(ended.discarded.wrongId, 1000);
});
