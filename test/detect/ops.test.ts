import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/rr/exchange.ts';
import { addresses, exchange, findings } from './run.ts';

/** Ordinary traffic of ten clients: `seconds` long, `rate` a second, from `from` on. */
function usual(
  from: number,
  seconds: number,
  rate: number,
  more: (i: number) => Partial<Exchange> = () => ({}),
): Exchange[] {
  return Array.from({ length: seconds * rate }, (_, i) => {
    const name = `www.site${(i * 7) % 40}.com`;
    return exchange(from + i / rate, {
      client: `10.0.0.${1 + (i % 10)}`,
      name,
      // A cache, and one in four by way of other servers.
      latencyMs: i % 4 === 0 ? 20 + (i % 13) : 0.4 + (i % 5) / 10,
      ...addresses(name, 300, `192.0.2.${1 + (i % 200)}`),
      ...more(i),
    });
  });
}
const only = (id: string) => ({ only: [id] });

test('OPS-SERVFAIL: early by floors, later against what is usual, and one broken domain apart', () => {
  const failing = (i: number): Partial<Exchange> => (i % 2 === 0 ? { rcode: 'SERVFAIL', answers: [] } : {});
  const early = findings([...usual(0, 60, 5), ...usual(60, 120, 5, failing)], only('OPS-SERVFAIL'));
  assert.equal(early[0]?.severity, 'medium');
  assert.equal(early[0].subject, '10.0.0.53');
  assert.match(early[0].title, /^10\.0\.0\.53 answers [\d.]+ % of queries with SERVFAIL/);
  assert.ok(early[0].evidence.length > 0 && early[0].evidence.every(({ server }) => server === '10.0.0.53'));
  // While 2.5 a second fail.
  const shown = early.at(-1)?.evidence.map(({ time }) => time) ?? [];
  assert.ok(
    shown.length === 6 && shown.every((time, i) => i === 0 || time - shown[i - 1] > 0.9),
    'examples are a second apart',
  );
  // One in fifty always fails here: that is not worth a word, one in four is.
  const rare = (i: number): Partial<Exchange> => (i % 50 === 0 ? { rcode: 'SERVFAIL', answers: [] } : {});
  assert.deepEqual(findings(usual(0, 900, 4, rare), only('OPS-SERVFAIL')), []);
  const quarter = (i: number): Partial<Exchange> => (i % 4 === 0 ? { rcode: 'SERVFAIL', answers: [] } : {});
  const later = findings([...usual(0, 900, 4, rare), ...usual(900, 300, 4, quarter)], only('OPS-SERVFAIL'));
  assert.match(later[0]?.title ?? '', /usual: [12]\.\d+ %/);
  assert.ok(later[0].measures[0].usual !== undefined);
  const broken = (i: number): Partial<Exchange> =>
    i % 3 === 0 ? { rcode: 'SERVFAIL', answers: [], name: 'www.broken.org' } : {};
  const [domain] = findings(usual(0, 120, 5, broken), only('OPS-SERVFAIL'));
  assert.equal(domain.severity, 'low');
  assert.match(domain.title, /cannot resolve broken\.org/);
});

test('OPS-UNANSWERED: a resolver that stops, and one that never answered', () => {
  const dead: Partial<Exchange> = { latencyMs: undefined };
  const found = findings([...usual(0, 300, 5), ...usual(300, 60, 5, () => dead)], only('OPS-UNANSWERED'));
  assert.equal(found[0]?.severity, 'medium');
  assert.equal(found[0].key, '10.0.0.53');
  assert.ok(found[0].time - 1_760_000_400 < 330, 'within half a minute');
  assert.match(found.at(-1)?.text ?? '', /usual/);
  const never = usual(0, 120, 1, () => ({ ...dead, server: '203.0.113.9', client: '10.0.0.4' }));
  const [forgotten] = findings([...usual(0, 120, 5), ...never], only('OPS-UNANSWERED'));
  assert.equal(forgotten.severity, 'low');
  assert.match(forgotten.text, /has never answered/);
  assert.deepEqual(
    findings(
      usual(0, 600, 5, (i) => (i % 60 === 0 ? dead : {})),
      only('OPS-UNANSWERED'),
    ),
    [],
  );
});

