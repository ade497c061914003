import type { DgaFamily } from './family.ts';
import { LETTER_FAMILIES } from './letters.ts';
import { WORD_FAMILIES } from './words.ts';

export type { DgaFamily } from './family.ts';

/** All families, those of letters first. `-like` ones have other word lists than the published ones. */
export const FAMILIES: readonly DgaFamily[] = [...LETTER_FAMILIES, ...WORD_FAMILIES];
