import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DomainSet } from '../../src/detect/domain-set.ts';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf } from '../../src/app/judging.ts';
import type { Finding } from '../../src/core/alert.ts';
import type { EncryptedFlow } from '../../src/core/encrypted-flow.ts';
import { isBitFlip, isOneChange, skeleton, unicodeLabel } from '../../src/detect/look-alike.ts';
import { ageWeight } from '../../src/detect/new-dom.ts';
import { Domain } from '../../src/detect/entities.ts';
import { Generations } from '../../src/detect/generations.ts';
import { threatsOf } from '../../src/detect/threat-list.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { addresses, exchange, findings, START } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-names-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const many = (n: number, of: (i: number) => Exchange) => Array.from({ length: n }, (_, i) => of(i));

/** A judge of one detector with settings of its own. */
function judgeWith(id: string, settings: object) {
  const file = join(folder, `${id}.json`);
  const key = id.toLowerCase().replaceAll('-', '_');
  writeFileSync(file, JSON.stringify({ detect: { detectors: { [key]: settings } } }));
  const { config } = loadConfig({ environment: {}, file });
  const found: Finding[] = [];
  const judge = judgeOf(config.detect, {
    networks: [],
    resolvers: [],
    only: [id],
    raise: (one) => void found.push(one),
  });
  return {
    judge,
    show(exchanges: readonly Exchange[]): Finding[] {
      found.length = 0;
      for (const batch of batchesOf(exchanges)) judge.rows(batch, 0, batch.count);
      return [...found];
    },
  };
}

test('threat lists of every form give the same names and addresses', () => {
  const wanted = ['192.0.2.66', 'a.bad.example', 'evil.example'];
  const stix = {
    type: 'bundle',
    objects: [
      { type: 'indicator', pattern: "[domain-name:value = 'evil.example' OR ipv4-addr:value = '192.0.2.66']" },
      { type: 'indicator', pattern: "[domain-name:value = 'a.bad.example']", valid_until: '2999-01-01T00:00:00Z' },
      { type: 'indicator', pattern: "[domain-name:value = 'over.example']", valid_until: '2001-01-01T00:00:00Z' },
      { type: 'indicator', pattern: "[domain-name:value = 'back.example']", revoked: true },
      { type: 'domain-name', value: 'seen.example' },
    ],
  };
  const misp = {
    response: [
      {
        Event: {
          Attribute: [
            { type: 'domain', value: 'evil.example', to_ids: true },
            { type: 'url', value: 'http://x.example/' },
            { type: 'hostname', value: 'context.example', to_ids: false },
          ],
          Object: [
            {
              Attribute: [
                { type: 'hostname', value: 'A.bad.example.' },
                { type: 'ip-dst|port', value: '192.0.2.66|443' },
              ],
            },
          ],
        },
      },
    ],
  };
  const forms: Record<string, string> = {
    plain: '# names\nevil.example\n*.A.bad.example.  # family\n192.0.2.66\nnot a name\n',
    hosts: '127.0.0.1 localhost\n0.0.0.0 evil.example a.bad.example\n::1 ip6-localhost\n192.0.2.66\n',
    adblock: '! title\n||evil.example^\n||a.bad.example^\n192.0.2.66\n',
    columns: 'evil.example\tfamily\na.bad.example\tother\n192.0.2.66\tthird\n',
    rpz: [
      '$TTL 60',
      '$ORIGIN rpz.local.',
      '@ SOA ns. host. 1 2 3 4 5',
      '@ NS ns.',
      'evil.example CNAME .',
      '*.evil.example CNAME .',
      'a.bad.example.rpz.local. 60 IN CNAME *.',
      'good.example CNAME rpz-passthru.',
      '32.66.2.0.192.rpz-ip CNAME .',
    ].join('\n'),
    stix: JSON.stringify(stix, null, 1),
    misp: JSON.stringify(misp),
  };
  for (const [form, text] of Object.entries(forms)) {
    const values = new Set([...threatsOf(text.split('\n'), form)].map(({ value }) => value));
    assert.deepEqual([...values].toSorted(), wanted, form);
  }
  assert.deepEqual(
    [...threatsOf(`\ufeff${forms.misp}`.split('\n'), 'bom')].length,
    [...threatsOf([forms.misp], 'misp')].length,
  );
  assert.throws(() => [...threatsOf(['{"broken'], 'threats.json')], /threats\.json begins like JSON and is none/);
});

