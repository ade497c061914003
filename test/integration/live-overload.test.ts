/** A capture that cannot keep up, between two network namespaces. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { exchanges } from '../app/exchanges.ts';
import { capture } from './live-capture.ts';
import { Network } from './network.ts';

const network = new Network();
after(() => network.remove());
const file = join(network.folder, 'clients.pcap');
writeFileSync(file, exchanges(2000));

/** The client of a row's line. */
const clientOf = (row: string): string => row.split(' ')[2].replace(/#\d+$/, '');

for (const threads of [0, 1]) {
  test(`a full ring leaves out clients, not part of what each does, with ${threads} workers`, async (t) => {
    network.mtu(9000);
    const words = ['tcpreplay', '-q', '-i', network.link, '--pps=60000', '--loop=16', file];
    const replay = () => void network.in(network.client, ...words);
    // Each row takes 300 µs: some three thousand a second, of five times as many that come.
    const env = { BUSY_NANOS: '300000' };
    const { rows, ledger } = await capture(network, { ringBytes: 4 << 20 }, replay, { threads, env });
    const { sampled = 0, kernel = 0 } = ledger.frames;
    assert.ok(sampled > 0.2 * ledger.received, `${sampled} of ${ledger.received} frames`);
    t.diagnostic(`${ledger.received} frames: ${sampled} sampled, ${kernel} kernel; ${rows.length} rows`);
    const third = Math.floor(rows.length / 3);
    const early = new Set(rows.slice(0, third).map(clientOf));
    const late = new Set(rows.slice(-third).map(clientOf));
    assert.ok(late.size < 0.8 * early.size, `${early.size} clients, then ${late.size}`);
  });
}

test('unless it is told not to: then the kernel drops', async () => {
  network.mtu(9000);
  const words = ['tcpreplay', '-q', '-i', network.link, '--pps=60000', '--loop=8', file];
  const replay = () => void network.in(network.client, ...words);
  const env = { BUSY_NANOS: '300000' };
  const how = { env, sampleWhenFull: false };
  const { ledger } = await capture(network, { ringBytes: 4 << 20 }, replay, how);
  assert.equal(ledger.frames.sampled, undefined);
  assert.ok((ledger.frames.kernel ?? 0) > 0);
});
