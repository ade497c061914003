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