test('INTEL: a name, what is below it, an address; never what only ends alike; a list that changes', () => {
  const path = join(folder, 'threats.txt');
  writeFileSync(path, 'evil.example  # family\ndeep.host.bad.example\n192.0.2.66\ngoogle.com\n');
  const { show, judge } = judgeWith('INTEL', { lists: [path] });
  let clients = 0;
  const ask = (name: string, more: Partial<Exchange> = {}) =>
    show([exchange(0, { name, client: `10.0.1.${++clients}`, ...addresses(name, 60, '192.0.2.1'), ...more })]);
  const [hit] = ask('EVIL.example');
  assert.equal(hit.subject, 'evil.example');
  assert.equal(hit.isProof, true);
  assert.deepEqual(hit.proposal?.value, 'evil.example');
  assert.match(hit.title, /threats\.txt: family/);
  assert.equal(ask('a.b.evil.example')[0].subject, 'evil.example');
  assert.equal(ask('x.deep.host.bad.example')[0].subject, 'deep.host.bad.example');
  assert.equal(ask('evil.example', { client: '10.9.9.9', rcode: 'NXDOMAIN', answers: [] })[0].severity, 'medium');
  for (const name of ['notevil.example', 'host.bad.example', 'bad.example', 'example', 'evil.example.org']) {
    assert.deepEqual(ask(name), [], name);
  }
  const leads = ask('www.fine.example', addresses('www.fine.example', 60, '192.0.2.1', '192.0.2.66'));
  assert.equal(leads[0].subject, 'www.fine.example');
  const [doubtful] = ask('www.google.com');
  assert.deepEqual([doubtful.severity, doubtful.proposal, doubtful.isProof], ['low', undefined, undefined]);
  assert.deepEqual(ask('evil.example', { client: '10.9.9.9' }), [], 'told once an hour');

  writeFileSync(path, 'other.example\n');
  utimesSync(path, 2, 2);
  judge.tick(START + 1000);
  assert.deepEqual(ask('a.evil.example', { client: '10.8.8.8' }), []);
  assert.equal(ask('other.example').length, 1);
  writeFileSync(path, '{"objects": [');
  utimesSync(path, 3, 3);
  judge.tick(START + 3000);
  assert.equal(ask('a.other.example', { client: '10.8.8.7' }).length, 1, 'half written');
  assert.match(
    judge.problems().join(),
    /^INTEL: .*threats\.txt begins like JSON and is none.* What was read before holds\.$/,
  );
  rmSync(path);
  judge.tick(START + 5000);
  assert.match(judge.problems().join(), /^INTEL: The list .*threats\.txt is not there/);
  writeFileSync(path, 'other.example\n');
  utimesSync(path, 4, 4);
  judge.tick(START + 6000);
  assert.deepEqual(judge.problems(), []);
  rmSync(path);
  assert.equal(ask('b.other.example', { client: '10.8.8.8' }).length, 1, 'what was read before holds');
  assert.throws(() => judgeWith('INTEL', { lists: [path] }), /cannot be read/);
});

