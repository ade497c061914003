import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { transactionValue } from '../../src/rr/transaction.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import { json } from '../../src/sinks/json.ts';
import { ndjson } from '../../src/sinks/ndjson.ts';
import { type OutputOptions, shownInterface } from '../../src/sinks/output.ts';
import { seedMessages } from '../fuzz/messages.ts';
import { addRow, edited, join, sent } from './rows.ts';

const options: OutputOptions = {
  interfaces: [
    { name: 'eth0', link: 1, snaplen: 0 },
    { link: 1, snaplen: 0 },
    { name: 'a"b\u0001é', link: 1, snaplen: 0 },
  ],
  sensor: 'one',
  registrable,
};

function lines(batches: TransactionBatch[], set: OutputOptions = options): string[] {
  const writer = new ByteWriter(64);
  const output = ndjson.transaction?.(set, writer);
  for (const batch of batches) output?.batch(batch, 0, batch.count);
  const text = new TextDecoder('utf8', { fatal: true }).decode(writer.take());
  return text.split('\n').slice(0, -1);
}

/** Every row is what the reference says, byte for byte. */
function same(batches: TransactionBatch[], set: OutputOptions = options): number {
  const got = lines(batches, set);
  let row = 0;
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const { sensor, registrable } = set;
      const interfaceName = shownInterface(set, batch.col.interfaceId[i]);
      const value = transactionValue(batch, i, { interfaceName, sensor, registrableDomain: registrable });
      assert.equal(got[row++], JSON.stringify(value));
    }
  }
  assert.equal(got.length, row);
  return row;
}

describe('ndjson of transactions', () => {
  test('any message, sound or mutated, with any columns, is written as the reference shows it', () => {
    const seeds = seedMessages();
    const column = (max: number) => fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max }));
    fc.assert(
      fc.property(
        fc.nat(seeds.length - 1),
        fc.nat(seeds.length - 1),
        fc.array(fc.tuple(fc.nat(4095), fc.constantFrom('set', 'pointer', 'cut'), fc.nat(255)), { maxLength: 4 }),
        fc.boolean(),
        fc.record({
          openSeconds: column(2 ** 33),
          openNanos: column(999_999_999),
          lastSeconds: column(2 ** 33),
          lastNanos: column(999_999_999),
          answerSeconds: column(2 ** 33),
          answerNanos: column(999_999_999),
          client0: column(0xffffffff),
          client1: column(0xffffffff),
          client2: column(0xffffffff),
          client3: column(0xffffffff),
          server2: column(0xffff),
          server3: column(0xffffffff),
          setupNanos: fc.oneof(fc.constant(Number.NaN), column(5e12)),
          queries: column(3),
          responses: column(3),
          duplicates: column(0xffffffff),
          late: column(3),
          queryBytes: column(0xffff),
          responseBytes: column(0xffff),
          idHigh: column(0xffffffff),
          idLow: column(0xffffffff),
          retryLow: column(0xffffffff),
          parentHigh: column(0xffffffff),
          interfaceId: column(3),
          vlan: fc.constantFrom(0xffff, 7),
          id: column(0xffff),
          rcode: fc.constantFrom(0, 3, 16, 23, 0xffff, 4000),
          family: fc.constantFrom(4, 6),
          transport: fc.constantFrom(6, 17),
          protocol: fc.constantFrom(0, 0, 0, 1, 2, 3),
          opcode: column(15),
          outcome: column(5),
          answerKind: fc.constantFrom(0, 1, 2, 3, 4, 255),
          role: column(2),
          leg: column(2),
          fault: column(20),
          faultAt: column(70_000),
          faultIn: column(5),
        }),
        fc.array(fc.integer({ min: 0, max: 2 ** 53 - 1 }), { maxLength: 4 }),
        (a, b, edits, both, columns, numbers) => {
          const batch = TransactionBatch.create(8, 1 << 20);
          const query = both ? edited(seeds[a], edits) : seeds[a];
          const response = edited(seeds[b], edits);
          const frames = { query: numbers.slice(0, 2), response: numbers.slice(2) };
          addRow(batch, { query, response, frames, columns });
          addRow(batch, { query, columns });
          addRow(batch, { response, frames, columns });
          addRow(batch, { columns });
          same([batch]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('aliases are followed from the name asked', () => {
    const cname = (name: string, data: string) => ({ name, type: 'CNAME', ttl: 60, data });
    const a = (name: string, data: string) => ({ name, type: 'A', ttl: 5, data });
    const chains = [
      [cname('A.test', 'b.test'), cname('b.TEST', 'c.test'), a('c.test', '192.0.2.1'), a('x.test', '192.0.2.2')],
      [cname('a.test', 'b.test'), cname('b.test', 'a.test'), cname('a.test', 'c.test')],
      [cname('a.test', 'a.test')],
      [a('other.test', '192.0.2.1')],
      [cname('a.test', 'b.test'), { name: 'b.test', type: 'AAAA', ttl: 9, data: '2001:db8::1' }],
      [{ name: 'test', type: 'DNAME', ttl: 60, data: 'example' }, a('a.example', '192.0.2.9')],
      Array.from({ length: 40 }, (_, i) => cname(i === 0 ? 'a.test' : `n${i}.test`, `n${i + 1}.test`)),
    ];
    for (const answers of chains) {
      const question = { id: 5, questions: [{ name: 'a.test', type: 'A' }] };
      const rows = join([
        sent(0, { ...question, flags: ['rd'] }),
        sent(0.0125, { ...question, flags: ['qr', 'rd', 'ra'], answers }),
      ]);
      assert.equal(same(rows), 1);
    }
    const question = { id: 5, questions: [{ name: 'a.test', type: 'A' }] };
    const rows = join([sent(0, question), sent(0.0125, { ...question, flags: ['qr'], answers: chains[0] })]);
    const row = JSON.parse(lines(rows)[0]);
    assert.deepEqual(row.cnames, ['b.test', 'c.test']);
    assert.deepEqual(row.addresses, ['192.0.2.1']);
    assert.equal(row.ttl_min, 5);
    assert.equal(row.latency_ms, 12.5);
  });

  test('a message whose names expand beyond measure falls back to the reference', () => {
    const long = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(11)).join('.');
    const answers = Array.from({ length: 400 }, () => ({ name: '.', type: 'MINFO', ttl: 1, data: `${long} ${long}` }));
    const question = { id: 5, questions: [{ name: long, type: 'MINFO' }] };
    assert.equal(same(join([sent(0, question), sent(0.1, { ...question, flags: ['qr'], answers })])), 1);
  });

  test('a chunk boundary never cuts a row', () => {
    const question = { id: 5, questions: [{ name: 'a.test', type: 'A' }] };
    const list = Array.from({ length: 500 }, (_, i) => sent(i * 20, { ...question, id: i }));
    assert.equal(same(join(list)), 500);
  });
});

test('json is one array, also of nothing', () => {
  const question = { id: 5, questions: [{ name: 'a.test', type: 'A' }] };
  for (const count of [0, 1, 3]) {
    const batches = join(Array.from({ length: count }, (_, i) => sent(i, { ...question, id: i })));
    const writer = new ByteWriter(64);
    const output = json.transaction?.(options, writer);
    output?.begin?.();
    for (const batch of batches) output?.batch(batch, 0, batch.count);
    output?.end?.();
    const value = JSON.parse(new TextDecoder().decode(writer.take()));
    assert.equal(value.length, count);
  }
});
