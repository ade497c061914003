import { logistic } from '../../src/detect/dga/features.ts';
import { SUSPECT_PERCENT } from '../../src/detect/dga/name-score.ts';
import { levelOf, stepOf } from '../../src/detect/dga/pieces.ts';
import { shippedLimit, shippedModel, type Model } from './train.ts';

const LINE = 112;

/** The module that holds a model: a byte a weight; pieces of three in four bits each, of four in two. */
export function weightsModule({ weights, bias, pieces }: Model, limit: number): string {
  const most = weights.reduce((so, weight) => Math.max(so, Math.abs(weight)), 0);
  const scale = Number((most / 127).toPrecision(6));
  const bytes = Int8Array.from(weights, (weight) => Math.max(-127, Math.min(127, Math.round(weight / scale))));
  return `/** Written by \`npm run train\` (scripts/names): a signed byte a weight, in base64. */
export const WEIGHTS = {
  scale: ${scale},
  bias: ${Number(bias.toPrecision(6))},
  suspect: ${Number(logistic(limit).toFixed(3))},
  text: \`
${base64(new Uint8Array(bytes.buffer))}
\`,
  threes: \`
${base64(packed(pieces.threes, 2, levelOf))}
\`,
  fours: \`
${base64(packed(pieces.fours, 4, stepOf))}
\`,
};
`;
}

/** Counts as levels, so many to an octet, the first in its lowest bits. */
function packed(counts: Uint32Array, perOctet: 2 | 4, level: (count: number) => number): Uint8Array {
  const octets = new Uint8Array(Math.ceil(counts.length / perOctet));
  const bits = 8 / perOctet;
  counts.forEach((count, i) => {
    octets[Math.floor(i / perOctet)] |= level(count) << (bits * (i % perOctet));
  });
  return octets;
}

function base64(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE) lines.push(text.slice(at, at + LINE));
  return lines.join('\n');
}

/** The module as training makes it. */
export function trainedModule(): string {
  return weightsModule(shippedModel(), shippedLimit(SUSPECT_PERCENT / 100));
}
