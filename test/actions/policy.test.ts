import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NeverBlock } from '../../src/actions/never-block.ts';
import { blockSettings } from '../../src/actions/settings.ts';
import { schemaOf } from '../../src/app/config-schema.ts';
import { finding, HOUR, NEVER_FACTS, scene, type Scene } from './facts.ts';

const BY = { by: 'anna', from: '10.0.0.1', reason: 'ticket 4711' };

/** Two detectors say the same. */
async function agree({ policy }: Scene, domain: string): Promise<void> {
  policy.finding(finding('TUN-BYTES', domain));
  policy.finding(finding('TUN-SHAPE', domain, { proposal: undefined }));
  await policy.settled();
}

function outcome({ policy }: Scene, value: string): string | undefined {
  return policy.report().decisions.find((one) => one.value === value)?.outcome;
}

test('(a) nothing is blocked by a detector that may not: it is only said what would have been', async (t) => {
  const one = scene(t, { enforce: [] });
  await agree(one, 'evil.example');
  assert.deepEqual([one.action.values, outcome(one, 'evil.example')], [[], 'would_block']);
  const [decision] = one.policy.report().decisions;
  assert.deepEqual(decision.detectors, ['TUN-BYTES', 'TUN-SHAPE']);
  assert.equal(decision.clients, 1);
  assert.equal(decision.why, 'TUN-BYTES may not block (enforce is off).');
});

test('(c) a block says why, by whom, until when, and what shows it', async (t) => {
  const one = scene(t);
  await agree(one, 'evil.example');
  const [{ id, ...block }] = one.policy.list();
  assert.match(id, /^[0-9a-f]{10}$/);
  assert.deepEqual(block, {
    kind: 'domain',
    value: 'evil.example',
    since: one.clock.now,
    until: one.clock.now + HOUR,
    by: 'TUN-BYTES/1.2.3',
    isAutomatic: true,
    reason: '4.1 kB of names under evil.example',
    evidence: ['0011223344556677'],
    repeat: 0,
  });
  assert.deepEqual(one.action.values, ['evil.example']);
});

test('a dry run says what would happen, what refuses it and what speaks against it, and does nothing', async (t) => {
  const one = scene(t);
  const ask = (kind: string, value: string, forMs?: number) =>
    one.policy.preview({ kind, value }, { from: '10.0.0.1', forMs });
  assert.deepEqual(await ask('domain', '*.Evil.Example.'), {
    kind: 'domain',
    value: 'evil.example',
    forMs: HOUR,
    block: null,
    actions: [{ name: 'memory', type: 'memory', error: null }],
    refused: null,
    doubts: [{ rule: 'one_signal', why: 'No detector speaks against it.' }],
    clients: 1,
  });
  one.policy.finding(finding('TUN-BYTES', 'evil.example'));
  await one.policy.settled();
  one.facts.clients = 30;
  const doubted = await ask('domain', 'evil.example', 60_000);
  assert.deepEqual(
    doubted.doubts.map(({ rule, why }) => `${rule}: ${why}`),
    [
      'one_signal: Only TUN-BYTES speaks against it: two have to.',
      'common: 30 clients used it in the last seven days.',
    ],
  );
  assert.deepEqual([doubted.forMs, doubted.clients, one.action.values], [60_000, 30, []]);
  assert.match((await ask('domain', 'github.io')).refused ?? '', /Others have their names/);
  assert.match((await ask('client', '10.0.0.1')).refused ?? '', /manages nametap/);
  assert.deepEqual((await ask('address', '192.168.1.1')).doubts, [], 'what nobody may block is not doubted besides');
  await assert.rejects(ask('domain', 'evil.example', 1), /at least a second/);
  const made = await one.policy.add({ kind: 'domain', value: 'evil.example' }, BY);
  assert.deepEqual((await ask('domain', 'evil.example')).block, made);
});

