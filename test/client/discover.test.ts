import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { discover, type Discovery, watchService } from '../../src/client/discover.ts';
import { Health } from '../../src/client/discover/health.ts';
import { orderByWeight, sharesOf } from '../../src/client/discover/order.ts';
import { serviceTypeOf } from '../../src/client/discover/service.ts';
import { isOwnTraffic } from '../../src/client/own-traffic.ts';
import { Resolver } from '../../src/client/resolver.ts';
import { decodeMessage, type RecordInput } from '../../src/rr/encode.ts';
import { answerTo, udpServer } from './servers.ts';

/** Numbers that look random and are the same each time (a Weyl sequence through a hash). */
function numbers(): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How often each is first, over so many draws. */
function firsts(weights: readonly number[], draws: number): number[] {
  const random = numbers();
  const counts = weights.map(() => 0);
  const servers = weights.map((weight, i) => ({ priority: 1, weight, i }));
  for (let n = 0; n < draws; n++) counts[orderByWeight(servers, random)[0].i]++;
  return counts;
}

test('weights share out as RFC 2782 says', () => {
  const draws = 20_000;
  const counts = firsts([60, 30, 10], draws);
  // A draw is of 0..sum: the first in the list has one chance more. 4 standard deviations.
  for (const [i, share] of [61 / 101, 30 / 101, 10 / 101].entries()) {
    const spread = 4 * Math.sqrt(draws * share * (1 - share));
    assert.ok(Math.abs(counts[i] - draws * share) < spread, `${counts[i]} of ${draws} for share ${share}`);
  }
});

test('weight 0 is drawn seldom beside others, and fairly often alone', () => {
  const [none, much] = firsts([0, 99], 20_000);
  assert.ok(none > 120 && none < 290, `1 of 100, not ${none} of 20000`);
  assert.equal(none + much, 20_000);
});

test('priorities come first, and every server once', () => {
  const servers = [
    { priority: 20, weight: 0 },
    { priority: 10, weight: 1 },
    { priority: 10, weight: 0 },
    { priority: 30, weight: 9 },
  ];
  const random = numbers();
  for (let n = 0; n < 200; n++) {
    const order = orderByWeight(servers, random);
    assert.deepEqual(
      order.map(({ priority }) => priority),
      [10, 10, 20, 30],
    );
    assert.equal(new Set(order).size, 4);
  }
  assert.deepEqual(orderByWeight([]), []);
});

test('shares: the best priority that has a usable server, by weight', () => {
  const of = (priority: number, weight: number, isUsable = true) => ({ priority, weight, isUsable });
  assert.deepEqual(sharesOf([of(10, 60), of(10, 20), of(20, 5)]), [0.75, 0.25, 0]);
  assert.deepEqual(sharesOf([of(10, 60, false), of(10, 20), of(20, 5)]), [0, 1, 0]);
  assert.deepEqual(sharesOf([of(10, 60, false), of(10, 20, false), of(20, 0), of(20, 0)]), [0, 0, 0.5, 0.5]);
  assert.deepEqual(sharesOf([of(10, 1, false)]), [0]);
});

test('health takes several results in a row to change, the first one decides', () => {
  const health = new Health({ rise: 2, fall: 3 });
  const states = [true, false, false, true, false, false, false, true, false, true, true].map((isGood) => {
    health.note(isGood);
    return health.state;
  });
  assert.deepEqual(states, ['up', 'up', 'up', 'up', 'up', 'up', 'down', 'down', 'down', 'down', 'up']);
});

test('what a name is found by', () => {
  const types = [
    '_sip._tcp.example.org',
    '_ldap._UDP.example.org',
    'example.org',
    '_8443._https.example.org',
    '_dns.resolver.arpa',
  ];
  assert.deepEqual(types.map(serviceTypeOf), ['SRV', 'SRV', 'HTTPS', 'HTTPS', 'SVCB']);
});

/** A resolver of our own: answers from `records` ("NAME TYPE" → rdata), NXDOMAIN for the rest. */
async function resolverOf(t: TestContext, records: Record<string, string[]>, ttl = 60): Promise<Resolver> {
  const server = await udpServer(t, (bytes, reply) => {
    const query = decodeMessage(bytes);
    const [{ name, type }] = query.questions;
    if (records['*'] !== undefined) return reply(answerTo(query, { rcode: 'SERVFAIL' }));
    const answers: RecordInput[] = (records[`${name} ${type}`] ?? []).map((data) => ({ name, type, ttl, data }));
    const exists = Object.keys(records).some((key) => key.startsWith(`${name} `));
    return reply(answerTo(query, { answers, rcode: exists ? 'NOERROR' : 'NXDOMAIN' }));
  });
  const resolver = new Resolver({ servers: [`${server.address}:${server.port}`], cache: false, tries: 1 });
  t.after(() => resolver.close());
  return resolver;
}

async function listener(t: TestContext, port = 0): Promise<{ port: number; server: NetServer }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

