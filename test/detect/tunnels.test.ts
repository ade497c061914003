import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainSet } from '../../src/detect/domain-set.ts';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Entities } from '../../src/detect/entities.ts';
import { Observation } from '../../src/detect/observation.ts';
import { Distinct, secretHash } from '../../src/detect/tunnel/distinct.ts';
import { Sliding } from '../../src/detect/tunnel/sliding.ts';
import { spellingBits } from '../../src/detect/tunnel/spelling.ts';
import { SubNames } from '../../src/detect/tunnel/sub-names.ts';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { hashName, mix } from '../../src/wire/name.ts';
import { parseName } from '../../src/wire/writer.ts';
import { addresses, exchange, findings, START } from './run.ts';

const only = (...ids: string[]) => ({ only: ids });
const many = (n: number, of: (i: number) => Exchange) => Array.from({ length: n }, (_, i) => of(i));
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Of 4,000 names: 240,000 in the test; FLOOD_ROUNDS=2500 makes it ten million. */
const ROUNDS = Number(process.env.FLOOD_ROUNDS ?? 60);
const WORDS = ['river', 'stone', 'paper', 'green', 'market', 'window', 'summer', 'orange', 'letter', 'garden'];

/** Encoded data that a seed gives. */
function data(seed: number, length: number, letters = BASE32): string {
  let text = '';
  for (let i = 0; i < length; i++) text += letters[mix(seed * 1000 + i) % letters.length];
  return text;
}

test('TUN-BYTES: a small transfer is told while it goes on', () => {
  const transfer = many(15, (i) =>
    exchange(i / 2, { name: `${data(i, 52)}.drop.example`, ...addresses('drop.example', 60, '192.0.2.1') }),
  );
  const [first, ...more] = findings(transfer, only('TUN-BYTES'));
  assert.equal(first.key, 'drop.example');
  assert.equal(first.client, '10.0.0.7');
  assert.equal(first.severity, 'medium');
  assert.ok(first.measures[0].value < 512, `${first.measures[0].value} B`);
  assert.equal(first.measures[0].threshold, 400);
  assert.ok(first.evidence.length > 2 && first.evidence.length <= 10);
  assert.ok(more.length <= 1, 'said again when it has doubled');
});

test('TUN-BYTES: without a telling shape an hour’s and a day’s bytes decide', () => {
  const name = (i: number) => `${[0, 1, 2].map((k) => WORDS[Math.floor(i / 10 ** k) % 10]).join('-')}.slow.example`;
  const quick = findings(
    many(120, (i) => exchange(i * 20, { name: name(i) })),
    only('TUN-BYTES'),
  );
  assert.equal(quick[0].measures[0].threshold, 1024);
  assert.ok(quick[0].measures[0].value < 1100);
  // 16 letters every four minutes: 240 B an hour.
  const slow = findings(
    many(330, (i) => exchange(i * 240, { name: name(i) })),
    only('TUN-BYTES'),
  );
  assert.match(slow[0].title, /a day is the limit/);
  assert.deepEqual(
    findings(
      many(40, (i) => exchange(i * 240, { name: name(i) })),
      only('TUN-BYTES'),
    ),
    [],
  );
});

test('TUN-BYTES: both legs of a resolver are one tunnel', () => {
  const legs = many(30, (i) => exchange(i, { name: `${data(i, 40)}.drop.example`, latencyMs: 30 })).flatMap((one) => [
    one,
    { ...one, time: one.time + 0.01, client: '10.0.0.53', server: '192.0.2.9', latencyMs: 10 },
  ]);
  const found = findings(legs, only('TUN-BYTES'));
  assert.equal(found[0].client, '10.0.0.7', 'who asked the resolver');
  assert.ok(found[0].measures[0].value <= 440, 'each name counts once');
});

