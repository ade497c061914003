import type { Carrier } from '../core/carrier.ts';
import { wider } from './wider.ts';

/** When flows were seen first and last, by slot: what `udp.time_relative` and `tcp.time_delta` are made of. */
export class FlowClock {
  #firstSeconds = new Float64Array(64);
  #firstNanos = new Uint32Array(64);
  #lastSeconds = new Float64Array(64);
  #lastNanos = new Uint32Array(64);

  /** Makes place for slots 0 … count − 1. */
  grow(count: number): void {
    this.#firstSeconds = wider(this.#firstSeconds, new Float64Array(count));
    this.#firstNanos = wider(this.#firstNanos, new Uint32Array(count));
    this.#lastSeconds = wider(this.#lastSeconds, new Float64Array(count));
    this.#lastNanos = wider(this.#lastNanos, new Uint32Array(count));
  }

  /** The flow in this slot begins with the frame at hand. */
  begin(slot: number, { seconds, nanos }: Carrier): void {
    this.#firstSeconds[slot] = this.#lastSeconds[slot] = seconds;
    this.#firstNanos[slot] = this.#lastNanos[slot] = nanos;
  }

  /** The frame at hand belongs to the flow: the carrier learns how long it has been. */
  tick(slot: number, carrier: Carrier): void {
    const { seconds, nanos } = carrier;
    carrier.flowNanos = (seconds - this.#firstSeconds[slot]) * 1e9 + nanos - this.#firstNanos[slot];
    carrier.flowDeltaNanos = (seconds - this.#lastSeconds[slot]) * 1e9 + nanos - this.#lastNanos[slot];
    this.#lastSeconds[slot] = seconds;
    this.#lastNanos[slot] = nanos;
  }
}
