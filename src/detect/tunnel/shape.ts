import { numberText, percentText } from '../../core/figures.ts';
import type { Domain } from '../entities.ts';
import { ageWeight } from '../new-dom.ts';
import type { Traffic } from './sub-names.ts';

/** Bits a letter from which a name looks like data, and from which it is hardly a word. */
const DATA_BITS = 6;
const ODD_BITS = 5.2;
const LONG_BYTES = 40;

/** What speaks for data in the names of a domain: points, and each reason in words. */
export interface Shape {
  points: number;
  reasons: string[];
}

/** From so many points on, the shape alone makes a channel likely. */
export const STRONG = 4;
export const MOST_POINTS = 10;

/** Judges how names of a domain look and come. `now` is the packets' time. */
export function shapeOf(traffic: Traffic, domain: Domain, now: number): Shape {
  const shape: Shape = { points: 0, reasons: [] };
  const say = (points: number, reason: string) => {
    shape.points += points;
    shape.reasons.push(reason);
  };
  const { bitsPerLetter, rareShare, textShare, uniqueShare, names, meanLength, downShare, rate, burst } = traffic;
  if (rareShare >= 0.5) say(3, `${percentText(rareShare)} of its names are asked with types that hardly anybody uses`);
  else if (textShare >= 0.5) say(1, `${percentText(textShare)} of its names are asked for text, MX or SRV`);
  const bits = numberText(Number(bitsPerLetter.toFixed(1)));
  if (bitsPerLetter >= DATA_BITS) say(2, `a letter of them carries ${bits} bits, words have about 4`);
  else if (bitsPerLetter >= ODD_BITS) say(1, `a letter of them carries ${bits} bits, words have about 4`);
  if (meanLength >= LONG_BYTES) say(1, `they are ${Math.round(meanLength)} letters long on average`);
  if (names >= 6 && uniqueShare >= 0.9) say(1, `${percentText(uniqueShare)} of the questions are for a new name`);
  if (burst >= 8 && rate >= 1)
    say(burst >= 20 && rate >= 5 ? 2 : 1, `${numberText(Math.round(rate))} new names a second`);
  if (downShare >= 0.5) say(1, 'the answers carry text or names rather than addresses');
  if (traffic.clients === 1 && ageWeight(domain, now) > 1) say(1, 'one client asks, for a domain not known before');
  return shape;
}
