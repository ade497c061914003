import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TransactionsPage } from '../../src/server/schema/transactions.ts';
import { evidence, finding } from '../alerts/findings.ts';
import { checkAccessible, picture } from './harness.ts';
import { CLOCK, CLOCK_CLIENT, NOW } from './pages-data.ts';
import { HOUR, Pages } from './pages-serving.ts';

const DOMAIN = CLOCK.split('.').slice(1).join('.');
let pages: Pages;
before(async () => {
  pages = await Pages.open();
  const { alerts } = pages.fixture.services;
  const filter = encodeURIComponent(`dns.qry.name == "${CLOCK}"`);
  const { rows } = await pages.api<TransactionsPage>(`/transactions?${HOUR}&limit=5&f=${filter}`);
  assert.equal(rows.length, 5);
  const time = NOW / 1000;
  alerts.raise(
    finding({
      detector: 'BEACON',
      key: CLOCK,
      time: time - 900,
      firstSeen: time - 3500,
      client: CLOCK_CLIENT,
      domain: DOMAIN,
      title: `10.2.3.4 asks for ${CLOCK} every minute`,
      text: 'The pauses vary by less than a second, nobody else asks for it, and it is new here.',
      measures: [
        { name: 'regularity of pauses', value: 0.97, unit: '', threshold: 0.9 },
        { name: 'latency', value: 180, unit: 'ms', usual: { centre: 12, spread: 3, n: 604 }, rank: 0.9997 },
      ],
      evidence: rows.map((row) => evidence(row.transaction, Date.parse(row.time) / 1000, CLOCK)),
      proposal: { kind: 'domain', value: DOMAIN, text: `Block ${DOMAIN} for an hour` },
    }),
  );
  alerts.raise(finding({ time: time - 700, severity: 'low', domain: 'github.io', title: 'Names below github.io' }));
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
    await lines.nth(4).waitFor();
    assert.match(
      await lines.first().innerText(),
      /<b>Tunnel<\/b> through d0\.example/,
      'the worst first, text as text',
    );
    assert.match(await page.title(), /^\(5\) /);
    await page.locator('.alert-detail .measures .limit').first().waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(/sel=/);
    await page.keyboard.press('j');
    await page.locator('.alert-detail', { hasText: 'every minute' }).waitFor();
    await page.locator('.alert-detail .shown tbody a').nth(4).waitFor();
    await page.keyboard.press('e');
    await page.locator('.notices', { hasText: 'Acknowledged' }).getByRole('button', { name: 'Undo' }).click();
    await page.locator('.notices', { hasText: 'Undone' }).waitFor();
    await lines.nth(4).waitFor();
    await page.keyboard.press('x');
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog');
    await checkAccessible(page, 'the dialog');
    await dialog.getByRole('button', { name: 'Mute' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.inbox-list li').length === 4);
  });
});

test('an alert is blocked after a dry run, and the block undone; what must not be blocked says why', async () => {
  await pages.at('/alerts', async (page) => {
    await page.locator('.inbox-list li', { hasText: 'every minute' }).getByRole('link').click();
    await page.locator('.alert-detail', { hasText: 'every minute' }).waitFor();
    await page.getByRole('button', { name: 'Block …' }).click();
    const dialog = page.getByRole('dialog');
    const preview = dialog.locator('.preview');
    await preview.getByText('Noted for 1 h').waitFor();
    await preview.getByText('one signal only: No detector speaks against it.').waitFor();
    await dialog.getByLabel('8 hours').check();
    await preview.getByText('Noted for 8 h').waitFor();
    await checkAccessible(page, 'the dry run');
    await picture(page, 'alerts-block');
    // The client of the alert answers nobody and is nobody's station; the page's own address would be refused.
    await dialog.getByRole('button', { name: 'Block', exact: true }).click();
    await page.locator('.notices', { hasText: `${DOMAIN} is blocked` }).waitFor();
    const blocked = page.locator('.alert-detail .blocked');
    await blocked.getByText('until').waitFor();
    assert.deepEqual(
      pages.fixture.services.blocks?.list().map(({ value, reason, by }) => [value, reason, by]),
      [[DOMAIN, `10.2.3.4 asks for ${CLOCK} every minute`, 'operator']],
    );
    await blocked.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.notices', { hasText: 'is not blocked any more' }).waitFor();
    await blocked.waitFor({ state: 'detached' });
    assert.deepEqual(pages.fixture.services.blocks?.list(), []);
    await page.locator('.inbox-list li', { hasText: 'github.io' }).getByRole('link').click();
    await page.locator('.alert-detail', { hasText: 'github.io' }).waitFor();
    await page.keyboard.press('b');
    await dialog.getByText('github.io is never blocked.').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Block', exact: true }).isDisabled());
  });
});

test('who may only look has no button to block', async () => {
  await pages.asViewer('/alerts', async (page) => {
    await page.locator('.alert-detail', { hasText: 'You may look' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Block …' }).count(), 0);
    await page.keyboard.press('b');
    assert.equal(await page.getByRole('dialog').count(), 0);
  });
});

test('more alerts than a page holds come page by page', async () => {
  const { alerts } = pages.fixture.services;
  for (let i = 0; i < 520; i++) {
    // Of one detector, so many would be summed up.
    const detector = `RULE ${i >> 3}`;
    alerts.raise(finding({ time: NOW / 1000 - 500, severity: 'low', detector, domain: `many${i}.example` }));
  }
  await pages.at('/alerts', async (page) => {
    const lines = page.locator('.inbox-list li');
    await lines.nth(499).waitFor();
    assert.equal(await lines.count(), 500);
    await page.getByRole('button', { name: 'Older ones' }).click();
    await lines.nth(520).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Older ones' }).count(), 0);
    const all = await lines.evaluateAll((items) => new Set(items.map((item) => item.getAttribute('data-alert'))).size);
    assert.equal(all, await lines.count(), 'each once');
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
