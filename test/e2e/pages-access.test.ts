import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { checkAccessible, picture } from './harness.ts';
import { ALERT, CLOCK_CLIENT, NOW } from './pages-data.ts';
import { HOUR, Pages } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
  await pages.fixture.store.records.put('alerts', ALERT, { time: NOW - 900_000 });
});
after(() => pages.close());

/** Every page, its name in pictures, and what is there once it is loaded. */
const ALL: readonly [name: string, path: string, loaded: string][] = [
  ['domains', `/domains?${HOUR}`, 'tbody tr[data-index]'],
  ['domain', `/domains/shop.example?${HOUR}`, '.lane'],
  ['clients', `/clients?${HOUR}`, 'tbody tr[data-index]'],
  ['client', `/clients/${CLOCK_CLIENT}?${HOUR}`, '.week td'],
  ['pdns', '/pdns?q=*.example', 'tbody tr[data-index]'],
  ['pdns-start', '/pdns', '.examples'],
  ['servers', `/latency?${HOUR}`, 'canvas'],
  ['pipeline', '/sensors', '.flow'],
  ['alerts', '/alerts', 'tbody tr[data-index]'],
  ['alerts-empty', '/alerts?state=closed', '.quiet'],
  ['settings', '/settings', '.config'],
];

/** Nothing is on its way any more. */
async function settle(page: Page, loaded: string): Promise<void> {
  await page.locator(`main ${loaded}`).first().waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector('main .waiting') === null && document.querySelector('main [aria-busy="true"]') === null,
  );
}

for (const theme of ['dark', 'light'] as const) {
  test(`axe-core finds nothing on any page, ${theme}`, async () => {
    for (const [name, path, loaded] of ALL) {
      await pages.at(
        path,
        async (page) => {
          await settle(page, loaded);
          await checkAccessible(page, `${name}, ${theme}`);
          await picture(page, `${name}-${theme}-1440`);
        },
        { theme },
      );
    }
  });
}

test('on a phone nothing is wider than the screen', async () => {
  for (const [name, path, loaded] of ALL) {
    await pages.at(
      path,
      async (page) => {
        await settle(page, loaded);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(wide <= 0, `${name}: ${wide} px too wide`);
        await picture(page, `${name}-dark-390`);
      },
      { width: 390, height: 844 },
    );
  }
});

test('the keyboard goes through a page in its order, and every stop can be seen', async () => {
  for (const [name, path, loaded] of ALL) {
    await pages.at(path, async (page) => {
      await settle(page, loaded);
      const seen: { top: number; left: number; label: string; outlined: boolean }[] = [];
      for (let stop = 0; stop < 60; stop++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
          const element = document.activeElement;
          if (element === null || element === document.body) return null;
          const shown = element.closest('label') ?? element;
          const { top, left } = shown.getBoundingClientRect();
          const outlined =
            [element, shown].some((one) => getComputedStyle(one).outlineStyle !== 'none') ||
            getComputedStyle(element.parentElement ?? element).boxShadow !== 'none';
          return {
            top: top + scrollY,
            left,
            label: `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent ?? ''}`.slice(0, 60),
            outlined,
            inMain: element.closest('main') !== null,
          };
        });
        if (at === null) break;
        if (at.inMain) seen.push(at);
      }
      assert.ok(seen.length > 0, `${name}: something can be reached`);
      assert.deepEqual(
        seen.filter(({ outlined }) => !outlined).map(({ label }) => label),
        [],
        `${name}: focus can be seen`,
      );
    });
  }
});