test('SRV: what is down comes last and gets no clients', async (t) => {
  const { port } = await listener(t);
  const resolver = await resolverOf(t, {
    '_sip._tcp.example.org SRV': [
      '10 60 9 down.example.org',
      `10 20 ${port} up.example.org`,
      `20 0 ${port} up.example.org`,
      '5 0 80 gone.example.org',
    ],
    'up.example.org A': ['127.0.0.1'],
    'down.example.org A': ['127.0.0.1'],
  });
  const { type, servers, ttl, isAnswered } = await discover('_sip._tcp.example.org', { resolver });
  assert.deepEqual({ type, ttl, isAnswered }, { type: 'SRV', ttl: 60, isAnswered: true });
  const shown = servers.map(({ target, priority, health, share }) => `${priority} ${target} ${health} ${share}`);
  assert.deepEqual(shown.slice(0, 2), ['10 up.example.org up 1', '20 up.example.org up 0']);
  assert.deepEqual(shown.slice(2).sort(), ['10 down.example.org down 0', '5 gone.example.org down 0']);
  const down = servers.find(({ target }) => target === 'down.example.org');
  assert.equal(down?.check?.sentence, 'Nothing listens there.');
  assert.equal(
    servers.find(({ target }) => target === 'gone.example.org')?.problem,
    'gone.example.org does not exist.',
  );
});

test('SRV: "." means that there is no such service; nobody answering is something else', async (t) => {
  const none = await discover('_x._tcp.example.org', {
    resolver: await resolverOf(t, { '_x._tcp.example.org SRV': ['0 0 0 .'] }),
  });
  assert.equal(none.sentence, '_x._tcp.example.org says that it does not offer this service.');
  const absent = await discover('_x._tcp.example.org', { resolver: await resolverOf(t, {}) });
  assert.deepEqual([absent.sentence, absent.isAnswered], ['_x._tcp.example.org does not exist.', true]);
  const failed = await discover('_x._tcp.example.org', { resolver: await resolverOf(t, { '*': [] }) });
  assert.deepEqual([failed.servers, failed.isAnswered], [[], false]);
});

test('HTTPS: alias, own name, port, hints, unknown mandatory keys; asked over HTTP', async (t) => {
  const paths: string[] = [];
  const ends: number[] = [];
  const site = createHttpServer((request, response) => {
    paths.push(`${request.headers.host} ${request.url}`);
    ends.push(request.socket.remotePort ?? 0);
    response.writeHead(request.url === '/ok' ? 204 : 503).end();
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const { port } = site.address() as AddressInfo;
  const resolver = await resolverOf(t, {
    'example.org HTTPS': ['0 pool.example.net'],
    'pool.example.net HTTPS': [
      `1 . alpn=h2,h3 port=${port} ipv4hint=127.0.0.1`,
      '2 other.example.net mandatory=key65280 key65280=x',
    ],
  });
  const good = await discover('example.org', { resolver, check: 'http', path: '/ok' });
  assert.deepEqual(good.names, ['example.org', 'pool.example.net']);
  assert.deepEqual(good.problems, ['other.example.net needs key65280, which is not known here: it was left out.']);
  const [server] = good.servers;
  assert.deepEqual(
    [server.target, server.alpn, server.addresses, server.health, server.share],
    ['pool.example.net', ['h2', 'h3'], ['127.0.0.1'], 'up', 1],
  );
  assert.equal(server.check?.status, 204);
  const bad = await discover('example.org', { resolver, check: 'http' });
  assert.deepEqual([bad.servers[0].health, bad.servers[0].check?.status], ['down', 503]);
  assert.ok(
    ends.every((end) => isOwnTraffic('tcp', '127.0.0.1', end, Date.now())),
    'looks are known as own traffic',
  );
  assert.deepEqual(paths, [`pool.example.net:${port} /ok`, `pool.example.net:${port} /`]);
});

test('HTTPS: aliases in a circle end', async (t) => {
  const resolver = await resolverOf(t, { 'a.example HTTPS': ['0 b.example'], 'b.example HTTPS': ['0 a.example'] });
  const { sentence, servers } = await discover('a.example', { resolver });
  assert.deepEqual(servers, []);
  assert.equal(sentence, 'The aliases go round in a circle: a.example → b.example → a.example.');
});

test('watching tells of changes only, after so many results in a row, and asks again when the TTL is over', async (t) => {
  const { port, server } = await listener(t);
  const records = { '_w._tcp.example.org SRV': [`1 1 ${port} a.example`], 'a.example A': ['127.0.0.1'] };
  const resolver = await resolverOf(t, records, 1);
  const stop = new AbortController();
  const told: Discovery[] = [];
  for await (const one of watchService('_w._tcp.example.org', {
    resolver,
    intervalMs: 20,
    fall: 3,
    signal: stop.signal,
  })) {
    told.push(one);
    // First up; then nobody listens; then another server is named.
    if (told.length === 1) server.close();
    if (told.length === 2) records['_w._tcp.example.org SRV'] = [`1 1 ${port} b.example`];
    if (told.length === 3) stop.abort();
  }
  const states = told.map(({ servers }) => servers.map(({ target, health }) => `${target} ${health}`));
  assert.deepEqual(states, [['a.example up'], ['a.example down'], ['b.example down']]);
});
