import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser, type ServerEvent } from '../../web/src/api.ts';
import { boundaries, bucketAt, moveCaret } from '../../web/src/ui/brush.ts';
import { here, link, live, param, refreshInterval, resolveTime } from '../../web/src/state.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

test('times of the address: relative, ISO, milliseconds', () => {
  assert.equal(resolveTime('now', NOW), NOW);
  assert.equal(resolveTime('-1h', NOW), NOW - 3_600_000);
  assert.equal(resolveTime('-1.5d', NOW), NOW - 129_600_000);
  assert.equal(resolveTime('2026-11-24T11:00:00Z', NOW), NOW - 3_600_000);
  assert.equal(resolveTime(String(NOW), NOW), NOW);
  assert.ok(Number.isNaN(resolveTime('yesterday-ish', NOW)));
});

test('links leave defaults out and take the patch', () => {
  assert.equal(param('from'), '-1h');
  assert.equal(link('/explore'), '/explore');
  assert.equal(link('/explore', { from: '-1h', f: 'dns.flags.rcode == 3' }), '/explore?f=dns.flags.rcode+%3D%3D+3');
  assert.equal(link('/explore', { from: '-7d', to: 'now', sel: null, live: '' }), '/explore?from=-7d');
  assert.equal(here({ sort: '-latency' }), '/?sort=-latency');
  assert.equal(live.value, true);
  assert.ok(Math.abs(refreshInterval() - 7500) < 1);
});

test('events are read from any pieces of the stream', () => {
  const stream =
    ': comment\r\nid: 7\nevent: rows\ndata: {"a":\ndata: 1}\n\ndata:x\n\nevent: gap\n\nretry: 5\nid: 8\ndata: last\r\n\r\n';
  for (let size = 1; size <= stream.length; size++) {
    const events: ServerEvent[] = [];
    const parser = new EventParser((event) => events.push(event));
    for (let at = 0; at < stream.length; at += size) parser.push(stream.slice(at, at + size));
    assert.deepEqual(
      events,
      [
        { event: 'rows', data: '{"a":\n1}' },
        { event: 'message', data: 'x' },
        { event: 'message', data: 'last' },
      ],
      `pieces of ${size}`,
    );
    assert.equal(parser.lastId, '8');
  }
});

test('a moment lies in one bucket', () => {
  const time = [0, 60_000, 120_000];
  assert.equal(bucketAt(time, -5), 0);
  assert.equal(bucketAt(time, 59_999), 0);
  assert.equal(bucketAt(time, 60_000), 1);
  assert.equal(bucketAt(time, 9e9), 2);
});

test('the caret walks, selects with Shift and opens', () => {
  const key = (name: string, shiftKey = false) => ({ key: name, shiftKey });
  const first = moveCaret(null, key('ArrowLeft'), 10);
  assert.deepEqual(first, { at: 9, anchor: 9 });
  assert.ok(typeof first === 'object');
  assert.deepEqual(moveCaret(first, key('ArrowLeft', true), 10), { at: 8, anchor: 9 });
  assert.deepEqual(moveCaret(first, key('ArrowRight'), 10), { at: 9, anchor: 9 });
  assert.deepEqual(moveCaret(first, key('Home'), 10), { at: 0, anchor: 0 });
  assert.equal(moveCaret(first, key('Enter'), 10), 'open');
  assert.equal(moveCaret(null, key('Enter'), 10), undefined);
  assert.equal(moveCaret(first, key('Escape'), 10), 'leave');
  assert.equal(moveCaret(first, key('x'), 10), undefined);
  assert.equal(boundaries([0, 60_000], { at: 0, anchor: 1 }, 60).to, 120_000);
});
