import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeOf } from '../../src/app/judging.ts';
import { loadConfig } from '../../src/app/config.ts';
import type { Finding } from '../../src/core/alert.ts';
import { LEGS } from '../../src/core/transactions.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { addresses, exchange, findings } from './run.ts';

const only = (id: string) => ({ only: [id] });
const DAY = 86_400;

/** What a resolver asks of an authority. */
function upstream(after: number, server: string, more: Partial<Exchange> = {}): Exchange {
  return exchange(after, {
    client: '10.0.0.53',
    server,
    rd: false,
    ra: false,
    aa: true,
    latencyMs: 20,
    ...addresses('www.example.com', 300, '192.0.2.1'),
    ...more,
  });
}

const NS = ['ns1.example.com', 'ns2.example.com'];
const GLUE = ['198.51.100.1', '198.51.100.2'];
function referral(after: number, names: readonly string[] = NS, glue: readonly string[] = GLUE): Exchange {
  return upstream(after, '192.5.6.30', {
    aa: false,
    answers: [],
    authority: names.map((data) => ({ name: 'example.com', type: 'NS', ttl: 172_800, data })),
    additional: glue.map((data, i) => ({ name: names[i % names.length], type: 'A', ttl: 172_800, data })),
  });
}

/** A domain resolved as always, `n` times from `from` on. */
function stable(from: number, n: number): Exchange[] {
  return Array.from({ length: n }, (_, i) => [
    referral(from + i * 10),
    upstream(from + i * 10 + 1, GLUE[i % 7 === 0 ? 1 : 0], { name: 'www.example.com' }),
  ]).flat();
}

test('HIJ-PATH: all name servers are new; one of them kept is not', () => {
  const taken = [0, 1, 2].map((i) => referral(1000 + i, ['a.evil.net', 'b.evil.net'], []));
  const [found] = findings([...stable(0, 60), ...taken], only('HIJ-PATH'));
  assert.equal(found?.title, 'All name servers of example.com are new: a.evil.net, b.evil.net');
  assert.match(found.text, /ns1\.example\.com, ns2\.example\.com/);
  const partly = [0, 1, 2].map((i) => referral(1000 + i, ['ns2.example.com', 'ns3.other.net'], []));
  assert.deepEqual(findings([...stable(0, 60), ...partly], only('HIJ-PATH')), []);
  assert.deepEqual(findings([...stable(0, 20), ...taken], only('HIJ-PATH')), [], 'too little is known');
});

test('HIJ-PATH: a delegation is known as well by what it leads to', () => {
  // It is asked for once an hour, its servers every five minutes.
  const hours = Array.from({ length: 24 }, (_, h) => [
    referral(h * 3600),
    ...Array.from({ length: 12 }, (__, i) => upstream(h * 3600 + i * 300 + 1, GLUE[0])),
  ]).flat();
  const taken = [
    referral(25 * 3600, ['a.evil.net', 'b.evil.net'], ['203.0.113.66']),
    ...[1, 2, 3].map((i) => upstream(25 * 3600 + i, '203.0.113.66')),
  ];
  const found = findings([...hours, ...taken], only('HIJ-PATH'));
  assert.equal(found[0]?.title, '203.0.113.66 answers for example.com, which never did');
  assert.ok(found[0].confidence >= 0.8);
});

test('HIJ-PATH: a server outside the delegation answers; its other servers may', () => {
  const outside = [0, 1, 2].map((i) => upstream(1000 + i, '203.0.113.66'));
  const [found] = findings([...stable(0, 70), ...outside], only('HIJ-PATH'));
  assert.equal(found?.title, '203.0.113.66 answers for example.com, which never did');
  assert.equal(found.severity, 'high');
  // Failover: the second server had never been asked, but glue names it.
  const first = stable(0, 70).filter(({ server }) => server !== GLUE[1]);
  assert.deepEqual(findings([...first, ...[0, 1, 2].map((i) => upstream(1000 + i, GLUE[1]))], only('HIJ-PATH')), []);
  // A delivery network has more servers than can be told.
  const many = Array.from({ length: 90 }, (_, i) => upstream(i * 5, `198.51.100.${i}`));
  assert.deepEqual(findings([...many, ...outside], only('HIJ-PATH')), []);
});

test('HIJ-PATH: validation is lost', () => {
  const validated = Array.from({ length: 60 }, (_, i) =>
    exchange(i, { ad: true, udpSize: 1232, isDnssecOk: true, ...addresses('www.example.com', 300, '192.0.2.1') }),
  );
  const without = (more: Partial<Exchange>) =>
    Array.from({ length: 10 }, (_, i) =>
      exchange(100 + i, {
        udpSize: 1232,
        isDnssecOk: true,
        ...addresses('www.example.com', 300, '192.0.2.1'),
        ...more,
      }),
    );
  const [found] = findings([...validated, ...without({})], only('HIJ-PATH'));
  assert.match(found?.title ?? '', /no longer validated by 10\.0\.0\.53/);
  assert.deepEqual(findings([...validated, ...without({ isDnssecOk: false })], only('HIJ-PATH')), [], 'not asked for');
  assert.deepEqual(findings([...validated, ...without({ server: '10.0.0.54' })], only('HIJ-PATH')), [], 'another one');
});

