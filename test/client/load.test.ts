import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import events from 'node:events';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { differences, weightOf } from '../../src/client/difference.ts';
import { isAnswerTo, type LoadQuery, rcodeCounts, runLoad } from '../../src/client/load/load.ts';
import { OpenQueries } from '../../src/client/load/open-queries.ts';
import { encodeQuery } from '../../src/client/question.ts';
import { UserError } from '../../src/core/errors.ts';
import { ReplayCompare } from '../../src/client/replay.ts';
import { decodeMessage, encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import { address, answerTo, framed, tcpServer, tlsServer, udpServer } from './servers.ts';

const queries = (count: number): LoadQuery[] =>
  Array.from({ length: count }, (_, i) => ({ query: encodeQuery({ name: `n${i}.test`, type: 'A' }, {}, 0) }));

function once<T>(list: readonly T[]): () => readonly T[] | null {
  let given = false;
  return () => {
    if (given) return null;
    given = true;
    return list;
  };
}

for (const simple of [false, true]) {
  test(`${simple ? "Node's sockets" : "the system's batches"}: every query is answered or lost, within the window`, async (t) => {
    const seen = new Set<number>();
    let under = 0;
    let most = 0;
    const server = await udpServer(t, (query, reply) => {
      seen.add(query.readUInt16BE(0));
      const { name } = decodeMessage(query).questions[0];
      if (name === 'n7.test') return;
      most = Math.max(most, ++under);
      setImmediate(() => {
        under--;
        reply(answerTo(query, name === 'n9.test' ? { rcode: 'NXDOMAIN' } : { answers: [address(name)] }));
        // An answer again, one to another question, and noise: none is counted as an answer.
        if (name === 'n1.test') {
          reply(answerTo(query));
          reply(Buffer.from('noise'));
        }
        if (name === 'n2.test') reply(answerTo(query, { questions: [{ name: 'evil.test', type: 'A' }] }));
      });
    });
    const answered: string[] = [];
    const lost: string[] = [];
    const nameOf = ({ query }: LoadQuery) => decodeMessage(query).questions[0].name;
    const result = await runLoad(
      once(queries(500)),
      { server, window: 20, timeoutMs: 300, simple },
      { answered: (query) => answered.push(nameOf(query)), lost: (query) => lost.push(nameOf(query)) },
    );
    assert.deepEqual([result.sent, result.answered, result.lost], [500, 499, 1]);
    assert.equal(result.unexpected, 3);
    assert.deepEqual(lost, ['n7.test']);
    assert.equal(new Set(answered).size, 499);
    assert.deepEqual(rcodeCounts(result), { NOERROR: 498, NXDOMAIN: 1 });
    assert.ok(most <= 20, `${most} at once`);
    assert.equal(seen.size, 500, 'each has an id of its own');
    assert.equal(result.latency.n, 499);
  });

  test(`${simple ? "Node's sockets" : "the system's batches"}: a pace holds, a signal stops, nobody there is told`, async (t) => {
    const server = await udpServer(t, (query, reply) => reply(answerTo(query)));
    const paced = await runLoad(once(queries(100)), { server, rate: 400, simple });
    assert.ok(paced.seconds > 0.22 && paced.seconds < 3, `${paced.seconds} s`);
    const timed = queries(3).map((one, i) => ({ ...one, at: i * 100 }));
    const asRecorded = await runLoad(once(timed), { server, simple });
    assert.ok(asRecorded.seconds > 0.19 && asRecorded.seconds < 3, `${asRecorded.seconds} s`);
    const endless = queries(50);
    const stopped = await runLoad(() => endless, { server, simple, signal: AbortSignal.timeout(100) });
    assert.equal(stopped.ended, 'stopped');
    assert.ok(stopped.answered > 50);
    const nobody = await runLoad(once(queries(5)), {
      server: { address: '127.0.0.1', port: 9 },
      simple,
      timeoutMs: 3000,
    });
    assert.equal(nobody.ended, 'nobody listens there');
    assert.ok(nobody.refused > 0);
  });
}

test('ids are used again as late as may be, the oldest query is known', () => {
  const open = new OpenQueries<number>(randomBytes(2 ** 17));
  const ids: number[] = [];
  for (let i = 0; i < 65_535; i++) ids.push(open.add(i, i));
  assert.equal(new Set(ids).size, 65_535);
  assert.equal(open.oldest, ids[0]);
  open.remove(ids[0]);
  open.remove(ids[500]);
  assert.equal(open.oldest, ids[1]);
  const last = open.add(-1, 1);
  assert.ok(last !== ids[0] && last !== ids[500], 'the one that was never used comes first');
  assert.equal(open.add(-2, 1), ids[0]);
  assert.equal(open.add(-3, 1), ids[500]);
  for (const id of [...ids.slice(1, 500), ...ids.slice(501), last]) open.remove(id);
  assert.equal(open.at(open.oldest), -2);
  assert.equal(open.count, 2);
});

test('an answer has to have the question, whatever its letters', () => {
  const query = encodeQuery({ name: 'www.example.com', type: 'A' }, { edns: {} }, 0);
  const fits = (more: MessageInput) => {
    const bytes = encodeMessage({ flags: ['qr'], questions: [{ name: 'www.example.com', type: 'A' }], ...more });
    return isAnswerTo(query, bytes, 0, bytes.length);
  };
  assert.equal(fits({}), true);
  assert.equal(fits({ questions: [{ name: 'WWW.example.COM', type: 'A' }] }), true);
  assert.equal(fits({ questions: [{ name: 'www.example.com', type: 'AAAA' }] }), false);
  assert.equal(fits({ questions: [{ name: 'ww2.example.com', type: 'A' }] }), false);
  assert.equal(fits({ questions: [{ name: 'www.example.com.evil', type: 'A' }] }), false);
  assert.equal(fits({ flags: [] }), false);
  assert.equal(fits({ opcode: 'NOTIFY' }), false);
  assert.equal(fits({ questions: [], rcode: 'FORMERR' }), true);
  assert.equal(fits({ questions: [] }), false);
});

test('differences by what differs, and whether it matters', () => {
  const message = (more: MessageInput) => decodeMessage(encodeMessage({ flags: ['qr', 'ra'], ...more }));
  const a = { answers: [address('a.test', '192.0.2.1', 60), address('a.test', '192.0.2.2', 60)] };
  const kinds = (b: MessageInput | null, one: MessageInput = a) =>
    differences(message(one), b === null ? null : message(b)).map(({ kind }) => kind);
  assert.deepEqual(kinds(a), []);
  assert.deepEqual(kinds(null), ['silence']);
  assert.deepEqual(kinds({ answers: a.answers.toReversed() }), ['order']);
  assert.deepEqual(kinds({ answers: [address('A.TEST', '192.0.2.1', 60), address('a.test', '192.0.2.2', 60)] }), []);
  assert.deepEqual(kinds({ answers: a.answers.map((one) => ({ ...one, ttl: 5 })) }), ['ttl']);
  assert.deepEqual(kinds({ answers: a.answers.slice(1) }), ['some_answers']);
  assert.deepEqual(kinds({ answers: [address('a.test', '192.0.2.9')] }), ['answers']);
  assert.deepEqual(kinds({ rcode: 'NXDOMAIN' }), ['rcode', 'answers']);
  assert.deepEqual(kinds({ ...a, flags: ['qr', 'ra', 'ad'] }), ['validation']);
  assert.deepEqual(kinds({ flags: ['qr', 'ra', 'tc'] }), ['truncation']);
  assert.deepEqual(kinds({ ...a, flags: ['qr', 'aa'] }), ['flags']);
  assert.deepEqual(kinds({ ...a, edns: {} }), ['edns']);
  assert.deepEqual(kinds({ ...a, authority: [{ name: 'a.test', type: 'NS', ttl: 1, data: 'ns.test' }] }), [
    'authority',
  ]);
  const refers = (data: string) => ({ authority: [{ name: 'test', type: 'NS', ttl: 1, data }] });
  assert.deepEqual(kinds(refers('ns2.test'), refers('ns1.test')), ['referral']);
  assert.equal(weightOf(differences(message(a), message({ rcode: 'NXDOMAIN' }))), 'matters');
  assert.equal(weightOf(differences(message(a), message({ answers: a.answers.slice(1) }))), 'may matter');
  assert.equal(weightOf(differences(null, null)), undefined);
});

test('what was answered before is compared with what is now, with a few examples of each', () => {
  const compare = new ReplayCompare();
  const query = encodeQuery({ name: 'a.test', type: 'A' }, {}, 0);
  const response = answerTo(query, { answers: [address('a.test')] });
  const now = Buffer.from(response);
  now[0] = 77;
  compare.answered({ query, response }, now);
  for (let i = 0; i < 50; i++) compare.answered({ query, response }, answerTo(query, { rcode: 'SERVFAIL' }));
  compare.lost({ query, response });
  compare.lost({ query });
  compare.answered({ query, wasSilent: true }, now);
  const { compared, same, weights, kinds, examples } = compare.found;
  assert.deepEqual([compared, same], [53, 1]);
  assert.deepEqual(weights, { matters: 52 });
  assert.deepEqual(kinds, { rcode: 50, answers: 50, silence: 2 });
  assert.ok(examples.length <= 6);
});

test('over TCP and TLS: connections share the queries, and are opened again when the server ends them', async (t) => {
  let connections = 0;
  const seen = new Map<Socket, number>();
  const handle = (query: Buffer, socket: Socket): void => {
    const count = (seen.get(socket) ?? 0) + 1;
    if (count === 1) connections++;
    seen.set(socket, count);
    const { name } = decodeMessage(query).questions[0];
    // In pieces, so that messages have to be put together.
    const bytes = framed(answerTo(query, { answers: [address(name)] }));
    socket.write(bytes.subarray(0, 5));
    if (count === 150) socket.end(bytes.subarray(5));
    else if (count < 150) socket.write(bytes.subarray(5));
  };
  const tcp = await tcpServer(t, handle);
  const tls = await tlsServer(t, 'server.pem', handle);
  for (const [server, stream] of [
    [tcp, { transport: 'tcp' }],
    [tls, { transport: 'tls', tls: { verify: false } }],
  ] as const) {
    connections = 0;
    const { sent, answered, lost, unexpected } = await runLoad(once(queries(1000)), {
      server,
      stream,
      timeoutMs: 300,
      window: 20,
    });
    assert.deepEqual([sent, answered + lost, unexpected], [1000, 1000, 0]);
    assert.ok(answered >= 800, `${answered} answered`);
    assert.ok(connections > 4, `${connections} connections`);
  }
  await assert.rejects(
    runLoad(once(queries(1)), { server: { address: '127.0.0.1', port: 9 }, stream: { transport: 'tcp' } }),
    /127\.0\.0\.1#9 over TCP refused: nothing listens on that port/,
  );
  const garbage = await tcpServer(t, (_, socket) => socket.end(Buffer.alloc(10)));
  const none = await runLoad(once(queries(3)), { server: garbage, stream: { transport: 'tcp' }, timeoutMs: 100 });
  assert.deepEqual([none.answered, none.lost], [0, 3]);
});

test('an address with a zone is reached by the batches, one nobody can reach is told', async (t) => {
  // The loopback has no address of the link: the zone is what is tried.
  const socket = createSocket('udp6', (query, from) => socket.send(answerTo(query), from.port, from.address));
  socket.bind(0, '::1');
  await events.once(socket, 'listening');
  t.after(() => socket.close());
  const { port } = socket.address();
  const { answered } = await runLoad(once(queries(5)), { server: { address: '::1%lo', port } });
  assert.equal(answered, 5);
  for (const simple of [false, true]) {
    const nowhere = { address: 'fe80::1', port: 53 };
    await assert.rejects(runLoad(once(queries(1)), { server: nowhere, simple }), (error) => {
      assert.ok(error instanceof UserError);
      return error.message.startsWith('fe80::1#53 cannot be reached: ');
    });
  }
});
