import { computed, signal } from '@preact/signals';
import type { Freshness, Overview, State } from '../../../src/server/schema/overview.ts';
import type { Sensors } from '../../../src/server/schema/sensors.ts';
import { sentenceOf } from '../overview/told.ts';
import { storeText } from '../said.ts';
import { resolveTime } from '../state.ts';

/** What the frame around the pages shows of the system; pages that learn something newer put it here. */
export const sensors = signal<Sensors | undefined>(undefined);
export const freshness = signal<Freshness | undefined>(undefined);
export const state = signal<State | undefined>(undefined);
export const openAlerts = signal(0);
export const demo = signal<Overview['demo']>(null);

/** Age of the newest stored transaction in seconds; null = there is none. */
export const age = computed(() => {
  const fresh = freshness.value;
  if (fresh !== undefined) return fresh.age_s;
  const newest = sensors.value?.store.newest;
  return newest === undefined || newest === null ? null : Math.max(0, (Date.now() - resolveTime(newest)) / 1000);
});

/** What does not work, in words: the store's own reason first. */
export const degraded = computed(() => {
  const stored = sensors.value?.store.degraded;
  if (stored) return storeText(stored);
  const found = state.value;
  return found?.level === 'degraded' ? sentenceOf(found) : null;
});

/** Takes what the first screen's answer says of the system. */
export function learn(overview: Overview): void {
  freshness.value = overview.freshness;
  state.value = overview.state;
  openAlerts.value = overview.alerts.open;
  demo.value = overview.demo;
}
