import type { Carrier } from '../core/carrier.ts';

/** When flows were seen first and last, by slot: what `udp.time_relative` and `tcp.time_delta` are made of. */
export class FlowClock {
  #firstSeconds = new Float64Array(64);
  #firstNanos = new Uint32Array(64);
  #lastSeconds = new Float64Array(64);
  #lastNanos = new Uint32Array(64);

  /** Makes place for slots 0 … count − 1. */
  grow(count: number): void {
    const seconds = (old: Float64Array<ArrayBuffer>) => {
      const wider = new Float64Array(count);
      wider.set(old);
      return wider;
    };
    const nanos = (old: Uint32Array<ArrayBuffer>) => {
      const wider = new Uint32Array(count);
      wider.set(old);
      return wider;
    };
    this.#firstSeconds = seconds(this.#firstSeconds);
    this.#firstNanos = nanos(this.#firstNanos);
    this.#lastSeconds = seconds(this.#lastSeconds);
    this.#lastNanos = nanos(this.#lastNanos);
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
