import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCapture, type Transaction } from '../../src/library/index.ts';
import { exactMs, ladderOf } from '../../web/src/explore/ladder/events.ts';
import { cut, layOut, timeText } from '../../web/src/explore/ladder/layout.ts';
import { drawLadder, shapesOf, toMermaid, toSvg } from '../../web/src/explore/ladder/write.ts';

async function rowsOf(name: string): Promise<Transaction[]> {
  const rows: Transaction[] = [];
  for await (const row of readCapture(fileURLToPath(new URL(`../captures/${name}`, import.meta.url)))) rows.push(row);
  return rows;
}
const colors = (name: string): string => `var-${name}`;

function made(over: Partial<Transaction>): Transaction {
  return {
    time: '2026-11-24T08:00:00.000000000Z',
    client: '192.0.2.1',
    client_port: 4242,
    server: '192.0.2.53',
    server_port: 53,
    transport: 'udp',
    leg: 'client',
    id: 7,
    name: 'www.example.com',
    type: 'A',
    opcode: 'QUERY',
    flags: ['rd'],
    role: 'recursive',
    outcome: 'answered',
    queries: 1,
    responses: 1,
    duplicates: 0,
    late: 0,
    frames: { query: [1], response: [2] },
    transaction: '00000000000000a1',
    ...over,
  };
}

test('a recursive resolution stands as client, resolver, authority, in order of time', async () => {
  const rows = await rowsOf('resolution.pcap');
  const ladder = ladderOf(rows);
  const roles = ladder.hosts.map(({ role }) => role);
  assert.deepEqual([...new Set(roles)], ['client', 'resolver', 'authority']);
  assert.equal(ladder.hosts.find(({ role }) => role === 'resolver')?.address, '127.0.0.53');
  assert.equal(ladder.hosts[0].address, '127.0.0.2');
  assert.equal(
    ladder.events.length,
    rows.reduce((sum, { queries }) => sum + queries + 1, 0),
  );
  assert.ok(ladder.events.every(({ at }, i) => i === 0 || at >= ladder.events[i - 1].at));
  const [first] = ladder.events;
  const last = ladder.events.at(-1);
  assert.deepEqual([first.kind, first.at, first.from], ['query', 0, '127.0.0.2']);
  assert.deepEqual([last?.kind, last?.to], ['response', '127.0.0.2'], 'the client is answered last');
});

test('a truncated answer leads to its TCP retry', async () => {
  const ladder = ladderOf(await rowsOf('truncated-then-tcp.pcap'));
  assert.deepEqual(ladder.retries, [{ from: 1, to: 2 }]);
  assert.deepEqual(
    ladder.events.map(({ kind, transport, level }) => `${kind} ${transport} ${level}`),
    ['query udp none', 'response udp attention', 'query tcp none', 'response tcp none'],
  );
  assert.match(ladder.events[1].label, /^truncated · 59 B$/);
  assert.match(toMermaid(ladder), /Note over h0: truncated, asked again over TCP/);
  assert.equal(layOut(ladder, 800).retries.length, 1);
});

test('copies stand where they were sent; what is not answered is a lost arrow', () => {
  const again = ladderOf([made({ queries: 2, latency_ms: 1012.5, latency_last_ms: 12.5, rcode: 'NOERROR' })]);
  assert.deepEqual(
    again.events.map(({ kind, at }) => [kind, at]),
    [
      ['query', 0],
      ['retransmission', 1000],
      ['response', 1012.5],
    ],
  );
  const lost = ladderOf([made({ responses: 0, outcome: 'unanswered' })]);
  assert.deepEqual(lost.events.map(({ kind, level, label }) => [kind, level, label])[1], [
    'lost',
    'alarm',
    'no answer',
  ]);
  const times = ['2026-11-24T08:00:00.000000000Z', '2026-11-24T08:00:01.500000000Z', '2026-11-24T08:00:03.000250000Z'];
  const packets = times.map((time, i) => ({ number: i + 1, time, length: 60, hex: '', direction: 'query' as const }));
  const seen = ladderOf(
    [made({ queries: 3, responses: 0, outcome: 'unanswered' })],
    new Map([['00000000000000a1', packets]]),
  );
  assert.deepEqual(
    seen.events.map(({ at }) => Number(at.toFixed(3))),
    [0, 1500, 3000.25, 3000.251],
  );
});

