import type { Packet } from '../server/schema/transactions.ts';
import type { PacketSource } from '../server/services.ts';
import { RingReader } from './ring-reader.ts';
import { type RingPlan, searchRing } from './ring-search.ts';

/** The ring of captured packets in a folder, as the server asks it. `plan`: as the capture that writes it dissects. */
export function packetSource(folder: string, plan: RingPlan): PacketSource {
  const ring = new RingReader(folder, plan.dissect);
  return {
    covers: (from) => ring.covers(from),
    transactions: (query, signal) => searchRing(ring, plan, query, signal),
    async of(transaction) {
      const packets = await ring.of(transaction);
      const asked = new Set(transaction.frames.query);
      const shown = (packets ?? []).map(
        (packet): Packet => ({ ...packet, direction: asked.has(packet.number) ? 'query' : 'response' }),
      );
      return packets === null ? null : shown;
    },
    export: (transactions) => ring.export(transactions),
  };
}
