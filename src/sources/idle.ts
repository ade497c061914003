import { FrameBatch, type Source } from '../core/frames.ts';

/** A source without frames, which ends when the signal aborts: for who only shows what others keep. */
export function openIdle(): Source {
  return {
    interfaces: [],
    live: true,
    damage: [],
    loss: () => ({ kernel: 0, interface: 0 }),
    async *batches(signal: AbortSignal) {
      yield new FrameBatch(0);
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
    },
  };
}
