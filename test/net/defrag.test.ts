import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Carrier } from '../../src/core/carrier.ts';
import { FATE, Ledger } from '../../src/core/ledger.ts';
import { COMPLETE, Defragmenter, type DefragOptions, Fragment } from '../../src/net/defrag.ts';

/** A piece of a datagram as a test states it. */
interface Part {
  offset: number;
  end: number;
  more: boolean;
}

/** The dissector's side of the contract: counts each frame once, moves those that were held. */
class Harness {
  readonly ledger = new Ledger();
  readonly defrag: Defragmenter;
  readonly carrier = new Carrier();
  readonly fragment = new Fragment();
  readonly datagrams: Uint8Array[] = [];

  constructor(options?: DefragOptions) {
    this.defrag = new Defragmenter(this.ledger, options);
    this.carrier.source3 = 0x0a000001;
    this.carrier.destination3 = 0x0a000002;
    this.fragment.protocol = 17;
  }

  at(seconds: number, nanos = 0): this {
    this.carrier.seconds = seconds;
    this.carrier.nanos = nanos;
    return this;
  }

  add(id: number, whole: Uint8Array, part: Part, captured: number = part.end - part.offset): number {
    const { fragment, defrag, ledger } = this;
    fragment.id = id;
    fragment.offset = part.offset;
    fragment.more = part.more;
    // Frames lie anywhere in their memory.
    fragment.bytes = new Uint8Array(captured + 7);
    fragment.bytes.set(whole.subarray(part.offset, part.offset + captured), 3);
    fragment.at = 3;
    fragment.length = captured;
    fragment.claimed = part.end - part.offset;
    const fate = defrag.add(this.carrier, fragment);
    ledger.received++;
    if (fate !== COMPLETE) ledger.frames[fate]++;
    else {
      ledger.frames[FATE.held] -= defrag.held;
      ledger.frames[FATE.carried] += defrag.frames;
      this.datagrams.push(defrag.bytes.slice(defrag.at, defrag.at + defrag.length));
    }
    return fate;
  }

  finish(): void {
    this.defrag.finish();
    assert.deepEqual(this.ledger.imbalance(), []);
    assert.equal(this.ledger.frames[FATE.held], 0);
    assert.deepEqual(this.defrag.size, { datagrams: 0, bytes: 0 });
  }
}

const bytesOf = (length: number, seed = 1) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);

/** Parts of a datagram cut at multiples of 8. */
function parts(length: number, cuts: readonly number[]): Part[] {
  const at = [...new Set(cuts.map((cut) => cut & ~7))].filter((cut) => cut > 0 && cut < length).sort((a, b) => a - b);
  const edges = [0, ...at, length];
  return edges.slice(1).map((end, i) => ({ offset: edges[i], end, more: end !== length }));
}

const split = fc
  .record({ length: fc.integer({ min: 9, max: 9000 }), cuts: fc.array(fc.nat(9000), { minLength: 1, maxLength: 30 }) })
  .map(({ length, cuts }) => ({ whole: bytesOf(length), list: parts(length, cuts) }))
  .filter(({ list }) => list.length > 1);

test('any fragmentation in any order, with repeated fragments, gives the datagram once', () => {
  const shuffled = split.chain(({ whole, list }) =>
    fc.record({
      whole: fc.constant(whole),
      order: fc.shuffledSubarray(list, { minLength: list.length }),
      again: fc.array(fc.nat(list.length - 1), { maxLength: 8 }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ whole, order, again }) => {
      const h = new Harness().at(100);
      let repeats = 0;
      order.forEach((part, i) => {
        h.add(7, whole, part);
        // A copy of what came before, at any time until the datagram is complete.
        for (const a of again.filter((k) => k % order.length === i && i < order.length - 1)) {
          assert.equal(h.add(7, whole, order[a % (i + 1)]), FATE.fragment_overlap);
          repeats++;
        }
      });
      assert.deepEqual(h.datagrams, [whole]);
      assert.equal(h.ledger.frames[FATE.carried], order.length);
      assert.equal(h.ledger.frames[FATE.fragment_overlap], repeats);
      h.finish();
    }),
    { numRuns: 400 },
  );
});

