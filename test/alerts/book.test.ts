import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertBook, type BookOptions, type Change } from '../../src/alerts/book.ts';
import type { Incident } from '../../src/alerts/incident.ts';
import type { Finding } from '../../src/core/alert.ts';
import { evidence, finding, MemoryRecords } from './findings.ts';

const T = 1_700_000_000;
const MINUTE = 60;

/** A book, what it told, and its incidents. */
function bookOf(options: BookOptions = {}) {
  const book = new AlertBook(options);
  const changes: { cause: Change['cause']; id: string; isNews: boolean }[] = [];
  book.subscribe(({ cause, incident, isNews }) => changes.push({ cause, id: incident.id, isNews }));
  const news = () => changes.filter(({ isNews }) => isNews).map(({ cause }) => cause);
  const only = (): Incident => {
    const all = book.incidents();
    assert.equal(all.length, 1);
    return all[0];
  };
  const raise = (...all: Partial<Finding>[]) => {
    for (const one of all) book.raise(finding(one));
  };
  return { book, changes, news, only, raise };
}

test('findings of a key are one incident, told once, again after half an hour, and when it is over', () => {
  const { book, news, only, raise } = bookOf();
  for (let minute = 0; minute <= 45; minute += 5) {
    raise({
      time: T + minute * MINUTE,
      count: 31 + minute,
      evidence: [evidence(`${minute}`.padStart(16, '0'), T + minute * MINUTE, 'a.evil.example')],
    });
  }
  assert.deepEqual(news(), ['raised', 'updated']);
  const incident = only();
  assert.equal(incident.findings, 10);
  assert.equal(incident.count, 76);
  assert.equal(incident.firstSeen, T - 12);
  assert.equal(incident.lastSeen, T + 45 * MINUTE);
  assert.equal(incident.resolved, null);
  book.tick(T + 76 * MINUTE);
  assert.deepEqual(news(), ['raised', 'updated', 'resolved']);
  assert.equal(only().resolved, T + 75 * MINUTE);
  assert.equal(only().state, 'open', 'what is over was not yet looked at');
});

test('what is known to be over waits for no quiet; it begins anew when it comes back', () => {
  const { book, news, only, raise } = bookOf();
  raise({ time: T });
  const { detector, key } = only();
  book.over(detector, 'another', T + 5);
  assert.equal(only().resolved, null);
  book.over(detector, key, T + 60);
  assert.equal(only().resolved, T + 60);
  assert.deepEqual(news(), ['raised', 'resolved']);
  raise({ time: T + 120 });
  assert.equal(book.incidents().filter(({ resolved }) => resolved === null).length, 1);
});

test('evidence shows how it began and how it goes on', () => {
  const { only, raise } = bookOf();
  for (let i = 0; i < 40; i++) {
    raise({ time: T + i, evidence: [evidence(String(i).padStart(16, '0'), T + i, `${i}.evil.example`)] });
  }
  const shown = only().evidence.map(({ transaction }) => Number(transaction));
  assert.deepEqual(shown, [0, 1, 2, 3, 4, 35, 36, 37, 38, 39]);
});

test('a replay gives the same ids, another start another id', () => {
  const run = (start: number) => {
    const { book, raise } = bookOf();
    raise({ time: start }, { time: start + 5 }, { time: start + 2, domain: 'other.example' }, { time: start + 7200 });
    return book.incidents().map(({ id }) => id);
  };
  assert.deepEqual(run(T), run(T));
  assert.equal(new Set([...run(T), ...run(T + 0.5)]).size, 6);
  assert.match(run(T)[0], /^[0-9a-f]{16}$/);
});

test('when it is over depends on findings only, not on when the time is told', () => {
  const ends = [60, 1, 600].map((step) => {
    const { book, raise } = bookOf();
    raise({ time: T });
    for (let t = T; t < T + 7000; t += step) book.tick(t);
    raise({ time: T + 7000 });
    return book.incidents().map(({ id, resolved }) => [id, resolved]);
  });
  assert.deepEqual(ends[0], ends[1]);
  assert.deepEqual(ends[0], ends[2]);
  assert.equal(ends[0][0][1], T + 1800);
});