test('OPS-LATENCY: slow against what is usual; an empty cache after a restart is not', () => {
  const slow = (i: number): Partial<Exchange> => ({ latencyMs: 150 + (i % 17) * 5 });
  const found = findings([...usual(0, 1800, 3), ...usual(1800, 300, 3, slow)], only('OPS-LATENCY'));
  assert.match(
    found[0]?.title ?? '',
    /^p95 of 10\.0\.0\.53 was [\d.]+ ms ± \d+, is [\d.]+ ms for 5 min; p[\d.]+ of \d+ min/,
  );
  assert.equal(found[0].severity, 'medium');
  assert.ok((found[0].measures[0].rank ?? 0) > 0.99);
  // Everything has to be asked for again, as far away as ever.
  const restart = (i: number): Partial<Exchange> => ({ latencyMs: 20 + (i % 13) });
  assert.deepEqual(findings([...usual(0, 1800, 3), ...usual(1800, 300, 3, restart)], only('OPS-LATENCY')), []);
  // Nothing known, but slow anywhere.
  const [cold] = findings(
    usual(0, 120, 3, () => ({ latencyMs: 1900 })),
    only('OPS-LATENCY'),
  );
  assert.match(cold?.text ?? '', /slow anywhere/);
});

test('OPS-DNSSEC: bogus answers of one domain, and of all', () => {
  const bogus: Partial<Exchange> = {
    rcode: 'SERVFAIL',
    udpSize: 1232,
    edns: { udp_size: 1232, version: 0, do: true, options: [{ code: 15, name: 'EDE', data: '0007' }] },
  };
  const one = Array.from({ length: 12 }, (_, i) => exchange(100 + i, { ...bogus, name: 'www.expired.org' }));
  const found = findings([...usual(0, 90, 2), ...one], only('OPS-DNSSEC'));
  assert.equal(found[0]?.severity, 'low');
  assert.equal(found[0].domain, 'expired.org');
  assert.match(found[0].title, /signature expired/);
  const all = usual(100, 30, 2, () => bogus);
  const [clock] = findings([...usual(0, 90, 2), ...all], only('OPS-DNSSEC')).filter(
    ({ severity }) => severity === 'high',
  );
  assert.match(clock?.text ?? '', /clock/);
  assert.deepEqual(
    findings(
      usual(0, 60, 3, () => ({ rcode: 'SERVFAIL' })),
      only('OPS-DNSSEC'),
    ),
    [],
  );
});

test('OPS-TC: truncated answers that are not had over TCP', () => {
  const cut = (i: number): Partial<Exchange> => (i % 4 === 0 ? { tc: true, type: 'TXT', answers: [] } : {});
  const found = findings(usual(0, 60, 3, cut), only('OPS-TC'));
  assert.equal(found[0]?.severity, 'medium');
  assert.match(found[0].text, /TCP port 53/);
  const tcp = usual(0, 60, 1, () => ({ transport: 'tcp', type: 'TXT' }));
  assert.deepEqual(findings([...usual(0, 60, 3, cut), ...tcp], only('OPS-TC')), []);
});

test('OPS-LAME: a server that refuses the domain it is to serve', () => {
  const lame = Array.from({ length: 8 }, (_, i) =>
    exchange(i * 3, {
      client: '10.0.0.53',
      server: '198.51.100.9',
      rd: false,
      ra: false,
      rcode: 'REFUSED',
      name: `w${i}.lame.org`,
    }),
  );
  const context = { ...only('OPS-LAME'), vantage: 'resolver' as const };
  const [found] = findings(lame, context);
  assert.equal(found?.title, '198.51.100.9 does not serve lame.org: REFUSED');
  assert.deepEqual(
    findings(
      lame.map((one) => ({ ...one, rd: true })),
      context,
    ),
    [],
  );
});

test('OPS-SILENT: nothing where much was to be expected, and answers without their queries', () => {
  const before = usual(0, 1200, 3);
  const found = findings([...before, ...usual(1200 + 300, 10, 3)], only('OPS-SILENT'));
  assert.equal(found[0]?.key, 'silence');
  assert.match(found[0].title, /^No DNS transaction for 5 min/);
  assert.deepEqual(findings([...before, ...usual(1200 + 60, 10, 3)], only('OPS-SILENT')), [], 'a minute');
  assert.deepEqual(findings([...before, ...usual(1200 + 90_000, 10, 3)], only('OPS-SILENT')), [], 'another capture');
  const half = usual(0, 200, 5, (i) => (i % 3 === 0 ? { fate: 'orphan' } : {}));
  const [loss] = findings(half, only('OPS-SILENT'));
  assert.equal(loss?.key, 'loss');
  assert.equal(loss.severity, 'medium');
});
