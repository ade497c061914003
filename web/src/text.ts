import { signal } from '@preact/signals';
import { recall, remember } from './memory.ts';
import { en } from './text/en.ts';

export type TextKey = keyof typeof en;
/** A language's texts; what is missing is shown in English. */
export type Texts = Partial<Record<TextKey, string>>;

const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

const texts = signal<Texts>(en);
/** The language of the page, as `<html lang>`. */
export const language = signal<Language>('en');

/** A text of the page. `{name}` is replaced by its value; of `one|other` the form for `n` is taken. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  let text = texts.value[key] ?? en[key] ?? key;
  const bar = text.indexOf('|');
  if (bar >= 0 && values.n !== undefined) text = Number(values.n) === 1 ? text.slice(0, bar) : text.slice(bar + 1);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
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
  texts.value = code === 'zh' ? (await import('./text/zh.ts')).zh : en;
  language.value = code;
  document.documentElement.lang = code === 'zh' ? 'zh-Hans' : code;
  remember('language', code);
}
