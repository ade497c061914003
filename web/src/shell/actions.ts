import { isRelative, live, update } from '../state.ts';
import { setTheme, theme, THEMES } from '../theme.ts';

/** Follows new data or holds still; a range that ended in the past becomes one that ends now. */
export function toggleLive(): void {
  if (!isRelative.value) update({ from: null, to: null, live: null });
  else update({ live: live.value ? '0' : null }, { replace: true });
}

/** System, dark, light, system … */
export function nextTheme(): void {
  setTheme(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]);
}
