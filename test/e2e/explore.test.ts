import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Download, Page } from 'playwright-core';
import { readFrames } from '../../src/library/pcap.ts';
import type { Statistics } from '../../src/server/schema/statistics.ts';
import { CLIENT, LOST, ORDINARY, writeCapture } from './explore-data.ts';
import { checkAccessible, openBrowser, openPage, picture, type Serving, startServe, type View } from './harness.ts';

let folder: string;
let file: string;
let serving: Serving;
let browser: Browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nametap-explore-'));
  file = join(folder, 'office.pcap');
  await writeCapture(file, Date.now());
  serving = await startServe([file, '--store-packets-keep', 'yes']);
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  await serving.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Explore at an address behind `/explore`; fails when the page complained of anything. */
async function withExplore(search: string, use: (page: Page) => Promise<void>, view: View = {}): Promise<void> {
  const { page, context, complaints } = await openPage(browser, serving, view);
  try {
    await page.goto(`${serving.url}/explore${search}`);
    await page.locator('.explore').waitFor();
    await use(page);
    assert.deepEqual(complaints, []);
    assert.notEqual(await page.title(), '1', 'nothing from the wire ran');
  } finally {
    await context.close();
  }
}

const field = (page: Page) => page.getByRole('textbox', { name: 'Filter' });
const rows = (page: Page) => page.locator('.log tbody tr[data-index]');
const amount = (page: Page) => page.locator('.told strong').innerText();
const filterOf = (page: Page) => new URL(page.url()).searchParams.get('f') ?? '';

/** Waits until the page tells this many. */
async function told(page: Page, text: RegExp): Promise<void> {
  await page.locator('.told strong').filter({ hasText: text }).waitFor();
}

