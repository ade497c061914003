import { shippedModel, type Model } from './train.ts';

const LINE = 112;

/** The module that holds a model: a byte a weight. */
export function weightsModule({ weights, bias }: Model): string {
  const most = weights.reduce((so, weight) => Math.max(so, Math.abs(weight)), 0);
  const scale = Number((most / 127).toPrecision(6));
  const bytes = Int8Array.from(weights, (weight) => Math.max(-127, Math.min(127, Math.round(weight / scale))));
  const text = Buffer.from(bytes.buffer).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE) lines.push(text.slice(at, at + LINE));
  return `/** Written by \`npm run train\` (scripts/names): a signed byte a weight, in base64. */
export const WEIGHTS = {
  scale: ${scale},
  bias: ${Number(bias.toPrecision(6))},
  text: \`
${lines.join('\n')}
\`,
};
`;
}

/** The module as training makes it. */
export function trainedModule(): string {
  return weightsModule(shippedModel());
}
