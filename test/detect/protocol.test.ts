import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/rr/exchange.ts';
import { addresses, exchange, findings, START } from './run.ts';

const only = (...ids: string[]) => ({ only: ids });
const many = (n: number, of: (i: number) => Exchange) => Array.from({ length: n }, (_, i) => of(i));

test('FLOOD-RSD: many different names of a domain that fail', () => {
  const flood = many(1000, (i) =>
    exchange(i / 25, { name: `r${i}x.victim.example`, rcode: 'NXDOMAIN', client: `10.0.1.${i % 50}` }),
  );
  const [first, ...more] = findings(flood, only('FLOOD-RSD'));
  assert.equal(first.domain, 'victim.example');
  assert.equal(first.severity, 'high');
  assert.ok(first.time - START < 10, 'within ten seconds');
  assert.equal(first.proposal, undefined, 'the domain is the victim');
  assert.ok(more.length <= 3, 'said again when it has doubled');
  // Names that exist, one name again and again, and names that fail slowly are none.
  const fine = many(1000, (i) => exchange(i / 25, { name: `r${i}x.cdn.example` }));
  const same = many(1000, (i) => exchange(i / 25, { name: `r${i % 20}.typo.example`, rcode: 'NXDOMAIN' }));
  const slow = many(1000, (i) => exchange(i, { name: `r${i}x.victim.example`, rcode: 'NXDOMAIN' }));
  for (const quiet of [fine, same, slow]) assert.deepEqual(findings(quiet, only('FLOOD-RSD')), []);
});

test('FLOOD-NX: a client that asks for what does not exist, much more than it did', () => {
  const flood = many(600, (i) => exchange(i / 40, { name: `a${i}.example.com`, rcode: 'NXDOMAIN' }));
  const [first] = findings(flood, only('FLOOD-NX'));
  assert.equal(first.client, '10.0.0.7');
  assert.ok(first.time - START <= 10);
  const half = flood.flatMap((one, i) => [one, exchange(i / 40, {}), exchange(i / 40, {})]);
  assert.deepEqual(findings(half, only('FLOOD-NX')), [], 'most of what it asks exists');
});

test('AMP: answers that nobody asked for, and large answers to small queries', () => {
  const orphans = many(400, (i) => exchange(5 + i / 100, { client: '198.51.100.9', fate: 'orphan', type: 'ANY' }));
  const [reflected] = findings([exchange(0, { type: 'TXT' }), ...orphans], only('AMP'));
  assert.equal(reflected.client, '198.51.100.9');
  assert.ok(reflected.time - START < 6.1);
  const large = many(4000, (i) =>
    exchange(i / 500, { client: '198.51.100.9', type: 'ANY', queryBytes: 40, responseBytes: 3000 }),
  );
  const [amplified] = findings(large, only('AMP'));
  assert.ok(amplified.measures.some(({ name, value }) => name === 'answers' && value >= 1e6));
  assert.deepEqual(findings(large.slice(0, 40), only('AMP')), []);
  const start = many(200, (i) => exchange(i / 1000, { fate: 'orphan' }));
  assert.deepEqual(findings(start, only('AMP')), [], 'queries were before the capture');
});

test('POIS-GUESS: the sixth answer that fits no query', () => {
  const guess = (i: number, more: Partial<Exchange> = {}) =>
    exchange(100 + i / 1000, {
      client: '192.0.2.53',
      name: 'bank.example',
      fate: 'orphan',
      clientPort: 4000,
      id: i,
      ...more,
    });
  const [first, ...more] = findings([exchange(0, {}), ...many(2000, (i) => guess(i))], only('POIS-GUESS'));
  assert.equal(first.count, 6);
  assert.equal(first.severity, 'high');
  assert.equal(first.isProof, true);
  assert.ok(more.length <= 9);
  for (const quiet of [many(5, (i) => guess(i)), many(200, (i) => guess(i, { name: `n${i}.example` }))]) {
    assert.deepEqual(findings([exchange(0, {}), ...quiet], only('POIS-GUESS')), []);
  }
  // Right after the start one id again and again is a query from before it.
  assert.deepEqual(
    findings(
      many(20, (i) => guess(i, { id: 7 })),
      only('POIS-GUESS'),
    ),
    [],
  );
});

