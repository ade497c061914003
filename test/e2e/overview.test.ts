import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Overview } from '../../src/server/schema/overview.ts';
import { checkAccessible, openBrowser, openPage, picture, type Serving, startServe, type View } from './harness.ts';

let serving: Serving;
let browser: Browser;

before(async () => {
  serving = await startServe();
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await serving.stop();
});

/** The first screen over the replayed capture, loaded; fails when the page complained of anything. */
async function withOverview(view: View, use: (page: Page, context: BrowserContext) => Promise<void>): Promise<void> {
  const { page, context, complaints } = await openPage(browser, serving, { path: '/?from=-15m', ...view });
  try {
    await page.locator('.tiles').waitFor();
    await use(page, context);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** A way to a port of this machine that can be cut and mended. */
async function breakable(port: number): Promise<{ url: string; cut(): void; mend(): void; close(): void }> {
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const socket of [from, to]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
    }
    if (isCut) from.destroy();
    from.pipe(to).pipe(from);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      end();
    },
    mend: () => {
      isCut = false;
    },
    close: () => {
      server.close();
      end();
    },
  };
}

/** What the API says in the page's own session. */
async function ask<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`) as Promise<T>;
}

test('the token signs in and leaves the address', async () => {
  const { page, context, complaints } = await openPage(browser, serving);
  assert.equal(new URL(page.url()).hash, '');
  assert.ok(!page.url().includes(serving.token));
  const cookies = await context.cookies();
  assert.ok(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Strict') && cookies.length === 1);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('without a token the page asks for it, and says when it is wrong', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(serving.url);
  const input = page.locator('input[name=token]');
  await input.waitFor();
  await checkAccessible(page, 'sign-in');
  await picture(page, 'sign-in-light-1440');
  await input.fill('not-the-token');
  await page.keyboard.press('Enter');
  await page.locator('.wrong', { hasText: 'not accepted' }).waitFor();
  await input.fill(serving.signIn);
  await page.keyboard.press('Enter');
  await page.locator('.tiles').waitFor();
  await context.close();
});

test('the first screen says what the API says', async () => {
  await withOverview({}, async (page) => {
    const overview = await ask<Overview>(page, '/overview?from=-15m');
    assert.equal(overview.tiles.length, await page.locator('.tiles .tile').count());
    const types = await page.locator('.answers .bars').first().locator('.bar-label').allInnerTexts();
    assert.deepEqual(
      types,
      overview.types.slice(0, types.length).map(({ key }) => key),
    );
    const shown = await page.locator('.tile', { hasText: 'Clients' }).locator('strong').innerText();
    assert.equal(shown, String(overview.tiles.find(({ key }) => key === 'clients')?.value));
    await page.locator('.banner.demo', { hasText: overview.demo?.banner ?? 'no demo' }).waitFor();
    const summary = await page.locator('.rates .plot').first().getAttribute('aria-label');
    assert.match(summary ?? '', /^Queries per second: \d+ points from .* lowest .*, highest .*, now /);
  });
});

test('rows come in, stand still under the pointer, and go on', async () => {
  await withOverview({}, async (page) => {
    const first = page.locator('.tail tbody tr').first();
    await first.waitFor();
    await page.locator('.panel.live .note', { hasText: /shown, at most 10 a second/ }).waitFor();
    const text = (): Promise<string> => first.innerText();
    const before = await text();
    await page.waitForFunction((old) => document.querySelector('.tail tbody tr')?.textContent !== old, before);
    await page.locator('.panel.live').scrollIntoViewIfNeeded();
    await page.locator('.live-rows').hover();
    await page.locator('.panel.live .note', { hasText: /Paused while you point at it · [1-9]/ }).waitFor();
    const still = await text();
    await page.waitForTimeout(1500);
    assert.equal(await text(), still, 'nothing moves while one reads');
    await page.mouse.move(5, 5);
    await page.waitForFunction((old) => document.querySelector('.tail tbody tr')?.textContent !== old, still);
    assert.ok((await page.locator('.tail tbody tr').count()) <= 14, 'only rows in sight are in the document');
    await page.keyboard.press('p');
    await page.locator('.panel.live .note', { hasText: /^Paused · / }).waitFor();
  });
});

test('a lost connection is said, and the rows go on', async () => {
  const proxy = await breakable(Number(new URL(serving.url).port));
  const { page, context } = await openPage(browser, { ...serving, url: proxy.url });
  await page.locator('.tail tbody tr').nth(3).waitFor();
  proxy.cut();
  await page.locator('.panel.live .note', { hasText: 'Connection lost' }).waitFor();
  const last = await page.locator('.tail tbody tr').first().innerText();
  await page.waitForTimeout(1000);
  assert.equal(await page.locator('.tail tbody tr').first().innerText(), last);
  proxy.mend();
  await page.locator('.panel.live .note', { hasText: 'shown' }).waitFor();
  await page.waitForFunction((old) => document.querySelector('.tail tbody tr')?.textContent !== old, last);
  await context.close();
  proxy.close();
});

test('a drag over a chart is the range, Back undoes it, a click opens the log', async () => {
  await withOverview({}, async (page) => {
    const plot = page.locator('.rates .u-over').first();
    const box = await plot.boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=20\d\d-/);
    const { searchParams } = new URL(page.url());
    const span = Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '');
    assert.ok(Math.abs(span - 0.3 * 900_000) < 60_000, `about 4.5 minutes: ${span / 60_000}`);
    await page.locator('.panel.live', { hasText: 'Live rows are off' }).waitFor();
    await page.goBack();
    await page.waitForURL(/from=-15m/);
    await page.locator('.rates .plot').first().focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/explore\?.*from=20\d\d-/);
  });
});

test('a chart is also a table', async () => {
  await withOverview({}, async (page) => {
    const rates = page.locator('.rates');
    await rates.hover();
    await rates.getByRole('button', { name: 'Show as a table' }).first().click();
    const rows = rates.locator('.chart-table tbody tr');
    assert.ok((await rows.count()) > 20);
    assert.match(await rows.nth(3).innerText(), /\d\d:\d\d(:\d\d)?\s+[\d.,]+\s?(k?\/s|\/min|\/h)/);
    await checkAccessible(page, 'chart as a table');
  });
});

test('a value has actions, by mouse and by keyboard; a filter is a chip and part of the address', async () => {
  await withOverview({}, async (page) => {
    const value = page.locator('.answers .value').first();
    const type = await value.innerText();
    await value.focus();
    await page.keyboard.press('Enter');
    const menu = page.getByRole('menu');
    await menu.waitFor();
    await checkAccessible(page, 'value menu');
    assert.deepEqual(await menu.getByRole('menuitem').first().innerText(), 'Show only this');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.search.includes('f='));
    assert.equal(new URL(page.url()).searchParams.get('f'), `dns.qry.type == "${type}"`);
    await page.locator('.chip', { hasText: type }).waitFor();
    const others = page.locator('.answers .bars').first().locator('li');
    await page.waitForFunction(() => document.querySelectorAll('.answers .bars')[0].children.length === 1);
    assert.equal(await others.locator('.bar-label').innerText(), type);
    await page.locator('.chip-close').click();
    await page.waitForFunction(() => !location.search.includes('f='));
  });
});

test('keys: search, go to, range, help', async () => {
  await withOverview({}, async (page) => {
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await checkAccessible(page, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.getByRole('dialog', { name: 'Time range' }).waitFor();
    await checkAccessible(page, 'time range');
    await page.getByRole('button', { name: '6 hours' }).click();
    await page.waitForURL(/from=-6h/);
    await page.keyboard.press('/');
    await page.keyboard.type('10.1.2.3');
    await page.getByRole('option', { name: 'Client 10.1.2.3' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForTimeout(100);
    assert.equal(new URL(page.url()).pathname, '/', 'no page has this key');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL(/\/sensors\?from=-6h/);
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.waitForURL(/\/\?from=-6h/);
  });
});

test('live holds still and follows again', async () => {
  await withOverview({}, async (page) => {
    await page.keyboard.press('l');
    await page.waitForURL(/live=0/);
    await page.locator('.panel.live', { hasText: 'Live rows are off' }).waitFor();
    await page.getByRole('button', { name: 'Follow' }).click();
    await page.locator('.tail tbody tr').first().waitFor();
  });
});

test('a filter that is wrong is said, where it is wrong', async () => {
  const path = `/?f=${encodeURIComponent('dns.qry.nmae == "x"')}`;
  const { page, context } = await openPage(browser, serving, { path });
  await page.locator('.problem', { hasText: 'dns.qry.name' }).waitFor();
  await context.close();
});

test('a page that is not there says so', async () => {
  const { page, context } = await openPage(browser, serving, { path: '/no-such-page' });
  await page.getByText('There is no page /no-such-page.').waitFor();
  await context.close();
});

for (const theme of ['dark', 'light'] as const) {
  test(`the first screen is accessible, and pictured: ${theme}`, async () => {
    await withOverview({ theme }, async (page) => {
      await page.locator('.tail tbody tr').nth(10).waitFor();
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(300);
        await checkAccessible(page, `${theme} ${width}`);
        await picture(page, `overview-${theme}-${width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `nothing is wider than the window: ${wide}`);
      }
    });
  });
}

test('in Chinese, where the browser prefers it', async () => {
  const context = await browser.newContext({ locale: 'zh-CN' });
  const page = await context.newPage();
  await page.goto(serving.signIn);
  await page.locator('nav', { hasText: '总览' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans');
  await context.close();
});
