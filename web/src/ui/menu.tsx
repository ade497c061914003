import { computed, signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

export interface MenuItem {
  label: ComponentChildren;
  /** Goes there; else `run`. */
  href?: string;
  run?(): void;
  /** Shown at the end of the line. */
  hint?: ComponentChildren;
  /** Of a choice: this one holds. */
  checked?: boolean;
  /** A line above it. */
  separated?: boolean;
}
interface Open {
  anchor: Element;
  label: string;
  items: readonly MenuItem[];
}

const open = signal<Open | null>(null);
/** A menu is open: what it stands beside should not move away. */
export const menuIsOpen = computed(() => open.value !== null);

/** Opens the menu at an element; the keyboard goes back there when it closes. */
export function openMenu(anchor: Element, label: string, items: readonly MenuItem[]): void {
  open.value = open.value?.anchor === anchor ? null : { anchor, label, items };
}

/** The one menu of the page, drawn once by the shell. */
export function MenuHost(): JSX.Element | null {
  const current = open.value;
  return current === null ? null : <OpenMenu {...current} />;
}

function close(back: boolean): void {
  const anchor = open.value?.anchor;
  open.value = null;
  if (back && anchor instanceof HTMLElement) anchor.focus();
}

function OpenMenu({ anchor, label, items }: Open): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (list.current !== null) place(list.current, anchor);
    list.current?.querySelector<HTMLElement>('[role^=menuitem]')?.focus();
  }, [anchor, items]);
  useEffect(() => {
    const away = (event: Event): void => {
      const target = event.target as Node;
      if (list.current?.contains(target) !== true && !anchor.contains(target)) close(false);
    };
    const gone = (): void => {
      close(false);
    };
    document.addEventListener('pointerdown', away);
    addEventListener('popstate', gone);
    addEventListener('resize', gone);
    return () => {
      document.removeEventListener('pointerdown', away);
      removeEventListener('popstate', gone);
      removeEventListener('resize', gone);
    };
  }, [anchor]);
  return (
    <div class="menu" role="menu" aria-label={label} ref={list} onKeyDown={move}>
      <div class="menu-title mono" aria-hidden="true">
        {label}
      </div>
      {items.map((item, index) => (
        <Item key={index} item={item} />
      ))}
    </div>
  );
}

function Item({ item }: { item: MenuItem }): JSX.Element {
  const content = (
    <>
      <span>{item.label}</span>
      {item.hint !== undefined && <small>{item.hint}</small>}
    </>
  );
  const role = item.checked === undefined ? 'menuitem' : 'menuitemradio';
  const shared = { role, class: item.separated ? 'separated' : '', tabIndex: -1 } as const;
  if (item.href !== undefined) {
    return (
      <a {...shared} href={item.href} onClick={() => setTimeout(close, 0, false)}>
        {content}
      </a>
    );
  }
  return (
    <button
      {...shared}
      type="button"
      aria-checked={item.checked}
      onClick={() => {
        close(true);
        item.run?.();
      }}
    >
      {content}
    </button>
  );
}

function move(event: KeyboardEvent): void {
  const all = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('[role^=menuitem]')];
  const at = all.indexOf(document.activeElement as HTMLElement);
  if (event.key === 'Escape' || event.key === 'Tab') close(true);
  else if (event.key === 'ArrowDown') all[(at + 1) % all.length]?.focus();
  else if (event.key === 'ArrowUp') all.at((at - 1) % all.length)?.focus();
  else if (event.key === 'Home') all[0]?.focus();
  else if (event.key === 'End') all.at(-1)?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Below the anchor, above where there is no room; inside of the window. */
function place(menu: HTMLElement, anchor: Element): void {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - 4 - height) : below;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
}
