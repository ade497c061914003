import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PACKET } from '../../src/core/frames.ts';
import { Bytes, block, concatenate, data, interfaceBlock, type Option, packetBlock, section } from './containers.ts';
import { putFile, readAll, temporaryFolder } from './frames.ts';

const text = (code: number, value: string): Option => ({ code, value: Buffer.from(value) });
const resolution = (octet: number): Option => ({ code: 9, value: Uint8Array.of(octet) });
const offset = (seconds: bigint, little = true): Option => ({
  code: 14,
  value: new Bytes(little).u64(BigInt.asUintN(64, seconds)).done(),
});

/** What a 64-bit time means, by exact arithmetic. */
function timeOf(ticks: bigint, octet: number, offsetSeconds: bigint): string {
  const units = octet < 0x80 ? 10n ** BigInt(octet) : 1n << BigInt(octet & 0x7f);
  const nanos = ((ticks % units) * 1_000_000_000n) / units;
  return `${ticks / units + offsetSeconds}.${String(nanos).padStart(9, '0')}`;
}

test('times of every resolution and offset are exact', async (t) => {
  const folder = temporaryFolder(t);
  const now = 1_795_500_000n;
  for (const octet of [3, 4, 5, 6, 7, 8, 9, 10, 12, 0x80 | 10, 0x80 | 20, 0x80 | 32]) {
    const units = octet < 0x80 ? 10n ** BigInt(octet) : 1n << BigInt(octet & 0x7f);
    const ticks = [
      0n,
      1n,
      units - 1n,
      units,
      now * units - 1n,
      now * units,
      now * units + 1n,
      now * units + units - 1n,
    ];
    const usable = ticks.filter((tick) => tick < 1n << 64n);
    const file = concatenate(
      section(),
      interfaceBlock([resolution(octet), offset(-7n)]),
      ...usable.map((tick) => packetBlock(0, tick, data(4))),
    );
    const { rows } = await readAll([putFile(folder, 'a.pcapng', file)]);
    const expected = usable.map((tick) => timeOf(tick, octet, -7n));
    assert.deepEqual(
      rows.map((row) => row.time),
      expected,
      `if_tsresol ${octet}`,
    );
  }
});

test('sections keep their own byte order and interfaces', async (t) => {
  const file = concatenate(
    section(true),
    interfaceBlock([text(2, 'eth0'), text(3, 'first')], true),
    packetBlock(0, 1_000_001n, data(5, 1), true),
    section(false),
    interfaceBlock([text(2, 'lo')], false, 0, 128),
    interfaceBlock([text(2, 'eth1'), resolution(9)], false),
    packetBlock(1, 2_000_000_003n, data(6, 2), false),
    packetBlock(0, 3n, data(7, 3), false),
  );
  const { rows, source } = await readAll([putFile(temporaryFolder(t), 'a.pcapng', file)]);
  assert.deepEqual(
    rows.map(({ time, interfaceId, link }) => [time, interfaceId, link]),
    [
      ['1.000001000', 0, 1],
      ['2.000000003', 2, 1],
      ['0.000003000', 1, 0],
    ],
  );
  assert.deepEqual(source.interfaces, [
    { name: 'eth0', description: 'first', link: 1, snaplen: 0, idInSection: 0 },
    { name: 'lo', link: 0, snaplen: 128, idInSection: 0 },
    { name: 'eth1', link: 1, snaplen: 0, idInSection: 1 },
  ]);
});

test('simple packets have no time, custom blocks count as frames, unknown blocks do not', async (t) => {
  const file = concatenate(
    section(),
    interfaceBlock([], true, 1, 6),
    packetBlock(0, 5_000_000n, data(4)),
    block(3, new Bytes(true).u32(9).raw(data(6)).done()),
    block(0xbad, new Bytes(true).u32(32473).raw(data(8)).done()),
    block(0x80001234, data(12)),
    block(2, new Bytes(true).u16(0).u16(3).u32(0).u32(7_000_000).u32(2).u32(40).raw(data(2)).done()),
  );
  const { rows, packets, source } = await readAll([putFile(temporaryFolder(t), 'a.pcapng', file)]);
  assert.deepEqual(
    rows.map(({ number, time, captured, wire, link }) => [number, time, captured, wire, link]),
    [
      [1, '5.000000000', 4, 4, 1],
      [2, '', 6, 9, 1],
      [3, '', 8, 8, NO_PACKET],
      [4, '7.000000000', 2, 40, 1],
    ],
  );
  assert.equal(packets, 3);
  assert.equal(source.loss().interface, 3);
});

