import type { Carrier } from '../core/carrier.ts';
import { FlowClock } from './flow-clock.ts';
import { SlotTable } from './slot-table.ts';
import { wider } from './wider.ts';

/** Flows remembered; the one seen longest ago is forgotten, and counts as a new one if it comes back. */
const MAX_FLOWS = 1 << 20;

/** Numbers UDP flows in order of appearance, as tshark's `udp.stream`: unordered pairs of address and port. */
export class UdpFlows {
  readonly #table = new SlotTable(9, MAX_FLOWS);
  #numbers = new Float64Array(64);
  readonly #clock = new FlowClock();
  #next = 0;

  /** Number of the flow that the carrier's addresses and ports belong to; the carrier learns the flow's times. */
  number(carrier: Carrier): number {
    const table = this.#table;
    fillKey(table.key, carrier);
    let slot = table.find();
    if (slot >= 0) {
      table.move(slot);
      // A quote is no datagram of the flow.
      if (!carrier.quoted) this.#clock.tick(slot, carrier);
      return this.#numbers[slot];
    }
    if (table.count === table.limit) table.remove(table.oldest());
    slot = table.insert();
    if (slot >= this.#numbers.length) {
      this.#numbers = wider(this.#numbers, new Float64Array(table.capacity));
      this.#clock.grow(table.capacity);
    }
    this.#clock.begin(slot, carrier);
    this.#clock.tick(slot, carrier);
    this.#numbers[slot] = this.#next;
    return this.#next++;
  }
}

function fillKey(key: Int32Array, c: Carrier): void {
  const swap = destinationFirst(c);
  key[0] = swap ? c.destination0 : c.source0;
  key[1] = swap ? c.destination1 : c.source1;
  key[2] = swap ? c.destination2 : c.source2;
  key[3] = swap ? c.destination3 : c.source3;
  key[4] = swap ? c.source0 : c.destination0;
  key[5] = swap ? c.source1 : c.destination1;
  key[6] = swap ? c.source2 : c.destination2;
  key[7] = swap ? c.source3 : c.destination3;
  key[8] = swap ? (c.destinationPort << 16) | c.sourcePort : (c.sourcePort << 16) | c.destinationPort;
}

/** An order of the two ends that is the same for both directions. */
function destinationFirst(c: Carrier): boolean {
  if (c.source3 !== c.destination3) return c.destination3 < c.source3;
  if (c.source2 !== c.destination2) return c.destination2 < c.source2;
  if (c.source1 !== c.destination1) return c.destination1 < c.source1;
  if (c.source0 !== c.destination0) return c.destination0 < c.source0;
  return c.destinationPort < c.sourcePort;
}
