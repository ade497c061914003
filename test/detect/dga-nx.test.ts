import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chosenDomains } from '../../scripts/names/train.ts';
import { trainedModule } from '../../scripts/names/write.ts';
import { nameScore, SUSPECT, SUSPECT_PERCENT } from '../../src/detect/dga/name-score.ts';
import { FAMILIES } from '../../src/generate/dga/index.ts';
import { MADE_UP } from '../../src/generate/dga/made-up.ts';
import { Random } from '../../src/generate/random.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { exchange, findings } from './run.ts';

const only = { only: ['DGA-NX'] };

/** NXDOMAIN for each name, so many seconds apart; `zone` says it, the parent unless told. */
function vain(names: readonly string[], seconds: number, more: Partial<Exchange> & { zone?: string } = {}): Exchange[] {
  const { zone, ...rest } = more;
  return names.map((name, i) => {
    const soa = zone ?? name.slice(name.lastIndexOf('.') + 1);
    const data = 'a.gtld-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 900';
    const authority = [{ name: soa, type: 'SOA', ttl: 900, data }];
    return exchange(i * seconds, { name, rcode: 'NXDOMAIN', authority, ...rest });
  });
}

function made(family: string, n: number): string[] {
  const names = FAMILIES.find(({ name }) => name === family)?.names(new Random(7));
  return Array.from({ length: n }, () => names?.next().value ?? '');
}

test('random names are noticed after some, words after ten', () => {
  const [found] = findings(vain(made('cryptolocker', 20), 30), only);
  assert.equal(found.detector, 'DGA-NX');
  assert.equal(found.subject, '10.0.0.7');
  assert.equal(found.severity, 'high');
  assert.ok(found.count >= 6 && found.count <= 8, `${found.count}`);
  assert.match(found.title, /^10\.0\.0\.7 asked for [678] different domains that do not exist within 30 min/);
  assert.equal(found.proposal?.kind, 'client');
  const [words] = findings(vain(made('suppobox-like', 20), 60), only);
  assert.equal(words.count, 10);
});

test('ten an hour are noticed within two hours', () => {
  const [found] = findings(vain(made('cryptolocker', 30), 360), only);
  assert.ok(found.time - found.firstSeen <= 7200);
  const [words] = findings(vain(made('suppobox-like', 30), 500), only);
  assert.ok(words.time - words.firstSeen <= 7200);
});

test('names below dynamic DNS count each', () => {
  const [found] = findings(vain(made('corebot', 20), 30, { zone: 'ddns.net' }), only);
  assert.ok(found.count <= 8);
});

test('it goes on as one incident, told again when it has doubled', () => {
  const found = findings(vain(made('necurs', 60), 20), only);
  assert.ok(found.length >= 2 && found.length <= 4, `${found.length}`);
  assert.deepEqual([...new Set(found.map(({ key }) => key))], ['10.0.0.7']);
});

const random = made('cryptolocker', 40);
const innocent: Record<string, Exchange[]> = {
  'a search list': vain(
    random.map((name) => `${name}.corp.example.com`),
    10,
    { zone: 'corp.example.com' },
  ),
  'names of a domain that exists': vain(
    random.map((name, i) => `${i}.${name}`),
    10,
    { zone: 'com' },
  ).map((one, i) => ({ ...one, authority: [{ name: random[i], type: 'SOA', ttl: 9, data: 'a. b. 1 1 1 1 1' }] })),
  'block lists': vain(
    random.map((name, i) => `4.3.2.${i}.${name}`),
    10,
  ),
  'reverse names': vain(
    random.map((_, i) => `${i}.2.0.192.in-addr.arpa`),
    10,
  ),
  'names of one label': vain(
    random.map((name) => name.slice(0, name.indexOf('.'))),
    10,
    { zone: '.' },
  ),
  'what a resolver asks': vain(random, 10, { rd: false }),
  'one domain over and over': vain(
    random.map(() => random[0]),
    10,
  ),
  'a few mistakes an hour': vain(made('suppobox-like', 30), 1200),
  'domains that exist': random.map((name, i) => exchange(i * 10, { name })),
};
for (const [what, exchanges] of Object.entries(innocent)) {
  test(`nothing is said of ${what}`, () => assert.deepEqual(findings(exchanges, only), []));
}

test('the weights of names are those that training gives', () => {
  const written = readFileSync(new URL('../../src/detect/dga/weights.ts', import.meta.url), 'utf8');
  assert.ok(written === trainedModule(), 'npm run train writes another src/detect/dga/weights.ts');
  assert.ok(written.length <= 136 * 1024);
});

test('made-up algorithms are of many kinds, and none is called like malware', () => {
  const known = new Set(FAMILIES.map(({ name }) => name));
  for (const { name, kind, names } of MADE_UP) {
    assert.equal(kind, 'made up');
    assert.ok(!known.has(name) && name.startsWith('made-up-'));
    const list = Array.from(
      { length: 400 },
      (
        (made) => () =>
          made.next().value
      )(names(new Random(name))),
    );
    assert.ok(new Set(list).size > 350, name);
    for (const one of list) assert.match(one, /^[a-z0-9-]{4,63}(?:\.[a-z]+)+$/);
  }
});

test('names of no language that nobody has seen before look made, words do not', () => {
  for (const label of ['bakohuxxim', 'qozevupyl', 'xkqvtrwzpl']) assert.ok(nameScore(label, 'ru') > SUSPECT, label);
  for (const label of ['paperwindow', 'cityhospital', 'zurich', 'greenmarket']) {
    assert.ok(nameScore(label, 'com') < SUSPECT, label);
  }
});

test('of domains that people chose, no more are suspected than said', () => {
  const { judge } = chosenDomains();
  const suspected = judge.filter(({ label, suffix }) => nameScore(label, suffix) >= SUSPECT);
  assert.ok(judge.length > 4000);
  assert.ok(suspected.length / judge.length <= SUSPECT_PERCENT / 100, `${suspected.length} of ${judge.length}`);
});
