import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeMessage } from '../../src/rr/encode.ts';
import type { Message } from '../../src/rr/value.ts';
import { MessageListener } from '../../src/sources/listener.ts';
import { openPowerDns } from '../../src/sources/powerdns.ts';

type Field = readonly [number, number | string | Uint8Array];

/** A message of protobuf: numbers as varints, the rest with lengths. */
function proto(...fields: Field[]): Uint8Array {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const octets = fields.flatMap(([field, value]) => {
    if (typeof value === 'number') return [...varint(field * 8), ...varint(value)];
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
  });
  return Uint8Array.from(octets);
}

const framed = (message: Uint8Array): Uint8Array =>
  Uint8Array.of(message.length >> 8, message.length & 255, ...message);

const CLIENT = Uint8Array.of(192, 0, 2, 10);
const SERVER = Uint8Array.of(198, 51, 100, 53);
const question = proto([1, 'www.example.'], [2, 1], [3, 1]);
const common = (type: number, micros: number): Field[] => [
  [1, type],
  [3, 'rec-1'],
  [4, 1],
  [5, 1],
  [6, CLIENT],
  [7, SERVER],
  [9, 1_700_000_000],
  [10, micros],
  [11, 4711],
  [12, question],
  [20, 40_000],
  [21, 53],
];
const rr = (name: string, type: number, data: string | Uint8Array): Uint8Array =>
  proto([1, name], [2, type], [3, 1], [4, 300], [5, data]);
const response = proto(
  [1, 0],
  [2, rr('www.example.', 5, 'web.example.')],
  [2, rr('web.example.', 1, Uint8Array.of(192, 0, 2, 80))],
  [2, rr('web.example.', 28, Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 1))],
  [2, rr('example.', 15, 'mail.example.')],
  [2, rr('example.', 16, '"a text"')],
  [5, 1_700_000_000],
  [6, 1000],
);

interface Seen {
  time: number;
  from: number;
  to: number;
  ports: [number, number];
  message: Message;
  name: string | undefined;
}

/** What a listener makes of the bytes of senders, one after the other. */
async function receive(...streams: Uint8Array[]): Promise<{ seen: Seen[]; unreadable: number; damage: string[] }> {
  const source = await openPowerDns({ kind: 'powerdns', host: '127.0.0.1', port: 0 });
  assert.ok(source instanceof MessageListener);
  const ending = new AbortController();
  const seen: Seen[] = [];
  const ended = source.messages(ending.signal, (c) => {
    const message = decodeMessage(c.bytes.slice(c.at, c.at + c.length));
    const time = c.seconds + c.nanos / 1e9;
    const name = c.interfaces[c.interfaceId]?.name;
    seen.push({ time, from: c.source3, to: c.destination3, ports: [c.sourcePort, c.destinationPort], message, name });
  });
  for (const stream of streams) {
    const socket = connect(source.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.end(stream);
    await once(socket, 'close');
  }
  await sleep(20);
  ending.abort();
  await ended;
  return { seen, unreadable: source.unreadable, damage: source.damage.map(({ reason }) => reason) };
}

const stream = (...messages: Uint8Array[]): Uint8Array => Uint8Array.from(messages.flatMap((one) => [...framed(one)]));

test('a query and its response are what they were, as far as the sender tells', async () => {
  const { seen, unreadable, damage } = await receive(
    stream(proto(...common(1, 1000)), proto(...common(2, 5000), [13, response])),
  );
  assert.deepEqual([seen.length, unreadable, damage], [2, 0, []]);
  const [query, answer] = seen;
  assert.deepEqual(query.message.questions, [{ name: 'www.example', type: 'A', class: 'IN' }]);
  assert.deepEqual([query.from, query.to, query.ports, query.name], [0xc000020a, 0xc6336435, [40_000, 53], 'rec-1']);
  assert.deepEqual([answer.from, answer.to, answer.ports], [0xc6336435, 0xc000020a, [53, 40_000]]);
  assert.equal(Math.round((answer.time - query.time) * 1e6), 4000);
  assert.equal(answer.message.id, 4711);
  assert.deepEqual(
    answer.message.answers?.map(({ type, data }) => [type, data]),
    [
      ['CNAME', 'web.example'],
      ['A', '192.0.2.80'],
      ['AAAA', '2001:db8::1'],
      ['MX', '0 mail.example'],
      ['TXT', '"a text"'],
    ],
  );
});

test('a response alone brings the query that it tells of; a server that did not answer has none', async () => {
  const { seen } = await receive(stream(proto(...common(2, 5000), [13, response])));
  assert.deepEqual(
    seen.map(({ time, message }) => [Math.round((time % 1) * 1e6), message.flags.includes('qr')]),
    [
      [1000, false],
      [5000, true],
    ],
  );
  const lost = proto([1, 65_536], [5, 1_700_000_000], [6, 0]);
  const { seen: outgoing, unreadable } = await receive(stream(proto(...common(4, 9000), [13, lost])));
  assert.deepEqual([outgoing.length, unreadable], [1, 0]);
});

test('a record whose data makes no sense is left out; the others are there', async () => {
  const odd = proto([1, 3], [2, rr('a.', 1, Uint8Array.of(1, 2, 3))], [2, rr('b.', 1, SERVER)]);
  const { seen } = await receive(stream(proto(...common(1, 0)), proto(...common(2, 1), [13, odd])));
  assert.deepEqual([seen[1].message.rcode, seen[1].message.answers?.length], ['NXDOMAIN', 1]);
});

test('nothing that a sender sends breaks the listener: it is counted', async () => {
  const good = proto(...common(1, 1000));
  const longName = proto(...common(1, 0).filter(([field]) => field !== 12), [12, proto([1, 'x'.repeat(70)], [2, 1])]);
  const cut = framed(good).slice(0, 30);
  const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 2654435761) >>> 24);
  const { seen, unreadable, damage } = await receive(
    stream(good, longName, proto([1, 9]), new Uint8Array(0), good),
    cut,
    noise,
    stream(...Array.from({ length: good.length }, (_, i) => (i === 0 ? good : good.slice(0, i)))),
  );
  assert.ok(seen.length >= 3 && unreadable >= 3, `${seen.length} read, ${unreadable} not`);
  assert.ok(damage.includes('the stream ends within a message'));
});