test('TUN-BYTES: what many use, asks lists, or looks up addresses says nothing', () => {
  const client = (i: number) => `10.0.${i % 40}.7`;
  const quiet: Record<string, Exchange[]> = {
    // Names of a content network: the same ones again and again, from everybody.
    shared: many(4000, (i) => exchange(i / 2, { client: client(i), name: `${data(i % 90, 14)}.cdn.example` })),
    // Every client has names of its own, a few each.
    spread: many(400, (i) => exchange(i * 5, { client: client(i), name: `${data(i, 32)}.telemetry.example` })),
    // Mail servers ask block lists.
    lists: many(600, (i) =>
      exchange(i * 5, {
        name: `${i % 256}.${(i * 7) % 256}.${(i * 13) % 256}.${i % 200}.zen.blocklist.example`,
        ...(i % 3 === 0 ? addresses('blocklist.example', 60, '127.0.0.2') : { rcode: 'NXDOMAIN' }),
      }),
    ),
    // Antivirus asks whether hashes are known.
    hashes: many(200, (i) =>
      exchange(i * 10, { name: `${data(i, 40)}.avqs.vendor.example`, ...addresses('x', 60, '127.0.0.4') }),
    ),
    reverse: many(600, (i) => exchange(i, { name: `${i % 256}.${(i * 7) % 256}.51.198.in-addr.arpa`, type: 'PTR' })),
    suffix: many(300, (i) => exchange(i, { name: `www.google.com.corp${i % 3}.example`, rcode: 'NXDOMAIN' })),
    // What a resolver asks is what many clients want.
    resolver: many(150, (i) =>
      exchange(i * 20, {
        client: '10.0.0.53',
        server: '192.0.2.9',
        rd: false,
        name: `${WORDS[i % 10]}-${WORDS[Math.floor(i / 10) % 10]}${i}.shards.example`,
      }),
    ),
    popular: many(200, (i) => exchange(i, { name: `${data(i, 30)}.google.com` })),
  };
  for (const [what, traffic] of Object.entries(quiet)) {
    assert.deepEqual(
      findings(traffic, only('TUN-BYTES', 'TUN-SHAPE', 'TUN-DOWN', 'TUN-NOPARENT')).map(({ title }) => title),
      [],
      what,
    );
  }
  assert.notEqual(
    findings(
      many(900, (i) => exchange(i, { name: `${data(i, 60)}.google.com` })),
      only('TUN-BYTES'),
    ).length,
    0,
  );
});

test('TUN-BYTES: the victim of a flood is not to be blocked, and registrations under a hoster are no data', () => {
  const random = (i: number, more: Partial<Exchange>) =>
    exchange(i / 20, { name: `${data(i, 20)}.victim.example`, rcode: 'NXDOMAIN', ...more });
  assert.deepEqual(
    findings(
      many(900, (i) => random(i, { client: `10.0.0.${i % 9}` })),
      only('TUN-BYTES'),
    ),
    [],
  );
  const alone = findings(
    many(900, (i) => random(i, {})),
    only('TUN-BYTES'),
  );
  for (const { severity, proposal } of alone) assert.deepEqual([severity, proposal], ['medium', undefined]);
  const homes = many(200, (i) => exchange(i * 5, { name: `${data(i, 20)}.duckdns.org`, rcode: 'NXDOMAIN' }));
  assert.deepEqual(findings(homes, only('TUN-BYTES')), []);
  const below = many(200, (i) => exchange(i * 5, { name: `${data(i, 40)}.mine.duckdns.org` }));
  assert.notEqual(findings(below, only('TUN-BYTES')).length, 0);
});

test('TUN-SHAPE: few names that look like data are a hint, words are none', () => {
  const coded = many(12, (i) => exchange(i / 20, { name: `${data(i, 30)}.t.example`, type: 'NULL', latencyMs: 1 }));
  const [hint] = findings(coded, only('TUN-SHAPE'));
  assert.equal(hint.severity, 'low');
  assert.match(hint.text, /types that hardly anybody uses/);
  const words = many(60, (i) => exchange(i, { name: `${WORDS[i % 10]}${WORDS[(i * 3) % 10]}.w.example` }));
  assert.deepEqual(findings(words, only('TUN-SHAPE')), []);
});

test('TUN-SHAPE: what only goes up, from one client to a domain nobody knew, has a second witness; else it is a hint', () => {
  const upload = (client: string, from: number, n: number) =>
    many(n, (i) =>
      exchange(from + i / 2, {
        client,
        name: `${data(i + 7, 52)}.up.example`,
        ...addresses('up.example', 1, '192.0.2.1'),
      }),
    );
  const found = findings(upload('10.0.0.7', 0, 60), only('TUN-BYTES', 'TUN-SHAPE', 'TUN-DOWN'));
  const witnesses = new Set(found.filter(({ severity }) => severity !== 'low').map(({ detector }) => detector));
  assert.deepEqual([...witnesses].sort(), ['TUN-BYTES', 'TUN-SHAPE']);
  assert.ok(found.some(({ proposal }) => proposal?.value === 'up.example'));
  const shape = found.filter(({ detector }) => detector === 'TUN-SHAPE');
  assert.deepEqual(
    shape.map(({ severity }) => severity),
    ['low', 'medium'],
    'a hint, then more, and no more of it',
  );
  const sure = shape[1];
  assert.ok(sure.time - START < 25, `after ${sure.time - START} s`);
  const known = [exchange(0, { client: '10.0.0.9', name: 'www.up.example' }), ...upload('10.0.0.7', 2 * 86_400, 60)];
  const late = findings(known, only('NEW-DOM', 'TUN-SHAPE'));
  assert.ok(
    late.every(({ severity }) => severity === 'low'),
    'a domain that was known for two days',
  );
});

