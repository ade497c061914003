import { createHash } from 'node:crypto';
import type { TransactionBatch } from '../core/transactions.ts';

const bytes = new Uint8Array(2 + 16 + 16 + 2 + 4);
const view = new DataView(bytes.buffer);

/** Community ID version 1, seed 0, of a row's flow: the same for both directions, as Zeek and Suricata compute it. */
export function communityId(batch: TransactionBatch, i: number): string {
  const c = batch.col;
  const size = c.family[i] === 4 ? 4 : 16;
  const client = [c.client0[i], c.client1[i], c.client2[i], c.client3[i]].slice(-size / 4);
  const server = [c.server0[i], c.server1[i], c.server2[i], c.server3[i]].slice(-size / 4);
  const swapped = compare([...client, c.clientPort[i]], [...server, c.serverPort[i]]) > 0;
  const [first, second] = swapped ? [server, client] : [client, server];
  const [firstPort, secondPort] = swapped ? [c.serverPort[i], c.clientPort[i]] : [c.clientPort[i], c.serverPort[i]];
  view.setUint16(0, 0);
  let at = 2;
  for (const part of [...first, ...second]) {
    view.setUint32(at, part);
    at += 4;
  }
  bytes[at] = c.transport[i];
  bytes[at + 1] = 0;
  view.setUint16(at + 2, firstPort);
  view.setUint16(at + 4, secondPort);
  return `1:${createHash('sha1')
    .update(bytes.subarray(0, at + 6))
    .digest('base64')}`;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}
