import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UdpPeer } from '../../src/sinks/datagram-peer.ts';

const CHUNK = { bytes: Uint8Array.of(1), ends: [1], rows: 1 };
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length;

test('a receiver with no way to it is named each time, and leaves no socket behind', async () => {
  const before = sockets();
  // The system lets nobody connect to everyone.
  const peer = new UdpPeer('255.255.255.255', 9);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(peer.send(CHUNK), /^Error: Cannot reach udp:255\.255\.255\.255:9: /);
  }
  await peer.close();
  // Handles end at the end of a turn of the loop.
  for (const deadline = Date.now() + 2000; sockets() > before && Date.now() < deadline; ) await sleep(1);
  assert.equal(sockets(), before);
});