test('at most 200 transactions are drawn, and how many there were is known', () => {
  const rows = Array.from({ length: 300 }, (_, i) =>
    made({
      transaction: String(i),
      time: `2026-11-24T08:00:00.${String(i).padStart(9, '0')}Z`,
      client: `192.0.2.${i % 9}`,
    }),
  );
  const ladder = ladderOf(rows);
  assert.deepEqual([ladder.shown, ladder.of, ladder.hosts.length], [200, 300, 10]);
  assert.equal(new Set(ladder.events.map(({ id }) => id)).size, 200);
});

test('times are exact, and as short as they may be', () => {
  assert.equal(exactMs('2026-11-24T08:00:00.123456789Z') - Date.parse('2026-11-24T08:00:00Z'), 123.456_787_109_375);
  assert.equal(exactMs('1970-01-01T00:00:01Z'), 1000);
  assert.deepEqual([0, 0.0412, 0.412, 4.1234, 41.234, 1204].map(timeText), [
    '0',
    '+41.2 µs',
    '+412 µs',
    '+4.123 ms',
    '+41.23 ms',
    '+1.204 s',
  ]);
  assert.equal(cut('abcdefghij', 7), 'abcd…ij');
});

test('nothing overlaps: rows go down, hosts stand apart, arrows end at their hosts', async () => {
  const ladder = ladderOf(await rowsOf('resolution.pcap'));
  const layout = layOut(ladder, 700);
  layout.rows.forEach(({ y }, i) => assert.ok(i === 0 || y - layout.rows[i - 1].y >= 30));
  assert.ok(layout.height > (layout.rows.at(-1)?.y ?? 0));
  for (const shape of shapesOf(layout)) {
    const xs = shape.kind === 'text' ? [shape.x] : shape.points.map(([x]) => x);
    assert.ok(
      xs.every((x) => x >= 0 && x <= layout.width),
      'within the picture',
    );
  }
});

test('hostile names stay text in SVG, Mermaid and picture', () => {
  const evil = '</text><script>alert(1)</script>"&\u0000\ud800;\n  h0->>h1: forged';
  const ladder = ladderOf([made({ name: evil, client_name: evil, rcode: 'NXDOMAIN', latency_ms: 1 })]);
  const layout = layOut(ladder, 9000);
  const svg = toSvg(layout, colors, evil);
  assert.doesNotMatch(svg, /<script|<\/text><s/);
  assert.match(svg, /&#60;script&#62;alert\(1\)/);
  assert.doesNotMatch(svg, /[\u0000\ud800]/);
  const mermaid = toMermaid(ladder);
  assert.equal(mermaid.split('\n').length, 1 + 2 + 2 + 1, 'no line of its own');
  assert.doesNotMatch(mermaid, /<script/);
  assert.match(mermaid, /#60;script#62;/);
  const drawn: string[] = [];
  const nothing = (): void => {};
  drawLadder(
    {
      fillStyle: '',
      strokeStyle: '',
      lineWidth: 0,
      font: '',
      textAlign: 'start',
      fillRect: nothing,
      beginPath: nothing,
      moveTo: nothing,
      lineTo: nothing,
      closePath: nothing,
      fill: nothing,
      stroke: nothing,
      setLineDash: nothing,
      strokeText: nothing,
      fillText: (text: string) => drawn.push(text),
    },
    layout,
    colors,
    { sans: 'sans', mono: 'mono' },
  );
  assert.ok(
    drawn.some((text) => text.includes('<script>')),
    'a canvas draws signs, whatever they are',
  );
});
