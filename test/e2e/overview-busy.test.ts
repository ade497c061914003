import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { buildPage } from '../../src/cli/build-page.ts';
import type { Overview } from '../../src/server/schema/overview.ts';
import { eventually } from '../app/serving.ts';
import { type Fixture, fixture, rowsOf, TOKEN } from '../server/fixture.ts';
import { checkAccessible, openBrowser, openPage, picture, type Serving, type View } from './harness.ts';
import { ALERTS, freshRows, NEW_DOMAIN, pastRows } from './overview-data.ts';

let served: Fixture;
let serving: Serving;
let browser: Browser;

before(async () => {
  buildPage();
  const past = pastRows();
  browser = await openBrowser();
  served = await fixture({ page: fileURLToPath(new URL('../../web/dist', import.meta.url)) });
  for (const rows of past) await served.add(rows);
  for (const alert of ALERTS) served.services.alerts.raise(alert);
  const { url } = served.server;
  serving = { url, signIn: `${url}/#token=${TOKEN}`, token: TOKEN, stop: () => served.close() };
});
after(async () => {
  await browser.close();
  await serving.stop();
});

async function withOverview(view: View, use: (page: Page, overview: Overview) => Promise<void>): Promise<void> {
  const { page, context, complaints } = await openPage(browser, serving, view);
  try {
    await page.locator('.tiles').waitFor();
    await use(page, (await served.json('/api/v1/overview?from=-1h')) as Overview);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

test('what is unusual is seen: sentence, tiles, ticks, movers, inbox', async () => {
  await withOverview({}, async (page, overview) => {
    assert.equal(overview.state.level, 'attention', overview.state.sentence);
    await page.locator('.state.attention b', { hasText: overview.state.sentence }).waitFor();
    const unusual = overview.tiles.filter(({ anomalous }) => anomalous);
    assert.ok(unusual.some(({ key }) => key === 'nxdomain_ratio'));
    assert.equal(await page.locator('.tile em:is(.attention, .alarm)').count(), unusual.length);
    assert.equal(
      await page.locator('.tile .gauge').count(),
      overview.tiles.filter(({ expected }) => expected !== null).length,
    );
    const label = await page.locator('.rates .plot').nth(1).getAttribute('aria-label');
    assert.match(label ?? '', /\d+ points? (is|are) outside of what is expected/);
    await page.locator('.movers td', { hasText: NEW_DOMAIN }).waitFor();
    await page.locator('.movers tr', { hasText: NEW_DOMAIN }).getByText('new').waitFor();
    for (const { title } of ALERTS) await page.locator('.alerts .alert', { hasText: title }).waitFor();
    assert.equal(await page.locator('nav a', { hasText: 'Alerts' }).locator('b').innerText(), '2');
    await page.locator('.latency td', { hasText: '10.0.0.54' }).waitFor();
  });
});

test('every number leads to its log', async () => {
  await withOverview({}, async (page) => {
    const targets = await page
      .locator('.tiles a.tile, .movers a, .answers a')
      .evaluateAll((all) => all.map((one) => (one instanceof HTMLAnchorElement ? one.pathname + one.search : '')));
    assert.ok(targets.length >= 20, `${targets.length} numbers lead somewhere`);
    for (const target of targets) {
      const { pathname, searchParams } = new URL(target, serving.url);
      if (pathname !== '/explore') continue;
      const f = searchParams.get('f') ?? '';
      const answer = await served.get(`/api/v1/transactions?limit=1&from=-1h&f=${encodeURIComponent(f)}`);
      assert.equal(answer.status, 200, `${f}: ${await answer.text()}`);
    }
    const tile = page.locator('a.tile', { hasText: 'NXDOMAIN' });
    await tile.click();
    await page.waitForURL(/\/explore\?f=/);
    await page.locator('main table tbody tr').first().waitFor();
  });
});

test('the tip says value and expectation', async () => {
  await withOverview({}, async (page) => {
    const plot = page.locator('.rates .u-over').first();
    await plot.hover({ position: { x: 300, y: 80 } });
    const tip = page.locator('.rates .tip').first();
    await tip.locator('div', { hasText: 'Queries' }).waitFor();
    assert.match(await tip.innerText(), /Expected\s*[\d.]+ ?\/(s|min) – [\d.]+ ?\/(s|min)/);
  });
});

test('names and data from the wire are text, whatever they hold', async () => {
  await withOverview({}, async (page) => {
    // The count of open alerts comes into the title once the inbox is there.
    const title = await eventually(async () => {
      const now = await page.title();
      return now.startsWith(`(${ALERTS.length}) `) ? now : undefined;
    }, 'a title with the number of alerts');
    const name = '<img src=x onerror=document.title=1>.hostile.example';
    const data = '"<script>document.title=2</script>"';
    const timer = setInterval(() => {
      const answer = { answers: [{ name, type: 'TXT', ttl: 1, data }] };
      void served.add(rowsOf([{ time: Date.now() - 50, client: '10.2.3.4', name, type: 'TXT', answer }]));
    }, 300);
    try {
      const row = page.locator('.tail tbody tr', { hasText: 'onerror' }).first();
      await row.waitFor();
      assert.match(await row.innerText(), /<img.*hostile\.example[\s\S]*<script>document\.title=2<\/script>/);
      await row.locator('.value').nth(1).click();
      await page.getByRole('menu').getByText('Copy', { exact: true }).waitFor();
      assert.equal(await page.locator('.tail img, .tail script, .menu img').count(), 0);
      assert.equal(await page.title(), title);
    } finally {
      clearInterval(timer);
    }
  });
});

for (const theme of ['dark', 'light'] as const) {
  test(`the first screen when something is wrong, pictured: ${theme}`, async () => {
    await withOverview({ theme }, async (page) => {
      const timer = setInterval(() => void served.add(freshRows()), 200);
      try {
        await page.locator('.tail tbody tr').nth(13).waitFor();
      } finally {
        clearInterval(timer);
      }
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(300);
        await checkAccessible(page, `${theme} ${width}`);
        await picture(page, `overview-busy-${theme}-${width}`);
      }
    });
  });
}
