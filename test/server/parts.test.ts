import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Buckets } from '../../src/server/counters.ts';
import { both, FILTER, historyFilter } from '../../src/server/filters.ts';
import { hostName, isLoopback, isOwnHost, isSameOrigin } from '../../src/server/hosts.ts';
import { Gate, RateLimit } from '../../src/server/limits.ts';
import { nameInput } from '../../src/server/names.ts';
import { hashPassword, isSameText, verifyPassword } from '../../src/server/passwords.ts';
import { ProblemError, problemOf } from '../../src/server/problem.ts';
import { Sessions } from '../../src/server/sessions.ts';
import type { ServerOptions } from '../../src/server/services.ts';
import { SingleFlight } from '../../src/server/single-flight.ts';
import { readRange, readTime, stepFor } from '../../src/server/times.ts';
import { compileFilter, messageFilter } from '../../src/library/filter.ts';
import { encodeMessage } from '../../src/library/wire.ts';

const OPTIONS: ServerOptions = {
  address: '127.0.0.1',
  port: 0,
  hosts: ['dns.example.net'],
  token: { value: 'the token', chosen: false },
  users: [],
  tls: null,
  metrics: 'loopback',
  sessionHours: 12,
};

test('times are read as people write them', () => {
  const now = Date.UTC(2026, 10, 24, 12);
  assert.equal(readTime('now', now, 'to'), now);
  assert.equal(readTime('-1h', now, 'from'), now - 3_600_000);
  assert.equal(readTime('-1.5d', now, 'from'), now - 129_600_000);
  assert.equal(readTime('1764000000000', now, 'from'), 1764000000000);
  assert.equal(readTime('2026-11-24', now, 'from'), Date.UTC(2026, 10, 24));
  assert.equal(readTime('2026-11-24T08:15', now, 'from'), Date.UTC(2026, 10, 24, 8, 15));
  assert.equal(readTime('2026-11-24 08:15:30.123456789+0200', now, 'from'), Date.UTC(2026, 10, 24, 6, 15, 30, 123));
  for (const wrong of ['yesterday', '-1y', '2026-13-40', '', '9'.repeat(16)]) {
    assert.throws(() => readTime(wrong, now, 'from'), ProblemError, wrong);
  }
  assert.throws(() => readRange({ from: 'now', to: '-1h' }, now), /empty/);
});

test('steps give at most as many buckets as asked for', () => {
  for (const hours of [0.01, 1, 24, 24 * 30, 24 * 400]) {
    const range = { from: 0, to: hours * 3_600_000 };
    const step = stepFor(range, 180);
    assert.ok((range.to - range.from) / 1000 / step <= 180, `${hours} h in steps of ${step} s`);
  }
});

test('only hosts that cannot be pointed at us by others are ours', () => {
  for (const own of ['127.0.0.1:5390', 'localhost', 'LOCALHOST.:80', '[::1]:5390', '192.0.2.7:1', 'dns.example.net']) {
    assert.ok(isOwnHost(own, OPTIONS.hosts), own);
  }
  for (const other of [
    'evil.example',
    'localhost.evil.example',
    'dns.example.net.evil',
    '',
    'a b',
    '[::1',
    'x@127.0.0.1',
  ]) {
    assert.ok(!isOwnHost(other, OPTIONS.hosts), other);
  }
  assert.equal(hostName('[2001:DB8::1]:80'), '2001:db8::1');
  assert.ok(isSameOrigin('http://127.0.0.1:5390', '127.0.0.1:5390', false));
  assert.ok(!isSameOrigin('http://127.0.0.1:5391', '127.0.0.1:5390', false), 'another port is another origin');
  assert.ok(!isSameOrigin('https://127.0.0.1:5390', '127.0.0.1:5390', false));
  assert.ok(!isSameOrigin('null', '127.0.0.1:5390', false));
  assert.ok(isSameOrigin('https://dns.example.net', 'dns.example.net', false, OPTIONS.hosts), 'a proxy speaks TLS');
  assert.ok(!isSameOrigin('http://dns.example.net', 'dns.example.net', true, OPTIONS.hosts));
  assert.deepEqual(
    ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', 'localhost'].map(isLoopback),
    Array(5).fill(true),
  );
  assert.deepEqual(['0.0.0.0', '::', '192.168.1.1', '127.evil'].map(isLoopback), Array(4).fill(false));
});

