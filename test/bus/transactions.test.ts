import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { BusError } from '../../src/bus/error.ts';
import { bodyOf, headerOf, MOST_BODY } from '../../src/bus/header.ts';
import { readTransactions } from '../../src/bus/transaction-reader.ts';
import { TransactionWriter } from '../../src/bus/transaction-writer.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { skipName } from '../../src/wire/name.ts';
import { addRow, edited, type Edit } from '../sinks/rows.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';
import { assertRoundTrip, assertSameRow, written } from './batches.ts';

const vector = (name: string) => readFileSync(new URL(`vectors/${name}`, import.meta.url));

test('every row of the captures comes back: columns, messages, frame numbers', async () => {
  for (const path of CAPTURES) assertRoundTrip((await batchesOf(path)).batches);
});

test('batches of version 1 are read by every later program', async () => {
  // Written once by the first program; never again.
  for (const name of ['resolution', 'malformed', 'dnssec']) {
    const path = CAPTURES.find((one) => one.includes(name)) ?? '';
    const [expected] = (await batchesOf(path)).batches;
    const read = readTransactions(vector(`transactions-1-${name}.bin`));
    assert.equal(read.header.sensor, 'here');
    assert.deepEqual(read.interfaces, ['eth0', '']);
    assert.deepEqual(read.marks, ['', 'a rule, another']);
    assert.equal(read.batch.count, expected.count);
    for (let i = 0; i < expected.count; i++) assertSameRow(expected, i, read.batch, i);
  }
});

const octets = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most });
const LABELS = ['a', 'WWW', 'example', 'Org', 'x'.repeat(63)];
const names = fc.array(fc.constantFrom(...LABELS), { maxLength: 3 }).map((labels) => labels.join('.') || '.');
const edits = fc.array(
  fc.tuple(fc.nat(200), fc.constantFrom('set', 'pointer', 'cut'), fc.nat(255)) as fc.Arbitrary<Edit>,
  { maxLength: 2 },
);
const messages = fc.oneof(
  fc.constant(new Uint8Array(0)),
  octets(1, 40),
  fc.record({ name: names, id: fc.nat(3), ttl: fc.nat(0xffff_ffff), more: fc.nat(3), edits }).map((given) =>
    edited(
      encodeMessage({
        id: given.id,
        flags: ['qr'],
        questions: [{ name: given.name, type: 'A' }],
        answers: Array.from({ length: given.more }, (_, k) => ({
          name: given.name,
          type: 'A',
          ttl: given.ttl + k,
          data: `192.0.2.${k}`,
        })).filter(({ ttl }) => ttl <= 0xffff_ffff),
      }),
      given.edits,
    ),
  ),
);
const nanos = fc.oneof(fc.nat(999_999_999), fc.constant(0), fc.constant(123_456_000));
const seconds = fc.oneof(fc.constantFrom(0, 1_700_000_000, 1_700_000_001, 2 ** 40 + 5), fc.nat(2 ** 31 - 1));
const word = fc.nat(0xffff_ffff);
const columns = fc.record({
  openSeconds: seconds,
  openNanos: nanos,
  lastSeconds: seconds,
  lastNanos: nanos,
  answerSeconds: seconds,
  answerNanos: nanos,
  closeSeconds: fc.oneof(seconds, fc.constant(2 ** 42 + 1_700_000_000)),
  closeNanos: nanos,
  closeNumber: fc.oneof(fc.nat(100), fc.constant(2 ** 52 + 7)),
  setupNanos: fc.constantFrom(Number.NaN, 0, 12_345),
  client0: fc.constantFrom(0, 0x2001_0db8),
  client3: fc.nat(3),
  server3: word,
  queries: fc.nat(2),
  responses: fc.nat(70_000),
  queryBytes: fc.nat(70_000),
  responseBytes: word,
  idHigh: word,
  retryLow: fc.constantFrom(0, 0xffff_ffff),
  parentHigh: fc.constantFrom(0, 0x8000_0000),
  nameHash: fc.constantFrom(0, 5),
  clientPort: fc.nat(0xffff),
  vlan: fc.constantFrom(0xffff, 5),
  id: fc.nat(3),
  type: fc.constantFrom(1, 28),
  class: fc.constant(1),
  rcode: fc.constantFrom(0, 3, 0xffff),
  family: fc.constantFrom(4, 6),
  transport: fc.constantFrom(6, 17),
  outcome: fc.nat(5),
  answerKind: fc.constantFrom(0, 4, 255),
  mark: fc.nat(1),
  fault: fc.nat(20),
});
const rows = fc.array(
  fc.record({
    query: messages,
    response: messages,
    columns,
    frames: fc.record({
      query: fc.array(fc.nat(2 ** 31 - 1), { maxLength: 3 }),
      response: fc.array(fc.constantFrom(0, 1, 2 ** 40), { maxLength: 2 }),
    }),
  }),
  { minLength: 1, maxLength: 12 },
);

