import assert from 'node:assert/strict';
import { execFileSync, execSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { createCaptureFile } from '../../src/sinks/capture-file.ts';
import { openFiles } from '../../src/sources/files.ts';
import { corpus, hasCorpus } from '../sources/corpus.ts';
import { type FrameRow, readAll } from '../sources/frames.ts';

const bare = (rows: readonly FrameRow[]) =>
  rows.map(({ number, time, captured, wire, link, md5 }) => [number, time, captured, wire, link, md5].join(' '));

test('the same traffic in every container and compression gives the same frames', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  const folder = mkdtempSync('/tmp/nametap-containers-');
  const original = fileURLToPath(new URL('tcp/entrada--tcp-stream-retransmision.pcap.gz', corpus));
  const expected = bare((await readAll([original])).rows);
  assert.ok(expected.length > 50);
  const at = (name: string) => join(folder, name);
  for (const [type, name] of [
    ['pcap', 'micro.pcap'],
    ['nsecpcap', 'nano.pcap'],
    ['modpcap', 'modified.pcap'],
    ['pcapng', 'a.pcapng'],
  ]) {
    execFileSync('editcap', ['-F', type, original, at(name)]);
    assert.deepEqual(bare((await readAll([at(name)])).rows), expected, name);
    for (const [command, suffix] of [
      ['gzip -c', 'gz'],
      ['zstd -q -c', 'zst'],
      ['zstd -q -19 --long=27 -c', 'long.zst'],
      ['lz4 -q -c', 'lz4'],
      ['lz4 -q -9 -BD -B5 -BX -c', 'linked.lz4'],
      ['xz -c', 'xz'],
      ['xz -9e --check=sha256 -c', '9e.xz'],
      ['xz -0 -T2 --block-size=10000 -c', 'blocks.xz'],
    ]) {
      execSync(`${command} ${at(name)} > ${at(`${name}.${suffix}`)}`);
      const { rows, source } = await readAll([at(`${name}.${suffix}`)]);
      assert.deepEqual(source.damage, [], `${name}.${suffix}`);
      assert.deepEqual(bare(rows), expected, `${name}.${suffix}`);
    }
  }
  rmSync(folder, { recursive: true });
});

test('what the writers write, tshark reads frame by frame', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  const folder = mkdtempSync('/tmp/nametap-containers-');
  for (const [input, format] of [
    ['pcapng/zeek--pcapng-multi-interface.pcapng', 'pcapng'],
    ['linktypes/pcapplusplus--nanosecs_big_endian.pcap', 'pcap'],
    ['pcapng/tcpdump--time_2107.pcapng', 'pcapng'],
  ] as const) {
    const path = fileURLToPath(new URL(input, corpus));
    const out = join(folder, `out.${format}`);
    const source = await openFiles([path]);
    const writer = createCaptureFile(out, source.interfaces, { format });
    for await (const b of source.batches(new AbortController().signal)) {
      for (let i = 0; i < b.count; i++) {
        writer.write({
          bytes: b.bytes,
          at: b.at[i],
          captured: b.captured[i],
          wire: b.wire[i],
          seconds: b.seconds[i],
          nanos: b.nanos[i],
          interfaceId: b.interfaceId[i],
        });
      }
    }
    writer.close();
    const dump = (file: string) =>
      execFileSync(
        'tshark',
        ['-n', '-o', 'frame.generate_md5_hash:TRUE', '-r', file, '-T', 'fields', '-e', 'frame.number'].concat([
          '-e',
          'frame.time_epoch',
          '-e',
          'frame.len',
          '-e',
          'frame.md5_hash',
          '-e',
          'frame.interface_name',
        ]),
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
    assert.equal(dump(out), dump(path), input);
    execFileSync('capinfos', [out], { stdio: 'ignore' });
  }
  rmSync(folder, { recursive: true });
});

test('standard input gives frames as they come, not when it ends', async () => {
  const code = `
    const { openFiles } = await import(${JSON.stringify(new URL('../../src/sources/files.ts', import.meta.url).href)});
    const source = await openFiles(['-']);
    for await (const batch of source.batches(new AbortController().signal)) process.stdout.write(batch.count + '\\n');
    process.stdout.write('end\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(0x00040002, 4);
  header.writeUInt32LE(1, 20);
  const record = Buffer.alloc(20);
  record.writeUInt32LE(4, 8);
  record.writeUInt32LE(4, 12);
  const lines = (async function* () {
    for await (const chunk of child.stdout) yield* String(chunk).trim().split('\n');
  })();
  child.stdin.write(Buffer.concat([header, record, record]));
  assert.equal((await lines.next()).value, '2');
  child.stdin.write(record.subarray(0, 7));
  child.stdin.write(record.subarray(7));
  assert.equal((await lines.next()).value, '1');
  child.stdin.end();
  assert.equal((await lines.next()).value, 'end');
});
