import { useEffect } from 'preact/hooks';
import type { TextKey } from './text.ts';

/** What a key does; `keys` are `KeyboardEvent.key` values, a sequence has a blank between: `g o`. */
export interface Binding {
  keys: string;
  title: TextKey;
  run(event: KeyboardEvent): void;
}

const bound = new Set<readonly Binding[]>();
let prefix = '';
let prefixTimer: ReturnType<typeof setTimeout> | undefined;

/** Binds keys while the component is shown; later bindings win. */
export function useKeys(bindings: readonly Binding[]): void {
  useEffect(() => {
    bound.add(bindings);
    return () => {
      bound.delete(bindings);
    };
  }, [bindings]);
}

/** What can be pressed now, for the overlay. */
export function boundKeys(): Binding[] {
  const byKeys = new Map<string, Binding>();
  for (const bindings of bound) for (const binding of bindings) byKeys.set(binding.keys, binding);
  return [...byKeys.values()];
}

/** Starts listening, once. Keys typed into a field, or with Ctrl, Alt or Meta, are not ours. */
export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]') !== null) return;
    const keys = prefix + event.key;
    const found = boundKeys().find((binding) => binding.keys === keys);
    clearTimeout(prefixTimer);
    const isPrefix = prefix === '' && boundKeys().some((binding) => binding.keys.startsWith(`${keys} `));
    prefix = isPrefix ? `${keys} ` : '';
    if (isPrefix) {
      prefixTimer = setTimeout(() => {
        prefix = '';
      }, 1500);
    }
    if (found === undefined) return;
    event.preventDefault();
    found.run(event);
  });
}

/** Fields whose keys are text; boxes and buttons of a choice leave letters to us. */
const TYPED = 'textarea, select, input:not([type=radio], [type=checkbox], [type=file], [type=button])';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches(TYPED));
}
