import { signal } from '@preact/signals';
import { fill } from '../../src/core/fill.ts';
import { recall, remember } from './memory.ts';
import { en } from './text/en.ts';

export type TextKey = keyof typeof en;
/** A language's texts; what is missing is shown in English. */
export type Texts = Partial<Record<TextKey, string>>;

const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

const texts = signal<Texts>(en);
/** What the server says of itself, by its keys; empty where its own words will do. */
export const said = signal<Readonly<Record<string, string>>>({});
/** The language of the page, as `<html lang>`. */
export const language = signal<Language>('en');

/** A text of the page. `{name}` is replaced by its value; of `one|other` the form for `n` is taken. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(texts.value[key] ?? en[key] ?? key, values);
}

/** The language chosen before, else the browser's, else English. */
export function preferredLanguage(): Language {
  const wanted = [recall('language') ?? '', ...navigator.languages];
  for (const tag of wanted) {
    const found = LANGUAGES.find((code) => tag === code || tag.startsWith(`${code}-`));
    if (found !== undefined) return found;
  }
  return 'en';
}

/** Shows the page in a language; its texts are loaded first. */
export async function setLanguage(code: Language): Promise<void> {
  const other = code === 'zh' ? await import('./text/zh.ts') : { zh: en, said: {} };
  texts.value = other.zh;
  said.value = other.said;
  language.value = code;
  document.documentElement.lang = code === 'zh' ? 'zh-Hans' : code;
  remember('language', code);
}
