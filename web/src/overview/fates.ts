import type { Sensor } from '../../../src/server/schema/sensors.ts';

export interface Fate {
  cause: string;
  n: number;
  /** Not by choice: the kernel, a ring or a queue dropped it. */
  lost: boolean;
}

const LOST = /drop|lost|overflow|evicted|ring|kernel|queue/;

/** What became of the frames of all sensors, the most first; causes in words. */
export function fates(sensors: readonly Sensor[]): Fate[] {
  const sums = new Map<string, number>();
  for (const { ledger } of sensors) {
    for (const [cause, n] of Object.entries(ledger.frames)) sums.set(cause, (sums.get(cause) ?? 0) + n);
  }
  return [...sums]
    .filter(([, n]) => n > 0)
    .map(([cause, n]) => ({ cause: cause.replaceAll('_', ' '), n, lost: LOST.test(cause) }))
    .sort((a, b) => b.n - a.n);
}