test('a dry run does not wait for a history that does not answer', async (t) => {
  const one = scene(t, { facts: { use: () => new Promise(() => {}) } });
  // The policy waits without holding the program up: here somebody has to.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const { doubts, clients } = await one.policy.preview({ kind: 'domain', value: 'evil.example' }, { from: '10.0.0.1' });
  assert.deepEqual([doubts.at(-1)?.why, clients], ['How many use it could not be found out in time.', null]);
});

test('(c) it ends by itself, and comes back for twice as long, up to a day; people block for at most a week', async (t) => {
  const one = scene(t);
  const spans: number[] = [];
  for (let i = 0; i < 7; i++) {
    await agree(one, 'evil.example');
    const [block] = one.policy.list();
    spans.push((block.until - block.since) / HOUR);
    one.clock.now = block.until;
    await sleep(300);
    await one.policy.settled();
    assert.deepEqual([one.policy.list(), one.action.values], [[], []], `block ${i} has ended`);
  }
  assert.deepEqual(spans, [1, 2, 4, 8, 16, 24, 24]);
  const week = await one.policy.add({ kind: 'domain', value: 'other.example' }, { ...BY, forMs: 168 * HOUR });
  assert.equal(week.until - week.since, 168 * HOUR);
  await assert.rejects(
    one.policy.add({ kind: 'domain', value: 'other.example' }, { ...BY, forMs: 168 * HOUR + 1 }),
    /at most seven days/,
  );
});

test('(c) a block outlives a restart, and ends when it should have; what has ended while nobody ran stays so', async (t) => {
  const one = scene(t);
  await agree(one, 'evil.example');
  await one.policy.add({ kind: 'domain', value: 'short.example' }, { ...BY, forMs: 60_000 });
  const blocks = one.policy.list();
  one.clock.now += 2 * 60_000;
  const two = await one.again();
  assert.deepEqual(one.action.values, [], '(i) the end of the program ends what it blocked');
  await two.policy.settled();
  assert.deepEqual(two.action.values, ['evil.example']);
  assert.deepEqual(
    two.policy.list(),
    blocks.filter(({ value }) => value === 'evil.example'),
  );
  two.clock.now = blocks[0].until + HOUR;
  await sleep(300);
  await two.policy.settled();
  assert.deepEqual(two.action.values, []);
});

test('(d) too many at once trip the breaker: an alert, and nothing more until somebody resumes, over a restart too', async (t) => {
  const one = scene(t);
  for (let i = 0; i < 15; i++) await agree(one, `evil${i}.example`);
  assert.equal(one.action.values.length, 10);
  assert.deepEqual(
    one.raised.map(({ detector, severity }) => [detector, severity]),
    [['BLOCK-BREAKER', 'high']],
  );
  one.clock.now += HOUR / 2;
  await agree(one, 'later.example');
  assert.equal(outcome(one, 'later.example'), 'budget');
  const two = await one.again();
  assert.match(two.policy.report().breaker ?? '', /More than 10 new blocks in a minute/);
  two.policy.resume('anna');
  await agree(two, 'later.example');
  assert.ok(two.action.values.includes('later.example'));
  const three = await two.again();
  assert.equal(three.policy.report().breaker, null);
});

test('(d) a breaker that tripped long ago holds over every restart', async (t) => {
  const one = scene(t);
  for (let i = 0; i < 11; i++) await agree(one, `evil${i}.example`);
  one.clock.now += 31 * 24 * HOUR;
  const three = await (await one.again()).again();
  assert.match(three.policy.report().breaker ?? '', /More than 10 new blocks in a minute/);
});

test('(d) more than some per cent of the domains of an hour are not blocked', async (t) => {
  const one = scene(t);
  one.facts.active = 1500;
  for (let i = 0; i < 40; i++) {
    await agree(one, `evil${i}.example`);
    one.clock.now += 10_000;
  }
  assert.equal(one.action.values.length, 30);
  assert.match(one.policy.report().breaker ?? '', /More than 30 domains would be blocked/);
});

