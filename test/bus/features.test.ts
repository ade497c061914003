import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { BusError } from '../../src/bus/error.ts';
import {
  distinctNames,
  DomainDealer,
  FeatureWriter,
  joinedNames,
  MOST_NAMES,
  readFeatures,
} from '../../src/bus/features.ts';
import { bodyOf } from '../../src/bus/header.ts';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { mix, nameText } from '../../src/wire/name.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

const PLACE = { sensor: 'here', epoch: 1, line: 0, sequence: 0 };

async function featuresOf(paths: readonly string[], lines: number): Promise<Uint8Array[]> {
  const writers = Array.from({ length: lines }, () => new FeatureWriter());
  const dealer = new DomainDealer(lines, registrableStart);
  for (const path of paths) {
    for (const batch of (await batchesOf(path)).batches) {
      for (let i = 0; i < batch.count; i++) {
        dealer.deal(batch, i, (line, domain, length) =>
          writers[line].add(batch, i, domain, length, batch.col.nameHash[i]),
        );
      }
    }
  }
  return writers.map((writer, line) => writer.finish({ ...PLACE, line }));
}

test('what clients asked of domains is counted, whoever reads which line', async () => {
  const sums = async (lines: number) => {
    const byDomain = new Map<string, { transactions: number; bytes: number; line: number; names: number[] }>();
    for (const [line, bytes] of (await featuresOf(CAPTURES, lines)).entries()) {
      for (const {
        domain,
        transactions,
        queryBytes,
        responseBytes,
        names,
        window,
        nxdomain,
        unanswered,
      } of readFeatures(bytes).features) {
        assert.equal(window % 10, 0);
        assert.ok(nxdomain + unanswered <= transactions && names.length <= transactions);
        const text = nameText(domain, 0, 0);
        const sum = byDomain.get(text) ?? { transactions: 0, bytes: 0, line, names: [] };
        assert.equal(sum.line, line, `${text} is in one line`);
        sum.transactions += transactions;
        sum.bytes += queryBytes + responseBytes;
        sum.names = joinedNames(sum.names, names);
        byDomain.set(text, sum);
      }
    }
    return [...byDomain]
      .map(([text, { transactions, bytes, names }]) => ({ text, transactions, bytes, names }))
      .sort((a, b) => (a.text < b.text ? -1 : 1));
  };
  const whole = await sums(1);
  assert.ok(whole.length >= 5, `${whole.length} domains`);
  assert.deepEqual(await sums(5), whole);
});

test('how many names there were is known, exactly or nearly, also together', () => {
  const hashes = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => mix(from + i + 1));
  const kept = (list: number[]) => joinedNames(list, []);
  assert.equal(distinctNames(kept(hashes(0, 7))), 7);
  const half = joinedNames(kept(hashes(0, 6000)), kept(hashes(4000, 10_000)));
  assert.equal(half.length, MOST_NAMES);
  const estimate = distinctNames(half);
  assert.ok(estimate > 4000 && estimate < 25_000, `${estimate} of 10,000`);
});

test('damaged and hostile features are refused', async () => {
  const [bytes] = await featuresOf(CAPTURES, 1);
  assert.throws(() => readFeatures(bytes.subarray(0, bytes.length - 3)), BusError);
  const body = bodyOf(bytes);
  const head = bytes.subarray(0, 51 + PLACE.sensor.length);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (changes) => {
      const changed = body.slice();
      for (const [where, value] of changes) changed[where % changed.length] = value;
      try {
        readFeatures(Buffer.concat([head, zstdCompressSync(changed)]));
      } catch (error) {
        assert.ok(error instanceof BusError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