test('POIS-GUESS: guesses that come slowly, but not what a capture lost', () => {
  const usual = many(400, (i) => exchange(i, { name: `w${i % 40}.site${i % 17}.example` }));
  const guess = (i: number, more: Partial<Exchange> = {}) =>
    exchange(100 + i, {
      client: '192.0.2.53',
      name: 'bank.example',
      fate: 'orphan',
      clientPort: 4000 + i,
      id: i * 7,
      ...more,
    });
  const inOrder = (rows: Exchange[]) => rows.toSorted((a, b) => a.time - b.time);
  const [first, ...more] = findings(inOrder([...usual, ...many(50, (i) => guess(i))]), only('POIS-GUESS'));
  assert.ok(first.count <= 7, `${first.count} answers`);
  assert.deepEqual([first.severity, first.isProof, first.domain], ['medium', undefined, 'bank.example']);
  assert.ok(more.length <= 1, 'once in a minute');
  const names = inOrder([...usual, ...many(50, (i) => guess(i, { name: `r${i}.bank.example` }))]);
  assert.equal(findings(names, only('POIS-GUESS'))[0].domain, 'bank.example', 'a new name each time');
  const quiet: Record<string, Exchange[]> = {
    'too few': [...usual, ...many(5, (i) => guess(i))],
    'one query before the capture, asked again': [...usual, ...many(50, (i) => guess(i, { id: 7, clientPort: 9 }))],
    'only answers are seen': many(300, (i) => guess(i / 5, { name: `w${i % 40}.site${i % 3}.example` })),
    'a fifth of the queries is lost': many(2000, (i) =>
      exchange(100 + i / 10, {
        name: `w${i % 50}.site${i % 4}.example`,
        id: i,
        ...(i % 5 === 0 && { fate: 'orphan' as const }),
      }),
    ),
  };
  for (const [what, rows] of Object.entries(quiet)) {
    assert.deepEqual(findings([exchange(0, {}), ...inOrder(rows)], only('POIS-GUESS')), [], what);
  }
});

test('POIS-RACE: two answers to one query that contradict each other', () => {
  const name = 'www.example.com';
  const ask = { id: 77, clientPort: 5555, name };
  const first = exchange(1, { ...ask, ...addresses(name, 60, '203.0.113.6') });
  const again = (more: Partial<Exchange>) => exchange(1.03, { ...ask, fate: 'repeated', ...more });
  const [said] = findings([first, again(addresses(name, 60, '93.184.216.34'))], only('POIS-RACE'));
  assert.match(said.title, /203\.0\.113\.6 and 93\.184\.216\.34/);
  assert.equal(findings([first, again({ rcode: 'NXDOMAIN' })], only('POIS-RACE')).length, 1);
  const quiet: Exchange[][] = [
    [first, again(addresses(name, 60, '203.0.113.7'))],
    [{ ...first, queries: 2, lastMs: 2 }, again(addresses(name, 60, '93.184.216.34'))],
    [first, again({ ...addresses(name, 60, '93.184.216.34'), id: 78 })],
    [first, exchange(10, { ...again(addresses(name, 60, '93.184.216.34')), time: START + 10 })],
  ];
  for (const rows of quiet) assert.deepEqual(findings(rows, only('POIS-RACE')), []);
});

test('POIS-BAIL: name servers and addresses that have nothing to do with the question', () => {
  const record = (name: string, type: string, data: string) => ({ name, type, class: 'IN', ttl: 60, data });
  const referral = (more: Partial<Exchange>) => exchange(1, { name: 'www.shop.example.com', rd: false, ...more });
  const fine: Exchange[] = [
    referral({
      authority: [record('example.com', 'NS', 'ns1.hoster.net')],
      additional: [record('ns1.hoster.net', 'A', '192.0.2.1')],
    }),
    referral({
      answers: [record('www.shop.example.com', 'CNAME', 'shop.cdn.net'), record('shop.cdn.net', 'A', '192.0.2.8')],
      authority: [record('cdn.net', 'NS', 'ns.cdn.net')],
      additional: [record('ns.cdn.net', 'A', '192.0.2.1')],
    }),
    referral({
      authority: [record('example.com', 'SOA', 'ns0.example.com hostmaster.example.com 1 2 3 4 5')],
      additional: [record('ns0.example.com', 'A', '192.0.2.1')],
    }),
  ];
  assert.deepEqual(findings(fine, only('POIS-BAIL')), []);
  const servers = referral({ authority: [record('bank.example', 'NS', 'ns.evil.example')] });
  const address = referral({ additional: [record('www.bank.example', 'A', '203.0.113.6')] });
  assert.deepEqual(
    [servers, address]
      .flatMap((row) => findings([row], only('POIS-BAIL')))
      .map(({ severity, subject }) => [severity, subject]),
    [
      ['high', 'bank.example'],
      ['medium', 'www.bank.example'],
    ],
  );
});

