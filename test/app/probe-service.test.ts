import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { Intake } from '../../src/app/intake.ts';
import { ProbeJournal } from '../../src/app/probe-journal.ts';
import { ProbeService } from '../../src/app/probe-service.ts';
import { noteOwnSocket } from '../../src/client/own-traffic.ts';
import type { Finding } from '../../src/core/alert.ts';
import type { ProbeBeat } from '../../src/core/probe.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import type { ProbesConfig } from '../../src/probes/settings.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { until } from '../until.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-probes-'));
const server = createServer((socket) => socket.on('error', () => undefined).end());
let port = 0;
let store: Store;
before(async () => {
  store = await openStore({ path: join(folder, 'store'), flushMs: 50 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
after(async () => {
  server.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function configOf(probes: object): ProbesConfig {
  const environment = Object.fromEntries(
    Object.entries(probes).map(([key, value]) => [`NAMETAP_PROBES_${key.toUpperCase()}`, JSON.stringify(value)]),
  );
  return loadConfig({ flags: {}, environment }).config.probes as ProbesConfig;
}

function serviceOf(config: ProbesConfig, raised: Finding[] = [], over: string[] = []): ProbeService {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new ProbeService({
    config,
    store,
    version: '0.0.0',
    book: {
      raise: (finding) => void raised.push(finding),
      over: (detector, key) => void over.push(`${detector} ${key}`),
    },
    own: () => 0,
    log,
  });
}

test('what is wrong with a check is said with its place', () => {
  const wrong = (checks: object, expected: RegExp) => {
    assert.throws(() => configOf({ checks }), expected);
  };
  wrong({ a: { type: 'tcp', targets: ['nowhere'] } }, /probes\.checks\.a\.targets\.0: 'nowhere' is no port to check/);
  wrong({ a: { type: 'ftp' } }, /probes\.checks\.a/);
  wrong({ a: { type: 'http', targets: ['http://me:pass@x/'] } }, /targets\.0: An address to check holds no password/);
  wrong({ a: { type: 'icmp', every: '1ms' } }, /every is at least 1s/);
});

test('failures in a row raise a finding, results are kept, a reload leaves what has not changed', async () => {
  const raised: Finding[] = [];
  const live = { type: 'tcp', targets: [`127.0.0.1:${port}`], every: '1s' };
  const dead = { type: 'tcp', targets: ['127.0.0.1:1'], every: '1s', fail_after: 2, severity: 'critical' };
  const service = serviceOf(configOf({ checks: { live, dead } }), raised);
  await service.open();
  await until(() => service.states().every(({ beats }) => beats.length >= 2), 'two checks of each target');
  const [first] = raised;
  assert.equal(raised.filter(({ detector }) => detector === 'OPS-PROBE').length, raised.length);
  assert.equal(first.title, '127.0.0.1:1 fails its check dead: connection refused');
  assert.equal(first.severity, 'critical');
  assert.equal(first.count, 2, 'not at the first failure');
  const [alive] = service.states();
  assert.equal(alive.failing, 0);

  service.configure(configOf({ checks: { live, later: { ...dead, alert: false } } }));
  const states = service.states();
  assert.deepEqual(
    states.map(({ check }) => check),
    ['live', 'later'],
  );
  assert.ok(states[0].beats.length >= alive.beats.length, 'it has gone on');
  assert.equal(states[1].beats.length, 0);
  const before = raised.length;
  await until(() => service.states()[1].failing >= 2, 'two failures');
  assert.equal(raised.length, before);
  await service.close();

  const now = Date.now();
  const again = serviceOf(configOf({ checks: {} }));
  const kept = await again.history('live', `127.0.0.1:${port}`, now - 60_000, now + 1);
  assert.ok(kept.length >= 1 && kept[0].checks >= 2 && kept[0].failed === 0);
  await again.close();
});

test('on demand: only targets of the configuration, and networks that it allows', async () => {
  const target = `127.0.0.1:${port}`;
  const outcome = async (probes: object, module: string, of = target) => {
    const service = serviceOf(configOf(probes));
    const answer = await service.probe(module, of, 1000);
    await service.close();
    return answer?.result.outcome ?? null;
  };
  const checks = { port: { type: 'tcp', targets: [] }, named: { type: 'tcp', targets: [target] } };
  assert.equal(await outcome({ checks }, 'port'), 'ok', 'it is a target of a check of this kind');
  assert.equal(await outcome({ checks: { port: checks.port } }, 'port'), 'not_allowed');
  assert.equal(await outcome({ checks: { port: checks.port }, allow: ['127.0.0.0/8'] }, 'tcp_connect'), 'ok');
  assert.equal(await outcome({ checks: {}, allow: ['10.0.0.0/8'] }, 'tcp'), 'not_allowed');
  assert.equal(await outcome({ checks: {}, allow: ['127.0.0.0/8'] }, 'nothing'), null);
  assert.equal(
    await outcome({ checks: {}, allow: ['10.0.0.0/8'] }, 'tcp', `[::ffff:127.0.0.1]:${port}`),
    'not_allowed',
  );
});

test('headers of a check with targets of its own go to no other', async () => {
  const heard: (string | undefined)[] = [];
  const web = createHttp((request, response) => {
    heard.push(request.headers.authorization);
    response.end();
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`;
  const headers = { Authorization: 'Bearer secret' };
  const checks = {
    own: { type: 'http', targets: [url], headers, every: '1h' },
    other: { type: 'http', targets: ['http://127.0.0.1:1/'], headers, every: '1h' },
    all: { type: 'http', targets: [], headers },
  };
  const service = serviceOf(configOf({ checks, allow: ['127.0.0.0/8'] }));
  for (const module of ['own', 'other', 'all'])
    assert.equal((await service.probe(module, url, 1000))?.result.outcome, 'ok');
  await service.close();
  web.close();
  assert.deepEqual(heard, ['Bearer secret', undefined, 'Bearer secret']);
});

test('ten thousand targets are read again in no time', () => {
  const targets = Array.from({ length: 10_000 }, (_, i) => `http://host${i}.example.com/`);
  const checks = { many: { type: 'http', targets, every: '1h' } };
  const service = serviceOf(configOf({ checks: {} }));
  const configs = [1, 2].map((per_target) => configOf({ checks, allow: [`192.0.2.${per_target}`] }));
  const began = performance.now();
  for (const config of configs) service.configure(config);
  assert.equal(service.states().length, 10_000);
  assert.ok(performance.now() - began < 5000, 'linear in their number');
  return service.close();
});

test('the journal holds beats by the hour, and no more than it should', async () => {
  const journal = new ProbeJournal(store.records);
  const hour = Date.UTC(2026, 10, 25, 3);
  const beat = (time: number): ProbeBeat => ({
    time,
    checks: 2,
    failed: 1,
    loss: 0.5,
    min: 1,
    p25: 1,
    p50: 2,
    p75: 3,
    max: 4,
    phases: { connect: 1.5, tls: 2 },
    outcome: 'refused',
    text: 'connection refused',
  });
  for (let i = 0; i < 3; i++) journal.add({ check: 'a', target: 't', beat: beat(hour + 3_590_000 + i * 10_000) });
  assert.equal((await journal.read('a', 't', hour, hour + 7_200_000)).length, 3, 'also what waits');
  assert.equal(await journal.flush(), 0);
  journal.add({ check: 'a', target: 't', beat: beat(hour + 3_600_500) });
  assert.equal(await journal.flush(), 0);
  const read = await journal.read('a', 't', hour, hour + 7_200_000);
  assert.deepEqual(
    read.map(({ time }) => time - hour),
    [3_590_000, 3_600_000, 3_610_000, 3_600_500],
  );
  assert.deepEqual(read[0], beat(hour + 3_590_000));
  assert.deepEqual(await journal.read('a', 'other', hour, hour + 7_200_000), []);
  for (let i = 0; i < 200; i++) journal.add({ check: 'b', target: 't', beat: beat(hour + i) });
  assert.equal(await journal.flush(), 80, 'what had no room is counted');
});

test('a crash costs what came since the last saving, and nothing is there twice', async () => {
  const hour = Date.UTC(2026, 10, 25, 5);
  const beat = (time: number, checks: number): ProbeBeat => {
    const none = { min: null, p25: null, p50: null, p75: null, max: null };
    return { time, checks, failed: 0, loss: 0, phases: {}, ...none };
  };
  const of = { check: 'c', target: 't' };
  const read = async (journal: ProbeJournal) =>
    (await journal.read('c', 't', hour, hour + 3_600_000)).map(({ time, checks }) => [time - hour, checks]);
  const first = new ProbeJournal(store.records);
  first.add({ ...of, beat: beat(hour, 60) });
  await first.save([{ ...of, beat: beat(hour + 60_000, 7) }]);
  // Killed here: another takes over.
  const second = new ProbeJournal(store.records);
  await second.recover();
  assert.deepEqual(await read(second), [
    [0, 60],
    [60_000, 7],
  ]);
  second.add({ ...of, beat: beat(hour + 120_000, 60) });
  await second.save([]);
  await second.flush();
  // Killed between the merge and the next saving.
  const third = new ProbeJournal(store.records);
  await third.recover();
  assert.deepEqual(await read(third), [
    [0, 60],
    [60_000, 7],
    [120_000, 60],
  ]);
});

test('what the store does not take waits for it', async () => {
  let isFull = true;
  const journal = new ProbeJournal({
    ...store.records,
    put: (...of) => (isFull ? Promise.reject(new Error('no space left')) : store.records.put(...of)),
  });
  const hour = Date.UTC(2026, 10, 25, 7);
  const none = { min: null, p25: null, p50: null, p75: null, max: null };
  for (let i = 0; i < 300; i++) {
    const beat: ProbeBeat = { time: hour + i, checks: 1, failed: 0, loss: 0, phases: {}, ...none };
    journal.add({ check: 'd', target: 't', beat });
  }
  await assert.rejects(journal.flush(), /no space left/);
  await assert.rejects(journal.save([]), /no space left/);
  assert.equal((await journal.read('d', 't', hour, hour + 1000)).length, 240);
  isFull = false;
  assert.equal(await journal.flush(), 180, 'what had no room is counted: 60 while waiting, 120 in its hour');
  assert.equal((await journal.read('d', 't', hour, hour + 1000)).length, 120);
});

test('what nametap asks itself is kept, and taught nobody', async () => {
  const batch = TransactionBatch.create(8, 1024);
  const now = Date.now() / 1000;
  const closed = noteOwnSocket('udp', '192.0.2.7', 40_001);
  for (const [i, [last, from]] of [
    [7, 40_001],
    [7, 40_002],
    [8, 40_001],
  ].entries()) {
    const c = batch.col;
    c.openSeconds[i] = Math.floor(now);
    c.closeSeconds[i] = Math.floor(now);
    c.family[i] = 4;
    c.client3[i] = ((192 << 24) | (2 << 8) | last) >>> 0;
    c.clientPort[i] = from;
    c.transport[i] = 17;
    batch.count++;
  }
  const taught: (readonly number[])[] = [];
  let kept = 0;
  const intake = new Intake({
    store: {
      append: async (one) => {
        kept += one.count;
        return true;
      },
    },
    origin: {},
    privacy: null,
    takers: [{ rows: (_, __, ___, own) => taught.push([...(own ?? [])]) }],
    waits: true,
    failed: (error) => assert.fail(String(error)),
  });
  intake.rows(batch, 0, 3);
  await intake.settle();
  assert.deepEqual(taught, [[0]], 'the other port and the other address are others');
  assert.equal(intake.own, 1);
  assert.equal(kept, 3);
  closed();
});

test('what answers again is over at once', async () => {
  const raised: Finding[] = [];
  const over: string[] = [];
  const gone = createServer((socket) => socket.on('error', () => undefined).end());
  const listen = (at: number) => new Promise<void>((resolve) => gone.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const { port: place } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  const target = `127.0.0.1:${place}`;
  const service = serviceOf(
    configOf({ checks: { door: { type: 'tcp', targets: [target], every: '1s', fail_after: 1 } } }),
    raised,
    over,
  );
  await service.open();
  await until(() => raised.length > 0, 'an alert');
  assert.deepEqual(over, []);
  await listen(place);
  await until(() => over.length > 0, 'its end');
  assert.deepEqual(over, [`OPS-PROBE ${raised[0].key}`]);
  await service.close();
  gone.close();
});
