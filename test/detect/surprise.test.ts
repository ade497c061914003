import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf } from '../../src/app/judging.ts';
import type { Finding } from '../../src/core/alert.ts';
import { SiteNames } from '../../src/detect/site-names.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { mix } from '../../src/wire/name.ts';
import { parseName } from '../../src/wire/writer.ts';
import { exchange } from './run.ts';

const HOUR = 3600;
const WORDS = 'mail web shop files news photo cloud static login update video music maps home search blog'.split(' ');
const CLIENTS = 12;

/** A number below `n` that follows from others. */
const draw = (n: number, ...of: number[]) => of.reduce((so, one) => mix(so * 31 + one), 7) % n;

/** What clients usually do in an hour: 25 to 75 questions for names of words, one in twenty of them in vain. */
function usual(hour: number, clients: readonly number[]): Exchange[] {
  return clients.flatMap((client) => {
    const n = 25 + draw(50, hour, client);
    return Array.from({ length: n }, (_, i) => {
      const word = (k: number) => WORDS[draw(WORDS.length, hour, client, i, k)];
      return exchange(hour * HOUR + (i * HOUR) / n, {
        client: `10.0.0.${client}`,
        name: `${word(1)}.${word(2)}${word(3)}.com`,
        ...(draw(20, hour, client, i, 4) === 0 && { rcode: 'NXDOMAIN' }),
      });
    });
  });
}

const everybody = Array.from({ length: CLIENTS }, (_, i) => i + 1);

function begin() {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const found: Finding[] = [];
  const raise = (one: Finding) => void found.push(one);
  const judge = judgeOf(config.detect, { networks: [], resolvers: [], raise, only: ['SURPRISE'] });
  const show = (exchanges: readonly Exchange[]) => {
    const inOrder = exchanges.toSorted((a, b) => a.time - b.time);
    for (const batch of batchesOf(inOrder)) judge.rows(batch, 0, batch.count);
  };
  return { judge, found, show };
}

/** An hour in which a client asks for what nobody here ever asked for, spelled like nothing here, mostly in vain. */
function strange(hour: number, client: number): Exchange[] {
  return Array.from({ length: 160 }, (_, i) => {
    const letters = Array.from({ length: 12 }, (__, k) => 'qxzvkjwpbyfgh7392'[draw(17, hour, i, k)]).join('');
    return exchange(hour * HOUR + i * 20, {
      client: `10.0.0.${client}`,
      name: `${letters}.net`,
      ...(i % 3 > 0 && { rcode: 'NXDOMAIN' }),
    });
  });
}

test('SURPRISE: an hour unlike all others of a client is told of once, with what was unlike; ordinary ones hardly ever', () => {
  const { found, show } = begin();
  const days = 8;
  for (let hour = 0; hour < days * 24; hour++) show(usual(hour, everybody));
  assert.ok(found.length <= 2, `${found.length} ordinary hours of a week were told of`);
  const before = found.length;
  show([...usual(days * 24, everybody.slice(1)), ...strange(days * 24, 1)]);
  show(usual(days * 24 + 1, everybody));
  const [said, ...more] = found.slice(before);
  assert.deepEqual([said.client, said.severity, said.proposal], ['10.0.0.1', 'low', undefined]);
  assert.deepEqual(more, []);
  const [sum, ...parts] = said.measures;
  assert.ok(sum.value > 10, `${sum.value}`);
  assert.equal(parts.length, 4, 'queries, failures, new domains and spelling');
  for (const { value, usual: known, rank } of parts) assert.ok(value > (known?.centre ?? value) && (rank ?? 0) > 0.9);
  assert.ok(said.evidence.length > 0);
  assert.match(said.text, /usually/);
});

test('SURPRISE: what is usual is known over a restart; an hour that was told of is not learnt', () => {
  const first = begin();
  for (let hour = 0; hour < 60; hour++) first.show(usual(hour, everybody));
  const next = begin();
  next.judge.load(first.judge.save());
  next.show(usual(60, everybody));
  next.show([...usual(61, everybody.slice(1)), ...strange(61, 1)]);
  next.show([...usual(62, everybody.slice(1)), ...strange(62, 1)]);
  next.show(usual(63, everybody));
  assert.equal(next.found.filter(({ client }) => client === '10.0.0.1').length, 2);
  const none = begin();
  none.judge.load({ SURPRISE: { clients: [['10.0.0.1', 'x'], 7], names: { letters: 'many' }, scores: 'none' } });
  none.show([...usual(0, everybody), ...strange(1, 1), ...usual(2, everybody)]);
  assert.deepEqual(none.found, [], 'too little is known');
});

test('names are judged by how names are spelled here', () => {
  const names = new SiteNames();
  const wire = (text: string) => {
    const name = parseName(text);
    return [name, name.length - 1] as const;
  };
  for (let i = 0; i < 400; i++)
    names.bits(...wire(`${WORDS[draw(16, i)]}.${WORDS[draw(16, i, 1)]}${WORDS[draw(16, i, 2)]}`));
  const bits = (text: string) => names.bits(...wire(text), false);
  assert.ok(bits('static.cloudnews') < 2.5, `${bits('static.cloudnews')}`);
  assert.ok(bits('qxzvkj7w3p') > 6, `${bits('qxzvkj7w3p')}`);
  assert.ok(bits('cloudpaper') > bits('cloudnews') && bits('cloudpaper') < bits('qxzvkjwpby'));
  // A chance is none above 1: whatever is asked for, a letter costs something.
  for (const text of ['mail', 'web.mail', 'm', 'mailmailmailmail']) assert.ok(bits(text) > 0, text);
  const again = new SiteNames();
  again.load(structuredClone(names.save()));
  assert.equal(again.bits(...wire('static.cloudnews'), false), bits('static.cloudnews'));
  again.load({ ones: [1], letters: 3 });
  assert.equal(again.letters, names.letters, 'what it does not understand it ignores');
});