test('POIS-FRAG: answers in fragments, where there were none', () => {
  const cut = (i: number, more: Partial<Exchange> = {}) =>
    exchange(i, { server: '198.51.100.1', type: 'DNSKEY', isFragmented: true, ...more });
  const [said] = findings(
    many(5, (i) => cut(i)),
    only('POIS-FRAG'),
  );
  assert.equal(said.severity, 'low');
  assert.equal(said.count, 3);
  assert.deepEqual(
    findings(
      many(50, (i) => cut(i, { server: `198.51.100.${i}` })),
      only('POIS-FRAG'),
    ),
    [],
  );
});

test('REBIND: a public name with an address of the inside', () => {
  const answer = (after: number, name: string, ttl: number, ...list: string[]) =>
    exchange(after, { name, type: list[0].includes(':') ? 'AAAA' : 'A', ...addresses(name, ttl, ...list) });
  const flip = [answer(0, 'a.evil-site.com', 1, '45.60.7.9'), answer(9, 'a.evil-site.com', 1, '192.168.0.1')];
  const [said] = findings(flip, only('REBIND'));
  assert.equal(said.severity, 'high');
  assert.match(said.text, /It had an address of the outside 9 s before/);
  for (const inside of [
    '10.0.0.1',
    '172.20.1.1',
    '100.64.3.3',
    '169.254.169.254',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ]) {
    assert.equal(findings([answer(0, 'x.evil-site.com', 30, inside)], only('REBIND'))[0].severity, 'low', inside);
  }
  const both = answer(0, 'x.evil-site.com', 0, '45.60.7.9', '192.168.0.1');
  assert.equal(findings([both], only('REBIND'))[0].severity, 'medium');
  const quiet = [
    answer(0, 'printer.lan', 30, '192.168.0.7'),
    answer(1, '2.0.0.127.zen.example.org', 30, '127.0.0.4'),
    answer(2, 'ads.example.net', 30, '0.0.0.0'),
    answer(3, 'www.example.org', 30, '93.184.216.34', '2606:2800:220:1::1'),
  ];
  assert.deepEqual(findings(quiet, only('REBIND')), []);
  const portal = many(20, (i) => answer(i, `www.site${i}.com`, 30, '10.1.1.1'));
  assert.ok(findings(portal, only('REBIND')).filter(({ severity }) => severity !== 'low').length <= 2);
});

test('FLUX: addresses that keep changing over many networks', () => {
  const row = (i: number, name: string, ttl: number) => {
    const list = [0, 1, 2].map((k) => `${60 + ((i * 3 + k) % 90)}.${(i * 7) % 250}.${i % 250}.${k + 1}`);
    return exchange(i * 60, { name, ...addresses(name, ttl, ...list) });
  };
  const [said] = findings(
    many(60, (i) => row(i, 'www.cheap-pills-now.com', 180)),
    only('FLUX'),
  );
  assert.equal(said.domain, 'cheap-pills-now.com');
  assert.ok(said.time - START < 3600);
  assert.deepEqual(
    findings(
      many(60, (i) => row(i, 'a.cheap-pills-now.com', 86_400)),
      only('FLUX'),
    ),
    [],
  );
  const pool = many(600, (i) =>
    exchange(i * 60, { name: 'a.b.org', ...addresses('a.b.org', 60, `203.0.113.${i % 200}`) }),
  );
  assert.deepEqual(findings(pool, only('FLUX')), []);
});
