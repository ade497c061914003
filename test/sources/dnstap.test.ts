import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Carrier, TCP, UDP } from '../../src/core/carrier.ts';
import { openDnstap } from '../../src/sources/dnstap.ts';
import { Bytes, concatenate } from './containers.ts';
import { putFile, temporaryFolder } from './frames.ts';

const CONTENT = 'protobuf:dnstap.Dnstap';

function varint(value: bigint): number[] {
  const out: number[] = [];
  do {
    out.push(Number(value & 0x7fn) | (value > 0x7fn ? 0x80 : 0));
    value >>= 7n;
  } while (value > 0n);
  return out;
}

const number = (field: number, value: number) => [...varint(BigInt(field * 8)), ...varint(BigInt(value))];
const bytes = (field: number, value: ArrayLike<number>) => [
  ...varint(BigInt(field * 8 + 2)),
  ...varint(BigInt(value.length)),
  ...Array.from(value),
];
const fixed = (field: number, value: number) => [
  ...varint(BigInt(field * 8 + 5)),
  ...new Bytes(true).u32(value).done(),
];

interface Tap {
  type: number;
  protocol?: number;
  query?: { time?: [number, number]; message?: Uint8Array };
  response?: { time?: [number, number]; message?: Uint8Array };
}

function payload({ type, protocol = 1, query, response }: Tap): Uint8Array {
  const message = [
    ...number(1, type),
    ...number(2, 1),
    ...number(3, protocol),
    ...bytes(4, [192, 0, 2, 1]),
    ...bytes(5, [198, 51, 100, 53]),
    ...number(6, 40_000),
    ...number(7, 53),
  ];
  if (query?.time !== undefined) message.push(...number(8, query.time[0]), ...fixed(9, query.time[1]));
  if (query?.message !== undefined) message.push(...bytes(10, query.message));
  if (response?.time !== undefined) message.push(...number(12, response.time[0]), ...fixed(13, response.time[1]));
  if (response?.message !== undefined) message.push(...bytes(14, response.message));
  return Uint8Array.from([
    ...bytes(1, Buffer.from('ns1')),
    ...bytes(2, Buffer.from('test 1')),
    ...bytes(14, message),
    ...number(15, 1),
  ]);
}

/** A message with one question for `name` A IN. */
function dns(id: number, flags: number, name: string): Uint8Array {
  const out = new Bytes(false).u16(id).u16(flags).u16(1).u16(0).u16(0).u16(0);
  for (const label of name.split('.')) out.raw([label.length, ...Buffer.from(label)]);
  return out.raw([0]).u16(1).u16(1).done();
}

const frame = (body: Uint8Array) => concatenate(new Bytes(false).u32(body.length).done(), body);

function control(type: number, content = ''): Uint8Array {
  const field = content === '' ? [] : new Bytes(false).u32(1).u32(content.length).raw(Buffer.from(content)).done();
  return new Bytes(false)
    .u32(0)
    .u32(4 + field.length)
    .u32(type)
    .raw(field)
    .done();
}

const [START, STOP, READY] = [control(2, CONTENT), control(3), control(4, CONTENT)];

interface Seen {
  number: number;
  time: string;
  from: string;
  to: string;
  transport: number;
  id: number;
  response: boolean;
  tapType: number;
  sender: string | undefined;
}

function see(seen: Seen[]): (c: Carrier) => void {
  return (c) =>
    seen.push({
      number: c.number,
      time: `${c.seconds}.${String(c.nanos).padStart(9, '0')}`,
      from: `${c.source3 >>> 24}:${c.sourcePort}`,
      to: `${c.destination3 >>> 24}:${c.destinationPort}`,
      transport: c.transport,
      id: (c.bytes[c.at] << 8) | c.bytes[c.at + 1],
      response: c.bytes[c.at + 2] >> 7 === 1,
      tapType: c.tapType,
      sender: c.interfaces[c.interfaceId].name,
    });
}

async function readTap(path: string): Promise<{ seen: Seen[]; damage: string[]; unreadable: number }> {
  const source = await openDnstap({ kind: 'file', path });
  const seen: Seen[] = [];
  await source.messages(new AbortController().signal, see(seen));
  return {
    seen,
    damage: source.damage.map(({ offset, reason }) => `${offset}: ${reason}`),
    unreadable: source.unreadable,
  };
}

const QUERY = payload({ type: 5, query: { time: [1000, 5], message: dns(7, 0x0100, 'a.example') } });
const RESPONSE = payload({
  type: 6,
  query: { time: [1000, 5] },
  response: { time: [1000, 12_345], message: dns(7, 0x8180, 'a.example') },
});
const FILE = concatenate(START, frame(QUERY), frame(RESPONSE), STOP);