test('passwords are kept by scrypt, and what is kept badly never matches', async () => {
  const kept = await hashPassword('correct horse');
  assert.match(kept, /^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  assert.notEqual(kept, await hashPassword('correct horse'), 'each has its own salt');
  assert.equal(await verifyPassword('correct horse', kept), true);
  assert.equal(await verifyPassword('correct horsE', kept), false);
  for (const broken of ['', 'plain', 'scrypt$3$8$1$aa$bb', 'scrypt$1073741824$8$1$aa$bb', kept.slice(0, -4)]) {
    assert.equal(await verifyPassword('correct horse', broken), false, broken);
  }
  assert.ok(isSameText('a', 'a') && !isSameText('a', 'b') && !isSameText('a', 'aa'));
});

test('a session is a signed cookie: it ends by time, by signing out, by a new token', async () => {
  let now = 1_000_000;
  const sessions = new Sessions(OPTIONS, () => now);
  const identity = sessions.byToken('the token');
  assert.ok(identity !== null && sessions.byToken('the tokem') === null);
  const { cookie, csrf } = sessions.open(identity);
  assert.deepEqual(sessions.byCookie(cookie), { user: 'operator', role: 'operator', isToken: true, csrf });
  assert.deepEqual(new Sessions(OPTIONS, () => now).byCookie(cookie)?.csrf, csrf, 'a restart ends no session');
  const other = new Sessions({ ...OPTIONS, token: { value: 'new', chosen: true } }, () => now);
  assert.equal(other.byCookie(cookie), null, 'another token does');
  for (const forged of [cookie.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), `${cookie}x`, 'a.b.c.d', '', '...']) {
    assert.equal(sessions.byCookie(forged), null, forged);
  }
  assert.equal(sessions.renewed(cookie), null, 'too early');
  now += 12 * 3_600_000 - 1;
  const renewed = sessions.renewed(cookie);
  assert.equal(
    sessions.byCookie(renewed?.cookie ?? '')?.csrf,
    csrf,
    'while it is used it goes on, as the same session',
  );
  now += 1;
  assert.equal(sessions.byCookie(cookie), null);
  const again = sessions.open(identity);
  sessions.end(again.cookie);
  assert.equal(sessions.byCookie(again.cookie), null);
});

test('a user called operator is not the holder of the token', async () => {
  const password = await hashPassword('secret password');
  const users = [{ name: 'operator', role: 'viewer', password } as const];
  const sessions = new Sessions({ ...OPTIONS, users }, () => 0);
  const identity = await sessions.byPassword('operator', 'secret password');
  assert.deepEqual(identity, { user: 'operator', role: 'viewer', isToken: false, csrf: null });
  assert.ok(identity !== null);
  assert.equal(sessions.byCookie(sessions.open(identity).cookie)?.role, 'viewer');
  assert.equal(await sessions.byPassword('nobody', 'secret password'), null);
  const changed = new Sessions(
    { ...OPTIONS, users: [{ ...users[0], password: await hashPassword('other') }] },
    () => 0,
  );
  assert.equal(changed.byCookie(sessions.open(identity).cookie), null, 'a new password ends the sessions');
});