test('HIJ-PATH: names that did not exist have one address', () => {
  const names = Array.from({ length: 8 }, (_, i) => `wpad.typo${i}.com`);
  const missing = names.map((name, i) => exchange(i, { name, rcode: 'NXDOMAIN', answers: [] }));
  const rewritten = names.map((name, i) => exchange(60 + i, { name, ...addresses(name, 60, '203.0.113.80') }));
  const [found] = findings([...missing, ...rewritten], only('HIJ-PATH'));
  assert.match(found?.title ?? '', /gives names that do not exist an address/);
  const registered = names.map((name, i) => exchange(60 + i, { name, ...addresses(name, 60, `203.0.113.${i}`) }));
  assert.deepEqual(findings([...missing, ...registered], only('HIJ-PATH')), []);
});

/** Two days of five clients at one resolver, then an hour in which they ask `server`. */
function movers(server: string, clients: number, isDead = false): Exchange[] {
  const row = (after: number, i: number, to: string) =>
    exchange(after, { client: `10.0.0.${i + 1}`, server: to, ...addresses('www.example.com', 300, '192.0.2.1') });
  const before = Array.from({ length: 1500 }, (_, k) => row((k * 2 * DAY) / 1500, k % 5, '10.0.0.53'));
  const after = Array.from({ length: 200 }, (_, k) => {
    const i = k % 5;
    if (i >= clients) return row(2 * DAY + k * 10, i, '10.0.0.53');
    return row(2 * DAY + k * 10, i, server);
  });
  const dead = Array.from({ length: isDead ? 20 : 0 }, (_, k) =>
    exchange(2 * DAY + k, { client: `10.0.0.${1 + (k % 5)}`, latencyMs: undefined }),
  );
  return [...before, ...dead, ...after];
}

test('HIJ-PATH: clients move to a resolver that was never seen', () => {
  const found = findings(movers('10.0.0.99', 4), only('HIJ-PATH'));
  assert.equal(found.at(-1)?.severity, 'high');
  assert.match(found.at(-1)?.title ?? '', /^[34] clients ask 10\.0\.0\.99, a resolver never seen here before$/);
  const [one] = findings(movers('10.0.0.99', 1), only('HIJ-PATH'));
  assert.equal(one?.severity, 'low');
  assert.deepEqual(findings(movers('10.0.0.53', 4), only('HIJ-PATH')), [], 'nobody moves');
  const [failover] = findings(movers('10.0.0.99', 5, true), only('HIJ-PATH'));
  assert.equal(failover?.severity, 'low');
  assert.match(failover.text, /does not answer, so this may be its stand-in/);
});

const REFERRER = '192.5.6.30';

/** Shows rows as the path linker leaves them: what the resolver asked before the client's own row. */
function shower(found: Finding[]): (list: readonly Exchange[]) => void {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const raise = (one: Finding) => void found.push(one);
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise, only: ['HIJ-PATH'] });
  return (list) => {
    for (const batch of batchesOf(list)) {
      const c = batch.col;
      let parent = 0;
      // Hops close before their client's row.
      for (let i = batch.count - 1; i >= 0; i--) {
        const isHop = (batch.arena[c.queryAt[i] + 2] & 1) === 0;
        c.leg[i] = LEGS.indexOf(isHop ? 'upstream' : 'client');
        if (!isHop) parent = i;
        if (isHop) [c.parentHigh[i], c.parentLow[i]] = [c.idHigh[parent], c.idLow[parent]];
      }
      judge.rows(batch, 0, batch.count);
    }
  };
}

/** A resolution by these steps: a referral to a zone, or an answer where none is named. */
function resolution(after: number, name: string, ...steps: readonly [server: string, zone?: string][]): Exchange[] {
  const hops = steps.map(([server, zone], i) =>
    upstream(after + (i + 1) / 100, server, {
      name,
      ...addresses(name, 300, '192.0.2.1'),
      ...(zone !== undefined && {
        aa: false,
        answers: [],
        authority: [{ name: zone, type: 'NS', ttl: 172_800, data: `ns.${zone}` }],
      }),
    }),
  );
  return [...hops, exchange(after, { name, latencyMs: 200, ...addresses(name, 300, '192.0.2.1') })];
}

/** Name and address of one of fifty sites. */
function site(i: number): [name: string, zone: string, server: string] {
  return [`www.site${i % 50}.com`, `site${i % 50}.com`, `198.51.100.${i % 50}`];
}