test('severity is what the detector says, less where it is weak, more where the asset weighs', () => {
  const severityOf = (different: Partial<Finding>, weight = 1) => {
    const { only, raise } = bookOf({ rules: { weight: () => weight } });
    raise(different);
    return only();
  };
  assert.equal(severityOf({ severity: 'high' }).severity, 'high');
  assert.equal(severityOf({ severity: 'high', score: 0.4, confidence: 0.5 }).severity, 'medium');
  assert.equal(severityOf({ severity: 'high', score: 0.4, confidence: 0.5, isProof: true }).severity, 'high');
  assert.equal(severityOf({ severity: 'high' }, 2).severity, 'critical');
  assert.equal(severityOf({ severity: 'critical' }, 2).severity, 'critical');
  assert.equal(severityOf({ severity: 'low', score: 0.1 }, 0.5).severity, 'low');
  assert.deepEqual(severityOf({ severity: 'high', score: 0.5, confidence: 0.5 }, 3).parts, {
    detector: 'high',
    score: 0.5,
    confidence: 0.5,
    weight: 3,
    risk: 0.75,
  });
});

test('getting worse is told at once, and opens what was acknowledged', async () => {
  const { book, news, only, raise } = bookOf();
  raise({ severity: 'medium' });
  await book.act(only().id, { kind: 'acknowledge' }, { by: 'ada', time: T });
  raise({ time: T + 1, severity: 'medium' }, { time: T + 2, severity: 'critical' }, { time: T + 3, severity: 'low' });
  assert.deepEqual(news(), ['raised', 'worsened']);
  assert.equal(only().severity, 'critical');
  assert.equal(only().state, 'open');
});

test('a storm is one summary, and hides no other severity', () => {
  const { book, news, raise } = bookOf({ rules: { perDetector: 5 } });
  for (let i = 0; i < 200; i++) {
    const shown = [evidence(String(i), T + i, `d${i}.example`)];
    raise({ time: T + i, domain: `d${i}.example`, severity: 'low', evidence: shown });
  }
  assert.equal(book.incidents().length, 6);
  const storm = book.incidents().at(-1);
  assert.equal(storm?.suppressed, 195);
  assert.equal(storm.title, 'TUN-BYTES found 195 more than can be shown one by one');
  assert.equal(storm.severity, 'low');
  assert.equal(storm.evidence.length, 10);
  assert.deepEqual(
    news(),
    Array.from({ length: 6 }, () => 'raised'),
  );
  assert.equal(book.counts.suppressed, 195);
  raise({ time: T + 300, domain: 'urgent.example', severity: 'critical' });
  assert.equal(book.incidents().at(-1)?.severity, 'critical');
  // What was let in goes on being updated.
  raise({ time: T + 301, domain: 'd0.example', count: 900 });
  assert.equal(book.incidents()[0].count, 900);
});

test('a key that comes and goes is one incident from the seventh time of a day on', () => {
  const { book, raise } = bookOf();
  for (let hour = 0; hour < 12; hour++) raise({ time: T + hour * 3600 });
  assert.equal(book.incidents().length, 6);
  const last = book.incidents()[5];
  assert.equal(last.journal.filter(({ action }) => action === 'again').length, 6);
  raise({ time: T + 48 * 3600 });
  assert.equal(book.incidents().length, 7);
});

