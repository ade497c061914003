import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { AnswerCache, keepSeconds } from '../../src/client/cache.ts';
import { ResolveError, Resolver } from '../../src/client/resolver.ts';
import { checkRewriting } from '../../src/client/rewriting.ts';
import { decodeMessage, encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import { address, answerTo, framed, tcpServer, udpServer } from './servers.ts';

const soa = (ttl: number, minimum: number) => ({
  name: 'example.com',
  type: 'SOA',
  ttl,
  data: `ns.example.com h.example.com 1 2 3 4 ${minimum}`,
});
const alias = (name: string, data: string) => ({ name, type: 'CNAME', ttl: 60, data });

/** A server that answers by name, and counts. */
async function zone(t: TestContext, answer: (name: string, type: string) => MessageInput | null) {
  const asked: string[] = [];
  const server = await udpServer(t, (query, reply) => {
    const { name, type } = decodeMessage(query).questions[0];
    asked.push(`${name.toLowerCase()} ${type}`);
    const given = answer(name.toLowerCase(), type);
    if (given !== null) reply(answerTo(query, given));
  });
  return { text: `${server.address}:${server.port}`, asked, server };
}

function resolverOf(t: TestContext, options: ConstructorParameters<typeof Resolver>[0]): Resolver {
  const resolver = new Resolver({ timeoutMs: 150, tries: 1, ...options });
  t.after(() => resolver.close());
  return resolver;
}

test('own dial: the address as it was written, never the system', async (t) => {
  const { server } = await zone(t, (name) => ({ answers: [address(name)] }));
  const dialled: string[] = [];
  const dial = async (network: 'udp' | 'tcp', to: string) => {
    dialled.push(`${network} ${to}`);
    const socket = createSocket('udp4');
    socket.connect(server.port, server.address);
    await once(socket, 'connect');
    return socket;
  };
  const resolver = resolverOf(t, { servers: ['8.8.8.8:53'], dial });
  assert.deepEqual(await resolver.resolve('www.example.com'), ['192.0.2.7']);
  assert.deepEqual(dialled, ['udp 8.8.8.8:53']);

  const stream = await tcpServer(t, (query, socket) =>
    socket.write(framed(answerTo(query, { answers: [address('x.test')] }))),
  );
  const overTcp = resolverOf(t, {
    servers: ['[2001:db8::1]:5353'],
    transport: 'tcp',
    dial: (network, to) => {
      dialled.push(`${network} ${to}`);
      return Promise.resolve(connect(stream.port, stream.address));
    },
  });
  assert.deepEqual(await overTcp.resolve('x.test'), ['192.0.2.7']);
  assert.equal(dialled[1], 'tcp [2001:db8::1]:5353');
  const broken = resolverOf(t, { servers: ['192.0.2.1'], dial: () => Promise.reject(new Error('no way')) });
  assert.equal((await broken.query('x.test')).outcome, 'not_sent');
});

test('the same question is asked once: while under way, and as long as its TTL lasts', async (t) => {
  const { text, asked } = await zone(t, (name) => ({ answers: [address(name, '192.0.2.7', 60)] }));
  const resolver = resolverOf(t, { servers: [text] });
  const both = await Promise.all([resolver.query('www.example.com'), resolver.query('WWW.example.com')]);
  assert.deepEqual(
    both.map(({ isCached }) => isCached),
    [false, false],
  );
  assert.equal((await resolver.query('www.EXAMPLE.com')).isCached, true);
  assert.deepEqual(asked, ['www.example.com A']);
  assert.deepEqual(resolver.cache, { entries: 1, hits: 1, misses: 1, evicted: 0 });
  const none = resolverOf(t, { servers: [text], cache: false });
  await none.query('www.example.com');
  assert.equal((await none.query('www.example.com')).isCached, false);
});

test('in turn: silent, refusing and failing servers are passed over', async (t) => {
  const silent = await zone(t, () => null);
  const failing = await zone(t, () => ({ rcode: 'SERVFAIL' }));
  const good = await zone(t, (name) => ({ answers: [address(name)] }));
  const resolver = resolverOf(t, { servers: [silent.text, '127.0.0.1:9', failing.text, good.text] });
  const { outcome, exchanges, records } = await resolver.query('www.example.com');
  assert.equal(outcome, 'answered');
  assert.deepEqual(
    exchanges.map((one) => one.response?.rcode ?? one.outcome),
    ['timeout', 'refused', 'SERVFAIL', 'NOERROR'],
  );
  assert.equal(records.length, 1);
  const bad = resolverOf(t, { servers: [failing.text] });
  await assert.rejects(bad.resolve('www.example.com'), (error: ResolveError) => error.code === 'SERVFAIL');
  const dead = resolverOf(t, { servers: [silent.text] });
  await assert.rejects(dead.resolve('www.example.com'), (error: ResolveError) => error.code === 'timeout');
});

test('all at once: the first good answer counts, the others are given up', async (t) => {
  const silent = await zone(t, () => null);
  const failing = await zone(t, () => ({ rcode: 'SERVFAIL' }));
  const good = await zone(t, (name) => ({ answers: [address(name)] }));
  const resolver = resolverOf(t, {
    servers: [silent.text, failing.text, good.text],
    strategy: 'parallel',
    timeoutMs: 3000,
  });
  const began = performance.now();
  assert.deepEqual(await resolver.resolve('www.example.com'), ['192.0.2.7']);
  assert.ok(performance.now() - began < 1500);
  assert.deepEqual(
    [silent, failing, good].map(({ asked }) => asked.length),
    [1, 1, 1],
  );
  const none = resolverOf(t, { servers: [failing.text, '127.0.0.1:9'], strategy: 'parallel' });
  assert.equal((await none.query('www.example.com')).rcode, 'SERVFAIL');
});

test('aliases are followed, in the answer and by asking on; a circle and a chain without end are told', async (t) => {
  const { text, asked } = await zone(t, (name) => {
    if (name === 'a.test') return { answers: [alias('a.test', 'b.test'), alias('b.test', 'c.test')] };
    if (name === 'c.test') return { answers: [address('c.test')] };
    if (name === 'circle.test')
      return { answers: [alias('circle.test', 'other.test'), alias('other.test', 'circle.test')] };
    if (name === 'slow.test') return { answers: [alias('slow.test', 'round.test')] };
    if (name === 'round.test') return { answers: [alias('round.test', 'slow.test')] };
    const step = /^n(\d+)\.endless\.test$/.exec(name);
    if (step !== null) return { answers: [alias(name, `n${Number(step[1]) + 1}.endless.test`)] };
    return { rcode: 'NXDOMAIN' };
  });
  const resolver = resolverOf(t, { servers: [text] });
  const found = await resolver.query('a.test');
  assert.deepEqual(
    [found.names, found.records.map(({ data }) => data)],
    [['a.test', 'b.test', 'c.test'], ['192.0.2.7']],
  );
  for (const name of ['circle.test', 'slow.test']) {
    const circle = await resolver.query(name);
    assert.equal(circle.outcome, 'alias_loop');
    assert.match(circle.sentence, /The aliases go round in a circle: .* → .*\. Nobody can find an address that way\./);
  }
  asked.length = 0;
  const endless = await resolver.query('n1.endless.test');
  assert.equal(endless.outcome, 'alias_loop');
  assert.match(endless.sentence, /more than 16 aliases one after another/);
  assert.ok(asked.length <= 17);
  await assert.rejects(resolver.resolve('circle.test'), (error: ResolveError) => error.code === 'alias_loop');
});

test('a resolver that makes answers up is found out', async (t) => {
  const liar = await zone(t, (name, type) =>
    type === 'A' ? { answers: [address(name, name === 'www.example.com' ? '192.0.2.7' : '203.0.113.1')] } : {},
  );
  const honest = await zone(t, () => ({ rcode: 'NXDOMAIN', authority: [soa(60, 60)] }));
  const options = { transport: 'udp', timeoutMs: 500 } as const;
  const found = await checkRewriting({ ...options, server: liar.server });
  assert.deepEqual([found.isRewriting, found.data], [true, ['203.0.113.1']]);
  assert.match(found.sentence, /rewrites NXDOMAIN: to names that do not exist it answers 203\.0\.113\.1\.$/);
  assert.equal((await checkRewriting({ ...options, server: honest.server })).isRewriting, false);
  const nobody = await checkRewriting({ ...options, server: { address: '127.0.0.1', port: 9 } });
  assert.equal(nobody.isRewriting, null);

  const resolver = resolverOf(t, { servers: [liar.text], detectRewriting: true });
  const made = await resolver.query('nowhere.example.com');
  assert.deepEqual([made.outcome, made.rcode, made.records], ['rewritten', 'NXDOMAIN', []]);
  assert.match(made.sentence, /made this answer up/);
  assert.deepEqual(await resolver.resolve('www.example.com'), ['192.0.2.7']);
});

test('addresses of both families; none at all is an error', async (t) => {
  const { text } = await zone(t, (name, type) => {
    if (name === 'none.test') return { authority: [soa(60, 60)] };
    return { answers: type === 'AAAA' ? [{ name, type, ttl: 60, data: '2001:db8::7' }] : [address(name)] };
  });
  const resolver = resolverOf(t, { servers: [text] });
  assert.deepEqual(await resolver.addresses('www.test'), ['2001:db8::7', '192.0.2.7']);
  await assert.rejects(resolver.addresses('none.test'), (error: ResolveError) => error.code === 'NODATA');
});

test('servers that are none, and none at all, are mistakes of the caller', () => {
  assert.throws(() => new Resolver({ servers: [] }), /needs a server/);
  assert.throws(() => new Resolver({ servers: ['dns.example'] }), /give the server's address/);
  assert.throws(() => new Resolver({ servers: ['192.0.2.1:99999'] }), /is not a DNS server/);
});

test('system: node:dns is asked', async (t) => {
  const resolver = resolverOf(t, { system: true });
  const { records, message, isCached } = await resolver.query('localhost', 'A');
  assert.deepEqual([records.map(({ data }) => data), message, isCached], [['127.0.0.1'], null, false]);
});

test('the cache counts TTLs down and keeps that there is nothing (RFC 2308)', () => {
  let now = 0;
  const cache = new AnswerCache(3, () => now);
  const message = (more: MessageInput) => decodeMessage(encodeMessage({ flags: ['qr'], ...more }));
  cache.put('a.test', 'A', 'IN', message({ answers: [address('a.test', '192.0.2.1', 10)] }));
  now = 4000;
  assert.equal(cache.get('A.TEST', 'A', 'IN')?.answers[0].ttl, 6);
  assert.equal(cache.get('a.test', 'AAAA', 'IN'), undefined);
  now = 10_000;
  assert.equal(cache.get('a.test', 'A', 'IN'), undefined, 'as old as its TTL');

  cache.put('gone.test', 'A', 'IN', message({ rcode: 'NXDOMAIN', authority: [soa(300, 30)] }));
  assert.equal(cache.get('gone.test', 'MX', 'IN')?.rcode, 'NXDOMAIN', 'of all types');
  cache.put('empty.test', 'A', 'IN', message({ authority: [soa(20, 600)] }));
  assert.equal(cache.get('empty.test', 'MX', 'IN'), undefined, 'of one type');
  now += 19_999;
  assert.ok(cache.get('empty.test', 'A', 'IN'));
  now += 2;
  assert.equal(cache.get('empty.test', 'A', 'IN'), undefined, 'the SOA has a TTL, too');
  assert.ok(cache.get('gone.test', 'A', 'IN'));
  now += 10_000;
  assert.equal(cache.get('gone.test', 'A', 'IN'), undefined);

  for (const name of ['1.test', '2.test', '3.test']) cache.put(name, 'A', 'IN', message({ answers: [address(name)] }));
  cache.get('1.test', 'A', 'IN');
  cache.put('4.test', 'A', 'IN', message({ answers: [address('4.test')] }));
  assert.equal(cache.get('2.test', 'A', 'IN'), undefined, 'the longest unused goes');
  assert.ok(cache.get('1.test', 'A', 'IN'));
  assert.deepEqual([cache.counts.entries, cache.counts.evicted], [3, 1]);
});

test('what is not kept: no TTL, cut, failed, negative without a SOA', () => {
  const seconds = (more: MessageInput) => keepSeconds(decodeMessage(encodeMessage({ flags: ['qr'], ...more })));
  assert.equal(seconds({ answers: [address('a.test', '192.0.2.1', 0)] }), 0);
  assert.equal(seconds({ answers: [address('a.test', '192.0.2.1', 2 ** 31)] }), 0, 'RFC 2181 §8');
  assert.equal(seconds({ answers: [address('a.test', '192.0.2.1', 10 ** 9)] }), 86_400);
  assert.equal(seconds({ flags: ['qr', 'tc'], answers: [address('a.test')] }), 0);
  assert.equal(seconds({ rcode: 'SERVFAIL' }), 0);
  assert.equal(seconds({ rcode: 'NXDOMAIN' }), 0);
  assert.equal(seconds({ rcode: 'NXDOMAIN', authority: [soa(10 ** 6, 10 ** 6)] }), 10_800);
  assert.equal(seconds({ answers: [address('a.test', '192.0.2.1', 50), alias('b.test', 'a.test')] }), 50);
});

test('what is kept is bounded in bytes, too', () => {
  const cache = new AnswerCache(1000);
  const data = 'x'.repeat(1 << 20);
  const message = decodeMessage(encodeMessage({ flags: ['qr'] }));
  for (let i = 0; i < 100; i++) {
    const answers = [{ name: 'a.test', type: 'TXT', class: 'IN', ttl: 60, data }];
    cache.put(`n${i}.test`, 'TXT', 'IN', { ...message, answers });
  }
  assert.ok(cache.counts.entries <= 64 && cache.counts.entries > 50, `${cache.counts.entries}`);
  assert.equal(cache.get('n0.test', 'TXT', 'IN'), undefined);
  assert.ok(cache.get('n99.test', 'TXT', 'IN') !== undefined);
  cache.clear();
  assert.equal(cache.counts.entries, 0);
});
