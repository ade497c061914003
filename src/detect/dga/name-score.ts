import { logistic, NameFeatures, PLACES } from './features.ts';
import { FOURS, PackedPieces, THREES } from './pieces.ts';
import { WEIGHTS } from './weights.ts';

interface Loaded {
  weights: Int8Array;
  features: NameFeatures;
}
let loaded: Loaded | undefined;

/** Of a hundred domains that people chose, this many score higher than `SUSPECT`; told on domains to learn from. */
export const SUSPECT_PERCENT = 4;
export const SUSPECT = WEIGHTS.suspect;

/**
 * How much a registrable domain looks as if a program made it, 0 … 1: `label` is what was registered (folded text),
 * `suffix` the public suffix it lies under. Never proof: people choose strange names, and programs good ones.
 */
export function nameScore(label: string, suffix: string): number {
  loaded ??= load();
  const { weights, features } = loaded;
  features.read(label, suffix);
  const { place, value, count } = features;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[place[i]] * value[i];
  return logistic(sum * WEIGHTS.scale + WEIGHTS.bias);
}

function load(): Loaded {
  const pieces = new PackedPieces(decode(WEIGHTS.threes, Math.ceil(THREES / 2)), decode(WEIGHTS.fours, FOURS / 4));
  return { weights: new Int8Array(decode(WEIGHTS.text, PLACES).buffer), features: new NameFeatures(pieces) };
}

function decode(text: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = atob(text.replaceAll('\n', ''));
  return Uint8Array.from({ length }, (_, i) => bytes.charCodeAt(i));
}