test('rates are limited by key, and the table of keys is bounded', () => {
  const limit = new RateLimit({ rate: 2, burst: 3, keys: 2 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a', 0)),
    [0, 0, 0, 1],
  );
  assert.equal(limit.look('a', 0), 1);
  assert.equal(limit.take('a', 500), 0, 'one more after half a second');
  assert.equal(limit.take('b', 500), 0);
  assert.equal(limit.take('c', 500), 0);
  assert.equal(limit.take('a', 500), 0, 'a was forgotten for b and c');
  assert.equal(limit.refused, 2);
});

test('a gate lets so many in, lets so many wait, and refuses the rest', async () => {
  const gate = new Gate(1, 1);
  const first = await gate.enter();
  const waiting = gate.enter();
  assert.equal(await gate.enter(), null);
  assert.equal(gate.refused, 1);
  first?.();
  first?.();
  const second = await waiting;
  assert.equal(gate.running, 1);
  second?.();
  assert.equal(gate.running, 0);
});

test('answers are shared for a moment, failures are not', async () => {
  let now = 0;
  let asked = 0;
  const answers = new SingleFlight<number>(100, () => now, 2);
  const ask = () => Promise.resolve(++asked);
  assert.deepEqual(await Promise.all([answers.get('a', ask), answers.get('a', ask)]), [1, 1]);
  now = 100;
  assert.equal(await answers.get('a', ask), 2);
  await assert.rejects(answers.get('b', () => Promise.reject(new Error('no'))));
  assert.equal(await answers.get('b', ask), 3);
});

test('filters that numbers link to hold whatever name comes from the wire', () => {
  const hostile = [
    'a"b',
    'a\\\\b',
    'x\\.y.example',
    '"; DROP TABLE x;--',
    '<script>',
    '\\000\\255',
    '*.x',
    '$^(){}[]|+?',
  ];
  for (const name of hostile) {
    for (const filter of [FILTER.name(name), FILTER.exactName(name), FILTER.type(name), FILTER.rcode(name)]) {
      try {
        compileFilter(filter);
      } catch (error) {
        // A type or code of that name there is none; the text must be taken as one value.
        assert.match(String(error), /is no |is not |not a value/, filter);
      }
    }
  }
  const query = (name: string) => encodeMessage({ id: 1, questions: [{ name, type: 'A' }] });
  const below = messageFilter(FILTER.name('example.com'));
  assert.deepEqual(
    ['example.com', 'EXAMPLE.com', 'a.b.example.com', 'notexample.com', 'example.com.evil', 'examplexcom'].map((name) =>
      below(query(name)),
    ),
    [true, true, true, false, false, false],
  );
  const dotted = messageFilter(FILTER.exactName('x\\.y.example'));
  assert.deepEqual([dotted(query('x\\.y.example')), dotted(query('x.y.example'))], [true, false]);
  const client = messageFilter(FILTER.client('10.0.0.1'));
  assert.ok(client(query('a'), { source: '10.0.0.1', destination: '10.0.0.2' }));
  assert.ok(
    !client(query('a'), { source: '10.0.0.2', destination: '10.0.0.1' }),
    'a server of that address is no client',
  );
  assert.equal(both('a', ''), 'a');
  assert.equal(both('a', 'b'), '(a) and (b)');
});

test('a filter of history is refused with its place, and with what is not stored', () => {
  assert.equal(historyFilter(' '), undefined);
  assert.equal(historyFilter('dns'), 'dns');
  assert.throws(
    () => historyFilter('dns and frame.len > 100'),
    (error) => {
      const { problem } = problemOf(error);
      assert.deepEqual([problem.status, problem.at], [422, { offset: 8, length: 9 }]);
      assert.match(problem.detail ?? '', /frame\.len/);
      return true;
    },
  );
  assert.throws(
    () => historyFilter('dns.qry.nmae == "a"'),
    (error) => {
      const { problem } = problemOf(error);
      assert.deepEqual(
        [problem.status, problem.suggestion, problem.at],
        [400, 'dns.qry.name', { offset: 0, length: 12 }],
      );
      return true;
    },
  );
});

test('what is no problem of the user is told without its details', () => {
  const { problem } = problemOf(new Error('secret path /root/x'));
  assert.equal(problem.status, 500);
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
});

test('names are taken as people type them', () => {
  assert.equal(nameInput('WWW.Example.COM.'), 'www.example.com');
  assert.equal(nameInput('.'), '.');
  assert.equal(nameInput('münchen.example'), 'xn--mnchen-3ya.example');
  assert.equal(nameInput('a\\.b.example'), 'a\\.b.example');
  for (const wrong of ['', 'a..b', '.a', `${'x'.repeat(64)}.example`, Array(60).fill('abcd').join('.')]) {
    assert.throws(() => nameInput(wrong), ProblemError, wrong);
  }
});

test('buckets count values at and below their edge', () => {
  const buckets = new Buckets([1, 2]);
  for (const value of [0.5, 1, 1.5, 9]) buckets.add(value);
  assert.deepEqual([...buckets.counts, buckets.sum], [2, 1, 1, 12]);
});
