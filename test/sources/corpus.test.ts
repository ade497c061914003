import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { corpus, hasCorpus, manifest, truth } from './corpus.ts';
import { readAll } from './frames.ts';

/** The one capture that is cut, and where. */
const CUT = ['malformed/dpkt--truncated_dns_2.pcap at 240: the file ends within a packet record'];

test('every capture of the corpus gives the frames, times, lengths and bytes of the ground truth', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  let frames = 0;
  const cut: string[] = [];
  for (const line of manifest()) {
    const { rows, packets, source } = await readAll([fileURLToPath(new URL(line.file, corpus))]);
    assert.equal(packets, Number(line.packets), `${line.file}: packets`);
    assert.equal(rows.length, Number(line.records), `${line.file}: records`);
    for (const { offset, reason } of source.damage) cut.push(`${line.file} at ${offset}: ${reason}`);
    for (const [i, expected] of (truth(line.file, '.frames.tsv') ?? []).entries()) {
      const { interfaceId, link: _, ...row } = rows[i];
      const idInSection = expected.interface_id === '' ? '' : String(source.interfaces[interfaceId].idInSection);
      assert.deepEqual(
        { ...row, idInSection },
        {
          number: Number(expected.frame),
          time: expected.time_epoch,
          captured: Number(expected.cap_len),
          wire: Number(expected.len),
          md5: expected.md5,
          idInSection: expected.interface_id,
        },
        `${line.file}: frame ${i + 1}`,
      );
      frames++;
    }
  }
  t.diagnostic(`${manifest().length} captures, ${frames} frames compared byte by byte`);
  assert.deepEqual(cut, CUT);
});