test('how names pass for others', () => {
  assert.equal(unicodeLabel('xn--bcher-kva'), 'bücher');
  assert.equal(unicodeLabel('xn--80ak6aa92e'), 'аррӏе');
  for (const broken of ['xn--', 'xn--!', 'xn--a-ä', 'plain', 'xn--999999999'])
    assert.equal(typeof unicodeLabel(broken), 'string');
  for (const alike of ['аррӏе', 'app1e', 'äpplë']) assert.equal(skeleton(alike), skeleton('apple'), alike);
  assert.notEqual(skeleton('apply'), skeleton('apple'));
  for (const one of ['exampl', 'examplee', 'exbmple', 'exmaple']) assert.ok(isOneChange('example', one), one);
  for (const two of ['example', 'exmapel', 'exam', 'examplexy']) assert.ok(!isOneChange('example', two), two);
  assert.ok(isBitFlip('example', 'ezample') || isBitFlip('example', 'ehample') || isBitFlip('example', 'gxample'));
  assert.ok(!isBitFlip('example', 'example'));
});

test('TYPO: looks count most, the brand itself and popular names nothing', () => {
  const { show } = judgeWith('TYPO', { brands: ['example-bank.com'], own: ['example-bank.net'] });
  const of = (name: string) => show([exchange(0, { name: `www.${name}`, ...addresses(name, 60, '192.0.2.1') })])[0];
  assert.equal(of('examp1e-bank.com').severity, 'medium');
  const homograph = of('xn--exmple-bank-zij.com');
  assert.equal(homograph.severity, 'high');
  assert.match(homograph.title, /exаmple-bank/);
  assert.match(of('exampel-bank.com').title, /one letter/);
  assert.match(of('example-bank-login.com').title, /the word login added/);
  assert.match(of('example-bank.xyz').title, /ending/);
  assert.match(of('example-bank.com.secure.example').title, /in front of/);
  assert.equal(of('not-example-bank.com.fine.example'), undefined);
  for (const fine of ['example-bank.com', 'example-bank.net', 'google.com', 'bank.com', 'example-bankers.org']) {
    assert.equal(of(fine), undefined, fine);
  }
  assert.equal(of('examp1e-bank.com'), undefined, 'told once of each client');
});

test('RECON: reverse sweeps, transfers, guessed names; mail servers and search lists are none', () => {
  const only = { only: ['RECON'] };
  const sweep = many(60, (i) =>
    exchange(i / 20, { name: `${i}.1.168.192.in-addr.arpa`, type: 'PTR', rcode: 'NXDOMAIN' }),
  );
  assert.match(findings(sweep, only)[0].title, /names of 20 addresses/);
  const logs = many(60, (i) => exchange(i / 4, { name: `${i}.${i}.${i}.${(i * 7) % 200}.in-addr.arpa`, type: 'PTR' }));
  assert.deepEqual(findings(logs, only), []);
  const transfer = [exchange(0, { name: 'corp.example', type: 'AXFR', transport: 'tcp', rcode: 'REFUSED' })];
  assert.equal(findings(transfer, only)[0].severity, 'low');
  const words = ['vpn', 'test', 'dev', 'db', 'sql', 'backup', 'admin', 'git', 'old', 'mail'];
  const guesses = many(80, (i) =>
    exchange(i / 5, { name: `${words[i % 10]}${words[Math.floor(i / 10)]}.corp.example`, rcode: 'NXDOMAIN' }),
  );
  assert.match(findings(guesses, only)[0].title, /guessed 50 names of corp\.example/);
  assert.deepEqual(findings(guesses.slice(0, 40), only), []);
});