test('datagrams whose fragments interleave are kept apart by id, address, protocol and VLAN', () => {
  const h = new Harness();
  const whole = [bytesOf(3000, 1), bytesOf(3000, 2), bytesOf(3000, 3), bytesOf(3000, 4)];
  const list = parts(3000, [1000, 2000]);
  for (const part of list) {
    h.add(1, whole[0], part);
    h.carrier.destination0 = 5;
    h.add(1, whole[1], part);
    h.carrier.destination0 = 0;
    h.carrier.vlan = 12;
    h.add(1, whole[2], part);
    h.carrier.vlan = -1;
    h.fragment.protocol = 6;
    h.add(1, whole[3], part);
    h.fragment.protocol = 17;
  }
  assert.deepEqual(h.datagrams, whole);
  h.finish();
});

test('in IPv6 the protocol of the first fragment counts, whatever the others say', () => {
  const h = new Harness();
  h.carrier.family = 6;
  const whole = bytesOf(2000);
  const [first, last] = parts(2000, [1000]);
  h.fragment.protocol = 60;
  h.add(0x12345678, whole, last);
  h.fragment.protocol = 17;
  assert.equal(h.add(0x12345678, whole, first), COMPLETE);
  assert.equal(h.defrag.protocol, 17);
  assert.deepEqual(h.datagrams, [whole]);
  h.finish();
});

test('an atomic fragment is a datagram of its own, while others of its id are waited for (RFC 6946)', () => {
  const h = new Harness();
  const whole = bytesOf(1600);
  const [first, last] = parts(1600, [800]);
  assert.equal(h.add(1, whole, first), FATE.held);
  assert.equal(h.add(1, bytesOf(50), { offset: 0, end: 50, more: false }), COMPLETE);
  assert.equal(h.ledger.frames[FATE.held], 1);
  assert.equal(h.add(1, whole, last), COMPLETE);
  assert.deepEqual(h.datagrams, [bytesOf(50), whole]);
  h.finish();
});

test('fragments that overlap with other bounds or other bytes refuse the datagram, then and later (RFC 5722)', () => {
  const whole = bytesOf(3000);
  const other = bytesOf(3000, 9);
  const overlaps: [Uint8Array, Part][] = [
    [whole, { offset: 8, end: 1008, more: true }],
    [whole, { offset: 992, end: 1992, more: true }],
    [other, { offset: 0, end: 1000, more: true }],
    [other, { offset: 2000, end: 2992, more: true }],
    [whole, { offset: 2000, end: 2999, more: false }],
    [whole, { offset: 2000, end: 3008, more: true }],
    [whole, { offset: 2000, end: 3000, more: true }],
  ];
  const [first, middle, last] = parts(3000, [1000, 2000]);
  for (const [bytes, part] of overlaps) {
    const h = new Harness();
    h.add(1, whole, first);
    h.add(1, whole, last);
    assert.equal(h.add(1, bytes, part), FATE.fragment_overlap, JSON.stringify(part));
    assert.equal(h.add(1, whole, middle), FATE.fragment_overlap);
    assert.equal(h.ledger.frames[FATE.fragment_overlap], 4);
    assert.equal(h.datagrams.length, 0);
    h.finish();
  }
});

test('a mirror port that copies every fragment gives the datagram once; a second sending gives it twice', () => {
  const whole = bytesOf(2500);
  const list = parts(2500, [1480]);
  for (const order of [list, list.toReversed()]) {
    const h = new Harness();
    for (const [i, part] of order.entries())
      for (const copy of [0, 1]) h.at(5, (i * 2 + copy) * 1e6).add(3, whole, part);
    assert.deepEqual(h.datagrams, [whole]);
    assert.equal(h.ledger.frames[FATE.fragment_overlap], 2);
    h.finish();
  }
  const h = new Harness();
  for (const time of [1, 2]) for (const part of list) h.at(time).add(3, whole, part);
  assert.deepEqual(h.datagrams, [whole, whole]);
  h.finish();
});

test('a header that contradicts itself is malformed: past 65,535 bytes, empty, not a multiple of 8', () => {
  const h = new Harness();
  const big = new Uint8Array(70_000);
  assert.equal(h.add(1, big, { offset: 65_528, end: 65_544, more: false }), FATE.malformed);
  assert.equal(h.add(1, big, { offset: 8, end: 8, more: false }), FATE.malformed);
  assert.equal(h.add(1, big, { offset: 0, end: 13, more: true }), FATE.malformed);
  h.finish();
  const largest = bytesOf(65_535);
  const full = new Harness();
  for (const part of parts(
    65_535,
    Array.from({ length: 8191 }, (_, i) => (i + 1) * 8),
  ))
    full.add(1, largest, part);
  assert.deepEqual(full.datagrams, [largest]);
  full.finish();
});

