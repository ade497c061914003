import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveTail } from '../../src/app/live-tail.ts';
import { eventStream } from '../../src/server/event-stream.ts';
import type { TailRows, TailState } from '../../src/server/schema/overview.ts';
import { tailGap, tailRows } from '../../src/server/schema/overview.ts';
import { Tails } from '../../src/server/tail.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';
import { type Event, eventsOf, firstEvents } from './events.ts';

const CAPTURE = CAPTURES.find((path) => path.endsWith('/udp.pcap')) ?? '';
const { batches } = await batchesOf(CAPTURE);
const TOTAL = batches.reduce((sum, { count }) => sum + count, 0);
const STATE: TailState = {
  level: 'normal',
  sentence: 'Normal.',
  told: 0,
  rest: null,
  reasons: [],
  freshness: { newest: null, age_s: null, lag_s: null, loss_ratio: null },
  qps: 0,
};

function opened(): { live: LiveTail; tails: Tails; send: () => void } {
  const live = new LiveTail('test');
  const tails = new Tails(live, () => Promise.resolve(STATE), Date.now, assert.ifError);
  const send = () => {
    for (const batch of batches) live.rows(batch, 0, batch.count);
  };
  return { live, tails, send };
}

const dataOf = (event: Event): TailRows => tailRows.parse(event.data);

test('a tail shows what passes, at its rate, and says of how many', async () => {
  const { tails, send } = opened();
  const response = tails.stream({ f: '', rate: 10, lastEvent: undefined });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  send();
  const [first] = await firstEvents(response, 1);
  const { rows, shown, of } = dataOf(first);
  assert.equal(of, TOTAL);
  assert.ok(TOTAL > 10, 'the capture has more than fits');
  assert.equal(shown, 10);
  assert.equal(rows.length, 10);
  assert.equal(rows[0].sensor, 'test');
  tails.close();
});

test('a filter is that of the command line', async () => {
  const { tails, send } = opened();
  const response = tails.stream({ f: 'dns.qry.type == AAAA', rate: 1000, lastEvent: undefined });
  assert.throws(() => tails.stream({ f: 'frame.len > 1', rate: 1, lastEvent: undefined }), /frame\.len/);
  assert.throws(() => tails.stream({ f: 'nonsense ==', rate: 1, lastEvent: undefined }));
  send();
  const [first] = await firstEvents(response, 1);
  const { rows, of } = dataOf(first);
  assert.ok(of > 0 && of < TOTAL);
  assert.deepEqual([...new Set(rows.map(({ type }) => type))], ['AAAA']);
  tails.close();
});

test('a client that comes back gets what it missed, in order, and is told what is gone', async () => {
  const { tails, send } = opened();
  const options = { f: '', rate: 1000, lastEvent: undefined };
  const response = tails.stream(options);
  send();
  const [first] = await firstEvents(response, 1);
  // Reading one event and breaking off is a client that goes away.
  send();
  await sleep(450);
  assert.equal(tails.open, 1, 'its place is kept');
  const again = await firstEvents(tails.stream({ ...options, lastEvent: first.id }), 1, '');
  assert.deepEqual(
    again.map(({ event }) => event),
    ['rows'],
  );
  assert.equal(dataOf(again[0]).of, TOTAL);
  assert.equal(Number(again[0].id.split('-')[1]), Number(first.id.split('-')[1]) + 1);
  const [gap] = await firstEvents(tails.stream({ ...options, lastEvent: 'ffffffffffffffff-7' }), 1, '');
  assert.deepEqual([gap.event, gap.data], ['gap', { missed: null }], 'of an unknown tail nobody knows what was missed');
  tails.close();
});

