import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { logistic, NameFeatures, PLACES } from '../../src/detect/dga/features.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { type DgaFamily, FAMILIES } from '../../src/generate/dga/index.ts';
import { Random } from '../../src/generate/random.ts';

const EPOCHS = 6;
const RATE = 0.15;
const DECAY = 1e-6;
const NAMES_A_FAMILY = 4000;
/** Families are dealt to so many parts; the shipped weights have not seen the first one. */
export const PARTS = 4;

/** What was registered, and under which suffix. */
export interface Registered {
  label: string;
  suffix: string;
}

/** Null for names that nobody can have registered. */
export function registered(name: string): Registered | null {
  const { domain, suffix } = registrable(name);
  return domain === null || suffix === null ? null : { label: domain.slice(0, -suffix.length - 1), suffix };
}

function hash(text: string): number {
  let h = 7;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 13)) >>> 0;
}

/** The part that a family belongs to, its variants with it: `conficker` of `conficker-b`. */
export function partOf(family: string): number {
  return hash(baseOf(family)) % PARTS;
}

export function baseOf(family: string): string {
  return family.replace(/-.*/, '');
}

function domainsOf(path: string): Registered[] {
  const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(registered)
    .filter((one) => one !== null);
}

/** Domains that people chose: those to learn from, and those to judge by, which are drawn at random. */
export function chosenDomains(): { learn: Registered[]; judge: Registered[] } {
  const random = domainsOf('random-domains.txt');
  const isLearnt = ({ label }: Registered) => hash(`${label}r`) % 2 === 0;
  return {
    learn: [...domainsOf('../../assets/popular-domains.txt'), ...random.filter(isLearnt)],
    judge: random.filter((one) => !isLearnt(one)),
  };
}

export interface Model {
  weights: Float64Array;
  bias: number;
}

/** Sum of a name's weights. */
export function sumOf({ weights, bias }: Model, features: NameFeatures, { label, suffix }: Registered): number {
  features.read(label, suffix);
  let sum = bias;
  for (let i = 0; i < features.count; i++) sum += weights[features.place[i]] * features.value[i];
  return sum;
}

/** Logistic regression (AdaGrad) on families, each with as many names, against chosen domains of the same weight. */
export function train(families: readonly DgaFamily[], chosen: readonly Registered[], seed = 1): Model {
  const random = new Random(`names ${seed}`);
  const made = families.flatMap((family) => {
    const names = family.names(random);
    return Array.from({ length: NAMES_A_FAMILY }, () => registered(names.next().value)).filter((one) => one !== null);
  });
  const weight = made.length / chosen.length;
  const samples = [
    ...made.map((name) => ({ name, isMade: 1, weight: 1 })),
    ...chosen.map((name) => ({ name, isMade: 0, weight })),
  ];
  const features = new NameFeatures();
  const model: Model = { weights: new Float64Array(PLACES), bias: 0 };
  const { weights } = model;
  const slopes = new Float64Array(PLACES).fill(1e-6);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(samples, random);
    for (const sample of samples) {
      const slope = (logistic(sumOf(model, features, sample.name)) - sample.isMade) * sample.weight;
      model.bias -= 0.01 * slope;
      for (let i = 0; i < features.count; i++) {
        const place = features.place[i];
        const step = slope * features.value[i] + DECAY * weights[place];
        slopes[place] += step * step;
        weights[place] -= (RATE * step) / Math.sqrt(slopes[place]);
      }
    }
  }
  return model;
}

function shuffle(list: unknown[], random: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}

/** The sum that a share of chosen domains reaches. */
export function sumAt(share: number, model: Model, domains: readonly Registered[]): number {
  const features = new NameFeatures();
  const sums = domains.map((one) => sumOf(model, features, one)).toSorted((a, b) => b - a);
  return sums[Math.floor(sums.length * share)];
}

/** The model that is shipped: all families but those of part 0. */
export function shippedModel(): Model {
  return train(
    FAMILIES.filter(({ name }) => partOf(name) !== 0),
    chosenDomains().learn,
  );
}
