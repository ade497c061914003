import type { ComponentChildren, JSX } from 'preact';
import { and, not, term, type ValueKind } from '../filter.ts';
import { defang } from '../format.ts';
import { filter, here, link } from '../state.ts';
import { t } from '../text.ts';
import { type MenuItem, openMenu } from './menu.tsx';
import { notify } from './notice.tsx';

interface ValueProps {
  kind: ValueKind;
  value: string;
  /** What is shown; default: the value. */
  children?: ComponentChildren;
  class?: string;
  /** Filter of the value where it is not the kind's usual one. */
  f?: string | undefined;
  /** In rows of a table the keyboard comes here by the arrow keys, not by Tab. */
  inRow?: boolean;
}

/** A value with its menu: filter for it, leave it out, open its page, passive DNS, copy. */
export function Value({ kind, value, children, class: name = '', f, inRow = false }: ValueProps): JSX.Element {
  return (
    <button
      type="button"
      class={`value ${name}`}
      tabIndex={inRow ? -1 : undefined}
      aria-haspopup="menu"
      title={value}
      onClick={(event) => {
        event.stopPropagation();
        openMenu(event.currentTarget, value, valueActions(kind, value, f));
      }}
    >
      {children ?? value}
    </button>
  );
}

/** What can be done with a value. */
export function valueActions(kind: ValueKind, value: string, f = term(kind, value) ?? undefined): MenuItem[] {
  const items: MenuItem[] = [];
  if (f !== undefined) {
    const present = filter.value;
    items.push(
      { label: t('value.only'), href: here({ f: and(present, f), sel: null }) },
      { label: t('value.without'), href: here({ f: and(present, not(f)), sel: null }) },
      { label: t('value.log'), href: link('/explore', { f: and(present, f) }) },
    );
  }
  const pages: MenuItem[] = [];
  if (kind === 'name' || kind === 'domain') {
    pages.push({ label: t('value.domain'), href: link(`/domains/${encodeURIComponent(value)}`, { f: null }) });
  }
  if (kind === 'client') {
    pages.push({ label: t('value.client'), href: link(`/clients/${encodeURIComponent(value)}`, { f: null }) });
  }
  if (kind === 'name' || kind === 'domain' || kind === 'address' || kind === 'server' || kind === 'client') {
    pages.push({ label: t('value.pdns'), href: link('/pdns', { q: value, f: null }) });
  }
  const copies: MenuItem[] = [{ label: t('value.copy'), run: () => void copy(value) }];
  if (kind !== 'type' && kind !== 'rcode' && kind !== 'transport' && kind !== 'id') {
    copies.push({ label: t('value.defang'), hint: '[.]', run: () => void copy(defang(value)) });
  }
  for (const group of [pages, copies]) {
    if (items.length > 0 && group.length > 0) group[0].separated = true;
    items.push(...group);
  }
  return items;
}

/** Puts text on the clipboard and says so. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(t('shell.copied'));
  } catch {
    // Not allowed here (no secure context): the text itself can be marked and copied.
    notify(text);
  }
}
