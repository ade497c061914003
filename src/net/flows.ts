import type { Carrier } from '../core/carrier.ts';
import { SlotTable } from './slot-table.ts';
import { wider } from './wider.ts';

const SYN = 2;
const ACK = 16;
/** A SYN this near before bytes already seen belongs to them: frames of a capture are not always in order. */
const LATE_SYN_BYTES = 1 << 18;

/** `change` of `Flows.find`: known; a new connection; only this direction begins anew. */
export const SAME = 0;
export const NEW_FLOW = 1;
export const NEW_DIRECTION = 2;

/** What a flow is told by: the flags and the sequence number of a segment. */
interface Numbered {
  flags: number;
  sequence: number;
  claimed: number;
}

/**
 * TCP connections by both ends. A SYN with another sequence number on the same ports is another connection.
 * `find` gives the slot; directions are `2 × slot + side`.
 */
export class Flows {
  /** Of the last `find`: which direction the segment has, and whether something began. */
  side = 0;
  change = SAME;
  readonly table: SlotTable;
  // Columns by direction: whether a segment and a SYN were seen, its number, and the highest sequence number.
  #seen = new Uint8Array(128);
  #opened = new Uint8Array(128);
  #first = new Int32Array(128);
  #last = new Int32Array(128);

  /** @param lists lists of the table; a new flow joins list 0. */
  constructor(limit: number, lists = 1) {
    this.table = new SlotTable(10, limit, lists);
  }

  /** Slot of a segment's connection, −1 when a new one is needed and the table is full: make room, ask again. */
  find(carrier: Carrier, segment: Numbered): number {
    const { table } = this;
    this.side = fillKey(table.key, carrier);
    let slot = table.find();
    this.change = SAME;
    if (slot < 0) {
      if (table.count === table.limit) return -1;
      slot = table.insert(0);
      if (slot * 2 + 1 >= this.#seen.length) this.#grow();
      this.#reset(slot);
      this.change = NEW_FLOW;
    }
    const d = slot * 2 + this.side;
    const { flags, sequence } = segment;
    const synchronize = (flags & SYN) !== 0;
    if (synchronize && this.change === SAME) this.change = this.#begins(d, flags, sequence + 1);
    if (this.change === NEW_FLOW) this.#reset(slot);
    if (this.change === NEW_DIRECTION) this.#seen[d] = this.#opened[d] = 0;
    const next = (sequence + segment.claimed + (synchronize ? 1 : 0)) | 0;
    if (synchronize) {
      this.#opened[d] = 1;
      this.#first[d] = sequence + 1;
    }
    if (this.#seen[d] === 0 || ((next - this.#last[d]) | 0) > 0) this.#last[d] = next;
    this.#seen[d] = 1;
    return slot;
  }

  #reset(slot: number): void {
    this.#seen[slot * 2] = this.#seen[slot * 2 + 1] = 0;
    this.#opened[slot * 2] = this.#opened[slot * 2 + 1] = 0;
  }

  /** What a SYN whose first byte has the number `first` begins. */
  #begins(d: number, flags: number, first: number): number {
    if (this.#opened[d] === 1 && this.#first[d] === (first | 0)) return SAME;
    if (this.#opened[d] === 0) {
      if (this.#seen[d] === 1) {
        const ahead = (this.#last[d] - first) | 0;
        if (ahead >= 0 && ahead < LATE_SYN_BYTES) return SAME;
      } else if ((flags & ACK) !== 0 || this.#opened[d ^ 1] === 1 || this.#seen[d ^ 1] === 1) return SAME;
    }
    return (flags & ACK) === 0 ? NEW_FLOW : NEW_DIRECTION;
  }

  #grow(): void {
    const count = this.table.capacity * 2;
    this.#seen = wider(this.#seen, new Uint8Array(count));
    this.#opened = wider(this.#opened, new Uint8Array(count));
    this.#first = wider(this.#first, new Int32Array(count));
    this.#last = wider(this.#last, new Int32Array(count));
  }
}

/** Fills a key of 10 words that both directions share; 0 or 1 says which end sent. */
function fillKey(key: Int32Array, carrier: Carrier): number {
  const side = isSwapped(carrier) ? 1 : 0;
  const source = side === 0 ? 0 : 4;
  key[source] = carrier.source0;
  key[source + 1] = carrier.source1;
  key[source + 2] = carrier.source2;
  key[source + 3] = carrier.source3;
  key[4 - source] = carrier.destination0;
  key[5 - source] = carrier.destination1;
  key[6 - source] = carrier.destination2;
  key[7 - source] = carrier.destination3;
  key[8] =
    side === 0
      ? (carrier.sourcePort << 16) | carrier.destinationPort
      : (carrier.destinationPort << 16) | carrier.sourcePort;
  key[9] = carrier.family;
  return side;
}

function isSwapped(c: Carrier): boolean {
  if (c.sourcePort !== c.destinationPort) return c.sourcePort > c.destinationPort;
  if (c.source3 >>> 0 !== c.destination3 >>> 0) return c.source3 >>> 0 > c.destination3 >>> 0;
  if (c.source2 >>> 0 !== c.destination2 >>> 0) return c.source2 >>> 0 > c.destination2 >>> 0;
  if (c.source1 >>> 0 !== c.destination1 >>> 0) return c.source1 >>> 0 > c.destination1 >>> 0;
  return c.source0 >>> 0 > c.destination0 >>> 0;
}
