import type { Sensor } from '../../../src/server/schema/sensors.ts';
import { isLoss } from '../sensors/flow.ts';

export interface Fate {
  cause: string;
  n: number;
  /** Not by choice: the kernel, a ring or a queue dropped it. */
  lost: boolean;
}

/** What became of the frames of all sensors, the most first. */
export function fates(sensors: readonly Sensor[]): Fate[] {
  const sums = new Map<string, number>();
  for (const { ledger } of sensors) {
    for (const [cause, n] of Object.entries(ledger.frames)) sums.set(cause, (sums.get(cause) ?? 0) + n);
  }
  return [...sums]
    .filter(([, n]) => n > 0)
    .map(([cause, n]) => ({ cause, n, lost: cause !== 'carried' && isLoss(cause) }))
    .sort((a, b) => b.n - a.n);
}