test('(e) one detector alone does not block; two do, or a proof; what is only worth knowing does not count', async (t) => {
  const one = scene(t);
  one.policy.finding(finding('TUN-BYTES', 'evil.example'));
  one.policy.finding(finding('TUN-BYTES', 'evil.example', { count: 100 }));
  one.policy.finding(finding('NEW-DOM', 'evil.example', { severity: 'low' }));
  await one.policy.settled();
  assert.deepEqual([one.action.values, outcome(one, 'evil.example')], [[], 'one_signal']);
  one.policy.finding(finding('TUN-DOWN', 'evil.example', { proposal: undefined, client: undefined }));
  one.policy.finding(finding('INTEL', 'listed.example', { isProof: true, client: '10.0.0.8' }));
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['evil.example', 'listed.example']);
});

test('(e) what is flooded, forged or failing is a victim: that is no signal against it, and it is not blocked', async (t) => {
  const one = scene(t, { enforce: ['TUN-BYTES', 'FLOOD-NX', 'AMP'] });
  one.policy.finding(finding('POIS-GUESS', 'forged.example', { isProof: true, proposal: undefined }));
  one.policy.finding(finding('TUN-BYTES', 'slow.example'));
  one.policy.finding(finding('OPS-SERVFAIL', 'slow.example', { proposal: undefined }));
  one.policy.finding(finding('FLOOD-RSD', 'flooded.example', { proposal: undefined }));
  await agree(one, 'flooded.example');
  const client = { kind: 'client', value: '10.0.0.99', text: 'Answer it over TCP only' } as const;
  one.policy.finding(finding('AMP', 'evil.example', { isProof: true, proposal: client }));
  one.policy.finding(finding('FLOOD-NX', 'evil.example', { proposal: client }));
  await one.policy.settled();
  assert.deepEqual(one.action.values, []);
  assert.equal(outcome(one, 'flooded.example'), 'never');
});

test('(f) what many clients use is only spoken of, in large networks and small ones', async (t) => {
  const one = scene(t);
  const tries: [number, number, string][] = [
    [6, 1000, 'common'],
    [2, 39, 'common'],
    [2, 40, 'blocked'],
    [1, 2, 'blocked'],
    [5, 1000, 'blocked'],
  ];
  for (const [i, [clients, of, expected]] of tries.entries()) {
    Object.assign(one.facts, { clients, of });
    await agree(one, `evil${i}.example`);
    assert.equal(outcome(one, `evil${i}.example`), expected, `${clients} of ${of}`);
  }
});

test('(f) an address that many domains pointed to is not blocked, nor is a client that answers others', async (t) => {
  const one = scene(t);
  one.facts.servers = ['10.0.0.53'];
  const about = (kind: 'address' | 'client', value: string) =>
    finding('INTEL', 'evil.example', { isProof: true, client: undefined, proposal: { kind, value, text: '' } });
  one.policy.finding(about('address', '203.1.114.7'));
  await one.policy.settled();
  one.facts.domainsAt = 6;
  one.policy.finding(about('address', '203.1.114.8'));
  one.policy.finding(about('client', '10.0.0.53'));
  one.policy.finding(about('client', '10.0.0.54'));
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['10.0.0.54', '203.1.114.7']);
  assert.deepEqual([outcome(one, '203.1.114.8'), outcome(one, '10.0.0.53')], ['common', 'never']);
  await assert.rejects(one.policy.add({ kind: 'client', value: '10.0.0.53' }, BY), /It answers lookups of others/);
  await assert.rejects(one.policy.add({ kind: 'client', value: BY.from }, BY), /Somebody manages nametap from there/);
});

test('an address that nametap is managed from is not blocked for a week', async (t) => {
  const one = scene(t);
  const propose = (value: string) =>
    one.policy.finding(
      finding('INTEL', 'evil.example', { isProof: true, proposal: { kind: 'client', value, text: '' } }),
    );
  one.policy.managedFrom('::ffff:10.0.0.5');
  propose('10.0.0.5');
  await one.policy.settled();
  assert.deepEqual([one.action.values, outcome(one, '10.0.0.5')], [[], 'never']);
  one.clock.now += 8 * 24 * HOUR;
  propose('10.0.0.5');
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['10.0.0.5']);
});

