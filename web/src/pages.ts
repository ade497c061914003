import type { ComponentType } from 'preact';
import type { TextKey } from './text.ts';

export interface PageProps {
  /** What the address has behind the page's path, decoded: `example.com` of `/domains/example.com`. */
  rest: string;
}
export interface PageEntry {
  /** First part of the address. */
  path: string;
  title: TextKey;
  /** Behind `g`: goes to the page. Empty = none. */
  key: string;
  load(): Promise<{ Page: ComponentType<PageProps> }>;
}

/** Every page, in the order of the navigation. A page is a module that exports `Page`. */
export const PAGES: readonly PageEntry[] = [
  { path: '/', title: 'page.overview', key: 'o', load: () => import('./overview/page.tsx') },
  { path: '/explore', title: 'page.explore', key: 'q', load: () => import('./explore/page.tsx') },
  { path: '/domains', title: 'page.domains', key: 'd', load: () => import('./domains/page.tsx') },
  { path: '/clients', title: 'page.clients', key: 'c', load: () => import('./clients/page.tsx') },
  { path: '/pdns', title: 'page.pdns', key: 'p', load: () => import('./pdns/page.tsx') },
  { path: '/alerts', title: 'page.alerts', key: 'a', load: () => import('./alerts/page.tsx') },
  { path: '/latency', title: 'page.latency', key: 'l', load: () => import('./latency/page.tsx') },
  { path: '/probes', title: 'page.probes', key: 'h', load: () => import('./probes/page.tsx') },
  { path: '/trace', title: 'page.trace', key: 'r', load: () => import('./trace/page.tsx') },
  { path: '/sensors', title: 'page.sensors', key: 's', load: () => import('./sensors/page.tsx') },
  { path: '/settings', title: 'page.settings', key: ',', load: () => import('./settings/page.tsx') },
];

/** The page of a path and what stands behind its part of it. */
export function findPage(path: string): { page: PageEntry; rest: string } | undefined {
  const first = `/${path.split('/')[1] ?? ''}`;
  const page = PAGES.find((entry) => entry.path === first);
  return page && { page, rest: safeDecode(path.slice(first.length + 1)) };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