test('a threat-list hit explains random and new names of its domain, whichever comes first', () => {
  for (const order of [
    ['INTEL', 'NEW-DOM'],
    ['NEW-DOM', 'INTEL'],
  ]) {
    const { book, news, raise } = bookOf();
    raise(...order.map((detector, i) => ({ detector, time: T + i })));
    const [other] = book.incidents().filter(({ detector }) => detector === 'NEW-DOM');
    const [cause] = book.incidents().filter(({ detector }) => detector === 'INTEL');
    assert.equal(other.inhibitedBy, cause.id);
    assert.equal(cause.inhibitedBy, null);
    assert.equal(book.open, 1);
    assert.equal(news().length, order[0] === 'INTEL' ? 1 : 2);
    raise({ detector: 'NEW-DOM', domain: 'unrelated.example' });
    assert.equal(book.open, 2);
  }
});

test('a flood explains clients whose random names are all below its domain', () => {
  const { book, raise } = bookOf();
  raise({ detector: 'FLOOD-RSD' });
  const { domain: _, ...client } = finding({ detector: 'DGA-NX', key: '192.0.2.7', time: T + 1 });
  const names = ['q1.evil.example', 'q2.evil.example'];
  book.raise({ ...client, evidence: names.map((name, i) => evidence(`${i}`, T, name)) });
  const mixed = [...names, 'x.other.example'].map((name, i) => evidence(`${i}`, T, name));
  book.raise({ ...client, key: '192.0.2.8', evidence: mixed });
  const [flood, below, elsewhere] = book.incidents();
  assert.equal(below.inhibitedBy, flood.id);
  assert.equal(elsewhere.inhibitedBy, null);
});

test('a resolver that fails for all explains its zones until it works again', () => {
  const { book, news, raise } = bookOf();
  const { domain: _, client: __, ...rest } = finding({ detector: 'OPS-SERVFAIL', key: '10.0.0.53' });
  book.raise({ ...rest, server: '10.0.0.53' });
  const zone = { detector: 'OPS-SERVFAIL', key: '10.0.0.53 zone.example', domain: 'zone.example', server: '10.0.0.53' };
  raise({ ...zone, time: T + 10 }, { ...zone, key: 'other', server: '10.0.0.54', time: T + 10 });
  assert.deepEqual(
    book.incidents().map(({ inhibitedBy }) => inhibitedBy !== null),
    [false, true, false],
  );
  assert.equal(news().length, 2);
  raise({ ...zone, time: T + 1500 });
  book.tick(T + 1900);
  const [outage, one] = book.incidents();
  assert.notEqual(outage.resolved, null);
  assert.equal(outage.state, 'closed', 'operations close themselves');
  assert.equal(one.inhibitedBy, null);
  assert.equal(news().length, 5, 'both that are over, and the zone that nobody had been told of');
});

test('people: acknowledge, assign, note, close, reopen; each step can be undone', async () => {
  const { book, only, raise } = bookOf();
  raise({});
  const { id } = only();
  const deed = { by: 'ada', time: T + 5 };
  await book.act(id, { kind: 'acknowledge' }, deed);
  assert.deepEqual([only().state, only().assignee], ['acknowledged', 'ada']);
  await book.act(id, { kind: 'assign', to: 'grace' }, deed);
  await book.act(id, { kind: 'note', text: ' Asked the owner. ' }, deed);
  await book.act(id, { kind: 'close' }, deed);
  assert.equal(only().state, 'closed');
  await book.act(id, { kind: 'undo' }, deed);
  assert.deepEqual([only().state, only().assignee], ['acknowledged', 'grace']);
  await book.act(id, { kind: 'undo' }, deed);
  assert.equal(only().journal.find(({ action }) => action === 'note')?.undone, true);
  await book.act(id, { kind: 'undo' }, deed);
  await book.act(id, { kind: 'undo' }, deed);
  assert.deepEqual([only().state, only().assignee], ['open', null]);
  await assert.rejects(book.act(id, { kind: 'undo' }, deed), /nothing to undo/);
  await assert.rejects(book.act(id, { kind: 'note', text: ' ' }, deed), /needs a text/);
  await assert.rejects(book.act(id, { kind: 'reopen' }, deed), /open already/);
  await assert.rejects(book.act(id, { kind: 'note', text: 'x'.repeat(2001) }, deed), /2000/);
  assert.equal(await book.act('ffffffffffffffff', { kind: 'close' }, deed), null);
  const steps = only().journal.map(({ action, by, text }) => [action, by, text]);
  assert.deepEqual(steps.slice(0, 4), [
    ['raised', 'nametap', undefined],
    ['acknowledge', 'ada', undefined],
    ['assign', 'ada', 'grace'],
    ['note', 'ada', 'Asked the owner.'],
  ]);
});

