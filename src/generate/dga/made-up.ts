import type { Random } from '../random.ts';
import { CONSONANTS, type DgaFamily, LETTERS } from './family.ts';
import { WORDS } from './words.ts';

const SUFFIXES = list(`
  com net org info biz ru cn su cc ws tv me eu in pw top xyz club site online kz co uk pl de ro kr tk ml ga cf nf sc im ac
  mn ms us pro mobi click link work space website tech live icu fun host press store`);
/** Names that one made-up algorithm gives before another takes its place. */
const OF_ONE = 40;

function list(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** An algorithm drawn by chance: its names, without end. */
type Drawn = (random: Random) => () => string;

/** A family that is none of malware's: algorithms of one kind, each drawn by chance, a few names of each. */
function madeUp(name: string, drawn: Drawn): DgaFamily {
  return {
    name: `made-up-${name}`,
    kind: 'made up',
    *names(random) {
      for (;;) {
        const label = drawn(random);
        const suffixes = Array.from({ length: 1 + random.int(4) }, () => random.pick(SUFFIXES));
        for (let i = 0; i < OF_ONE; i++) yield `${label()}.${random.pick(suffixes)}`;
      }
    },
  };
}

/** Some of a list's letters, at least `least`. */
function some(random: Random, of: string, least: number): string {
  const left = of.split('');
  const wanted = least + random.int(of.length - least + 1);
  while (left.length > wanted) left.splice(random.int(left.length), 1);
  return left.join('');
}

function lengths(random: Random, least: number, most: number): () => number {
  const from = least + random.int(most - least + 1);
  const spread = random.int(Math.max(1, Math.min(most - from, 6)) + 1);
  return () => from + random.int(spread + 1);
}

/** Syllables: which kinds there are, and of which letters, is drawn. */
const babble: Drawn = (random) => {
  const consonants = some(random, CONSONANTS, 8);
  const vowels = some(random, 'aeiouy', 3);
  const kinds = Array.from({ length: 1 + random.int(3) }, () =>
    random.pick(['cv', 'cv', 'vc', 'cvc', 'cvv', 'v', 'vcc']),
  );
  const length = lengths(random, 5, 14);
  return () => {
    const wanted = length();
    let text = '';
    while (text.length < wanted) {
      for (const letter of random.pick(kinds)) text += random.text(letter === 'c' ? consonants : vowels, 1);
    }
    return text.slice(0, wanted);
  };
};

/** Letters by chance, of an alphabet drawn by chance. */
const noise: Drawn = (random) => {
  const alphabet = random.pick([
    LETTERS,
    LETTERS,
    some(random, LETTERS, 9),
    `${LETTERS}0123456789`,
    'abcdef0123456789',
  ]);
  const length = lengths(random, alphabet.includes('0') ? 8 : 4, 28);
  return () => random.text(alphabet, length());
};

/** Words one behind the other, of a list drawn by chance. */
const wording: Drawn = (random) => {
  const words = Array.from({ length: 40 + random.int(300) }, () => random.pick(random.pick(WORDS)));
  const joint = random.pick(['', '', '', '-']);
  const least = 8 + random.int(14);
  return () => {
    let text = random.pick(words);
    while (text.length < least) text += joint + random.pick(words);
    return text;
  };
};

/** What training learns from besides the families that were published: their kinds, but none of them. */
export const MADE_UP: readonly DgaFamily[] = [
  madeUp('babble', babble),
  madeUp('babble-2', babble),
  madeUp('babble-3', babble),
  madeUp('noise', noise),
  madeUp('words', wording),
];
