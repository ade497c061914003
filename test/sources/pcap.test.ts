import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatenate, data, pcap, type Record } from './containers.ts';
import { putFile, readAll, temporaryFolder } from './frames.ts';

const RECORDS: Record[] = [
  { seconds: 1, fraction: 5, data: data(10, 1) },
  { seconds: 4_294_967_295, fraction: 999_999, data: data(0), wire: 60 },
  { seconds: 2, fraction: 0, data: data(33, 3), wire: 1500 },
];

for (const little of [true, false]) {
  for (const [name, magic, unit] of [
    ['microseconds', 0xa1b2c3d4, 1000],
    ['nanoseconds', 0xa1b23c4d, 1],
    ['modified', 0xa1b2cd34, 1000],
  ] as const) {
    test(`pcap, ${name}, ${little ? 'little' : 'big'}-endian: times, lengths and bytes are the file's`, async (t) => {
      const path = putFile(temporaryFolder(t), 'a.pcap', pcap(RECORDS, { little, magic }));
      const { rows, source } = await readAll([path]);
      assert.deepEqual(
        rows.map(({ number, time, captured, wire }) => ({ number, time, captured, wire })),
        RECORDS.map((record, i) => ({
          number: i + 1,
          time: `${record.seconds}.${String(record.fraction * unit).padStart(9, '0')}`,
          captured: record.data.length,
          wire: record.wire ?? record.data.length,
        })),
      );
      assert.deepEqual(source.damage, []);
    });
  }
}

test('the link type is the lower 16 bits: what stands above tells about checksums', async (t) => {
  const path = putFile(temporaryFolder(t), 'a.pcap', pcap(RECORDS, { link: 0x5000_0071 }));
  const { rows, source } = await readAll([path]);
  assert.equal(rows[0].link, 0x71);
  assert.equal(source.interfaces[0].link, 0x71);
});

test('a fraction beyond its second is carried into the seconds, not cut', async (t) => {
  const records = [
    { seconds: 10, fraction: 1_000_000, data: data(1) },
    { seconds: 10, fraction: 4_294_967_295, data: data(1) },
  ];
  const folder = temporaryFolder(t);
  const micro = await readAll([putFile(folder, 'a.pcap', pcap(records))]);
  assert.deepEqual(
    micro.rows.map((row) => row.time),
    ['11.000000000', '4304.967295000'],
  );
  const nano = await readAll([putFile(folder, 'b.pcap', pcap(records, { magic: 0xa1b23c4d }))]);
  assert.deepEqual(
    nano.rows.map((row) => row.time),
    ['10.001000000', '14.294967295'],
  );
});

test('a snapshot length that lies does not matter; a captured length beyond 262144 is damage', async (t) => {
  const big = { seconds: 1, fraction: 1, data: data(262_144) };
  const bad = { seconds: 1, fraction: 2, data: data(4), captured: 262_145 };
  const path = putFile(temporaryFolder(t), 'a.pcap', pcap([big, bad], { snaplen: 96 }));
  const { rows, source } = await readAll([path]);
  assert.deepEqual(
    rows.map((row) => row.captured),
    [262_144],
  );
  assert.equal(source.damage[0].offset, 24 + 16 + 262_144);
  assert.match(source.damage[0].reason, /262145/);
});

test('old files with the two lengths the other way round', async (t) => {
  const record = { seconds: 1, fraction: 1, data: data(4), captured: 60, wire: 4 };
  const path = putFile(temporaryFolder(t), 'a.pcap', pcap([record], { minor: 3 }));
  const { rows } = await readAll([path]);
  assert.deepEqual([rows[0].captured, rows[0].wire], [4, 60]);
});

test('a pcap cut at any byte gives every whole frame before the cut, and where the cut is', async (t) => {
  const folder = temporaryFolder(t);
  const whole = pcap(RECORDS);
  const starts = [24, 50, 66, 115];
  for (let length = 1; length <= whole.length; length++) {
    const { rows, source } = await readAll([putFile(folder, 'a.pcap', whole.subarray(0, length))]);
    const expected = Math.max(0, starts.filter((start) => start <= length).length - 1);
    assert.equal(rows.length, expected, `cut at ${length}`);
    const clean = starts.includes(length);
    assert.equal(source.damage.length, clean ? 0 : 1, `cut at ${length}`);
    if (!clean) assert.equal(source.damage[0].offset, length < 24 ? 0 : starts[expected], `cut at ${length}`);
  }
});

test('an empty file is damage; a file that is no capture is told with exit code 3', async (t) => {
  const folder = temporaryFolder(t);
  const { rows, source } = await readAll([putFile(folder, 'empty', new Uint8Array(0))]);
  assert.equal(rows.length, 0);
  assert.deepEqual(
    source.damage.map(({ offset, reason }) => [offset, reason]),
    [[0, 'the file is empty']],
  );
  assert.equal((await readAll(['/dev/null'])).rows.length, 0);
  const text = putFile(folder, 'text', Buffer.from('hello world, this is no capture'));
  await assert.rejects(readAll([text]), { name: 'UserError', exit: 3, message: /no capture file/ });
  await assert.rejects(readAll([`${folder}/absent`]), { name: 'UserError', exit: 3, message: /there is no such file/ });
  await assert.rejects(readAll([folder]), { name: 'UserError', exit: 3, message: /is a folder/ });
});

test('records larger than the buffer and batches of any capacity give the same frames', async (t) => {
  const records = Array.from({ length: 40 }, (_, i) => ({ seconds: i, fraction: i, data: data(70_000 + i, i) }));
  const path = putFile(temporaryFolder(t), 'a.pcap', concatenate(pcap(records)));
  const whole = await readAll([path]);
  assert.equal(whole.rows.length, 40);
  for (const capacity of [1, 7, 64]) assert.deepEqual((await readAll([path], capacity)).rows, whole.rows);
});
