import { computed, signal } from '@preact/signals';

/**
 * The page's state is its address: `?from=-1h&to=now&tz=&f=<filter>&group=&sort=&cols=&live=1&sel=`. It is read and written
 * here only. Relative ranges stay relative, so that a shared link means the same tomorrow.
 */
const address = signal(new URL(globalThis.location?.href ?? 'http://localhost/'));

/** What goes along from page to page; everything else belongs to one page. */
const GLOBAL = ['from', 'to', 'tz', 'f', 'live'] as const;
const DEFAULTS: Readonly<Record<string, string>> = { from: '-1h', to: 'now' };

/** Path of the page, from `/` on, without a closing slash. */
export const path = computed(() => address.value.pathname.replace(/(.)\/+$/, '$1'));

/** Values of the address by key; `null` removes one. */
export type Patch = Readonly<Record<string, string | number | null | undefined>>;

/** A value of the address; its default, else empty. */
export function param(key: string): string {
  return address.value.searchParams.get(key) ?? DEFAULTS[key] ?? '';
}

/** The time range as written: RFC 3339, `now`, `-1h`, or ms since 1970. */
export const range = computed(() => ({ from: param('from'), to: param('to') }));
/** The display filter that everything on the page passes through; empty = no filter. */
export const filter = computed(() => param('f'));
/** The range ends now, so what is shown can follow it. */
export const isRelative = computed(() => param('to') === 'now');
/** What is shown updates by itself. */
export const live = computed(() => isRelative.value && param('live') !== '0');
/** `utc`, or the browser's own time zone. */
export const zone = computed(() => (param('tz') === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone));
/** Range and filter, as the API takes them. */
export const scope = computed(() => ({ ...range.value, f: filter.value || undefined }));

/** The address of a page: range, filter, time zone and live go along unless `patch` changes them. */
export function link(to: string, patch: Patch = {}): string {
  const next = new URLSearchParams();
  for (const key of GLOBAL) {
    const value = address.value.searchParams.get(key);
    if (value !== null) next.set(key, value);
  }
  return withParams(to, next, patch);
}

/** The present page with some values of its address changed. */
export function here(patch: Patch): string {
  return withParams(path.value, new URLSearchParams(address.value.search), patch);
}

/** Goes to an address of this page (`link`, `here`); `replace` keeps the way back as it is. */
export function go(to: string, { replace = false } = {}): void {
  const next = new URL(to, address.value);
  if (next.href === address.value.href) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', next);
  const samePage = next.pathname === address.value.pathname;
  address.value = next;
  if (!samePage) scrollTo(0, 0);
}

/** Changes values of the address, here. */
export function update(patch: Patch, options?: { replace?: boolean }): void {
  go(here(patch), options);
}

/** Sets the range to a piece of time, in ms since 1970 (a brush on a chart). */
export function setRange(from: number, to: number): void {
  update({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
}

const SPAN = /^-(\d+(?:\.\d+)?)([smhdw])$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

/** A time of the address in ms since 1970; NaN when it says none. */
export function resolveTime(text: string, now = Date.now()): number {
  if (text === 'now') return now;
  const span = SPAN.exec(text);
  if (span !== null) return now - Number(span[1]) * UNIT_MS[span[2]];
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

/** The range in ms since 1970, as of now. */
export function resolvedRange(now = Date.now()): { from: number; to: number } {
  return { from: resolveTime(range.value.from, now), to: resolveTime(range.value.to, now) };
}

/** How often what is shown asks again, in ms: 480 times in the length of the range, every 3 s to every minute. */
export function refreshInterval(): number {
  const { from, to } = resolvedRange();
  return Math.min(60_000, Math.max(3_000, (to - from) / 480));
}

/** Follows the address bar and clicks on links to this page. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    address.value = new URL(location.href);
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const anchor = event.target instanceof Element ? event.target.closest('a') : null;
    if (anchor === null || anchor.target !== '' || anchor.hasAttribute('download')) return;
    if (anchor.origin !== location.origin || /^\/(api|query|lookup|metrics)\b/.test(anchor.pathname)) return;
    if (anchor.getAttribute('href')?.startsWith('#')) return;
    event.preventDefault();
    go(anchor.href);
  });
}

function withParams(to: string, params: URLSearchParams, patch: Patch): string {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined || value === '' || DEFAULTS[key] === value) params.delete(key);
    else params.set(key, String(value));
  }
  const search = params.toString();
  return search === '' ? to : `${to}?${search}`;
}
