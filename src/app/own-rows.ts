import { addressText } from '../core/address.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { isOwnPort, isOwnTraffic } from '../client/own-traffic.ts';

const UDP = 17;
/** Added to closing times whenever the clock was set back (see TransactionBatch). */
const ERA = 2 ** 40;

/**
 * Rows in [from, to) that nametap's own client made: they say nothing of others. Null where there are none. Call it
 * before addresses are hidden.
 */
export function ownRows(batch: TransactionBatch, from: number, to: number): ReadonlySet<number> | null {
  let found: Set<number> | null = null;
  const c = batch.col;
  for (let i = from; i < to; i++) {
    if (!isOwnPort(c.clientPort[i])) continue;
    const address = addressText(c.family[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    const protocol = c.transport[i] === UDP ? 'udp' : 'tcp';
    const at = (c.openSeconds[i] % ERA) * 1000 + c.openNanos[i] / 1e6;
    if (isOwnTraffic(protocol, address, c.clientPort[i], at)) (found ??= new Set()).add(i);
  }
  return found;
}

/** Whether nametap's own client made an encrypted flow: a probe over TLS or HTTPS. */
export function isOwnFlow({ family, client, clientPort, transport, time }: EncryptedFlow): boolean {
  const protocol = transport === UDP ? 'udp' : 'tcp';
  return isOwnPort(clientPort) && isOwnTraffic(protocol, addressText(family, ...client), clientPort, time * 1000);
}