test('a mute silences its scope until its time, and what goes on then is told', async () => {
  for (const scope of ['key', 'detector', 'client', 'domain'] as const) {
    const { book, news, raise } = bookOf();
    raise({});
    const [{ id }] = book.incidents();
    await book.act(id, { kind: 'mute', scope, until: T + 3000 }, { by: 'ada', time: T });
    assert.equal(book.incidents()[0].state, 'muted');
    // Same key later, and others that only some scopes cover.
    raise({ time: T + 2500, severity: 'critical' });
    const others = { detector: { key: 'k2', domain: 'b.example', client: '192.0.2.9' }, key: {} };
    const other = scope === 'detector' ? others.detector : { detector: 'BEACON', key: 'k3' };
    raise({ time: T + 2501, ...other });
    const states = book.incidents().map(({ state }) => state);
    assert.deepEqual(states, ['muted', 'muted', scope === 'key' ? 'open' : 'muted'], scope);
    assert.equal(news().length, scope === 'key' ? 2 : 1);
    book.tick(T + 3001);
    assert.deepEqual(book.mutes, []);
    assert.ok(book.incidents().every(({ state }) => state === 'open'));
    assert.equal(news().length, 3, 'those that go on');
  }
});

test('an undone mute is lifted, a reopened one comes back by undo', async () => {
  const { book, only, raise } = bookOf();
  raise({});
  const { id } = only();
  const deed = { by: 'ada', time: T };
  await book.act(id, { kind: 'mute', scope: 'domain', until: null }, deed);
  await book.act(id, { kind: 'undo' }, deed);
  assert.deepEqual([book.mutes.length, only().state], [0, 'open']);
  await book.act(id, { kind: 'mute', scope: 'domain', until: null }, deed);
  await book.act(id, { kind: 'reopen' }, deed);
  assert.deepEqual([book.mutes.length, only().state], [0, 'open']);
  await book.act(id, { kind: 'undo' }, deed);
  assert.deepEqual([book.mutes.length, only().state], [1, 'muted']);
  await assert.rejects(book.act(id, { kind: 'mute', scope: 'key', until: T - 1 }, deed), /future/);
});

test('a false positive says why, and its key stays one', async () => {
  const { book, news, raise } = bookOf();
  raise({});
  const [{ id }] = book.incidents();
  const deed = { by: 'ada', time: T };
  await assert.rejects(book.act(id, { kind: 'false_positive', reason: '' }, deed), /Say why/);
  assert.equal(book.mutes.length, 0);
  await book.act(id, { kind: 'false_positive', reason: 'our backup' }, deed);
  raise({ time: T + 4000 });
  assert.deepEqual(
    book.incidents().map(({ state, reason }) => [state, reason]),
    [
      ['false_positive', 'our backup'],
      ['false_positive', 'our backup'],
    ],
  );
  assert.deepEqual(news(), ['raised']);
  await book.act(id, { kind: 'undo' }, deed);
  assert.deepEqual(
    book.incidents().map(({ state }) => state),
    ['open', 'open'],
  );
});

test('memory is bounded, and what was given up is over and counted', () => {
  const { book, changes, raise } = bookOf({ rules: { most: 50, perDetector: 1000 } });
  for (let i = 0; i < 200; i++) raise({ time: T + i, domain: `d${i}.example` });
  assert.equal(book.incidents().length, 50);
  assert.equal(book.counts.evicted, 150);
  assert.equal(changes.filter(({ cause }) => cause === 'resolved').length, 150);
});

