import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FATE, Ledger } from '../../src/core/ledger.ts';
import { freshnessOf, LossWatch, type StateInputs, stateOf } from '../../src/server/health.ts';
import { say } from '../../src/server/said.ts';
import type { SensorReading } from '../../src/server/services.ts';
import type { StoreStatus } from '../../src/store/store.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

function status(more: Partial<StoreStatus> = {}): StoreStatus {
  return {
    engine: 'duckdb',
    path: null,
    schema: 1,
    bytes: 0,
    tables: [],
    oldest: NOW - 3_600_000,
    newest: NOW - 1000,
    lag_s: 0.5,
    queue: { length: 0, capacity: 1 },
    appended: 0,
    dropped: {},
    degraded: null,
    remark: null,
    ...more,
  };
}

function sensor(received: number, lost: number, more: Partial<SensorReading> = {}): SensorReading {
  const ledger = new Ledger();
  ledger.received = received;
  ledger.frames[FATE.kernel] = lost;
  return {
    name: 's1',
    source: say('source.live'),
    interface: 'eth0',
    privacy: { level: 0, names: 'full', text: '' },
    ledger,
    transactions: 0,
    stages: [],
    rate: 0,
    framesRate: 0,
    lagSeconds: 0.2,
    ring: 0,
    openTransactions: 0,
    oneIn: 1,
    uptimeSeconds: 1,
    running: true,
    ...more,
  };
}

function inputs(more: Partial<StateInputs> = {}): StateInputs {
  const sensors = more.sensors ?? [sensor(100, 0)];
  const stored = more.status ?? status();
  return {
    sensors,
    status: stored,
    freshness: freshnessOf(sensors, stored, 0, NOW),
    dropped: 0,
    checks: [],
    alertsOpen: 0,
    tiles: [],
    ...more,
  };
}

test('loss is that of the last minutes: what happened long ago is not told for ever', () => {
  const watch = new LossWatch();
  assert.equal(watch.read([], status(), NOW).ratio, null, 'nothing is captured');
  const at = (minutes: number, received: number, lost: number, dropped = 0) =>
    watch.read(
      [sensor(received, lost)],
      status({ dropped: { store_queue: dropped, retention: 1e6 } }),
      NOW + minutes * 60_000,
    );
  assert.deepEqual(at(0.1, 1000, 0), { ratio: 0, dropped: 0 });
  assert.deepEqual(at(1, 2000, 100, 7), { ratio: 0.05, dropped: 7 });
  assert.deepEqual(at(6.5, 11_000, 100, 7), { ratio: 0, dropped: 0 }, 'later');
  assert.deepEqual(at(7, 500, 0, 7), { ratio: 0, dropped: 7 }, 'a source that was opened again');
});

test('one sentence says how it is, the worst first', () => {
  assert.deepEqual(stateOf(inputs()), {
    level: 'normal',
    sentence: 'Normal: nothing is lost.',
    told: 0,
    rest: { text: 'nothing is lost', said: { key: 'state.lossless', values: {} } },
    reasons: [],
  });
  const alerts = stateOf(inputs({ alertsOpen: 3 }));
  assert.deepEqual([alerts.level, alerts.sentence], ['attention', 'Attention: 3 open alerts.']);
  const freshness = freshnessOf([sensor(100, 0)], status(), 0.0004, NOW);
  assert.equal(
    stateOf(inputs({ freshness })).sentence,
    'Attention: capture dropped 0.04 % of the frames in the last minutes.',
  );
  const full = status({ degraded: 'The disk is full: new transactions are not kept.' });
  const both = stateOf(inputs({ status: full, alertsOpen: 1, dropped: 12 }));
  assert.equal(both.level, 'degraded');
  assert.equal(
    both.sentence,
    'Degraded: 12 transactions did not reach the store in the last minutes; The disk is full: new transactions are not kept; 1 more.',
  );
  assert.deepEqual(
    both.reasons.map(({ key, level }) => [key, level]),
    [
      ['store_drops', 'degraded'],
      ['store', 'degraded'],
      ['alerts', 'attention'],
    ],
  );
});

test('numbers of a sample are said to be those of a sample', () => {
  const { level, sentence } = stateOf(inputs({ sensors: [sensor(100, 0, { oneIn: 8 })] }));
  assert.deepEqual(
    [level, sentence],
    ['attention', 'Attention: one client in 8 is looked at: all numbers are those of a sample.'],
  );
});

test('a sensor that stopped, a ledger that does not sum, data that is old, a check that fails', () => {
  const stopped = stateOf(inputs({ sensors: [sensor(100, 0, { running: false })] }));
  assert.deepEqual(
    stopped.reasons.map(({ key }) => key),
    ['sensor', 'ledger'],
  );
  const old = status({ newest: NOW - 600_000 });
  assert.match(stateOf(inputs({ status: old })).sentence, /no transaction for 10 minutes/);
  const checks = [{ name: 'sink', ok: false, detail: 'The sink kafka is not connected.' }];
  assert.equal(stateOf(inputs({ checks })).sentence, 'Degraded: The sink kafka is not connected.');
  assert.match(stateOf(inputs({ status: status({ newest: null }) })).sentence, /nothing has been seen yet/);
  assert.match(stateOf(inputs({ status: status({ remark: 'A crash cost 3 rows.' }) })).sentence, /A crash cost 3 rows/);
});

test('a number that is not as usual is named, and in which way', () => {
  const tile = { key: 'nxdomain_ratio', value: 0.3, unit: 'ratio', previous: null, delta: null, f: null } as const;
  const state = stateOf(inputs({ tiles: [{ ...tile, expected: { low: 0.02, high: 0.1 }, anomalous: true }] }));
  assert.equal(state.sentence, 'Attention: the share of NXDOMAIN is higher than usual at this hour.');
});
