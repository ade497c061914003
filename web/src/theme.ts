import { computed, effect, signal } from '@preact/signals';
import { recall, remember } from './memory.ts';

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const system = signal(systemIsDark.matches);
systemIsDark.addEventListener('change', ({ matches }) => {
  system.value = matches;
});

/** What was chosen. */
export const theme = signal<Theme>(read());
/** What is shown. Canvases read their colours again when it changes. */
export const isDark = computed(() => (theme.value === 'system' ? system.value : theme.value === 'dark'));
// Before the canvases, which come later and read the colours.
effect(() => {
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
});

export function setTheme(next: Theme): void {
  theme.value = next;
  remember('theme', next);
}

/** A colour or length of the design system by its name without dashes, for canvases. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function read(): Theme {
  const stored = recall('theme');
  return THEMES.find((candidate) => candidate === stored) ?? 'system';
}