test('a journal is bounded, its beginning kept', async () => {
  const { book, only, raise } = bookOf();
  raise({});
  for (let i = 0; i < 300; i++) {
    await book.act(only().id, { kind: 'note', text: `note ${i}` }, { by: 'ada', time: T + i });
  }
  const { journal } = only();
  assert.equal(journal.length, 200);
  assert.equal(journal[0].action, 'raised');
  assert.equal(journal.at(-1)?.text, 'note 299');
  assert.equal(journal.at(-1)?.n, 301);
});

test('a restart keeps everything: incidents, what people did, mutes', async () => {
  const records = new MemoryRecords();
  const first = bookOf({ records });
  first.raise({}, { domain: 'b.example', time: T + 1 }, { domain: 'c.example', time: T + 2 });
  const [a, b] = first.book.incidents();
  await first.book.act(a.id, { kind: 'acknowledge' }, { by: 'ada', time: T + 9 });
  await first.book.act(b.id, { kind: 'mute', scope: 'key', until: T + 90_000 }, { by: 'ada', time: T + 9 });
  await first.book.flush();

  const second = bookOf({ records });
  await second.book.load();
  assert.deepEqual(
    second.book.incidents(),
    JSON.parse(JSON.stringify(first.book.incidents())),
    'as they were, in order',
  );
  assert.deepEqual(second.book.mutes, first.book.mutes);
  second.raise({ time: T + 60 }, { domain: 'b.example', time: T + 4000 });
  assert.equal(second.book.incidents().length, 4, 'the first goes on, the second begins again');
  assert.equal(second.book.incidents()[0].findings, 2);
  assert.equal(second.book.incidents()[3].state, 'muted');
  await second.book.act(a.id, { kind: 'undo' }, { by: 'grace', time: T + 70 });
  assert.equal((await second.book.get(a.id))?.state, 'open');
});

test('what the store could not take is written later', async () => {
  const records = new MemoryRecords();
  const errors: unknown[] = [];
  const { book, raise } = bookOf({ records, failed: (error) => errors.push(error) });
  records.failure = new Error('disk full');
  raise({}, { domain: 'b.example' });
  await assert.rejects(book.flush(), /disk full/);
  records.failure = null;
  raise({ time: T + 1 });
  await book.flush();
  const kept = await records.list('alerts');
  assert.equal(kept.length, 2);
});

test('a mute that ends while the store takes nothing is over after a restart too', async () => {
  const records = new MemoryRecords();
  const errors: unknown[] = [];
  const { book, raise } = bookOf({ records, failed: (error) => errors.push(error) });
  raise({});
  const [{ id }] = book.incidents();
  await book.act(id, { kind: 'mute', scope: 'key', until: T + 60 }, { by: 'ada', time: T + 1 });
  records.failure = new Error('disk full');
  raise({ time: T + 70 });
  await assert.rejects(book.flush(), /disk full/);
  records.failure = null;
  await book.flush();
  const next = bookOf({ records }).book;
  await next.load();
  assert.deepEqual([next.mutes, (await next.get(id))?.state], [[], 'open']);
  assert.deepEqual(errors, [], 'who waits is told, nobody else');
});

test('incidents that memory has forgotten are acted on in the store', async () => {
  const records = new MemoryRecords();
  const { book, raise } = bookOf({ records, rules: { most: 2, perDetector: 1000 } });
  raise({}, { domain: 'b.example', time: T + 1 }, { domain: 'c.example', time: T + 2 });
  const first = (await records.list('alerts'))[0] ?? (await book.flush(), (await records.list('alerts')).at(-1));
  assert.ok(first !== undefined);
  assert.ok(!book.incidents().some(({ id }) => id === first.id));
  const closed = await book.act(first.id, { kind: 'close', text: 'old' }, { by: 'ada', time: T + 9 });
  assert.equal(closed?.state, 'closed');
  assert.deepEqual((await records.get('alerts', first.id))?.value, JSON.parse(JSON.stringify(closed)));
});
