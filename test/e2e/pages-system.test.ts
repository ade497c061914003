import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Sensors } from '../../src/server/schema/sensors.ts';
import { openPage } from './harness.ts';
import { ALERT } from './pages-data.ts';
import { HOUR, Pages, panel, pressUntil, VIEWER } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
});
after(() => pages.close());

test('the pipeline sums: what comes into a stage goes on or leaves by a cause', async () => {
  const { sensors, store, sinks } = await pages.api<Sensors>('/sensors');
  const { funnel } = sensors[0].ledger;
  await pages.at('/sensors', async (page) => {
    const stages = page.locator('.flow > ol > li');
    await stages.first().waitFor();
    assert.equal(await stages.count(), funnel.length);
    for (const [i, stage] of funnel.entries()) {
      const numbers = await stages
        .nth(i)
        .locator('data')
        .evaluateAll((all) => all.map((one) => Number(one.getAttribute('value'))));
      const [came, ...left] = numbers;
      assert.equal(came, stage.in, stage.stage);
      assert.equal(came - left.reduce((sum, n) => sum + n, 0), stage.out, `${stage.stage} sums`);
    }
    await page.locator('.flow figcaption:not(.alarm)').waitFor();
    await page.locator('.sentence', { hasText: '12 frames are lost' }).waitFor();
    await stages.nth(1).locator('.loss').waitFor();
    await page.locator('.flow').getByRole('button', { name: 'Show as a table' }).click({ force: true });
    await page.locator('.flow table').getByText('kernel, ring full 12').waitFor();

    const kept = panel(page, 'Store').first();
    await kept.locator('.note', { hasText: `schema ${store.schema}` }).waitFor();
    const rows = store.tables.find(({ name }) => name === 'transactions')?.rows;
    await kept.locator('tr', { hasText: 'transactions' }).locator(`data[value="${rows}"]`).first().waitFor();
    await panel(page, 'Sinks').locator('tbody tr', { hasText: sinks[0].name }).waitFor();
    await page.locator('.sensor', { hasText: 'Privacy level 0' }).waitFor();
    await page.locator('.sensor .sampled', { hasText: 'One client in 4 is looked at' }).waitFor();
    await page.locator('.sensor h3', { hasText: '2 queries wait for their response' }).waitFor();
    const remembered = panel(page, 'What is remembered').locator('tr', { hasText: 'alerts' });
    await remembered.locator('data[value="5"]').waitFor();
    await remembered.locator('data[value="2"]').waitFor();

    const answers = panel(page, 'Answers kept');
    await answers.locator('.note', { hasText: '97.5 % of questions without the store' }).waitFor();
    await answers.getByRole('alert').getByText('Redis does not answer (connect ECONNREFUSED)').waitFor();
    const servers = panel(page, 'PostgreSQL');
    await servers.locator('tbody tr', { hasText: 'db-2:5432' }).getByText('4.2 s').waitFor();
    await servers.getByText('SELECT count(*) FROM transactions').first().waitFor();
  });
});

test('alerts: an empty inbox says what can be hunted, an alert shows its evidence', async () => {
  await pages.at('/alerts', async (page) => {
    await page.getByText('No alert is open').waitFor();
    const hunt = page.locator('.cards a', { hasText: 'Slow A' });
    assert.match((await hunt.getAttribute('href')) ?? '', /^\/explore\?.*f=/);
    await page.getByRole('radio', { name: 'Muted' }).check({ force: true });
    await page.waitForURL(/state=muted/);
    await page.getByText('No alert is “Muted”.').waitFor();
  });
  pages.fixture.services.alerts.raise(ALERT);
  await pages.at('/alerts', async (page) => {
    await page.getByRole('status').getByText('1 open').waitFor({ state: 'attached' });
    await pressUntil(page, 'j', '.inbox-list [data-alert] a:focus');
    await page.waitForURL(/sel=/);
    const evidence = panel(page, 'Evidence');
    await evidence.getByText('<b>40</b>').waitFor();
    await evidence.getByRole('link', { name: 'Open in the log' }).click();
    await page.waitForURL(/\/explore\?.*exfil/);
  });
  await pages.at(`/domains/exfil.example?${HOUR}`, async (page) => {
    await panel(page, 'Alerts').getByText(ALERT.title).waitFor();
  });
});

test('settings: theme, language and time zone hold; views, configuration and audit are shown', async () => {
  await pages.at('/settings', async (page) => {
    await page.getByRole('radio', { name: 'light', exact: true }).check({ force: true });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
    await page.getByRole('radio', { name: 'UTC', exact: true }).check({ force: true });
    await page.waitForURL(/tz=utc/);
    await page.locator('.config', { hasText: 'secret, not shown' }).waitFor();
    assert.equal(await page.locator('.config', { hasText: '***' }).count(), 0);
    await panel(page, 'Audit').locator('table').waitFor();
    const link = page.getByRole('link', { name: 'OpenAPI 3.1' });
    const answer = await page.request.get(pages.serving.url + (await link.getAttribute('href')));
    assert.match(((await answer.json()) as { openapi: string }).openapi, /^3\.1/);

    await page.getByRole('radio', { name: '简体中文' }).check({ force: true });
    await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans');
    await page.reload();
    await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light', 'kept');
  });
});

test('settings: what is blocked can be ended, one by one and at once', async () => {
  for (const value of ['evil.example', 'worse.example', 'worst.example']) {
    const answer = await pages.fixture.send('POST', '/api/v1/blocks', { kind: 'domain', value, reason: `of ${value}` });
    assert.equal(answer.status, 201);
  }
  await pages.at('/settings', async (page) => {
    const blocked = panel(page, 'Blocked');
    await blocked.getByText('no way to block is set up').waitFor();
    await blocked.getByText('of worse.example').waitFor();
    await blocked.getByRole('button', { name: 'End the block of evil.example' }).click();
    await page.getByRole('status').getByText('evil.example is not blocked any more').waitFor();
    await blocked.getByText('of evil.example').waitFor({ state: 'detached' });
    await blocked.getByRole('button', { name: 'End all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End all' }).click();
    await blocked.getByText('Nothing is blocked').waitFor();
    await panel(page, 'Would have been blocked').getByText('Nothing was proposed').waitFor();
  });
});

test('views: one’s own can be deleted, shipped ones cannot', async () => {
  await pages.fixture.send('POST', '/api/v1/views', { name: 'mine', title: 'My view', url: '/explore?f=udp' });
  await pages.at('/settings', async (page) => {
    const cards = panel(page, 'Views').locator('.cards li');
    await cards.filter({ hasText: 'Slow A' }).getByText('shipped').waitFor();
    await cards.filter({ hasText: 'My view' }).getByRole('button').click();
    await page.getByRole('status').getByText('The view mine is deleted').waitFor();
    await cards.filter({ hasText: 'My view' }).waitFor({ state: 'detached' });
  });
});

test('a viewer sees neither configuration nor audit, and cannot import', async () => {
  const { page, context } = await openPage(pages.browser, pages.serving);
  await context.clearCookies();
  await page.goto(`${pages.serving.url}/settings`);
  await page.getByRole('button', { name: 'Sign in by name and password' }).click();
  await page.getByLabel('Name').fill(VIEWER.name);
  await page.getByLabel('Password').fill(VIEWER.password);
  await page.keyboard.press('Enter');
  await page.getByText('are shown to operators').waitFor();
  assert.equal(await page.locator('.config').count(), 0);
  await page.goto(`${pages.serving.url}/pdns`);
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('Only operators can import.').waitFor();
  await context.close();
});
