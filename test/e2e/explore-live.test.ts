import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, openPage, picture, type Serving, startServe } from './harness.ts';

let serving: Serving;
let browser: Browser;

before(async () => {
  serving = await startServe(['--demo', 'on']);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await serving.stop();
});

const first = (page: Page) => page.locator('tr[data-index="0"]').innerText();

/** Waits for another row on top. */
async function moves(page: Page, from: string): Promise<void> {
  await page.waitForFunction(
    (text) => document.querySelector<HTMLElement>('tr[data-index="0"]')?.innerText !== text,
    from,
  );
}

test('the log follows, holds still under the pointer, and goes on', async () => {
  const { page, context, complaints } = await openPage(browser, serving);
  await page.goto(`${serving.url}/explore`);
  await page.locator('tr[data-index="0"]').waitFor();
  await page.mouse.move(10, 10);
  await moves(page, await first(page));
  await page.locator('.told', { hasText: 'Following' }).waitFor();
  assert.match(await page.locator('.told').innerText(), /every one is shown|% are shown/);
  await picture(page, 'explore-live-dark-1440');
  assert.ok((await page.locator('.log tr[data-index]').count()) < 70);

  await page.locator('tr[data-index="3"]').hover();
  await page.locator('.told', { hasText: 'held while you look' }).waitFor();
  const held = await first(page);
  await page.waitForTimeout(1200);
  assert.equal(await first(page), held);
  await page.mouse.move(10, 10);
  await moves(page, held);

  // A row that has only just come is opened: the details wait for the store.
  await page.locator('tr[data-index="0"] td').first().click();
  await page.getByRole('tree').waitFor();
  assert.deepEqual(
    complaints.filter((text) => !text.includes('404')),
    [],
  );
  await context.close();
});

test('a filter holds for the tail too', async () => {
  const { page, context } = await openPage(browser, serving);
  await page.goto(`${serving.url}/explore?f=${encodeURIComponent('dns.qry.type == PTR')}`);
  await page.locator('tr[data-index="0"]').waitFor();
  await page.mouse.move(10, 10);
  await moves(page, await first(page));
  const types = await page.locator('.log tr[data-index] td:nth-child(4)').allInnerTexts();
  assert.deepEqual([...new Set(types)], ['PTR']);
  await page.keyboard.press('l');
  await page.waitForURL((url) => url.searchParams.get('live') === '0');
  await page.locator('.told', { hasText: 'Following' }).waitFor({ state: 'detached' });
  await context.close();
});
