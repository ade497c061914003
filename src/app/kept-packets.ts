import type { CapturedInterface } from '../core/frames.ts';
import type { EngineOutputs } from '../pipeline/engine.ts';
import { PacketRing, type PacketRingCounts, type PacketRingPlan } from '../sinks/packet-ring.ts';

/** How often a reader finds the newest packets. */
const FLUSH_MS = 1000;

/** Keeps the packets of one engine in a ring, where the plan asks for it. */
export class KeptPackets {
  readonly #plan: PacketRingPlan | undefined;
  #ring: PacketRing | undefined;
  #flushed = performance.now();

  constructor(plan: PacketRingPlan | undefined) {
    this.#plan = plan;
  }

  /** The outputs of an engine whose frames are kept. */
  with(outputs: EngineOutputs): EngineOutputs {
    if (this.#plan === undefined) return outputs;
    const { frame } = outputs;
    return {
      ...outputs,
      frame: (carrier, fate) => {
        this.#ring?.write(carrier, fate);
        frame?.(carrier, fate);
      },
    };
  }

  /** The input is open: `interfaces` may grow. Throws UserError when the folder cannot be made. */
  open(interfaces: readonly CapturedInterface[], worker = 0, workers = 1): void {
    if (this.#plan !== undefined) this.#ring = new PacketRing(this.#plan, interfaces, worker, workers);
  }

  /** Undefined where none are kept. */
  get counts(): PacketRingCounts | undefined {
    return this.#ring?.counts;
  }

  /** After every batch of frames. */
  batchDone(): void {
    if (this.#ring === undefined || performance.now() - this.#flushed < FLUSH_MS) return;
    this.#flushed = performance.now();
    this.#ring.flush();
  }

  close(): void {
    this.#ring?.close();
  }
}
