import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { checkAccessible, picture, type View } from './harness.ts';
import { ALERT, CLOCK_CLIENT } from './pages-data.ts';
import { HOUR, Pages } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
  pages.fixture.services.alerts.raise(ALERT);
});
after(() => pages.close());

/** Every page, its name in pictures, and what is there once it is loaded. */
const ALL: readonly (readonly [name: string, path: string, loaded: string])[] = [
  ['domains', `/domains?${HOUR}`, 'tbody tr[data-index]'],
  ['domain', `/domains/shop.example?${HOUR}`, '.lane'],
  ['clients', `/clients?${HOUR}`, 'tbody tr[data-index]'],
  ['client', `/clients/${CLOCK_CLIENT}?${HOUR}`, '.week td'],
  ['pdns', '/pdns?q=*.example', 'tbody tr[data-index]'],
  ['pdns-start', '/pdns', '.examples'],
  ['servers', `/latency?${HOUR}`, 'canvas'],
  ['probes-empty', '/probes', '.empty'],
  ['trace-empty', '/trace', '.empty'],
  ['pipeline', '/sensors', '.flow'],
  ['alerts', '/alerts', '.alert-detail .journal'],
  ['alerts-empty', '/alerts?state=closed', '.quiet'],
  ['settings', '/settings', '.config'],
];

const OVERVIEW = ['overview', `/?${HOUR}`, '.tiles'] as const;
const EXPLORE = ['explore', `/explore?${HOUR}`, 'tbody tr[data-index]'] as const;

/** Three English words in a row that are seen or read out; code, names from the wire and the configuration are none. */
async function englishOn(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isSentence = (text: string): boolean => /\b[a-z]{2,}[ ,]+[a-z]{2,}[ ,]+[a-z]{2,}\b/i.test(text);
    const found: string[] = [];
    for (const element of document.querySelectorAll('body *')) {
      if (element.closest('script, noscript, style, pre, code, .mono, .config, [lang=en]') !== null) continue;
      for (const name of ['title', 'aria-label', 'placeholder', 'alt']) {
        const text = element.getAttribute(name);
        if (text !== null && isSentence(text)) found.push(`${name}: ${text}`);
      }
      for (const node of element.childNodes) {
        if (node.nodeType === Node.TEXT_NODE && isSentence(node.nodeValue ?? ''))
          found.push((node.nodeValue ?? '').trim());
      }
    }
    return [...new Set(found)];
  });
}

/** Nothing is on its way any more. */
async function settle(page: Page, loaded: string): Promise<void> {
  await page.locator(`main ${loaded}`).first().waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector('main .waiting') === null && document.querySelector('main [aria-busy="true"]') === null,
  );
}

/** Every page, one after the other, in one window. */
async function through(
  view: View,
  use: (page: Page, name: string) => Promise<void>,
  all: typeof ALL = ALL,
): Promise<void> {
  await pages.at(
    ALL[0][1],
    async (page) => {
      for (const [name, path, loaded] of all) {
        await page.goto(pages.serving.url + path);
        await settle(page, loaded);
        await use(page, name);
      }
    },
    view,
  );
}

for (const theme of ['dark', 'light'] as const) {
  test(`axe-core finds nothing on any page, ${theme}`, async () => {
    await through({ theme }, async (page, name) => {
      await checkAccessible(page, `${name}, ${theme}`);
      await picture(page, `${name}-${theme}-1440`);
    });
  });
}

const LADDER = ['sequence', `/explore?${HOUR}&view=ladder`, '.ladder .message'] as const;

for (const [width, height] of [
  [390, 844],
  [320, 640],
  [1440, 900],
] as const) {
  test(`at ${width} pixels no page is wider than the screen, and none goes on below what is on it`, async () => {
    const use = async (page: Page, name: string): Promise<void> => {
      const { wide, below } = await measured(page);
      assert.ok(wide <= 0, `${name}: ${wide} px too wide`);
      assert.ok(below <= 64, `${name}: ${below} px of nothing`);
      if (width === 390) await picture(page, `${name}-dark-390`);
    };
    await through({ width, height }, use, [...ALL, OVERVIEW, EXPLORE, LADDER]);
  });
}

/** Pixels beyond the right edge, and below the last thing on a page that is longer than the screen. */
async function measured(page: Page): Promise<{ wide: number; below: number }> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    const ends = [...document.querySelectorAll('main .panel, main section, main p, main table')].map(
      (one) => one.getBoundingClientRect().bottom + scrollY,
    );
    return {
      wide: scrollWidth - clientWidth,
      below: scrollHeight <= clientHeight ? 0 : scrollHeight - Math.max(...ends),
    };
  });
}

test('in Chinese no page says a sentence in English', async () => {
  await pages.at(ALL[0][1], async (page) => {
    await page.evaluate(() => localStorage.setItem('nametap.language', 'zh'));
    const found: Record<string, string[]> = {};
    // What detectors found is said in English, and marked as such where it is shown in full.
    const all = [...ALL.filter(([name]) => !name.startsWith('alerts')), OVERVIEW, EXPLORE];
    for (const [name, path, loaded] of all) {
      await page.goto(pages.serving.url + path);
      await settle(page, loaded);
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans', name);
      const english = await englishOn(page);
      if (english.length > 0) found[name] = english;
    }
    assert.deepEqual(found, {});
  });
});

test('the keyboard goes through a page in its order, and every stop can be seen', async () => {
  await through({}, async (page, name) => {
    assert.equal(await moving(page), 0, `${name}: nothing moves when that is not wanted`);
    const stops = await tabStops(page, 50);
    assert.ok(stops.length > 0, `${name}: something can be reached`);
    assert.deepEqual(
      stops.filter(({ isSeen }) => !isSeen).map(({ label }) => label),
      [],
      `${name}: focus can be seen`,
    );
    const inOrder = stops.map(({ at }) => at);
    assert.deepEqual(
      inOrder,
      [...inOrder].sort((a, b) => a - b),
      `${name}: as it is read`,
    );
  });
});

/** Animations that take time. */
async function moving(page: Page): Promise<number> {
  return page.evaluate(
    () => document.getAnimations().filter((one) => Number(one.effect?.getComputedTiming().duration ?? 0) > 0).length,
  );
}

/** Where Tab stops within the content, at most so many; `at`: its place in the document. */
async function tabStops(page: Page, most: number): Promise<{ label: string; isSeen: boolean; at: number }[]> {
  const stops: { label: string; isSeen: boolean; at: number }[] = [];
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element.closest('main') === null) return null;
      const shown = element.closest('label') ?? element;
      return {
        label: `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent ?? ''}`.slice(0, 60),
        isSeen: [element, shown].some((one) =>
          [null, '::after'].some((part) => getComputedStyle(one, part).outlineStyle !== 'none'),
        ),
        at: [...document.querySelectorAll('main *')].indexOf(element),
      };
    });
    if (stop !== null) stops.push(stop);
    else if (stops.length > 0) break;
  }
  return stops;
}