test('HIJ-PATH: a root that never was one', () => {
  const found: Finding[] = [];
  const show = shower(found);
  const from = (after: number, root: string) => {
    const [name, zone, server] = site(after);
    return resolution(after, name, [root, 'com'], [REFERRER, zone], [server]);
  };
  show(Array.from({ length: 150 }, (_, i) => from(i, `198.41.0.${i % 4}`)).flat());
  assert.equal(found.length, 0);
  show(from(200, '203.0.113.53'));
  assert.equal(found[0]?.title, '203.0.113.53 gives referrals for the root, which it never did');
  assert.equal(found[0].severity, 'high');
});

test('HIJ-PATH: a server that only refers answers itself, and the next step is skipped', () => {
  const found: Finding[] = [];
  const show = shower(found);
  const normal = (i: number) => {
    const [name, zone, server] = site(i);
    return resolution(i, name, ['198.41.0.4', 'com'], [REFERRER, zone], [server]);
  };
  // One domain lives on a server of its parent zone, and always did.
  const own = (i: number) => resolution(i + 0.5, 'www.registry.com', ['198.41.0.4', 'com'], [REFERRER]);
  show(Array.from({ length: 600 }, (_, i) => [...normal(i), ...(i % 60 === 0 ? own(i) : [])]).flat());
  assert.equal(found.length, 0, 'its own servers are those that answered first');
  // From a cache the path begins further down: that is none that skips.
  show([601, 602, 603].flatMap((i) => resolution(i, site(i)[0], [site(i)[2]])));
  assert.equal(found.length, 0);
  show(resolution(700, 'www.site7.com', ['198.41.0.4']));
  assert.equal(found[0]?.title, '198.41.0.4, a server of the root, answers for www.site7.com itself');
  assert.equal(found[0].severity, 'high');
  show(resolution(800, 'www.site8.com', ['198.41.0.4', 'com'], [REFERRER]));
  assert.equal(found[1]?.title, '192.5.6.30, a server of com, answers for www.site8.com itself');
  assert.match(found[1].text, /the domain's own servers were not asked/);
  assert.equal(found[1].severity, 'medium');
});

test('HIJ-PATH: a path is longer than it ever was', () => {
  const found: Finding[] = [];
  const show = shower(found);
  const name = 'www.site1.com';
  show(Array.from({ length: 60 }, (_, i) => resolution(i, name, [REFERRER, 'site1.com'], ['198.51.100.1'])).flat());
  show(resolution(100, name, ['198.41.0.4', 'com'], [REFERRER, 'site1.com'], ['198.51.100.1']));
  assert.equal(found.length, 0, 'one step more is a cache that ran out');
  show(
    resolution(
      200,
      name,
      ['198.41.0.4', 'com'],
      [REFERRER, 'site1.com'],
      ['198.51.100.1', 'site1.com'],
      ['198.51.100.2', 'site1.com'],
      ['198.51.100.1'],
    ),
  );
  assert.equal(found.length, 1);
  assert.match(found[0].title, /^Resolving site1\.com took 5 servers; before, 3 servers at most$/);
  assert.equal(found[0].severity, 'low');
});

test('HIJ-TTL: other networks with another lifetime; a failover that keeps it is silent', () => {
  const answer = (after: number, ttl: number, address: string) =>
    exchange(after, { client: `10.0.0.${1 + (after % 9)}`, ...addresses('www.example.com', ttl, address) });
  const before = Array.from({ length: 80 }, (_, i) => answer(i, 300 - (i % 300), '192.0.2.1'));
  const moved = (ttl: (i: number) => number) =>
    Array.from({ length: 8 }, (_, i) => answer(100 + i, ttl(i), '203.0.113.1'));
  const [long] = findings([...before, ...moved(() => 86_400)], only('HIJ-TTL'));
  assert.match(long?.title ?? '', /www\.example\.com has addresses in a network it never had, with a TTL of 1 d/);
  const [short] = findings([...before, ...moved(() => 5)], only('HIJ-TTL'));
  assert.equal(short?.severity, 'low');
  assert.deepEqual(findings([...before, ...moved((i) => 300 - i)], only('HIJ-TTL')), [], 'failover');
  const varies = Array.from({ length: 80 }, (_, i) => answer(i, 300, `192.${i % 12}.2.1`));
  assert.deepEqual(findings([...varies, ...moved(() => 86_400)], only('HIJ-TTL')), [], 'a delivery network');
});

test('HIJ-LAT: some answers are too fast; all of them faster is a nearer server', () => {
  const far = (after: number, ms: number) => exchange(after, { server: '9.9.9.9', latencyMs: ms });
  const before = Array.from({ length: 1200 }, (_, i) => far(i, 12 + (i % 9)));
  const injected = Array.from({ length: 120 }, (_, i) => far(1300 + i, i % 8 === 0 ? 1.1 : 12 + (i % 9)));
  const [found] = findings([...before, ...injected], only('HIJ-LAT'));
  assert.match(found?.title ?? '', /answers of 9\.9\.9\.9 came in less than half its shortest time of 12/);
  const anycast = Array.from({ length: 120 }, (_, i) => far(1300 + i, 2 + (i % 3)));
  assert.deepEqual(findings([...before, ...anycast], only('HIJ-LAT')), []);
});
