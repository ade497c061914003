/** The pages over a real server and store that hold the network of pages-data.ts. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { buildPage } from '../../src/cli/build-page.ts';
import { hashPassword } from '../../src/server/passwords.ts';
import type { Share, Summary } from '../../src/server/schema/common.ts';
import { type Fixture, fixture, TOKEN } from '../server/fixture.ts';
import { openBrowser, openPage, type Serving, type View } from './harness.ts';
import { busySensor, CACHE, networkRows, NOW, POSTGRES } from './pages-data.ts';

/** The hour that the tests look at: it does not move. */
export const HOUR = `from=${new Date(NOW - 3_600_000).toISOString()}&to=${new Date(NOW).toISOString()}`;
export const VIEWER = { name: 'vera', password: 'looks only' };

export class Pages {
  readonly fixture: Fixture;
  readonly browser: Browser;
  readonly serving: Serving;

  private constructor(served: Fixture, browser: Browser) {
    this.fixture = served;
    this.browser = browser;
    const { url } = served.server;
    this.serving = { url, signIn: `${url}/#token=${TOKEN}`, token: TOKEN, stop: () => this.close() };
  }

  static async open(): Promise<Pages> {
    buildPage();
    const rows = networkRows();
    const count = rows.reduce((sum, batch) => sum + batch.count, 0);
    const served = await fixture({
      page: fileURLToPath(new URL('../../web/dist', import.meta.url)),
      sensors: () => [busySensor(count)],
      cache: () => CACHE,
      options: {
        address: '127.0.0.1',
        port: 0,
        hosts: [],
        token: { value: TOKEN, chosen: false },
        users: [{ name: VIEWER.name, role: 'viewer', password: await hashPassword(VIEWER.password) }],
        tls: null,
        metrics: 'loopback',
        sessionHours: 12,
      },
    });
    // What a store on PostgreSQL says of its servers.
    const { store } = served.services;
    const status = store.status.bind(store);
    store.status = async () => ({ ...(await status()), postgres: POSTGRES });
    await served.add(rows);
    return new Pages(served, await openBrowser());
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.fixture.close();
  }

  /** A signed-in page at `path`; fails when it complained of anything. */
  async at(path: string, use: (page: Page) => Promise<void>, view: View = {}): Promise<void> {
    const { page, context, complaints } = await openPage(this.browser, this.serving, view);
    try {
      await page.goto(this.serving.url + path);
      await page.locator('main .page').waitFor();
      await use(page);
      assert.deepEqual(complaints, [], path);
    } finally {
      await context.close();
    }
  }

  /** The same for who may only look. */
  async asViewer(path: string, use: (page: Page) => Promise<void>): Promise<void> {
    const context = await this.browser.newContext({ reducedMotion: 'reduce' });
    try {
      await context.request.post(`${this.serving.url}/api/v1/session`, { data: VIEWER });
      const page = await context.newPage();
      await page.goto(this.serving.url + path);
      await page.locator('main .page').waitFor();
      await use(page);
    } finally {
      await context.close();
    }
  }

  async api<T>(path: string): Promise<T> {
    return (await this.fixture.json(`/api/v1${path}`)) as T;
  }
}

/** Exact values of the numbers in a row of a table, in order. */
export async function values(page: Page, row: string): Promise<number[]> {
  return page.locator(`${row} data`).evaluateAll((all) => all.map((one) => Number(one.getAttribute('value'))));
}

/** Labels of the bars of a titled panel. */
export async function bars(page: Page, title: string): Promise<string[]> {
  return panel(page, title).locator('.bar-label').allInnerTexts();
}

/** The panel with a title. */
export function panel(page: Page, title: string): ReturnType<Page['locator']> {
  return page.locator('section.panel', { has: page.locator('h2', { hasText: title }) });
}

export function keysOf(shares: readonly Share[], most: number): string[] {
  return shares.slice(0, most).map(({ key }) => key);
}

/** The numbers of a statistic in the order of the tables. */
export function figures({ n, mean, variance, min, max, p50, p95, p99 }: Summary): (number | null)[] {
  return [n, mean, variance, min, max, p50, p95, p99];
}

/** Presses a key until it has led to `selector`: the first may come before the page listens. */
export async function pressUntil(page: Page, key: string, selector: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    await page.keyboard.press(key);
    const there = await page
      .locator(selector)
      .waitFor({ timeout: 1000 })
      .then(
        () => true,
        () => false,
      );
    if (there) return;
  }
  assert.fail(`${key} leads to ${selector}`);
}
