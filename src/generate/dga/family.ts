import type { Random } from '../random.ts';

/** A domain-generation algorithm: its names, without end. They follow its published alphabet, lengths, TLDs and steps. */
export interface DgaFamily {
  readonly name: string;
  /** `random`: letters by chance, one like the other; `made up`: none of malware's, for training. */
  readonly kind?: 'random' | 'made up';
  names(random: Random): Generator<string, never>;
}

export const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Remainders of 25 never give a z. */
export const A_TO_Y = LETTERS.slice(0, 25);
export const BASE36 = `${LETTERS}0123456789`;
export const HEX = '0123456789abcdef';
export const VOWELS = 'aeiou';
export const CONSONANTS = 'bcdfghjklmnpqrstvwxyz';

/** A family whose names are made one by one. `tlds` stand apart by spaces. */
export function family(name: string, tlds: string, label: (random: Random) => string): DgaFamily {
  const list = tlds.split(' ');
  return {
    name,
    *names(random) {
      for (;;) yield `${label(random)}.${random.pick(list)}`;
    },
  };
}

/** Characters of an alphabet, `least` to `most` of them. */
export function letters(alphabet: string, least: number, most: number): (random: Random) => string {
  return (random) => random.text(alphabet, least + random.int(most - least + 1));
}

/** Consonant, vowel, consonant … `least` to `most` of them. */
export function alternating(
  consonants: string,
  vowels: string,
  least: number,
  most: number,
): (random: Random) => string {
  return (random) => {
    const length = least + random.int(most - least + 1);
    let text = '';
    for (let i = 0; i < length; i++) text += random.text(i % 2 === 0 ? consonants : vowels, 1);
    return text;
  };
}