test('a Frame Streams file gives queries and responses with their times, ends and sender', async (t) => {
  const { seen, damage } = await readTap(putFile(temporaryFolder(t), 'a.fstrm', FILE));
  const common = { transport: UDP, id: 7, sender: 'ns1' };
  assert.deepEqual(damage, []);
  assert.deepEqual(seen, [
    { ...common, number: 1, time: '1000.000000005', from: '192:40000', to: '198:53', response: false, tapType: 5 },
    { ...common, number: 2, time: '1000.000012345', from: '198:53', to: '192:40000', response: true, tapType: 6 },
  ]);
});

test('a response that carries its query time yields the query too, once', async (t) => {
  const folder = temporaryFolder(t);
  const alone = await readTap(putFile(folder, 'a', concatenate(START, frame(RESPONSE), STOP)));
  assert.deepEqual(
    alone.seen.map(({ time, response, from }) => [time, response, from]),
    [
      ['1000.000000005', false, '192:40000'],
      ['1000.000012345', true, '198:53'],
    ],
  );
  const twice = await readTap(
    putFile(folder, 'b', concatenate(START, frame(QUERY), frame(RESPONSE), frame(RESPONSE), STOP)),
  );
  assert.deepEqual(
    twice.seen.map(({ response }) => response),
    [false, true, false, true],
  );
  const both = payload({
    type: 6,
    protocol: 3,
    query: { time: [5, 1], message: dns(9, 0x0100, 'b.example') },
    response: { time: [5, 2], message: dns(9, 0x8180, 'b.example') },
  });
  const joined = await readTap(putFile(folder, 'c', concatenate(START, frame(both), STOP)));
  assert.deepEqual(
    joined.seen.map(({ time, transport }) => [time, transport]),
    [
      ['5.000000001', TCP],
      ['5.000000002', TCP],
    ],
  );
});

test('a synthetic query has the header and question of its response, and nothing else', async (t) => {
  const path = putFile(temporaryFolder(t), 'a', concatenate(START, frame(RESPONSE), STOP));
  const source = await openDnstap({ kind: 'file', path });
  const messages: string[] = [];
  await source.messages(new AbortController().signal, (c) => {
    messages.push(Buffer.from(c.bytes.subarray(c.at, c.at + c.length)).toString('hex'));
  });
  assert.equal(messages[0], Buffer.from(dns(7, 0x0100, 'a.example')).toString('hex'));
});

test('all fourteen message types are read; odd ones are queries, even ones responses', async (t) => {
  const frames = Array.from({ length: 14 }, (_, i) =>
    frame(
      payload(
        i % 2 === 0
          ? { type: i + 1, query: { time: [i, 0], message: dns(i, 0, 'x') } }
          : { type: i + 1, response: { time: [i, 0], message: dns(i, 0x8000, 'x') } },
      ),
    ),
  );
  const { seen } = await readTap(putFile(temporaryFolder(t), 'a', concatenate(START, ...frames, STOP)));
  assert.deepEqual(
    seen.map(({ tapType, response, time }) => [tapType, response, time]),
    frames.map((_, i) => [i + 1, i % 2 === 1, `${i}.000000000`]),
  );
});

test('a dnstap file cut at any byte gives every whole message before the cut, and the damage', async (t) => {
  const folder = temporaryFolder(t);
  const first = START.length + 4 + QUERY.length;
  const second = first + 4 + RESPONSE.length;
  for (let length = 4; length < FILE.length; length++) {
    const { seen, damage } = await readTap(putFile(folder, 'a', FILE.subarray(0, length)));
    assert.equal(seen.length, (length >= first ? 1 : 0) + (length >= second ? 1 : 0), `cut at ${length}`);
    assert.equal(damage.length, 1, `cut at ${length}`);
  }
  const gzip = await readTap(putFile(folder, 'b.gz', gzipSync(FILE)));
  assert.equal(gzip.seen.length, 2);
  assert.deepEqual(gzip.damage, []);
});