test('of a client that was away too long it is known how much it missed', async () => {
  const { tails, send } = opened();
  const options = { f: '', rate: 1000, lastEvent: undefined };
  const [one] = await Promise.all([firstEvents(tails.stream(options), 1), sleep(10).then(send)]);
  // More than is kept for somebody (2000): the oldest events are given up.
  for (let round = 0; round < 12; round++) {
    for (let rows = 0; rows < 250; rows += TOTAL) send();
    await sleep(210);
  }
  const back = await firstEvents(tails.stream({ ...options, lastEvent: one[0].id }), 3, '');
  assert.equal(back[0].event, 'gap');
  const { missed } = tailGap.parse(back[0].data);
  const kept = Number(back[1].id.split('-')[2]) - dataOf(back[1]).of;
  assert.equal(missed, kept - Number(one[0].id.split('-')[2]));
  assert.ok((missed ?? 0) > 0);
  tails.close();
});

test('the state comes once a second', async () => {
  const { tails } = opened();
  const states: number[] = [];
  for await (const { event, data } of eventsOf(tails.stream({ f: '', rate: 1, lastEvent: undefined }))) {
    if (event !== 'state') continue;
    assert.deepEqual(data, STATE);
    states.push(Date.now());
    if (states.length === 2) break;
  }
  assert.ok(states[1] - states[0] >= 900, `${states[1] - states[0]} ms apart`);
  tails.close();
});

test('a state that cannot be had is told once until it can again, and the rows go on', async () => {
  const live = new LiveTail('test');
  const failures: unknown[] = [];
  let asked = 0;
  let clock = 0;
  // Second, third and fifth time nobody knows it; each look at the clock is a second later.
  const state = () => {
    asked++;
    return [2, 3, 5].includes(asked) ? Promise.reject(new Error(`no state ${asked}`)) : Promise.resolve(STATE);
  };
  const tails = new Tails(
    live,
    state,
    () => (clock += 1000),
    (error) => failures.push(error),
  );
  const response = tails.stream({ f: '', rate: 1000, lastEvent: undefined });
  const states: Event[] = [];
  let rows = 0;
  for await (const event of eventsOf(response)) {
    if (event.event === 'rows') rows += dataOf(event).of;
    else states.push(event);
    if (asked === 4) for (const batch of batches) live.rows(batch, 0, batch.count);
    if (asked === 6) break;
  }
  assert.deepEqual(
    states.map(({ data }) => data),
    [STATE, STATE, STATE],
  );
  assert.equal(rows, TOTAL);
  assert.deepEqual(failures.map(String), ['Error: no state 2', 'Error: no state 5']);
  tails.close();
});

test('tails are bounded: the place of one who is away is given to the next', async () => {
  const { tails } = opened();
  const options = { f: '', rate: 1, lastEvent: undefined };
  const responses = Array.from({ length: 64 }, () => tails.stream(options));
  assert.throws(() => tails.stream(options), /64 live tails/);
  assert.equal(tails.refused, 1);
  await responses[0].body?.cancel();
  const next = tails.stream(options);
  assert.equal(tails.open, 64);
  await next.body?.cancel();
  tails.close();
});

test('without anyone who looks, rows cost nothing', async () => {
  const { live, tails, send } = opened();
  let asked = 0;
  live.value = (...args) => {
    asked++;
    return LiveTail.prototype.value.apply(live, args);
  };
  send();
  assert.equal(asked, 0);
  tails.close();
});

test('a client that reads nothing is dropped, one that is waited for is not', async () => {
  let sent = 0;
  let ended = 0;
  const text = 'x'.repeat(100_000);
  eventStream((events) => {
    while (events.send('rows', text)) sent++;
    return () => ended++;
  });
  await sleep(0);
  assert.ok(sent >= 10 && sent <= 12, `${sent} events of 100 kB fit`);
  assert.equal(ended, 1, 'the work was ended once');
  const patient = eventStream((events) => {
    void (async () => {
      for (let i = 0; i < 50; i++) {
        await events.ready();
        events.send('rows', text);
      }
      events.close();
    })();
    return () => {};
  });
  let got = 0;
  for await (const { event } of eventsOf(patient)) if (event === 'rows') got++;
  assert.equal(got, 50);
});
