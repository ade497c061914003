import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { abridged, and, conjuncts, pieces, quote, term, without } from '../filter.ts';
import { filter, go, here, link, update } from '../state.ts';
import { t } from '../text.ts';
import { Icon } from '../ui/icons.tsx';
import { IconButton, Kbd } from '../ui/panel.tsx';

/** What everything on the page passes through, part by part, and the field that finds and filters. */
export function FilterBar(): JSX.Element {
  const parts = conjuncts(filter.value);
  return (
    <div class="filterbar">
      {parts.map((part, index) => (
        <Chip key={`${index} ${part}`} text={part} index={index} />
      ))}
      <Search />
      {parts.length > 0 && (
        <IconButton icon="close" label={t('search.clear')} onClick={() => update({ f: null, sel: null })} />
      )}
    </div>
  );
}

function Chip({ text, index }: { text: string; index: number }): JSX.Element {
  const edit = (): void => {
    update({ f: without(filter.value, index), sel: null });
    const input = document.querySelector<HTMLInputElement>('.search input');
    if (input === null) return;
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.focus();
  };
  return (
    <span class="chip mono">
      <button type="button" title={t('search.edit', { text })} onClick={edit}>
        <Code text={abridged(text)} />
      </button>
      <button
        type="button"
        class="chip-close"
        aria-label={t('search.remove', { text })}
        onClick={() => update({ f: without(filter.value, index), sel: null })}
      >
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

/** A filter in the colours of its pieces. */
export function Code({ text }: { text: string }): JSX.Element {
  return (
    <span class="code">
      {pieces(text).map(({ kind, text: piece }, index) => (
        <span key={index} class={kind}>
          {piece}
        </span>
      ))}
    </span>
  );
}

interface Suggestion {
  text: string;
  href: string;
}

function Search(): JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [shown, setShown] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const found = suggestions(text.trim());
  const choose = (suggestion: Suggestion | undefined): void => {
    if (suggestion === undefined) return;
    setText('');
    setShown(false);
    input.current?.blur();
    go(suggestion.href);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt((at + 1) % Math.max(1, found.length));
    else if (event.key === 'ArrowUp') setAt((at + found.length - 1) % Math.max(1, found.length));
    else if (event.key === 'Enter') choose(found[at]);
    else if (event.key === 'Escape') input.current?.blur();
    else if (event.key === 'Backspace' && text === '') {
      update({ f: without(filter.value, conjuncts(filter.value).length - 1), sel: null });
    } else return;
    event.preventDefault();
  };
  const listed = shown && found.length > 0;
  return (
    <div class="search">
      <Icon name="search" size={14} />
      <input
        ref={input}
        class="mono"
        role="combobox"
        aria-label={t('search.label')}
        aria-expanded={listed}
        aria-controls="search-list"
        aria-activedescendant={listed ? `search-${at}` : undefined}
        placeholder={t('search.placeholder')}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
          setShown(true);
        }}
        onFocus={() => setShown(true)}
        onBlur={() => setTimeout(setShown, 150, false)}
        onKeyDown={onKey}
      />
      {text === '' && <Kbd>/</Kbd>}
      <Listed found={listed ? found : []} at={at} choose={choose} />
    </div>
  );
}

function Listed(props: {
  found: readonly Suggestion[];
  at: number;
  choose: (suggestion: Suggestion) => void;
}): JSX.Element {
  return (
    <div
      class="search-list"
      id="search-list"
      role="listbox"
      aria-label={t('search.label')}
      hidden={props.found.length === 0}
    >
      {props.found.map((suggestion, index) => (
        <div
          key={suggestion.href}
          id={`search-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === props.at}
          onPointerDown={(event) => {
            event.preventDefault();
            props.choose(suggestion);
          }}
        >
          {suggestion.text}
        </div>
      ))}
    </div>
  );
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*)(?:\/\d{1,3})?$/i;
const NAME = /^[\p{L}\p{N}_*](?:[\p{L}\p{N}_.*-]*[\p{L}\p{N}_*.])?$/u;
const CODES = /^(noerror|formerr|servfail|nxdomain|notimp|refused)$/i;

/** What was typed may be an address, a name, a response code, a piece of a name or a filter. */
export function suggestions(text: string): Suggestion[] {
  if (text === '') return [];
  const filtered = (f: string): string => here({ f: and(filter.value, f), sel: null });
  const asFilter = { text: t('search.filter', { text }), href: filtered(text) };
  if (ADDRESS.test(text)) {
    const f = term('client', text) ?? text;
    const list = [
      { text: t('search.filter', { text: f }), href: filtered(f) },
      { text: t('search.pdns', { text }), href: link('/pdns', { q: text, f: null }) },
    ];
    if (text.includes('/')) return list;
    const page = `/clients/${encodeURIComponent(text)}`;
    return [{ text: t('search.client', { text }), href: link(page, { f: null }) }, ...list];
  }
  if (CODES.test(text)) {
    const f = term('rcode', text.toUpperCase()) ?? text;
    return [{ text: t('search.filter', { text: f }), href: filtered(f) }];
  }
  if (!NAME.test(text)) return [asFilter];
  const contains = {
    text: t('search.contains', { text }),
    href: filtered(`dns.qry.name contains ${quote(text.toLowerCase())}`),
  };
  const pdns = { text: t('search.pdns', { text }), href: link('/pdns', { q: text, f: null }) };
  if (!text.includes('.')) return [contains, pdns, asFilter];
  const domain = {
    text: t('search.domain', { text }),
    href: link(`/domains/${encodeURIComponent(text.toLowerCase())}`, { f: null }),
  };
  return text.includes('*') ? [pdns, asFilter] : [domain, contains, pdns];
}
