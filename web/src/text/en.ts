import { overview } from './en/overview.ts';
import { shell } from './en/shell.ts';

/** English, by page. A page adds its file and a line here (and its twin in zh.ts). */
export const en = {
  ...shell,
  ...overview,
};
