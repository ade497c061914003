import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { PdnsPage } from '../../src/server/schema/pdns.ts';
import { HOSTILE_NAME, HOSTILE_TEXT, MOVED, RARE } from './pages-data.ts';
import { HOUR, Pages } from './pages-serving.ts';

let pages: Pages;
before(async () => {
  pages = await Pages.open();
});
after(() => pages.close());

const ROW = 'main tbody tr[data-index]';

async function search(page: Page, text: string): Promise<void> {
  await page.getByLabel('Name, address, block or range').fill(text);
  await page.keyboard.press('Enter');
}

test('every kind of question: name, wildcards, address, block, range; defanged too', async () => {
  await pages.at('/pdns', async (page) => {
    await page.getByRole('button', { name: '192.0.2.0/24' }).waitFor();
    for (const [text, q, kind] of [
      [MOVED, MOVED, 'Records of a name'],
      ['*.shop[.]example', '*.shop.example', 'All names below'],
      ['www.shop.*', 'www.shop.*', 'under every suffix'],
      ['198.51.100.7', '198.51.100.7', 'had an address'],
      ['203.0.113.0/24', '203.0.113.0/24', 'of a block'],
      ['203.0.113.10-203.0.113.12', '203.0.113.10-203.0.113.12', 'of a range'],
    ]) {
      const { rows } = await pages.api<PdnsPage>(`/pdns?q=${encodeURIComponent(q)}&limit=500`);
      assert.ok(rows.length > 0, q);
      await search(page, text);
      await page.locator('#pdns-kind', { hasText: kind }).waitFor();
      await page.locator('main h2', { hasText: q }).waitFor();
      await page.locator('.note', { hasText: new RegExp(`^${rows.length} rows`) }).waitFor();
      assert.equal(new URL(page.url()).searchParams.get('q'), q);
    }
    await page.getByLabel('Name, address, block or range').fill('two words');
    await page.locator('#pdns-kind.alarm').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Look up' }).isDisabled());
  });
});

test('type and time fence narrow, order and defanging stay in the address', async () => {
  await pages.at('/pdns?q=*.vendor.example', async (page) => {
    await page.locator(ROW).first().waitFor();
    await page.getByLabel('Type').selectOption('AAAA');
    await page.waitForURL(/type=AAAA/);
    await page.waitForFunction(() =>
      [...document.querySelectorAll('main tbody tr[data-index]')].every((row) => row.textContent?.includes('AAAA')),
    );
    await page.getByLabel('First seen after').fill('not a time');
    await page.keyboard.press('Tab');
    await page.locator('input[aria-invalid="true"]').waitFor();
    await page.getByLabel('First seen after').fill('-1m');
    await page.keyboard.press('Tab');
    await page.waitForURL(/first_after=-1m/);
    await page.locator('.empty', { hasText: 'Never seen' }).waitFor();
    await page.goto(`${pages.serving.url}/pdns?q=${MOVED}`);
    await page.getByLabel('Defang').check();
    await page.waitForURL(/defang=1/);
    await page.locator(ROW, { hasText: 'www[.]shop[.]example' }).first().waitFor();
    assert.equal(await page.locator(ROW, { hasText: MOVED }).count(), 0);
    await page.getByRole('button', { name: 'Count' }).click();
    await page.waitForURL(/sort=-count/);
    const counts = await page.locator(`${ROW} data`).evaluateAll((all) => all.map((one) => Number(one.textContent)));
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => b - a),
    );
  });
});

test('why a row is known, and where a rare value leads', async () => {
  await pages.at(`/pdns?q=${RARE}`, async (page) => {
    await page.locator(ROW).locator('.rare').waitFor();
    await page.locator(ROW).focus();
    await page.keyboard.press('Enter');
    const why = page.getByRole('dialog', { name: 'Why this is known' });
    await why.getByText('seen 1 times').waitFor();
    await why.getByText('sensor-1').waitFor();
    await why.getByText('Few names share this value').waitFor();
    await page.keyboard.press('Escape');
    await why.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Why is lonely/ }).click();
    await why.getByRole('link', { name: 'What else has this value' }).click();
    await page.waitForURL(/q=198\.51\.100\.200/);
    await page.locator(ROW, { hasText: RARE }).waitFor();
  });
});

test('what is shown is saved in the common output format', async () => {
  await pages.at(`/pdns?q=${MOVED}`, async (page) => {
    const { rows } = await pages.api<PdnsPage>(`/pdns?q=${MOVED}&limit=500`);
    await page.locator(ROW).first().waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as COF' }).click(),
    ]);
    const saved = readFileSync(await file.path(), 'utf8')
      .trimEnd()
      .split('\n');
    const parsed = saved.map(
      (line) => JSON.parse(line) as { rrname: string; rdata: string; count: number; time_first: number },
    );
    assert.deepEqual(
      parsed.map(({ rdata, count }) => `${rdata} ${count}`).sort(),
      rows.map(({ rdata, count }) => `${rdata} ${count}`).sort(),
    );
    assert.ok(parsed.every(({ rrname, time_first }) => rrname === MOVED && time_first > 1.7e9));
  });
});

test('a pasted list is asked at once; an import adds what others saw', async () => {
  await pages.at('/pdns', async (page) => {
    await page.getByRole('button', { name: 'Paste a list' }).click();
    const batch = page.getByRole('dialog', { name: 'Look up a list' });
    await batch.getByRole('textbox').fill(`hxxps://www[.]shop[.]example/x, ${RARE}\n10.9.9.9 192.0.2.0/99`);
    await batch.getByText('3 questions').waitFor();
    await batch.getByText('192.0.2.0/99 (1)').waitFor();
    await batch.getByRole('button', { name: 'Look up' }).click();
    await batch.getByText('Never seen: 1.').waitFor();
    await batch.locator('tbody tr', { hasText: RARE }).waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import passive DNS' });
    const line = {
      rrname: 'seen.elsewhere.example',
      rrtype: 'A',
      rdata: '192.0.2.250',
      time_first: 1.7e9,
      time_last: 1.7e9 + 60,
      count: 3,
    };
    await dialog.locator('input[type=file]').setInputFiles({
      name: 'other.cof',
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(`${JSON.stringify(line)}\nno json\n`),
    });
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByText('1 of 2 lines imported.').waitFor();
    await page.keyboard.press('Escape');
    await search(page, 'seen.elsewhere.example');
    await page.locator(ROW, { hasText: '192.0.2.250' }).waitFor();
  });
});

test('text from the wire is text on every page', async () => {
  const name = encodeURIComponent(HOSTILE_NAME);
  const only = encodeURIComponent('dns.qry.name contains "hostile"');
  for (const [path, text] of [
    [`/pdns?q=${name}`, HOSTILE_TEXT],
    [`/domains/${name}?${HOUR}`, HOSTILE_TEXT],
    [`/domains/hostile.example?${HOUR}`, '<script>document.title=1</script>'],
    [`/domains?${HOUR}&f=${only}`, 'hostile.example'],
    [`/clients/10.7.0.3?${HOUR}&f=${only}`, HOSTILE_NAME],
  ]) {
    await pages.at(path, async (page) => {
      await page.locator('main', { hasText: text }).waitFor();
      assert.equal(await page.locator('main :is(script, img, iframe)').count(), 0, path);
      assert.notEqual(await page.title(), '1');
    });
  }
});