test('payloads of rubbish are counted, never thrown', async (t) => {
  const folder = temporaryFolder(t);
  const rubbish = Array.from({ length: 200 }, (_, i) =>
    frame(Uint8Array.from({ length: 1 + (i % 40) }, (_, j) => (i * 31 + j * 7) & 0xff)),
  );
  const cut = Array.from({ length: RESPONSE.length - 1 }, (_, i) => frame(RESPONSE.subarray(0, i + 1)));
  const { seen, unreadable, damage } = await readTap(
    putFile(folder, 'a', concatenate(START, ...rubbish, ...cut, frame(QUERY), STOP)),
  );
  assert.deepEqual(damage, []);
  assert.ok(unreadable > 200);
  assert.equal(seen[seen.length - 1].id, 7);
  await assert.rejects(readTap(putFile(folder, 'b', Buffer.from('no dnstap at all'))), { name: 'UserError', exit: 3 });
  const other = await readTap(putFile(folder, 'c', concatenate(control(2, 'protobuf:other'), frame(QUERY))));
  assert.match(other.damage[0], /something else than protobuf:dnstap.Dnstap/);
  const huge = await readTap(putFile(folder, 'd', concatenate(START, Uint8Array.of(0x7f, 0xff, 0xff, 0xff))));
  assert.match(huge.damage[0], /claims to be 2147483647 bytes/);
});

for (const kind of ['unix', 'tcp'] as const) {
  test(`a ${kind} listener takes senders with and without the handshake, several at once`, async () => {
    const folder = mkdtempSync('/tmp/nametap-tap-');
    try {
      const path = join(folder, 's.sock');
      const source = await openDnstap(kind === 'unix' ? { kind, path } : { kind, host: '127.0.0.1', port: 0 });
      const port = (source as { port?: number }).port ?? 0;
      const dial = (): Promise<Socket> =>
        new Promise((resolve) => {
          const socket =
            kind === 'unix' ? connect(path, () => resolve(socket)) : connect(port, '127.0.0.1', () => resolve(socket));
        });
      const stop = new AbortController();
      const seen: Seen[] = [];
      const done = source.messages(stop.signal, see(seen));
      const oneWay = await dial();
      for (const octet of concatenate(START, frame(QUERY))) oneWay.write(Uint8Array.of(octet));
      const twoWay = await dial();
      const answers: Buffer[] = [];
      const finished = new Promise<void>((resolve) => twoWay.on('end', resolve));
      twoWay.on('data', (chunk) => answers.push(chunk));
      twoWay.write(READY);
      while (Buffer.concat(answers).length < control(1, CONTENT).length)
        await new Promise((resolve) => setTimeout(resolve, 2));
      assert.deepEqual(new Uint8Array(Buffer.concat(answers)), control(1, CONTENT));
      twoWay.write(FILE);
      await finished;
      assert.deepEqual(new Uint8Array(Buffer.concat(answers)), concatenate(control(1, CONTENT), control(5)));
      while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 2));
      stop.abort();
      await done;
      assert.equal(seen.length, 3);
      assert.deepEqual(source.damage, []);
      if (kind === 'unix') assert.throws(() => readFileSync(path), { code: 'ENOENT' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('a sender that repeats its ready frame is cut off: answers nobody reads must not fill the memory', async () => {
  const source = await openDnstap({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const stop = new AbortController();
  const done = source.messages(stop.signal, () => {});
  const sender = connect((source as { port?: number }).port ?? 0, '127.0.0.1');
  const closed = new Promise<void>((resolve) => sender.on('close', () => resolve()));
  sender.on('error', () => {}).resume();
  sender.write(concatenate(...Array.from({ length: 1000 }, () => READY)));
  await closed;
  stop.abort();
  await done;
  assert.match(source.damage[0].reason, /a ready frame comes twice/);
});

test('a sender that never begins is cut off, and so are those beyond the most that may be connected', async () => {
  const source = await openDnstap({ kind: 'tcp', host: '127.0.0.1', port: 0 }, 300);
  const stop = new AbortController();
  const seen: Seen[] = [];
  const done = source.messages(stop.signal, see(seen));
  const port = (source as { port?: number }).port ?? 0;
  const closed = (socket: Socket) => new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const silent = Array.from({ length: 255 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  const proper = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => proper.on('connect', () => resolve()));
  proper.write(concatenate(START, frame(QUERY)));
  const beyond = connect(port, '127.0.0.1').on('error', () => {});
  await closed(beyond);
  await Promise.all(silent.map(closed));
  // The one that began stays.
  proper.write(frame(payload({ type: 5, query: { message: dns(2, 0x0100, 'b') } })));
  for (let i = 0; i < 100 && seen.length < 2; i++) await sleep(10);
  assert.equal(seen.length, 2);
  assert.equal(source.refused, 256);
  assert.deepEqual(source.damage, []);
  proper.destroy();
  stop.abort();
  await done;
});