test('where the history cannot be asked, or hides clients, nothing is blocked automatically', async (t) => {
  const broken = scene(t, { facts: { use: async () => Promise.reject(new Error('the store is away')) } });
  await agree(broken, 'evil.example');
  assert.deepEqual([broken.action.values, outcome(broken, 'evil.example')], [[], 'failed']);
  assert.match(broken.said.join(), /could not be judged: the store is away/);
  const hidden = scene(t, { knowsClients: false, facts: { use: async () => null } });
  await agree(hidden, 'evil.example');
  assert.deepEqual([hidden.action.values, outcome(hidden, 'evil.example')], [[], 'common']);
  await assert.rejects(hidden.policy.add({ kind: 'client', value: '10.0.0.7' }, BY), /privacy level hides/);
});

test('(g) one word ends everything; detectors do not begin it again for a day, people may', async (t) => {
  const one = scene(t);
  await agree(one, 'evil.example');
  await one.policy.add({ kind: 'client', value: '10.0.0.9' }, BY);
  assert.equal(one.policy.flush('anna'), 2);
  await one.policy.settled();
  assert.deepEqual([one.action.values, one.policy.list()], [[], []]);
  const two = await one.again();
  two.clock.now += 2 * HOUR;
  await agree(two, 'evil.example');
  assert.deepEqual([two.action.values, outcome(two, 'evil.example')], [[], 'lifted']);
  await two.policy.add({ kind: 'domain', value: 'evil.example' }, BY);
  await two.policy.settled();
  assert.deepEqual(two.action.values, ['evil.example']);
  assert.equal(two.policy.undo('EVIL.example.', 'anna').length, 1);
  assert.equal(two.policy.undo('evil.example', 'anna').length, 0);
  two.clock.now += 25 * HOUR;
  await agree(two, 'evil.example');
  assert.deepEqual(two.action.values, ['evil.example']);
});

test('(g) the journal is written before anything is blocked, and a line that a crash cut harms no other', async (t) => {
  const one = scene(t);
  await agree(one, 'evil.example');
  const lines = readFileSync(one.path, 'utf8').trimEnd().split('\n');
  assert.ok(lines.some((line) => line.includes('"op":"block"') && line.includes('"value":"evil.example"')));
  await one.policy.close();
  appendFileSync(one.path, '{"op":"block","time":17,"block":{"id":"x","kind":"dom');
  const two = scene(t, {}, one.path);
  two.clock.now = one.clock.now;
  await two.policy.settled();
  assert.deepEqual(two.action.values, ['evil.example']);
  assert.match(two.said.join(), /1 lines of the journal of blocks could not be read/);
  await two.policy.add({ kind: 'domain', value: 'next.example' }, BY);
  const three = await two.again();
  assert.deepEqual(
    three.policy
      .list()
      .map(({ value }) => value)
      .sort(),
    ['evil.example', 'next.example'],
  );
});

test('(h) the report counts proposals, and remembers them over a restart', async (t) => {
  const one = scene(t, { enforce: [] });
  for (let i = 0; i < 5; i++) {
    await agree(one, 'evil.example');
    one.clock.now += 70_000;
  }
  const [before] = one.policy.report().decisions;
  assert.equal(before.outcome, 'would_block');
  assert.ok(before.count >= 5 && before.last > before.first);
  const two = await one.again();
  const [after] = two.policy.report().decisions;
  assert.deepEqual([after.outcome, after.first], ['would_block', before.first]);
  two.clock.now += 8 * 24 * HOUR;
  assert.deepEqual(two.policy.report().decisions, []);
});