function batchOf(list: readonly Parameters<typeof addRow>[1][]): TransactionBatch {
  const batch = TransactionBatch.create(16, 1 << 16);
  for (const row of list) addRow(batch, row);
  for (let i = 0; i < batch.count; i++) if (!hasName(batch, i)) batch.col.nameHash[i] = 0;
  return batch;
}

/** Rows have a hash only where their first question is sound. */
function hasName({ col: c, arena }: TransactionBatch, i: number): boolean {
  const [at, length] =
    c.queryLength[i] >= 12 ? [c.queryAt[i], c.queryLength[i]] : [c.responseAt[i], c.responseLength[i]];
  return skipName(arena, at + 12, at, at + length) >= 0;
}

test('any rows come back, however unlikely', () => {
  const writer = new TransactionWriter();
  fc.assert(
    fc.property(rows, (list) => assertRoundTrip([batchOf(list)], writer)),
    { numRuns: 300 },
  );
});

test('a batch is cut where it is full; a writer of few rows makes many', async () => {
  const { batches } = await batchesOf(CAPTURES.find((path) => path.includes('resolution')) ?? '');
  assertRoundTrip(batches, new TransactionWriter(3));
  const large = TransactionBatch.create(64, 8 << 20);
  for (let i = 0; i < 40; i++) {
    const response = new Uint8Array(60_000).fill(i);
    addRow(large, { response, columns: { family: 4, responseBytes: 60_000, idLow: i } });
  }
  const list = written([large]);
  assert.ok(list.length >= 3, `${list.length} batches of 2.4 MB`);
  for (const bytes of list) assert.ok(bytes.length < 1_000_000);
  assertRoundTrip([large]);
});

test('what is damaged or hostile is refused with one kind of error, within bounds', async () => {
  const good: Uint8Array[] = [];
  for (const path of CAPTURES) good.push(...written((await batchesOf(path)).batches));
  const refused = (bytes: Uint8Array) => {
    try {
      const { batch, header } = readTransactions(bytes);
      assert.equal(batch.count, header.rows);
    } catch (error) {
      assert.ok(error instanceof BusError, String(error));
    }
  };
  for (const bytes of good) {
    for (let length = 0; length < bytes.length; length += 7) {
      assert.throws(() => readTransactions(bytes.subarray(0, length)), BusError);
    }
  }
  // The checksum finds accidents; who means harm writes it anew.
  const at = 51 + headerOf(good[0]).sensor.length;
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (bytes, changes, inHeader) => {
        const body = bodyOf(bytes).slice();
        const head = bytes.slice(0, at);
        const target = inHeader ? head : body;
        for (const [where, value] of changes) target[where % target.length] = value;
        refused(Buffer.concat([head, zstdCompressSync(body)]));
      },
    ),
    { numRuns: 3000 },
  );
});

test('times that are no whole seconds, and set-ups without end, are refused', async () => {
  const { batches } = await batchesOf(CAPTURES[0]);
  for (const [column, value] of [
    ['openSeconds', -0.5],
    ['closeSeconds', 2 ** 60],
    ['lastSeconds', Number.NaN],
    ['setupNanos', Number.POSITIVE_INFINITY],
  ] as const) {
    const batch = TransactionBatch.copyOf(batches[0]);
    batch.col[column][0] = value;
    assert.throws(() => readTransactions(written([batch])[0]), /a time is none/, column);
  }
});

test('frame numbers below zero are refused', async () => {
  const { batches } = await batchesOf(CAPTURES[0]);
  const batch = TransactionBatch.copyOf(batches[0]);
  batch.numbers[batch.col.framesAt[0] >>> 3] = -5;
  assert.throws(() => readTransactions(written([batch])[0]), /a frame number is none/);
});

test('a name that is not where readers take it from unlooked is refused: a loop would hold them for ever', async () => {
  const { batches } = await batchesOf(CAPTURES[0]);
  for (const octets of [
    [0xc0, 0x0c],
    [0xff, 0xff],
    [63, 63],
  ]) {
    const batch = TransactionBatch.copyOf(batches[0]);
    const row = batch.col.queryLength.findIndex((length) => length >= 14);
    batch.arena.set(octets, batch.col.queryAt[row] + 12);
    assert.notEqual(batch.col.nameHash[row], 0);
    assert.throws(() => readTransactions(written([batch])[0]), /a name is not in its message/);
  }
});

test('a body that unpacks to more than it says is not unpacked', async () => {
  const [batch] = (await batchesOf(CAPTURES[0])).batches;
  const [bytes] = written([batch]);
  const at = 51 + headerOf(bytes).sensor.length;
  const bomb = zstdCompressSync(new Uint8Array(64 << 20), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const head = Buffer.from(bytes.subarray(0, at));
  assert.throws(() => readTransactions(Buffer.concat([head, bomb])), BusError);
  head.writeUInt32LE(MOST_BODY + 1, 12);
  assert.throws(() => readTransactions(Buffer.concat([head, bomb])), BusError);
});
