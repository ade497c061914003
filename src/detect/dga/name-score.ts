import { logistic, NameFeatures, PLACES } from './features.ts';
import { WEIGHTS } from './weights.ts';

const features = new NameFeatures();
let weights: Int8Array | undefined;

/** Of a hundred domains that people chose, this many score higher than `SUSPECT`. */
export const SUSPECT_PERCENT = 4;
export const SUSPECT = 0.67;

/**
 * How much a registrable domain looks as if a program made it, 0 … 1: `label` is what was registered (folded text),
 * `suffix` the public suffix it lies under. Never proof: people choose strange names, and programs good ones.
 */
export function nameScore(label: string, suffix: string): number {
  weights ??= decode();
  features.read(label, suffix);
  const { place, value, count } = features;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[place[i]] * value[i];
  return logistic(sum * WEIGHTS.scale + WEIGHTS.bias);
}

function decode(): Int8Array {
  const bytes = atob(WEIGHTS.text.replaceAll('\n', ''));
  return Int8Array.from({ length: PLACES }, (_, i) => bytes.charCodeAt(i));
}
