import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ringFiles } from '../../src/sinks/packet-ring.ts';
import { capture, readFiles } from './live-capture.ts';
import { queriesIn, sameRows } from './live-rows.ts';
import { Network } from './network.ts';

const network = new Network();
before(() => network.startResolver());
after(() => network.remove());
const ROOM = { bytes: 64 << 20, fileBytes: 1 << 20 };

for (const threads of [1, 2]) {
  test(`live, ${threads} workers: the ring holds what the rows tell, and nothing is lost for it`, async () => {
    // The folder of data belongs to whom the capture becomes.
    const data = join(network.folder, `data-${threads}`);
    const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
    chmodSync(network.folder, 0o711);
    mkdirSync(data);
    chownSync(data, uid, uid);
    const folder = join(data, 'packets');
    let sent = 0;
    const { rows, ledger } = await capture(
      network,
      {},
      () => {
        sent = network.dnsperf('10.77.0.1', { times: 20 }) + network.dnsperf('fd77::1', { times: 4 });
        sent += network.dnsperf('10.77.0.1', { mode: 'tcp' });
        network.dig('@10.77.0.1', '+bufsize=4096', 'big.example', 'TXT');
        sent++;
      },
      { threads, packets: { folder, ...ROOM }, user: 'nobody' },
    );
    assert.equal(queriesIn(rows), sent);
    assert.equal(ledger.frames.kernel, undefined);
    const files = ringFiles(folder);
    assert.ok(files.length > 2, `${files.length} files`);
    // Both pairs of addresses may fall to one worker.
    assert.ok(files.every(({ worker }) => worker < threads));
    assert.equal(statSync(folder).uid, uid);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    const kept = await readFiles(files.map(({ path }) => path));
    sameRows(kept.rows.toSorted(), rows.toSorted());
  });
}