async function ask<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`) as Promise<T>;
}

async function textOf(download: Download): Promise<string> {
  return readFileSync(await download.path(), 'utf8');
}

test('the log is paged as it is scrolled, and never holds more rows than are seen', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await rows(page).first().waitFor();
    const { rows: counted } = await ask<Statistics>(page, '/statistics?from=-1h&measures=transactions');
    const all = counted[0].transactions ?? 0;
    assert.ok(all > ORDINARY);
    await told(page, new RegExp(`^${all.toLocaleString('en-GB')} transactions$`));
    const box = page.locator('.log .table');
    for (let step = 0; step < 40; step++) {
      await box.evaluate((element) => element.scrollBy(0, 4000));
      await page.waitForTimeout(25);
      assert.ok((await rows(page).count()) < 70, 'rows in the document');
    }
    const table = page.locator('.log table');
    await page.waitForFunction(
      (n) => document.querySelector('.log table')?.getAttribute('aria-rowcount') === String(n + 1),
      all,
    );
    await box.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.locator(`tr[data-index="${all - 1}"]`).waitFor();
    assert.equal(await table.getAttribute('aria-rowcount'), String(all + 1));
  });
});

test('a filter is completed, checked, mended and applied from the keyboard', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await rows(page).first().waitFor();
    await page.keyboard.press('/');
    await page.getByRole('option').first().waitFor();
    await page.keyboard.type('dns.qr');
    await page.getByRole('option', { name: 'dns.qry.name' }).first().waitFor();
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.querySelector('textarea')?.value === 'dns.qry.name ');
    await page.keyboard.type('== "host1.zone1.example" and dns.flags.rcode == NOE');
    await page.getByRole('option', { name: 'NOERROR' }).waitFor();
    await page.keyboard.press('ArrowDown');
    assert.equal(await field(page).getAttribute('aria-activedescendant'), 'editor-0');
    await page.keyboard.press('Enter');
    await page.locator('.filter-editor.good').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.has('f'));
    assert.equal(filterOf(page), 'dns.qry.name == "host1.zone1.example" and dns.flags.rcode == NOERROR');
    const { rows: counted } = await ask<Statistics>(
      page,
      `/statistics?from=-1h&measures=transactions&f=${encodeURIComponent(filterOf(page))}`,
    );
    await told(page, new RegExp(`^${counted[0].transactions} transactions$`));

    await field(page).fill('dns.qry.nmae contains "zone2"');
    const mistake = page.locator('.editor-told', { hasText: 'Did you mean' });
    await mistake.waitFor();
    assert.equal(await field(page).getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('.ink .wrong').innerText(), 'dns.qry.nmae');
    await picture(page, 'explore-mistake-dark-1440');
    await checkAccessible(page, 'a wrong filter');
    await page.keyboard.press('Enter');
    assert.match(filterOf(page), /host1/, 'what is wrong is not applied');
    await mistake.getByRole('button').click();
    await page.locator('.filter-editor.good').waitFor();
    await page.keyboard.press('Escape');
    await field(page).press('Enter');
    await page.waitForURL((url) => url.searchParams.get('f')?.includes('zone2') === true);
    await page.goBack();
    await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('host1') === true);
  });
});

test('with packets kept, history is asked for frames too', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await field(page).fill('frame.len > 1000 and tcp');
    await page.locator('.filter-editor.good').waitFor();
    await field(page).press('Escape');
    await field(page).press('Enter');
    await told(page, /^1 transaction$/);
  });
});

test('a row opens: tree and octets point at each other, both messages, its sequence and record', async () => {
  const f = encodeURIComponent('dns.qry.name == "host1.zone1.example"');
  await withExplore(`?from=-1h&live=0&f=${f}`, async (page) => {
    await rows(page).first().locator('td').first().click();
    const tree = page.getByRole('tree');
    await tree.waitFor();
    assert.match(page.url(), /sel=[0-9a-f]{16}/);
    const name = tree.getByRole('treeitem').filter({ hasText: 'Name asked for' });
    await name.hover();
    assert.equal(
      await page
        .locator('.octet-text .on')
        .allInnerTexts()
        .then((all) => all.join('')),
      '·host1·zone1·example·',
    );
    await page.locator('.octet-hex [data-octet="0"]').hover();
    assert.match(await tree.locator('.marked').innerText(), /^ID/);
    await page.locator('.octet-hex [data-octet="12"]').click();
    await page.keyboard.press('ArrowRight');
    assert.match(await tree.locator('.marked').innerText(), /host1\.zone1\.example/);
    await tree.getByRole('treeitem').first().focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await tree.locator('.marked').innerText(), /^ID/);
    await picture(page, 'explore-detail-dark-1440');
    await checkAccessible(page, 'details');
    await page.getByText('Query 37 B').click();
    await page.locator('.octets-head', { hasText: '37 octets' }).waitFor();
    await page.getByText('Record', { exact: true }).click();
    assert.equal(JSON.parse(await page.locator('.record').innerText()).name, 'host1.zone1.example');
    await page.keyboard.press('Escape');
    await page.locator('.detail').waitFor({ state: 'detached' });
  });
});

test('what a client caused upstream is found from it, and back', async () => {
  await withExplore(`?from=-1h&live=0&f=${encodeURIComponent('ip.src == 127.0.0.2')}`, async (page) => {
    await rows(page).first().locator('td').first().click();
    await page.locator('.detail').getByText('Sequence', { exact: true }).click();
    const svg = page.locator('.detail .ladder svg');
    await svg.waitFor();
    assert.match(await svg.innerHTML(), /authority/);
    assert.equal(await page.locator('.detail .ladder .message').count(), 14);
    await picture(page, 'explore-sequence-dark-1440');
    await page.locator('.detail').getByText('Related', { exact: true }).click();
    const children = page.locator('.related section').filter({ hasText: 'upstream' }).locator('a');
    assert.equal(await children.count(), 6);
    await children.first().click();
    await page.locator('.detail').getByText('Related', { exact: true }).click();
    await page.locator('.related section').filter({ hasText: 'Caused by' }).locator('a').click();
    await page.locator('.detail-head', { hasText: '127.0.0.2' }).waitFor();
  });
});

test('a truncated answer stands beside its TCP retry; copies and silence are drawn', async () => {
  const f = encodeURIComponent(`dns.qry.name == "2048-a.size.dns.netmeister.org" or dns.qry.name == "${LOST}"`);
  await withExplore(`?from=-1h&live=0&view=ladder&f=${f}`, async (page) => {
    const ladder = page.locator('.ladder svg');
    await ladder.waitFor();
    const text = await ladder.innerText().catch(() => ladder.evaluate((element) => element.textContent));
    assert.match(text ?? '', /truncated/);
    assert.match(text ?? '', /TCP A 2048-a/);
    assert.match(text ?? '', /no answer/);
    assert.ok((await page.locator('.ladder polyline.dashed').count()) >= 2);
    const save = async (what: string): Promise<Download> => {
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: what }).click(),
      ]);
      return download;
    };
    const svg = await textOf(await save('SVG'));
    assert.match(svg, /^<svg xmlns.*truncated/s);
    const png = readFileSync(await (await save('PNG')).path());
    assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
    assert.ok(png.readUInt32BE(16) > 700 && png.length > 5000, 'something is drawn');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Mermaid' }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^sequenceDiagram\n/);
    await checkAccessible(page, 'sequence');
    await page.locator('.ladder .message').first().click();
    await page.locator('.detail').waitFor();
  });
});

test('rows are marked with x and drawn', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await rows(page).first().waitFor();
    for (const key of ['j', 'x', 'j', 'j', 'x']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(60);
    }
    await page.locator('.marked-line', { hasText: '2 marked' }).waitFor();
    await page.keyboard.press('m');
    await page.locator('.ladder-head', { hasText: '2 transactions' }).waitFor();
  });
});

test('groups have the statistics of the API, and lead to their rows', async () => {
  await withExplore('?from=-1h&live=0&group=type', async (page) => {
    const first = page.locator('.explore tbody tr[data-index="0"]');
    await first.waitFor();
    const answer = await ask<Statistics>(page, '/statistics?from=-1h&group=type&measures=transactions,latency');
    const [row] = answer.rows;
    const cells = await first.locator('td').allInnerTexts();
    assert.equal(cells[0], row.type);
    assert.equal(Number(cells[1].replace(/\D/g, '')), row.transactions);
    assert.equal(Number(cells[4].replace(/\D/g, '')), row.latency?.n);
    await picture(page, 'explore-groups-dark-1440');
    await checkAccessible(page, 'groups');
    await page.getByLabel('and', { exact: true }).selectOption('rcode');
    await page.waitForURL((url) => url.searchParams.get('group') === 'type,rcode');
    await page.getByText('Size', { exact: true }).click();
    await page.waitForURL((url) => url.searchParams.get('of') === 'size');
    await first.locator('td').last().click();
    await page.waitForURL((url) => url.searchParams.has('f') && !url.searchParams.has('group'));
  });
});

test('values have a menu; hostile ones stay text everywhere', async () => {
  await withExplore(`?from=-1h&live=0&f=${encodeURIComponent('dns.qry.name contains "evil"')}`, async (page) => {
    const name = page.locator('.log').getByRole('button', { name: /^<img/ }).first();
    await name.waitFor();
    assert.match(await name.innerText(), /^<img/);
    await name.click();
    await page.getByRole('menuitem', { name: 'Show only this' }).click();
    await page.waitForURL((url) => url.searchParams.get('f')?.includes('<img') === true);
    await told(page, /^1 transaction$/);
    await rows(page).first().locator('td').first().click();
    await page.getByRole('tree').getByText('<script>').first().waitFor();
    await page.locator('.detail').getByText('Sequence', { exact: true }).click();
    await page.locator('.detail .ladder svg').waitFor();
    assert.equal(await page.locator('.explore img, .explore script').count(), 0);
    await picture(page, 'explore-hostile-dark-1440');
  });
});

test('columns are chosen, and stay in the address', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await rows(page).first().waitFor();
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByLabel('TTL s').check();
    await page.getByLabel('Server', { exact: true }).uncheck();
    await page.waitForURL((url) => url.searchParams.get('cols') === 'time,client,name,type,answer,latency,ttl');
    await checkAccessible(page, 'columns');
    await page.reload();
    await page.getByRole('columnheader', { name: 'TTL s' }).waitFor();
    assert.equal(await page.getByRole('columnheader', { name: 'Server' }).count(), 0);
  });
});

test('hunts are there, and views are saved, opened and deleted', async () => {
  await withExplore(`?from=-1h&live=0&f=${encodeURIComponent(`ip.src == ${CLIENT}`)}`, async (page) => {
    await rows(page).first().waitFor();
    const views = page.getByRole('button', { name: 'Views' });
    await views.click();
    for (const hunt of ['Malware keyword in a name', 'Long names and labels', 'TXT volume', 'Slow A']) {
      await page.getByRole('menuitem', { name: hunt }).waitFor();
    }
    await page.getByRole('menuitem', { name: 'Save this view' }).click();
    await page.getByLabel('Title').fill('My <b>client</b>');
    await page.keyboard.press('Enter');
    await page.locator('.notices', { hasText: 'Saved' }).waitFor();
    await views.click();
    await page.getByRole('menuitem', { name: 'TXT volume' }).click();
    await page.waitForURL((url) => url.searchParams.get('f')?.includes('TXT') === true);
    await views.click();
    await page.getByRole('menuitem', { name: 'My <b>client</b>', exact: true }).click();
    await page.waitForURL((url) => url.searchParams.get('f') === `ip.src == ${CLIENT}`);
    await views.click();
    await page.getByRole('menuitem', { name: 'Delete My' }).click();
    await page.locator('.notices', { hasText: 'Deleted' }).waitFor();
  });
});

test('every hunt is a filter that history answers', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    const { rows: hunts } = await ask<{ rows: { title: string; url: string }[] }>(page, '/views');
    assert.ok(hunts.length >= 4);
    for (const { title, url } of hunts) {
      const query = new URL(url, serving.url).search.replace('?', '&');
      const answer = await ask<{ rows?: unknown[]; title?: string }>(page, `/transactions?limit=1${query}`);
      assert.ok(Array.isArray(answer.rows), `${title}: ${answer.title ?? ''}`);
    }
  });
});

test('exactly the filter is exported', async () => {
  await withExplore(
    `?from=-1h&live=0&f=${encodeURIComponent('dns.qry.name contains "evil" or dns.qry.name contains "host3.zone3."')}`,
    async (page) => {
      await rows(page).first().waitFor();
      await told(page, /^\d+ transactions$/);
      const n = Number((await amount(page)).replace(/\D/g, ''));
      await page.getByRole('button', { name: 'Export' }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'NDJSON' }).click(),
      ]);
      const lines = (await textOf(download)).trim().split('\n');
      assert.equal(lines.length, n);
      assert.ok(lines.every((line) => /evil|host3\.zone3/.test((JSON.parse(line) as { name: string }).name)));
    },
  );
});

test('packets are shown as captured, copies at their own times, and exported as pcapng', async () => {
  await withExplore(`?from=-1h&live=0&f=${encodeURIComponent(`dns.qry.name == "${LOST}"`)}`, async (page) => {
    await told(page, /^1 transaction$/);
    await rows(page).first().locator('td').first().click();
    await page.locator('.detail').getByText('Packets', { exact: true }).click();
    await page.locator('.packets details').nth(2).waitFor();
    assert.equal(await page.locator('.packets details').count(), 3);
    await page.locator('.packets summary').first().click();
    assert.match(await page.locator('.packets pre').first().innerText(), /^0000 {2}02 00 00 00 00 01/);
    await page.locator('.detail').getByText('Sequence', { exact: true }).click();
    const drawn = await page.locator('.detail .ladder svg').evaluate((element) => element.textContent);
    assert.match(drawn ?? '', /\+1\.000 s.*again, copy 2.*\+3\.000 s.*again, copy 3.*no answer/);
    await page.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'pcapng' }).click(),
    ]);
    const path = join(folder, 'exported.pcapng');
    await download.saveAs(path);
    const times: number[] = [];
    for await (const { time } of readFrames(path)) times.push((time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6);
    assert.deepEqual(
      times.map((time) => Math.round(time - times[0])),
      [0, 1000, 3000],
    );
  });
});

test('a search tells that it runs, is stopped, and goes on', async () => {
  await withExplore('?from=-1h&live=0', async (page) => {
    await rows(page).first().waitFor();
    // The network is slow: the answer to the next search waits until it is let go.
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/api/v1/transactions?*', async (route) => {
      await held;
      // A request that was stopped meanwhile is gone.
      await route.continue().catch(() => undefined);
    });
    await field(page).fill('tcp');
    await page.locator('.filter-editor.good').waitFor();
    await field(page).press('Escape');
    await field(page).press('Enter');
    await page.locator('.told progress').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('.told', { hasText: 'Stopped' }).waitFor();
    assert.equal(await rows(page).count(), 0);
    letGo();
    await page.getByRole('button', { name: 'Go on' }).click();
    await told(page, /^1 transaction$/);
  });
});

test('a sequence diagram that is larger than its place scrolls there, down and aside, also by keyboard', async () => {
  const at = '?from=-1h&live=0&view=ladder';
  await withExplore(at, async (page) => {
    const box = page.locator('.ladder-box');
    await page.locator('.ladder .message').nth(30).waitFor();
    const { inner, outer } = await box.evaluate((one) => ({ inner: one.scrollHeight, outer: one.clientHeight }));
    assert.ok(inner > 2 * outer, `${inner} of ${outer} px`);
    const last = page.locator('.ladder .message').last();
    await last.focus();
    await last.scrollIntoViewIfNeeded();
    assert.ok(await box.evaluate((one) => one.scrollTop > 0 && one.scrollTop <= one.scrollHeight - one.clientHeight));
    const [place, frame] = await Promise.all([last.boundingBox(), box.boundingBox()]);
    assert.ok(place !== null && frame !== null && place.y >= frame.y && place.y < frame.y + frame.height);
    await page.keyboard.press('Enter');
    await page.waitForURL(/sel=/);
    await page.locator('.detail').waitFor();
  });
  await withExplore(
    at,
    async (page) => {
      const box = page.locator('.ladder-box');
      await page.locator('.ladder .message').first().waitFor();
      const width = await box.evaluate((one) => ({ inner: one.scrollWidth, outer: one.clientWidth }));
      assert.ok(width.inner > width.outer, `hosts keep their room: ${JSON.stringify(width)}`);
      await box.evaluate((one) => one.scrollTo(one.scrollWidth, 0));
      assert.equal(await box.evaluate((one) => one.scrollLeft), width.inner - width.outer);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not');
      await picture(page, 'explore-sequence-dark-390');
    },
    { width: 390, height: 844 },
  );
});

test('in both themes and on a phone', async () => {
  for (const theme of ['dark', 'light'] as const) {
    await withExplore(
      `?from=-1h&live=0&f=${encodeURIComponent('dns.flags.rcode == NXDOMAIN or dns.qry.type == AAAA')}`,
      async (page) => {
        await rows(page).nth(10).waitFor();
        await page.locator('.filter-editor.good').waitFor();
        await picture(page, `explore-${theme}-1440`);
        await checkAccessible(page, `log, ${theme}`);
      },
      { theme },
    );
  }
  await withExplore(
    '?from=-1h&live=0',
    async (page) => {
      await rows(page).first().waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
      await picture(page, 'explore-light-390');
      await rows(page).first().locator('td').first().click();
      await page.getByRole('tree').waitFor();
      await picture(page, 'explore-detail-light-390');
      await checkAccessible(page, 'details on a phone');
      await page.getByRole('button', { name: 'Close the details' }).click();
    },
    { theme: 'light', width: 390, height: 844 },
  );
});
