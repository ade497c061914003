import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { logistic, NameFeatures, PLACES } from '../../src/detect/dga/features.ts';
import { fourAt, FOURS, levelOf, type Pieces, stepOf, threeAt, THREES } from '../../src/detect/dga/pieces.ts';
import { hostingSuffix } from '../../src/enrich/public-suffix.ts';
import { type DgaFamily, FAMILIES } from '../../src/generate/dga/index.ts';
import { MADE_UP } from '../../src/generate/dga/made-up.ts';
import { Random } from '../../src/generate/random.ts';

const EPOCHS = 4;
const RATE = 0.15;
const DECAY = 1e-6;
/** Names of a family: most are of letters by chance, and much alike; those made up are of many algorithms each. */
const NAMES = { random: 2000, other: 4000, 'made up': 12_000 } as const;
/** Families are dealt to so many parts; the shipped weights have not seen the first one. */
export const PARTS = 4;

/** What was registered, and under which suffix. */
export interface Registered {
  label: string;
  suffix: string;
}

/** Null for names that nobody can have registered. */
export function registered(name: string): Registered | null {
  const suffix = hostingSuffix(name);
  if (suffix === null || suffix.length >= name.length) return null;
  const below = name.slice(0, -suffix.length - 1);
  return { label: below.slice(below.lastIndexOf('.') + 1), suffix };
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
  pieces: CountedPieces;
}

/** How often pieces are met in domains; `own` times fewer, while a domain is judged that was counted. */
export class CountedPieces implements Pieces {
  readonly threes = new Uint32Array(THREES);
  readonly fours = new Uint32Array(FOURS);
  own = 0;

  constructor(domains: readonly Registered[]) {
    for (const { label } of domains) {
      const text = `^${label}$`;
      for (let at = 0; at + 3 <= text.length; at++) this.threes[threeAt(text, at)]++;
      for (let at = 0; at + 4 <= text.length; at++) this.fours[fourAt(text, at)]++;
    }
  }

  three(text: string, at: number): number {
    return levelOf(Math.max(0, this.threes[threeAt(text, at)] - this.own)) / 2;
  }

  four(text: string, at: number): number {
    return stepOf(Math.max(0, this.fours[fourAt(text, at)] - this.own));
  }
}

/** Sum of a name's weights. */
export function sumOf(model: Model, features: NameFeatures, { label, suffix }: Registered): number {
  const { weights, bias } = model;
  features.pieces = model.pieces;
  features.read(label, suffix);
  let sum = bias;
  for (let i = 0; i < features.count; i++) sum += weights[features.place[i]] * features.value[i];
  return sum;
}

/** Logistic regression (AdaGrad) on families, each with as many names, against chosen domains of the same weight. */
export function train(families: readonly DgaFamily[], chosen: readonly Registered[], seed = 1): Model {
  const random = new Random(`names ${seed}`);
  const made = [...families, ...MADE_UP].flatMap((family) => {
    const names = family.names(random);
    return Array.from({ length: NAMES[family.kind ?? 'other'] }, () => registered(names.next().value)).filter(
      (one) => one !== null,
    );
  });
  const weight = made.length / chosen.length;
  const samples = [
    ...made.map((name) => ({ name, isMade: 1, weight: 1 })),
    ...chosen.map((name) => ({ name, isMade: 0, weight })),
  ];
  const pieces = new CountedPieces(chosen);
  const features = new NameFeatures(pieces);
  const model: Model = { weights: new Float64Array(PLACES), bias: 0, pieces };
  const { weights } = model;
  const slopes = new Float64Array(PLACES).fill(1e-6);
  const mean = new Float64Array(PLACES);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(samples, random);
    for (const sample of samples) {
      // Its own pieces were counted: without them it is as new as any other.
      pieces.own = 1 - sample.isMade;
      const slope = (logistic(sumOf(model, features, sample.name)) - sample.isMade) * sample.weight;
      model.bias -= 0.01 * slope;
      for (let i = 0; i < features.count; i++) {
        const place = features.place[i];
        const step = slope * features.value[i] + DECAY * weights[place];
        slopes[place] += step * step;
        weights[place] -= (RATE * step) / Math.sqrt(slopes[place]);
      }
    }
    if (epoch > 0) for (let i = 0; i < PLACES; i++) mean[i] += weights[i] / (EPOCHS - 1);
  }
  // The last steps go here and there: their mean does not.
  weights.set(mean);
  pieces.own = 0;
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
  const features = new NameFeatures(model.pieces);
  const sums = domains.map((one) => sumOf(model, features, one)).toSorted((a, b) => b - a);
  return sums[Math.floor(sums.length * share)];
}

/** The families that the shipped model has seen: all but those of part 0. */
const SHIPPED = FAMILIES.filter(({ name }) => partOf(name) !== 0);

export function shippedModel(): Model {
  return train(SHIPPED, chosenDomains().learn);
}

/** The sum that a share of chosen domains reaches, told without those that are judged by: half of the random ones judge the others' model. */
export function shippedLimit(share: number): number {
  const { learn } = chosenDomains();
  const random = new Set(domainsOf('random-domains.txt').map(({ label }) => label));
  const isHeld = ({ label }: Registered) => random.has(label) && hash(`${label}h`) % 2 === 0;
  const model = train(
    SHIPPED,
    learn.filter((one) => !isHeld(one)),
  );
  const held = learn.filter(isHeld);
  // By what as many others would differ from these.
  const error = Math.sqrt((share * (1 - share)) / held.length);
  return sumAt(share - error, model, held);
}