test('EVADE: other resolvers than the site’s, names of encrypted ones, odd messages', () => {
  const resolvers = [{ family: 4 as const, words: [0, 0, 0, 0x0a000035] as const, bits: 32 }];
  const past = [exchange(0, {}), exchange(1, { server: '8.8.8.8' }), exchange(2, { server: '8.8.8.8' })];
  const found = findings(past, { only: ['EVADE'], resolvers });
  assert.equal(found.length, 1);
  assert.match(found[0].title, /10\.0\.0\.7 asks 8\.8\.8\.8/);
  const upstream = [
    exchange(0, { client: '10.0.0.53', server: '192.0.2.1' }),
    exchange(1, { server: '9.9.9.9', rd: false }),
  ];
  assert.deepEqual(findings(upstream, { only: ['EVADE'], resolvers }), [], 'the resolver itself');
  assert.deepEqual(findings(past, { only: ['EVADE'] }), [], 'without resolvers nobody passes them');
  const names = [
    'cloudflare-dns.com',
    'mozilla.cloudflare-dns.com',
    'dns.google',
    'www.quad9.net',
    'cloudflare-dns.com.example',
  ];
  const titles = findings(
    names.map((name, i) => exchange(i, { name })),
    { only: ['EVADE'] },
  ).map(({ key }) => key);
  assert.deepEqual(
    titles,
    ['cloudflare-dns.com', 'mozilla.cloudflare-dns.com', 'dns.google'].map((name) => `encrypted ${name} 10.0.0.7`),
  );
  assert.match(findings([exchange(0, { opcode: 'STATUS' })], { only: ['EVADE'] })[0].title, /operation 2/);
});

test('EVADE: clients that speak encrypted DNS, once a day, but not the site’s own resolver', () => {
  const flow = (after: number, more: Partial<EncryptedFlow> = {}): EncryptedFlow => ({
    kind: 'dot',
    time: START + after,
    closeSeconds: START + after,
    closeNanos: 0,
    closeNumber: 1,
    family: 4,
    client: [0, 0, 0, 0x0a000007],
    server: [0, 0, 0, 0x08080808],
    clientPort: 4000,
    serverPort: 853,
    transport: 6,
    ...more,
  });
  const resolvers = [{ family: 4 as const, words: [0, 0, 0, 0x0a000035] as const, bits: 32 }];
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const found: Finding[] = [];
  const raise = (one: Finding) => void found.push(one);
  const judge = judgeOf(config.detect, { networks: [], resolvers, raise, only: ['EVADE'] });
  judge.encrypted(flow(0, { serverName: 'dns.google' }));
  judge.encrypted(flow(600, { serverName: 'dns.google' }));
  judge.encrypted(flow(700, { client: [0, 0, 0, 0x0a000035] }));
  judge.encrypted(flow(700, { server: [0, 0, 0, 0x0a000035] }));
  judge.encrypted(flow(700, { server: [0, 0, 0, 0x0a000007] }));
  judge.encrypted(flow(800, { kind: 'doh', serverPort: 443 }));
  judge.encrypted(flow(90_000, { serverName: 'dns.google' }));
  assert.deepEqual(
    found.map(({ title, count, severity }) => `${severity} ${count}: ${title}`),
    [
      'low 1: 10.0.0.7 asks dns.google by DNS over TLS',
      'low 1: 10.0.0.7 asks 8.8.8.8 by DNS over HTTPS',
      'low 3: 10.0.0.7 asks dns.google by DNS over TLS',
    ],
  );
  assert.match(found[0].text, /with 8\.8\.8\.8, TCP port 853/);
});

test('NEW-DOM: the age of a domain is known over a restart', () => {
  const first = judgeWith('NEW-DOM', {});
  first.show([exchange(0, { name: 'www.known.example' })]);
  const next = judgeWith('NEW-DOM', {});
  next.judge.load(first.judge.save());
  next.show([exchange(10 * 86_400, { name: 'www.known.example' }), exchange(10 * 86_400, { name: 'new.example' })]);
  const saved = next.judge.save()['NEW-DOM'];
  assert.deepEqual(saved, [
    ['known.example', START, START + 10 * 86_400],
    ['new.example', START + 10 * 86_400, START + 10 * 86_400],
  ]);
  next.judge.load({ 'NEW-DOM': ['nonsense', [1, 2, 3]] });
  const domains = new Generations<Domain>(8);
  domains.find(new Int32Array(1), 1);
  const domain = domains.add(new Int32Array(1), 1, new Domain(START, new DomainSet([]), new Uint8Array(1)));
  assert.deepEqual([ageWeight(domain, START + 60), ageWeight(domain, START + 2 * 86_400)], [1.5, 1]);
});
