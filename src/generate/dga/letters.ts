import type { Random } from '../random.ts';
import {
  A_TO_Y,
  alternating,
  BASE36,
  CONSONANTS,
  type DgaFamily,
  family,
  HEX,
  LETTERS,
  letters,
  VOWELS,
} from './family.ts';

const MANY_TLDS =
  'com net org info biz ru cc cn ws su tv me tw in ir jp kr mx pro eu co de to tj sx nf sc ga cm ki la mu so kz bz im ac ug mn pw ms us';
const COUNTRIES =
  'ac ae ag am as at be bo ca cd ch cl cx cz dk dm ec es fr gd gr gs gy hk hn ht hu ie is kn lc li lu lv ly md mn ms pe pk pl ps ro sg sk sn tc tl tn vc vn';

/** Random letters and digits: what most families make. */
const RANDOM: readonly DgaFamily[] = [
  family('conficker-b', 'com net org info biz ws cc cn', letters(LETTERS, 5, 11)),
  family('conficker-c', `${COUNTRIES} com.gh com.jm com.pr co.za`, letters(LETTERS, 4, 9)),
  family('kraken', 'dyndns.org yi.org mooo.com dynserv.com com cc net', letters(LETTERS, 6, 12)),
  family('cryptolocker', 'com net biz ru org co.uk info', letters(A_TO_Y, 12, 15)),
  family('murofet-1', 'biz info org net com', letters(LETTERS, 8, 16)),
  family('murofet-2', 'biz info org net com ru', letters(LETTERS, 20, 32)),
  family('necurs', MANY_TLDS, letters(LETTERS, 7, 21)),
  family('locky', 'ru info biz click su work pl org pw xyz', letters(A_TO_Y, 5, 17)),
  family('dircrypt', 'com', letters(LETTERS, 8, 20)),
  family('ranbyus', 'in me cc su tw net com pw org', letters(A_TO_Y, 14, 17)),
  family('emotet', 'eu', letters(A_TO_Y, 16, 16)),
  family('fobber-1', 'net', letters(LETTERS, 17, 17)),
  family('fobber-2', 'com', letters(LETTERS, 10, 10)),
  family('virut', 'com', letters(LETTERS, 6, 6)),
  family('hesperbot', 'com', letters(LETTERS, 8, 24)),
  family('qakbot', 'com net org info biz', letters(LETTERS, 8, 25)),
  family('tempedreve', 'com net org info', letters(LETTERS, 7, 11)),
  family('blackhole', 'ru', letters(LETTERS, 16, 16)),
  family('dnschanger', 'com', letters(LETTERS, 10, 10)),
  family('mirai', 'online support tech', letters(A_TO_Y, 12, 12)),
  family('zloader', 'com', letters(A_TO_Y, 20, 20)),
  family('bedep', 'com', letters(BASE36.slice(0, 30), 12, 18)),
  family('proslikefan', 'com eu biz se info net org ru in name', letters(LETTERS, 6, 12)),
  family('nymaim', 'com org net ru info biz in xyz pw', letters(LETTERS, 5, 12)),
  family('padcrypt', 'com co.uk de org net eu info online co cc website', letters('abcdefnolmk', 16, 16)),
  family('padcrypt-24', 'com co.uk de org net eu info online co cc website', letters('abcdefnolmk', 24, 24)),
  family('corebot', 'ddns.net', letters(BASE36, 12, 24)),
  family('rovnix', 'com net biz ru cn', letters(BASE36, 18, 18)),
  family('chinad', 'com org net biz info ru cn', letters(BASE36, 16, 16)),
  family('madmax', 'com net org info', letters(BASE36, 10, 10)),
  family('shiotob', 'com net', letters('qwertyuiopasdfghjklzxcvbnm123945678', 10, 15)),
  family('gameover', 'com net org biz', letters(BASE36, 20, 28)),
  family('bamital', 'info org co.cc cz.cc', letters(HEX, 32, 32)),
  family('gspy', 'net', letters(HEX, 16, 16)),
  family('monerodownloader', 'org tickets blackfriday hosting feedback', letters(HEX, 13, 13)),
  family('dyre', 'cc ws to in hk cn tk so', (random) => random.text(LETTERS, 1) + random.text(HEX, 33)),
  family('wd', 'pro win', (random) => `wd${random.text(HEX, 32)}`),
  family('xxhex', 'kr com net', (random) => `xx${random.text(HEX, 8)}`),
  family('murofet-3', 'net ru com biz', (random) => random.text(LETTERS + LETTERS + BASE36, 32 + random.int(16))),
];