test('what the file says about drops is told once', async (t) => {
  const folder = temporaryFolder(t);
  const beside: Option = { code: 4, value: new Bytes(true).u64(5n).done() };
  const total = (code: number, value: bigint): Option => ({ code, value: new Bytes(true).u64(value).done() });
  const frames = concatenate(
    section(),
    interfaceBlock(),
    packetBlock(0, 1n, data(3), true, [beside]),
    packetBlock(0, 2n, data(4), true, [beside]),
  );
  assert.deepEqual((await readAll([putFile(folder, 'a', frames)])).source.loss(), { kernel: 0, interface: 10 });
  const statistics = (list: Option[]) =>
    block(
      5,
      new Bytes(true)
        .u32(0)
        .u64(0n)
        .raw(concatenate(...list.map(({ code, value }) => new Bytes(true).u16(code).u16(8).raw(value).done())))
        .done(),
    );
  const told = concatenate(
    frames,
    statistics([total(4, 100n), total(7, 1n)]),
    statistics([total(4, 200n), total(7, 11n), total(5, 2n)]),
  );
  assert.deepEqual((await readAll([putFile(folder, 'b', told)])).source.loss(), {
    received: 200,
    kernel: 11,
    interface: 2,
  });
});

test('a pcapng cut at any byte gives every whole block before the cut, and where the cut is', async (t) => {
  const folder = temporaryFolder(t);
  const parts = [
    section(),
    interfaceBlock([text(2, 'eth0')]),
    packetBlock(0, 1n, data(5)),
    packetBlock(0, 2n, data(8)),
  ];
  const whole = concatenate(...parts);
  const starts: number[] = [0];
  for (const part of parts) starts.push(starts[starts.length - 1] + part.length);
  for (let length = 1; length <= whole.length; length++) {
    const { rows, source } = await readAll([putFile(folder, 'a.pcapng', whole.subarray(0, length))]);
    assert.equal(rows.length, (length >= starts[3] ? 1 : 0) + (length >= starts[4] ? 1 : 0), `cut at ${length}`);
    const clean = starts.includes(length);
    assert.equal(source.damage.length, clean ? 0 : 1, `cut at ${length}`);
    if (!clean) assert.equal(source.damage[0].offset, Math.max(...starts.filter((start) => start < length)));
  }
});

test('blocks that contradict themselves end the file with the reason', async (t) => {
  const folder = temporaryFolder(t);
  const head = concatenate(section(), interfaceBlock(), packetBlock(0, 1n, data(4)));
  const long = packetBlock(0, 2n, data(4));
  const cases: [string, Uint8Array, RegExp][] = [
    ['lengths differ', long.with(long.length - 4, 8), /two lengths of a block differ/],
    ['no such interface', packetBlock(7, 2n, data(4)), /interface 7, which was not described/],
    ['packet longer than block', long.with(20, 200), /does not fit in its block/],
    ['too short a block', concatenate(Uint8Array.of(6, 0, 0, 0, 8, 0, 0, 0), data(16)), /claims to be 8 bytes/],
    ['odd length', long.with(4, long[4] + 1), /claims to be \d+ bytes/],
    ['huge block', long.with(7, 0x7f), /claims to be \d+ bytes/],
    ['no byte order', section().with(8, 0), /byte-order mark/],
  ];
  for (const [name, bad, reason] of cases) {
    const { rows, source } = await readAll([putFile(folder, 'a', concatenate(head, bad, long))]);
    assert.equal(rows.length, 1, name);
    assert.equal(source.damage[0].offset, head.length, name);
    assert.match(source.damage[0].reason, reason, name);
  }
});
