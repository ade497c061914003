import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Statistics } from '../../src/server/schema/statistics.ts';
import type { ClientPage, NamePage, Servers } from '../../src/server/schema/pages.ts';
import type { Audit } from '../../src/server/schema/meta.ts';
import { CLOCK_CLIENT, MOVED, SLOW_SERVER } from './pages-data.ts';
import { bars, figures, HOUR, keysOf, Pages, panel, pressUntil, values } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
});
after(() => pages.close());

const COLUMNS = 'measures=transactions,clients,names,nxdomain,unanswered,latency';

test('domains: every number of the list is the API’s, and any column sorts', async () => {
  const { rows } = await pages.api<Statistics>(`/statistics?${HOUR}&group=domain&${COLUMNS}&limit=300`);
  await pages.at(`/domains?${HOUR}`, async (page) => {
    const row = page.locator('tbody tr[data-index]');
    await row.first().waitFor();
    assert.equal(await row.count(), rows.length);
    const [first] = rows;
    const { latency } = first;
    assert.ok(latency !== undefined && first.transactions !== undefined);
    assert.equal(await row.first().locator('.value').innerText(), first.domain);
    const shown = await values(page, 'tbody tr[data-index="0"]');
    const expected = [
      first.transactions,
      first.clients,
      first.names,
      (first.nxdomain ?? 0) / first.transactions,
      (first.unanswered ?? 0) / first.transactions,
      ...figures(latency),
    ];
    assert.deepEqual(shown, expected);

    await page.getByRole('button', { name: 'p95' }).click();
    await page.waitForURL(/sort=-latency\.p95/);
    const slowest = [...rows].sort((a, b) => (b.latency?.p95 ?? -1) - (a.latency?.p95 ?? -1))[0];
    await page.locator('tbody tr[data-index="0"]', { hasText: slowest.domain ?? '' }).waitFor();
    assert.equal(await page.locator('th[aria-sort="descending"]').innerText(), 'p95');
    await page.getByRole('radio', { name: 'TTL' }).check({ force: true });
    await page.waitForURL(/cols=ttl.*sort=-ttl\.p95|sort=-ttl\.p95.*cols=ttl/);
    await page.getByRole('searchbox').fill('vendor');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr[data-index]').length === 1);
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has('cols'));
  });
});

test('domains: a number leads to the log of what it counts', async () => {
  await pages.at(`/domains?${HOUR}`, async (page) => {
    const link = page.locator('tbody tr[data-index="0"] a.num').first();
    const counted = Number(await link.locator('data').getAttribute('value'));
    const to = new URL((await link.getAttribute('href')) ?? '', pages.serving.url);
    assert.equal(to.pathname, '/explore');
    const f = to.searchParams.get('f') ?? '';
    const { rows } = await pages.api<Statistics>(
      `/statistics?${HOUR}&measures=transactions&f=${encodeURIComponent(f)}`,
    );
    assert.equal(rows[0].transactions, counted, f);
    await link.click();
    await page.waitForURL(/\/explore\?/);
  });
});

