import type { Texts } from '../text.ts';

/** Simplified Chinese; what is not here yet is shown in English. */
export const zh: Texts = {};