test('a first fragment cut by the snapshot length is handed over at once, the rest counts as cut', () => {
  const h = new Harness();
  const whole = bytesOf(3000);
  const [first, middle, last] = parts(3000, [1000, 2000]);
  assert.equal(h.add(1, whole, last), FATE.held);
  assert.equal(h.add(1, whole, first, 60), COMPLETE);
  assert.deepEqual([h.defrag.length, h.defrag.claimed, h.defrag.frames], [60, 1000, 2]);
  assert.equal(h.add(1, whole, middle, 60), FATE.cut);
  h.finish();
});

test('a later fragment that was cut: the datagram is known up to the cut', () => {
  const h = new Harness();
  const whole = bytesOf(3000);
  const [first, middle, last] = parts(3000, [1000, 2000]);
  h.add(1, whole, middle, 70);
  h.add(1, whole, last);
  assert.equal(h.add(1, whole, first), COMPLETE);
  assert.equal(h.defrag.claimed, 3000);
  assert.deepEqual(h.datagrams, [whole.subarray(0, 1070)]);
  h.finish();
});

test('waits thirty seconds of packet time, and the end of the run ends every wait', () => {
  const h = new Harness();
  const whole = bytesOf(2000);
  const [first, last] = parts(2000, [1000]);
  h.at(1000).add(1, whole, first);
  h.at(1029.5).add(2, whole, first);
  h.defrag.advance(1030, 1);
  assert.equal(h.ledger.frames[FATE.fragment_evicted], 1);
  assert.equal(h.at(1031).add(1, whole, last), FATE.held);
  assert.equal(h.at(1032).add(2, whole, last), COMPLETE);
  h.finish();
  assert.equal(h.ledger.frames[FATE.fragment_unfinished], 1);
});

test('a million fragments that never become datagrams stay within the bounds', () => {
  const h = new Harness({ bytes: 1 << 20, datagrams: 1000 });
  const whole = bytesOf(1480);
  const { carrier, fragment, defrag, ledger } = h;
  Object.assign(fragment, { offset: 8, more: true, bytes: whole, length: 8, claimed: 8 });
  for (let i = 0; i < 1_000_000; i++) {
    fragment.id = i & 0xffff;
    carrier.source3 = i >> 3;
    if ((i & 1023) === 0) fragment.claimed = fragment.length = (i & 2047) === 0 ? 1480 : 8;
    ledger.received++;
    ledger.frames[defrag.add(carrier, fragment)]++;
  }
  const { datagrams, bytes } = defrag.size;
  assert.ok(datagrams <= 1000 && bytes <= 1 << 20, `${datagrams} datagrams, ${bytes} bytes`);
  h.finish();
  assert.ok(ledger.frames[FATE.fragment_evicted] > 990_000);
});

test('fragments in descending order and of eight bytes cost no more than a few steps each', () => {
  const h = new Harness();
  const whole = bytesOf(65_528);
  const list = parts(
    65_528,
    Array.from({ length: 8191 }, (_, i) => (i + 1) * 8),
  );
  const start = performance.now();
  for (const part of list.toReversed()) h.add(1, whole, part);
  assert.deepEqual(h.datagrams, [whole]);
  assert.ok(performance.now() - start < 5000, 'watchdog');
  h.finish();
});

test('random fragments never throw and the ledger always sums', () => {
  const any = fc.record({
    id: fc.nat(3),
    offset: fc.nat(8191).map((n) => n * 8),
    claimed: fc.nat(3000),
    captured: fc.nat(3000),
    more: fc.boolean(),
    seed: fc.nat(1),
    seconds: fc.nat(100),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), (list) => {
      const h = new Harness({ bytes: 1, datagrams: 3 });
      for (const { id, offset, claimed, captured, more, seed, seconds } of list) {
        const whole = bytesOf(offset + claimed, seed);
        h.at(seconds).add(id, whole, { offset, end: offset + claimed, more }, Math.min(captured, claimed));
      }
      h.finish();
    }),
    { numRuns: 200 },
  );
});
