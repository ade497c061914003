import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/rr/exchange.ts';
import { addresses, exchange, findings } from './run.ts';

const only = { only: ['BEACON'] };

/** Questions of one client for a domain; `jitter` as a part of the period, spread evenly. */
function rhythm(period: number, jitter: number, times: number, more: Partial<Exchange> = {}): Exchange[] {
  const list: Exchange[] = [];
  let at = 10;
  let state = 1;
  for (let i = 0; i < times; i++) {
    list.push(
      exchange(at, { name: 'c2.rare-thing.org', ...addresses('c2.rare-thing.org', 60, '203.0.113.7'), ...more }),
    );
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    at += period * (1 + jitter * (state / 2 ** 30 - 1));
  }
  return list;
}

test('BEACON: periodic, rare, and not by the TTL', () => {
  const [found] = findings(rhythm(300, 0.1, 30), only);
  assert.match(found?.title ?? '', /^10\.0\.0\.7 asks for rare-thing\.org every (?:4 min \d+ s|5 min)/);
  assert.equal(found.key, '10.0.0.7 rare-thing.org');
  assert.equal(found.severity, 'low', 'nothing is known yet of what was asked for before');
  // A lost packet now and then changes nothing.
  assert.ok(
    findings(
      rhythm(300, 0.1, 40).filter((_, i) => i % 9 !== 4),
      only,
    ).length > 0,
  );
  assert.deepEqual(findings(rhythm(300, 0.1, 11), only), [], 'too few');
  assert.deepEqual(findings(rhythm(60, 0.02, 40), only), [], 'the cache sets the pace');
  assert.deepEqual(findings(rhythm(300, 1, 60), only), [], 'no rhythm');
});

test('BEACON: what three clients ask for, and what is popular, is none', () => {
  const three = [1, 2, 3].flatMap((i) => rhythm(300 + i, 0.05, 30, { client: `10.0.0.${i}` }));
  assert.deepEqual(findings(three, only), []);
  assert.deepEqual(findings(rhythm(300, 0.05, 30, { name: 'www.google.com' }), only), []);
});
