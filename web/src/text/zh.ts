import type { Texts } from '../text.ts';
import { overview } from './zh/overview.ts';
import { shell } from './zh/shell.ts';

/** Simplified Chinese, by page; what is not here is shown in English. */
export const zh: Texts = {
  ...shell,
  ...overview,
};
