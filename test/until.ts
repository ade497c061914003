import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so; fails after `ms` (ten seconds unless told). */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > end) assert.fail(`${what} within ${ms / 1000} s`);
    await sleep(25);
  }
}