test('TUN-DOWN: commands in TXT answers to short names; mail policies are none', () => {
  const answer = (i: number, length: number) => ({
    answers: [
      { name: 'c2.example', type: 'TXT', ttl: 0, data: `"${data(i, length, `${BASE32}ABCDEFGHIJKLMNOPQRSTUVWXYZ`)}"` },
    ],
  });
  const commands = many(40, (i) => exchange(i * 10, { name: `t${i % 4}.c2.example`, type: 'TXT', ...answer(i, 180) }));
  const [first] = findings(commands, only('TUN-DOWN'));
  assert.equal(first.domain, 'c2.example');
  assert.equal(first.proposal?.kind, 'domain');
  const policies = many(200, (i) => exchange(i, { name: 'mail.example', type: 'TXT', ...answer(i % 4, 200) }));
  assert.deepEqual(findings(policies, only('TUN-DOWN')), []);
});

test('TUN-NOPARENT: long names that stand alone', () => {
  const long = (i: number) => exchange(i * 3, { name: `${data(i, 55)}.${data(i + 500, 12)}.com`, rcode: 'NXDOMAIN' });
  const [first] = findings(many(25, long), only('TUN-NOPARENT'));
  assert.equal(first.client, '10.0.0.7');
  assert.equal(first.measures[0].value, 20);
  const together = many(25, (i) => exchange(i * 3, { name: `${data(i, 55)}.one.example` }));
  assert.deepEqual(findings(together, only('TUN-NOPARENT')), []);
  const rarely = many(25, (i) => ({ ...long(i), time: START + i * 60 }));
  assert.deepEqual(findings(rarely, only('TUN-NOPARENT')), []);
});

test('distinct things are counted exactly up to 384 of them, beyond that within a tenth', () => {
  const distinct = new Distinct();
  const add = (i: number) => {
    const hash = mix(i + 1);
    if (!distinct.isSampled(hash) || distinct.find(hash) >= 0) return;
    distinct.insert(hash, 10, i % 3);
  };
  const sum = () => {
    const by = new Float64Array(3);
    distinct.sumByOwner(by);
    return by[0] + by[1] + by[2];
  };
  for (let round = 0; round < 2; round++) for (let i = 0; i < 384; i++) add(i);
  assert.equal(sum(), 3840);
  for (let i = 0; i < 100_000; i++) add(i);
  assert.ok(Math.abs(sum() / 1_000_000 - 1) < 0.1, String(sum()));
  assert.ok(distinct.size <= 384);
});

test('names are told apart by a hash that their sender cannot foresee; a sample holds the same names every time', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const hashes = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    bytes[0] = i;
    bytes[1] = i >>> 8;
    const hash = secretHash(bytes, 0, 4, 0x1234_5678);
    assert.equal(hash & 0x3ff, 0x5678 & 0x3ff);
    hashes.add(hash);
  }
  // Of 2^22: all hashes known outside are equal here.
  assert.ok(hashes.size > 4980, String(hashes.size));
});

test('what lies more than an hour back has left the sum', () => {
  const sliding = new Sliding(1, 3600, 12);
  for (let t = 0; t < 7200; t += 60) {
    sliding.advance(t);
    sliding.add(0, 1);
  }
  assert.ok(sliding.sum(0) >= 55 && sliding.sum(0) <= 60, String(sliding.sum(0)));
  sliding.advance(7200 + 3600);
  assert.equal(sliding.sum(0), 0);
});

test('words are spelled with fewer bits than data', () => {
  const bits = (label: string) => spellingBits(parseName(label), label.length + 1) / label.length;
  for (const word of ['download', 'images', 'update-service', 'mailserver']) assert.ok(bits(word) < 5.2, word);
  for (const code of [data(1, 40), data(2, 40, '0123456789abcdef')]) assert.ok(bits(code) > 6, code);
});

test('a flood of new names under many domains takes no more memory than its beginning', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const used = () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const [batch] = batchesOf(
    many(4000, (i) => exchange(i / 1000, { name: `x0000000000.d${String(i).padStart(5, '0')}.example` })),
  );
  const { nameHash, queryAt } = batch.col;
  const entities = new Entities(registrableStart, new DomainSet([]));
  const names = new SubNames(entities, { isPopular: () => false, hostingSuffix: () => null });
  const seen = new Observation(entities, batch);
  let before = 0;
  // The same rows with other names: what is to be counted is written into them.
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < batch.count; i++) {
      const at = queryAt[i] + 12;
      for (let k = 11, left = round; k > 1; k--, left = Math.floor(left / 10)) batch.arena[at + k] = 0x30 + (left % 10);
      nameHash[i] = hashName(batch.arena, at, queryAt[i]);
      seen.take(batch, i);
      names.note(seen);
    }
    if (round === 20) before = used();
  }
  const grown = used() - before;
  assert.ok(before < 100, `${before.toFixed(1)} MiB`);
  assert.ok(grown < 20, `${grown.toFixed(1)} MiB more`);
  assert.ok(names.count().evicted > 0, 'what was given up is counted');
});