test('(h) a restart counts no proposal twice', async (t) => {
  const one = scene(t, { enforce: [] });
  one.policy.finding(finding('TUN-BYTES', 'evil.example'));
  await one.policy.settled();
  one.policy.finding(finding('INTEL', 'evil.example'));
  await one.policy.settled();
  const [before] = one.policy.report().decisions;
  assert.deepEqual([before.outcome, before.count], ['would_block', 2]);
  const two = await one.again();
  assert.deepEqual(two.policy.report().decisions, [before]);
});

test('a dismissal of what was only proposed holds over a restart', async (t) => {
  const one = scene(t);
  one.policy.finding(finding('TUN-BYTES', 'evil.example'));
  await one.policy.settled();
  one.policy.dismiss({ kind: 'domain', value: 'evil.example' }, 'anna');
  const two = await one.again();
  await agree(two, 'evil.example');
  assert.deepEqual(two.action.values, []);
  assert.equal(outcome(two, 'evil.example'), 'lifted');
});

test('a false positive ends its block, is told by the report, and is not blocked again', async (t) => {
  const one = scene(t);
  await agree(one, 'evil.example');
  await agree(one, 'worse.example');
  one.policy.dismiss({ kind: 'domain', value: 'Evil.example' }, 'anna');
  one.policy.dismiss({ kind: 'domain', value: 'never-proposed.example' }, 'anna');
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['worse.example']);
  assert.equal(outcome(one, 'evil.example'), 'false_positive');
  const two = await one.again();
  assert.equal(outcome(two, 'evil.example'), 'false_positive');
  await agree(two, 'evil.example');
  assert.deepEqual(two.action.values, ['worse.example']);
  assert.equal(outcome(two, 'evil.example'), 'lifted');
});

test('an action that fails is tried again with what is wanted then, and says so', async (t) => {
  const one = scene(t);
  one.action.isBroken = true;
  await one.policy.add({ kind: 'domain', value: 'evil.example' }, BY);
  await one.policy.settled();
  const [state] = one.policy.report().actions;
  assert.deepEqual([state.applied, state.wanted, state.error], [0, 1, 'it is broken']);
  one.action.isBroken = false;
  await one.policy.add({ kind: 'domain', value: 'more.example' }, BY);
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['evil.example', 'more.example']);
  assert.equal(one.policy.report().actions[0].error, null);
});

test('a flood of proposals is bounded, and what was not looked at is counted', async (t) => {
  const one = scene(t, { enforce: [] });
  for (let i = 0; i < 5000; i++) one.policy.finding(finding('TUN-BYTES', `evil${i}.example`));
  assert.equal(one.policy.report().overflow, 4000);
  await one.policy.settled();
  assert.equal(one.policy.report().decisions.length, 1000);
});

test('limits that are read again hold at once, and what may not be blocked any more is let go of', async (t) => {
  const one = scene(t, { enforce: [] });
  const limits = (settings: object, enforce: string[], never: string[] = []) =>
    one.policy.configure({
      config: schemaOf(blockSettings).parse(settings) as never,
      never: new NeverBlock({ ...NEVER_FACTS, domains: [...NEVER_FACTS.domains, ...never] }),
      enforces: (id) => enforce.includes(id),
      enforcing: () => enforce,
    });
  await agree(one, 'evil.example');
  assert.deepEqual(one.action.values, []);
  await limits({ for: '2h' }, ['TUN-BYTES']);
  one.clock.now += 120_000;
  await agree(one, 'evil.example');
  await agree(one, 'bad.example');
  assert.deepEqual(one.action.values, ['bad.example', 'evil.example']);
  assert.equal(one.policy.list()[0].until - one.policy.list()[0].since, 2 * HOUR);
  assert.deepEqual(one.policy.report().enforcing, ['TUN-BYTES']);
  await limits({ new_per_minute: 1 }, ['TUN-BYTES'], ['bad.example']);
  await one.policy.settled();
  assert.deepEqual(one.action.values, ['evil.example'], 'it is never blocked now');
  one.clock.now += 120_000;
  for (const domain of ['third.example', 'fourth.example']) await agree(one, domain);
  assert.equal(outcome(one, 'fourth.example'), 'budget');
});
