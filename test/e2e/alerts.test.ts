import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TransactionsPage } from '../../src/server/schema/transactions.ts';
import { evidence, finding } from '../alerts/findings.ts';
import { checkAccessible, picture } from './harness.ts';
import { CLOCK, CLOCK_CLIENT, NOW } from './pages-data.ts';
import { HOUR, Pages } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
  const { alerts } = pages.fixture.services;
  const filter = encodeURIComponent(`dns.qry.name == "${CLOCK}"`);
  const { rows } = await pages.api<TransactionsPage>(`/transactions?${HOUR}&limit=5&f=${filter}`);
  assert.equal(rows.length, 5);
  const time = NOW / 1000;
  const domain = CLOCK.split('.').slice(1).join('.');
  alerts.raise(
    finding({
      detector: 'BEACON',
      key: CLOCK,
      time: time - 900,
      firstSeen: time - 3500,
      client: CLOCK_CLIENT,
      domain,
      title: `10.2.3.4 asks for ${CLOCK} every minute`,
      text: 'The pauses vary by less than a second, nobody else asks for it, and it is new here.',
      measures: [
        { name: 'regularity of pauses', value: 0.97, unit: '', threshold: 0.9 },
        { name: 'latency', value: 180, unit: 'ms', usual: { centre: 12, spread: 3, n: 604 }, rank: 0.9997 },
      ],
      evidence: rows.map((row) => evidence(row.transaction, Date.parse(row.time) / 1000, CLOCK)),
      proposal: { kind: 'domain', value: domain, text: `Block ${domain} for an hour` },
    }),
  );
  for (const [i, severity] of (['critical', 'medium', 'low'] as const).entries()) {
    alerts.raise(
      finding({
        time: time - 600 + i,
        severity,
        domain: `d${i}.example`,
        title: `<b>Tunnel</b> through d${i}.example`,
      }),
    );
  }
});
after(() => pages.close());

test('alerts are worked on by keyboard, and each step can be undone', async () => {
  await pages.at('/alerts', async (page) => {
    const lines = page.locator('.inbox-list li');
    await lines.nth(3).waitFor();
    assert.match(
      await lines.first().innerText(),
      /<b>Tunnel<\/b> through d0\.example/,
      'the worst first, text as text',
    );
    assert.match(await page.title(), /^\(4\) /);
    await page.locator('.alert-detail .measures .limit').first().waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(/sel=/);
    await page.keyboard.press('j');
    await page.locator('.alert-detail', { hasText: 'every minute' }).waitFor();
    await page.locator('.alert-detail .shown tbody a').nth(4).waitFor();
    await page.keyboard.press('e');
    await page.locator('.notices', { hasText: 'Acknowledged' }).getByRole('button', { name: 'Undo' }).click();
    await page.locator('.notices', { hasText: 'Undone' }).waitFor();
    await lines.nth(3).waitFor();
    await page.keyboard.press('x');
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog');
    await checkAccessible(page, 'the dialog');
    await dialog.getByRole('button', { name: 'Mute' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.inbox-list li').length === 3);
  });
});

for (const theme of ['dark', 'light'] as const) {
  test(`axe-core finds nothing in the inbox, ${theme}`, async () => {
    await pages.at(
      '/alerts',
      async (page) => {
        await page.locator('.alert-detail .journal').waitFor();
        await checkAccessible(page, `alerts, ${theme}`);
        await picture(page, `alerts-inbox-${theme}`);
      },
      { theme },
    );
  });
}
