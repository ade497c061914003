import { fill } from '../../src/core/fill.ts';
import type { Said } from '../../src/server/said.ts';
import type { View } from '../../src/server/schema/meta.ts';
import type { Privacy } from '../../src/server/schema/overview.ts';
import { said } from './text.ts';

/** A text of the server's in the language of the page; in English as it came. */
export function tell(text: string, { key, values }: Said): string {
  const own = said.value[key];
  return own === undefined ? text : fill(own, values);
}

/** What is wrong with the store. */
export function storeText(detail: string): string {
  return tell(detail, { key: 'state.store', values: { detail } });
}

/** What is hidden of clients and names, in words. */
export function privacyText({ level, names, text }: Privacy): string {
  const own = said.value[`privacy.level.${level}`];
  return own === undefined ? text : own + (said.value[`privacy.names.${names}`] ?? '');
}

/** Title and summary of a view: those that nametap brings speak the language of the page. */
export function viewText({ name, title, summary, builtin }: View): { title: string; summary: string | undefined } {
  const own = builtin ? said.value[`hunt.${name}`] : undefined;
  return own === undefined ? { title, summary } : { title: own, summary: said.value[`hunt.${name}.summary`] };
}