test('domains: rows by keyboard, a value has its menu', async () => {
  await pages.at(`/domains?${HOUR}`, async (page) => {
    await page.locator('tbody tr[data-index="0"]').waitFor();
    await pressUntil(page, 'j', 'tbody tr[data-index="0"]:focus');
    await page.keyboard.press('j');
    await page.locator('tbody tr[data-index="1"]:focus').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const menu = page.getByRole('menu');
    await menu.waitFor();
    assert.deepEqual(await menu.getByRole('menuitem').allInnerTexts(), [
      'Show only this',
      'Leave this out',
      'Open in the log',
      'Open the domain',
      'Passive DNS',
      'Copy',
      'Copy defanged\n[.]',
    ]);
    await page.keyboard.press('Escape');
    await page.locator('tbody tr[data-index="1"] .value:focus').waitFor();
    await page.keyboard.press('ArrowLeft');
    const name = await page.locator('tbody tr[data-index="1"] .value').innerText();
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/domains/${name}\\?`));
    await page.locator('h1', { hasText: name }).waitFor();
  });
});

test('a domain: counts, names below, records over time, pivots', async () => {
  const name = await pages.api<NamePage>(`/names/shop.example?${HOUR}`);
  await pages.at(`/domains/shop.example?${HOUR}`, async (page) => {
    await page.locator('.sentence', { hasText: `Asked ${name.totals.transactions} times` }).waitFor();
    const tile = page.locator('.tile').first().locator('strong');
    assert.equal(await tile.innerText(), String(name.totals.transactions));
    assert.deepEqual(await bars(page, 'Clients'), keysOf(name.top.clients, 8));
    assert.deepEqual(await bars(page, 'Codes'), keysOf(name.top.rcodes, 8));
    const { latency } = name.statistics;
    const summary = await values(page, 'table[aria-label="Statistics"] tbody tr[data-index="0"]');
    assert.deepEqual(summary, figures(latency));

    const tree = panel(page, 'Names below');
    await tree.locator('tbody tr', { hasText: /^www/ }).waitFor();
    const api = tree.getByRole('button', { name: 'Show what is below api.shop.example' });
    assert.equal(await api.getAttribute('aria-expanded'), 'true', 'few branches are open');
    const before = await tree.locator('tbody tr').count();
    await api.click();
    assert.ok((await tree.locator('tbody tr').count()) < before, 'closed');

    const records = panel(page, 'Records over time');
    await records.locator('tbody tr', { hasText: '203.0.113.99' }).locator('.attn', { hasText: 'new' }).waitFor();
    await records.locator('tbody tr', { hasText: '203.0.113.12' }).getByText('gone').waitFor();
    await panel(page, 'Where to go on').locator('.rare').first().waitFor();
    await panel(page, 'Addresses').locator('.plot[aria-label*="points from"]').waitFor();
  });
});

test('a name: its TTL changed, and the page says from what to what', async () => {
  await pages.at(`/domains/${MOVED}?${HOUR}`, async (page) => {
    await panel(page, 'TTL')
      .locator('.note', { hasText: /change/ })
      .waitFor();
    assert.equal(await panel(page, 'Names below').count(), 0, 'nothing is below it');
    const twin = panel(page, 'TTL').getByRole('button', { name: 'Show as a table' });
    await twin.focus();
    await page.keyboard.press('Enter');
    const table = panel(page, 'TTL').getByRole('table');
    await table.locator('td', { hasText: '1 h' }).first().waitFor();
    await table.locator('td', { hasText: '1 min' }).first().waitFor();
  });
});

test('a filter goes along to the page of a domain', async () => {
  const f = encodeURIComponent('dns.flags.rcode == 3');
  const only = await pages.api<NamePage>(`/names/vendor.example?${HOUR}&f=${f}`);
  assert.equal(only.totals.nxdomain, only.totals.transactions);
  await pages.at(`/domains/vendor.example?${HOUR}&f=${f}`, async (page) => {
    await page.locator('.sentence', { hasText: `Asked ${only.totals.transactions} times` }).waitFor();
  });
});

test('a client: rhythm, pauses, what is new, and that looking at it is recorded', async () => {
  const client = await pages.api<ClientPage>(`/clients/${CLOCK_CLIENT}?${HOUR}`);
  await pages.at(`/clients/${CLOCK_CLIENT}?${HOUR}`, async (page) => {
    await page.locator('.sentence', { hasText: `Asked ${client.totals.transactions} times` }).waitFor();
    await page.locator('.privacy-note', { hasText: 'Privacy level 0' }).waitFor();
    const week = page.locator('.week td');
    await week.first().waitFor();
    assert.equal(await week.count(), 168);
    assert.ok((await page.locator('.week td:not(.h0)').count()) > 40, 'the hours of an office');
    await panel(page, 'Pauses').locator('li', { hasText: 'c2.example' }).getByText('every 1 min').waitFor();
    await panel(page, 'New domains').locator('li', { hasText: 'exfil.example' }).waitFor();
    const tunnel = panel(page, 'Distinct names').locator('tbody tr', { hasText: 'exfil.example' });
    await tunnel.getByText('100 %').waitFor();
    assert.deepEqual(await bars(page, 'Resolvers used'), keysOf(client.top.servers, 8));
    assert.deepEqual(await bars(page, 'Domains asked most'), keysOf(client.top.domains, 10));
  });
  const { rows } = await pages.api<Audit>('/audit');
  assert.ok(rows.some(({ action, subject }) => action === 'client.view' && subject === CLOCK_CLIENT));
});

test('clients: the list, opened by a click beside its values', async () => {
  await pages.at(`/clients?${HOUR}`, async (page) => {
    const row = page.locator('tbody tr[data-index]', { hasText: CLOCK_CLIENT });
    await row
      .locator('td')
      .nth(5)
      .click({ position: { x: 4, y: 4 } });
    await page.waitForURL(new RegExp(`/clients/${CLOCK_CLIENT.replaceAll('.', '\\.')}`));
  });
});

test('servers: percentiles with their samples, what got no answer is not dropped', async () => {
  const servers = await pages.api<Servers>(`/servers?${HOUR}`);
  const { rows } = await pages.api<Statistics>(`/statistics?${HOUR}&measures=transactions,unanswered`);
  await pages.at(`/latency?${HOUR}`, async (page) => {
    await page.locator('.sentence', { hasText: `${rows[0].unanswered} queries` }).waitFor();
    await panel(page, 'Unanswered')
      .locator('.note', { hasText: `${rows[0].unanswered} queries` })
      .waitFor();
    const table = panel(page, 'Servers');
    assert.deepEqual(
      await table.locator('tbody .value').allInnerTexts(),
      servers.rows.map(({ server }) => server),
    );
    const { latency } = servers.rows[0];
    const shown = await values(page, 'table[aria-label="Servers"] tbody tr[data-index="0"]');
    assert.deepEqual(shown.slice(-8), figures(latency));
    const heat = panel(page, 'Latency over time');
    assert.match((await heat.locator('canvas').getAttribute('aria-label')) ?? '', /p50 .*, p95 .*, p99 /);
    await heat.getByRole('button', { name: 'Show as a table' }).click({ force: true });
    await heat.getByRole('table').waitFor();

    await page.locator('.sentence a', { hasText: SLOW_SERVER }).click();
    await page.waitForURL(/f=/);
    await page.waitForFunction(
      () => document.querySelectorAll('table[aria-label="Servers"] tbody tr[data-index]').length === 1,
    );
    const slow = servers.rows.find(({ server }) => server === SLOW_SERVER);
    const filtered = await values(page, 'table[aria-label="Servers"] tbody tr[data-index="0"]');
    assert.equal(filtered[0], slow?.transactions, 'the same numbers, filtered');
  });
});