/** Pronounceable, or nearly. */
const SPOKEN: readonly DgaFamily[] = [
  family('simda', 'com eu info net org', alternating('qwrtpsdfghjklzxcvbnm', 'eyuioa', 5, 11)),
  family('pykspa', 'com net org info cc', (random) => spoken(random, 6, 15, 0.45)),
  family('symmi', 'ddns.net', (random) => spoken(random, 8, 15, 0.5)),
  family('vawtrak', 'com net top', (random) => spoken(random, 7, 11, 0.42)),
  family('kraken-2', 'com net dyndns.org', (random) => spoken(random, 5, 8, 0.45) + random.pick(SUFFIXES)),
  family('pitou', 'info com us mobi biz org net me', (random) => spoken(random, 8, 10, 0.45)),
  family('pushdo', 'ru kz com', (random) => spoken(random, 8, 12, 0.5)),
  family('ramdo', 'org', letters('acegikmoqsuwy', 16, 16)),
  family('darkwatchman', 'top icu xyz', letters(HEX, 8, 8)),
];

const SUFFIXES = 'able dom hood ment ness ship ious ing ed ly'.split(' ');

function spoken(random: Random, least: number, most: number, vowels: number): string {
  const length = least + random.int(most - least + 1);
  let text = '';
  while (text.length < length) text += random.text(random.chance(vowels) ? VOWELS : CONSONANTS, 1);
  return text;
}

/** Families whose arithmetic shows in their names. */
const ARITHMETIC: readonly DgaFamily[] = [
  {
    name: 'ramnit',
    // Park and Miller's generator; remainders of 25 for letters, of 12 for the length.
    *names(random) {
      let seed = (random.bits() & 0x7fffffff) | 1;
      const draw = () => {
        seed = 16_807 * (seed % 127_773) - 2836 * Math.floor(seed / 127_773);
        if (seed <= 0) seed += 0x7fffffff;
        return seed;
      };
      for (;;) {
        let label = '';
        for (let n = (draw() % 12) + 8; n > 0; n--) label += A_TO_Y[draw() % 25];
        yield `${label}.com`;
      }
    },
  },
  {
    name: 'qadars',
    // Modulo 2^31 the lowest bit stays, or alternates: half of the alphabet is used at a time.
    *names(random) {
      const seed = random.bits();
      let r = random.bits() & 0x7fffffff;
      const draw = () => {
        r = (seed - Math.imul(1_043_968_403, r)) & 0x7fffffff;
        return r;
      };
      for (;;) {
        let label = '';
        for (let i = 0; i < 12; i++) label += BASE36[draw() % 36];
        yield `${label}.${['com', 'org', 'net', 'top'][draw() % 4]}`;
      }
    },
  },
  {
    name: 'tinba',
    // Twelve letters, each from the sum of what came before.
    *names(random) {
      let state = random.bits();
      for (;;) {
        let label = '';
        for (let i = 0; i < 12; i++) {
          state = (Math.imul(state, 0x41c6_4e6d) + 0x3039 + i) >>> 0;
          label += A_TO_Y[(state >>> 16) % 25];
        }
        yield `${label}.${random.pick(['com', 'net', 'in', 'info', 'ru', 'pw'])}`;
      }
    },
  },
  {
    name: 'banjori',
    // The first four letters of a long word change with every name.
    *names(random) {
      const tails =
        'estnessbiophysicalohax fordlinnetavox ckbiopowergestion rateddramaturgycyc nessfulkarakulsheep'.split(' ');
      const tail = random.pick(tails);
      const c = Array.from({ length: 4 }, () => random.int(26));
      for (;;) {
        c[0] = (c[0] + c[3]) % 26;
        c[1] = (c[0] + 2 * c[1] + 97) % 26;
        c[2] = (c[0] + c[2] + 25) % 26;
        c[3] = (c[1] + c[2] + c[3] + 13) % 26;
        yield `${c.map((i) => LETTERS[i]).join('')}${tail}.com`;
      }
    },
  },
  {
    name: 'volatilecedar',
    // Letters of one word, in another order.
    *names(random) {
      const word = 'dotnetexplorer'.split('');
      for (;;) {
        const i = random.int(word.length);
        const j = random.int(word.length);
        [word[i], word[j]] = [word[j], word[i]];
        yield `${word.join('')}.info`;
      }
    },
  },
];

/** Families that make names of letters and digits. */
export const LETTER_FAMILIES: readonly DgaFamily[] = [
  ...RANDOM.map((one): DgaFamily => ({ ...one, kind: 'random' })),
  ...SPOKEN,
  ...ARITHMETIC,
];
