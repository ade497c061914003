import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openFiles } from '../../src/sources/files.ts';
import { pcap, type Record } from '../sources/containers.ts';
import { decode } from './compare.ts';

const captures = ['udp.pcap', 'tcp-pipelined.pcap', 'fragments-ipv6.pcap', 'mdns.pcap', 'malformed.pcap'];

/** The frames of a capture, with their times in units of `perSecond`. */
async function records(path: string, perSecond: number): Promise<{ frames: Record[]; link: number }> {
  const frames: Record[] = [];
  let link = 1;
  const source = await openFiles([path]);
  for await (const batch of source.batches(new AbortController().signal)) {
    for (let i = 0; i < batch.count; i++) {
      link = batch.link[i];
      frames.push({
        seconds: batch.seconds[i],
        fraction: Math.floor(batch.nanos[i] / (1e9 / perSecond)),
        data: batch.bytes.slice(batch.at[i], batch.at[i] + batch.captured[i]),
        wire: batch.wire[i],
      });
    }
  }
  return { frames, link };
}

test('the same traffic in other containers gives the same rows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-containers-'));
  for (const name of captures) {
    const path = fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
    const expected = await decode(path);
    assert.ok(expected.rows.length > 0, name);
    const micro = await records(path, 1e6);
    const nano = await records(path, 1e9);
    const variants = {
      'little.pcap': pcap(micro.frames, { link: micro.link }),
      'big.pcap': pcap(micro.frames, { link: micro.link, little: false }),
      'nano.pcap': pcap(nano.frames, { link: nano.link, magic: 0xa1b23c4d }),
      'nano-big.pcap': pcap(nano.frames, { link: nano.link, magic: 0xa1b23c4d, little: false }),
      'modified.pcap': pcap(micro.frames, { link: micro.link, magic: 0xa1b2cd34 }),
      'a.pcap.gz': gzipSync(pcap(nano.frames, { link: nano.link, magic: 0xa1b23c4d })),
      'a.pcap.zst': zstdCompressSync(pcap(nano.frames, { link: nano.link, magic: 0xa1b23c4d })),
    };
    for (const [variant, bytes] of Object.entries(variants)) {
      const copy = join(folder, variant);
      writeFileSync(copy, bytes);
      const { rows, ledger, transactions } = await decode(copy);
      assert.deepEqual(rows, expected.rows, `${name} as ${variant}`);
      assert.deepEqual(ledger, expected.ledger, `${name} as ${variant}`);
      assert.equal(transactions, expected.transactions);
    }
  }
  rmSync(folder, { recursive: true });
});
