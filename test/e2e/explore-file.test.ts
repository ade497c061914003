import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { reportCapture } from '../../src/library/index.ts';
import { checkAccessible, openBrowser, openPage, picture, type Serving, startServe, type View } from './harness.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));
let serving: Serving;
let browser: Browser;

before(async () => {
  serving = await startServe([`${captures}udp.pcap`]);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await serving.stop();
});

/** Lets go of a file above the page, as people do. */
async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ file, base64 }) => {
      const data = new DataTransfer();
      const octets = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
      data.items.add(new File([octets], file));
      return data;
    },
    { file: name, base64: Buffer.from(bytes).toString('base64') },
  );
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: transfer });
  await page.locator('.drop-target').waitFor();
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  await page.locator('.drop-target').waitFor({ state: 'detached' });
}

/** The overview, from where a file can be dropped; `sent` collects what the page sends and how much. */
async function withPage(use: (page: Page, sent: string[]) => Promise<void>, view: View = {}): Promise<void> {
  const { page, context, complaints } = await openPage(browser, serving, view);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET' || request.postData() !== null) sent.push(`${request.method()} ${request.url()}`);
  });
  try {
    await use(page, sent);
    assert.deepEqual(complaints, []);
    assert.deepEqual(sent, [], 'nothing is sent to the server');
  } finally {
    await context.close();
  }
}

const rows = (page: Page) => page.locator('.log tbody tr[data-index]');

test('a capture dropped on any page is read there, by the same engine, and sent nowhere', async () => {
  await withPage(async (page) => {
    const name = 'resolution.pcap';
    await drop(page, name, readFileSync(captures + name));
    await page.waitForURL((url) => url.pathname === '/explore/file');
    await page.locator('.file-note', { hasText: 'It is not sent anywhere' }).waitFor();
    await rows(page).first().waitFor();
    const { transactions } = await reportCapture(captures + name);
    assert.equal(await rows(page).count(), transactions.count);
    assert.match(await page.locator('.tile').first().innerText(), new RegExp(`${transactions.count}`));
    await rows(page).first().locator('td').first().click();
    await page.getByRole('tree').waitFor();
    await page.locator('.detail').getByText('Sequence', { exact: true }).click();
    assert.equal(await page.locator('.detail .ladder .message').count(), 14);
    await page.locator('.detail').getByText('Packets', { exact: true }).click();
    const packets = page.locator('.detail .packets details');
    await packets.nth(1).waitFor();
    assert.deepEqual(await packets.locator('b').allInnerTexts(), ['Frame 1', 'Frame 14']);
    await packets.first().locator('summary').click();
    assert.match(await packets.first().locator('pre').innerText(), /^0000 {2}[0-9a-f]{2} /);
    await picture(page, 'explore-file-dark-1440');
    await checkAccessible(page, 'a dropped capture');
    await page.getByRole('button', { name: 'Close the details' }).click();
    const field = page.getByRole('textbox', { name: 'Filter' });
    await field.fill('frame.len > 100');
    await page.locator('.editor-told', { hasText: 'not kept with transactions' }).waitFor();
    assert.equal(await page.locator('.ink .wrong').innerText(), 'frame.len');
    await field.fill('ip.dst == 127.0.0.10');
    await page.locator('.filter-editor.good').waitFor();
    await field.press('Escape');
    await field.press('Enter');
    await page.locator('.told strong', { hasText: /^4 transactions$/ }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as NDJSON' }).click(),
    ]);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    assert.equal(lines.length, 4);
    assert.ok(lines.every((line) => (JSON.parse(line) as { server: string }).server === '127.0.0.10'));
    await page.getByRole('radio', { name: 'Groups' }).check({ force: true });
    const groups = page.locator('.groups tbody tr[data-index]');
    await groups.first().waitFor();
    await page.getByLabel('Group by').selectOption('client');
    await page.locator('.groups tbody', { hasText: '127.0.0.53' }).waitFor();
    await picture(page, 'explore-file-groups-dark-1440');
    await checkAccessible(page, 'groups of a dropped capture');
    await groups.first().locator('a').click();
    await page.waitForURL((url) => url.pathname === '/explore/file' && !url.searchParams.has('group'));
    await page.locator('.told strong', { hasText: /^4 transactions$/ }).waitFor();
    await page.getByRole('button', { name: 'Close the file' }).click();
    await page.getByText('Open a capture file').first().waitFor();
  });
});

test('gzip, xz and zstd are read too; a cut file gives what came before; what is none is told so', async () => {
  await withPage(
    async (page) => {
      const whole = readFileSync(`${captures}lookups.pcapng`);
      await drop(page, 'lookups.pcapng.gz', gzipSync(whole));
      await page.locator('.told strong', { hasText: /^50 transactions$/ }).waitFor();
      await drop(page, 'sixty.pcap.xz', readFileSync(new URL('../sources/compressed/sixty.pcap.xz', import.meta.url)));
      await page.locator('.file-note', { hasText: 'sixty.pcap.xz' }).waitFor();
      await page.locator('.tile', { hasText: 'Frames' }).getByText('60', { exact: true }).waitFor();
      await drop(
        page,
        'sixty.pcap.zst',
        readFileSync(new URL('../sources/compressed/sixty.pcap.zst', import.meta.url)),
      );
      await page.locator('.file-note', { hasText: 'sixty.pcap.zst' }).waitFor();
      await page.locator('.tile', { hasText: 'Frames' }).getByText('60', { exact: true }).waitFor();
      await drop(page, 'cut.pcapng', whole.subarray(0, whole.length - 20));
      await page.locator('.file-note', { hasText: 'cut.pcapng' }).waitFor();
      await page.getByText('The file is damaged at octet').waitFor();
      await rows(page).first().waitFor();
      await picture(page, 'explore-file-light-1440');
      await drop(page, '<b>page</b>.html', new TextEncoder().encode('<script>document.title=1</script>'));
      await page.getByRole('alert').filter({ hasText: '<b>page</b>.html is no capture file' }).waitFor();
      await checkAccessible(page, 'a file that is no capture');
    },
    { theme: 'light' },
  );
});

test('without a file the page says how to open one', async () => {
  await withPage(
    async (page) => {
      await page.goto(`${serving.url}/explore/file`);
      await page.getByText('Choose a file').waitFor();
      await checkAccessible(page, 'no file yet');
      await picture(page, 'explore-file-none-light-390');
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByText('Choose a file').click()]);
      await chooser.setFiles(`${captures}malformed.pcap`);
      await rows(page).first().waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
      await picture(page, 'explore-file-light-390');
    },
    { theme: 'light', width: 390, height: 844 },
  );
});
