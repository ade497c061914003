import type { TransactionBatch } from '../core/transactions.ts';
import { Cardinality } from '../sketch/cardinality.ts';
import { mix } from '../wire/name.ts';
import type { RowEncoder } from './row-encoder.ts';
import { DISTINCTS } from './store.ts';

/** Buckets of a minute that are open at once; beyond, the collector is to be emptied. */
const MOST = 4096;

/** How many different clients, names, domains and servers there were, by minute. */
export class DistinctCollector {
  #minutes = new Map<number, Cardinality[]>();

  get full(): boolean {
    return this.#minutes.size >= MOST;
  }

  /** Adds row `i`, which `encoder` has read. `minute`: minutes since 1970. */
  add(batch: TransactionBatch, i: number, encoder: RowEncoder, minute: number): void {
    const c = batch.col;
    let sketches = this.#minutes.get(minute);
    if (sketches === undefined) {
      sketches = DISTINCTS.map(() => new Cardinality());
      this.#minutes.set(minute, sketches);
    }
    sketches[0].add(addressHash(c.client0[i], c.client1[i], c.client2[i], c.client3[i]));
    sketches[3].add(addressHash(c.server0[i], c.server1[i], c.server2[i], c.server3[i]));
    const { name, domainLength } = encoder;
    if (name.textLength === 0) return;
    sketches[1].add(c.nameHash[i]);
    if (domainLength > 0) sketches[2].add(textHash(name.text, name.textLength - domainLength, name.textLength));
  }

  /** Takes what was collected: begin of the minute in ms, index into DISTINCTS, sketch. */
  take(): { time: number; what: number; sketch: Cardinality }[] {
    const rows = [...this.#minutes].flatMap(([minute, sketches]) =>
      sketches.map((sketch, what) => ({ time: minute * 60_000, what, sketch })),
    );
    this.#minutes = new Map();
    return rows;
  }
}

function addressHash(w0: number, w1: number, w2: number, w3: number): number {
  let h = mix(w3 ^ 0x9e37_79b9);
  if ((w0 | w1 | w2) !== 0) h = mix(h ^ mix(w2 ^ mix(w1 ^ mix(w0))));
  return h;
}

function textHash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c_9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i], 0x0100_0193);
  return mix(h);
}

/** A sketch as octets: hashes while there are few, then registers. */
export function sketchOctets(sketch: Cardinality): Uint8Array {
  const { few, registers } = sketch.state();
  if (registers !== null) {
    const octets = new Uint8Array(1 + registers.length);
    octets[0] = 1;
    octets.set(registers, 1);
    return octets;
  }
  const list = few ?? [];
  const octets = new Uint8Array(1 + 4 * list.length);
  const view = new DataView(octets.buffer);
  list.forEach((hash, i) => view.setInt32(1 + 4 * i, hash));
  return octets;
}

export function sketchFrom(octets: Uint8Array): Cardinality {
  if (octets[0] === 1) return new Cardinality({ few: null, registers: octets.slice(1) });
  const view = new DataView(octets.buffer, octets.byteOffset);
  const few = Array.from({ length: (octets.length - 1) / 4 }, (_, i) => view.getInt32(1 + 4 * i));
  return new Cardinality({ few, registers: null });
}
