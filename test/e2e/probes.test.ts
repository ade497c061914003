import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { ProbeService } from '../../src/app/probe-service.ts';
import type { ProbesConfig } from '../../src/probes/settings.ts';
import type { ProbeHistory, ProbeList } from '../../src/server/schema/probes.ts';
import { loadConfig } from '../../src/app/config.ts';
import { checkAccessible, picture } from './harness.ts';
import { Pages, panel } from './pages-serving.ts';
import { until } from '../until.ts';

let pages: Pages;
let web: Server;
let service: ProbeService;
let isDown = false;

before(async () => {
  pages = await Pages.open();
  web = createServer((_, response) => {
    if (isDown) response.writeHead(503);
    response.end('hello');
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const { port } = web.address() as AddressInfo;
  const checks = {
    web: { type: 'http', targets: [`http://127.0.0.1:${port}/`], every: '1s' },
    closed: { type: 'tcp', targets: ['127.0.0.1:1'], every: '1s' },
    // A server of the network that the store holds: passive beside active.
    resolver: { type: 'dns', targets: ['10.0.0.53:5399'], every: '1s', timeout: '100ms' },
  };
  const { config } = loadConfig({ flags: {}, environment: environmentOf(checks) });
  const { store, services } = pages.fixture;
  service = new ProbeService({
    config: config.probes as ProbesConfig,
    store,
    version: '0.0.0',
    book: services.alerts,
    own: () => 0,
    log: services.log,
  });
  Object.assign(services, { probes: service });
  await service.open();
});
after(async () => {
  await service.close();
  await new Promise((resolve) => web.close(resolve));
  await pages.close();
});

function environmentOf(checks: Record<string, unknown>): Record<string, string> {
  return { NAMETAP_PROBES_CHECKS: JSON.stringify(checks) };
}

test('probes: what passes and what fails, as the API says, with the parts of the last check', async () => {
  const isTwice = async () => (await pages.api<ProbeList>('/probes')).targets.every(({ beats }) => beats.length > 1);
  await until(isTwice, 'two checks of each target');
  const { targets } = await pages.api<ProbeList>('/probes');
  const [first] = targets;
  await pages.at(`/probes?target=${encodeURIComponent(`${first.check} ${first.target}`)}`, async (page) => {
    const rows = page.locator('tbody tr[data-index]');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 3);
    const texts = await rows.allInnerTexts();
    assert.ok(texts[0].includes('passes') && texts[0].includes('200'), texts[0]);
    assert.ok(texts[1].includes('fails') && texts[1].includes('connection refused'), texts[1]);
    assert.ok((await rows.nth(1).locator('.heartbeat .fail').count()) >= 2);
    assert.equal(await rows.nth(0).locator('.heartbeat .fail').count(), 0);
    const parts = await panel(page, 'Last check').locator('.waterfall li').allInnerTexts();
    assert.deepEqual(
      parts.map((text) => text.split('\n')[0]),
      ['resolve', 'connect', 'first byte', 'transfer'],
    );
    assert.match(await page.locator('.sentence').innerText(), /^2 of 3 targets fail their last check\./);
    isDown = true;
    await page.locator('tbody tr[data-index="0"]', { hasText: 'not as expected: 503' }).waitFor();
    isDown = false;
    await page.locator('tbody tr[data-index="0"]', { hasText: 'passes' }).waitFor();
  });
});

test('probes: an alert is raised for what fails twice, and names the check', () => {
  const found = pages.fixture.services.alerts.incidents().filter(({ detector }) => detector === 'OPS-PROBE');
  assert.ok(found.some(({ title }) => title === '127.0.0.1:1 fails its check closed: connection refused'));
});

test('probes: the history of a target, kept over a restart, with its loss and what is seen beside it', async () => {
  // As a minute and five of them would do.
  await service.close();
  const history = await pages.api<ProbeHistory>('/probes/history?from=-1h&check=closed&target=127.0.0.1:1');
  assert.equal(history.beats.length, 1);
  const [beat] = history.beats;
  assert.equal(beat.failed, beat.checks);
  assert.equal(beat.loss, 1);
  assert.equal(beat.outcome, 'refused');
  await pages.at('/probes?from=-15m&target=resolver%2010.0.0.53:5399', async (page) => {
    await panel(page, 'Time and loss').locator('canvas').waitFor();
    assert.ok((await panel(page, 'Time and loss').innerText()).includes('passive (seen on the wire)'));
    await picture(page, 'probes');
    await panel(page, 'Time and loss').locator('.loss-band .most').first().waitFor();
  });
});

for (const theme of ['dark', 'light'] as const) {
  test(`probes: axe-core finds nothing, ${theme}`, async () => {
    await pages.at(
      '/probes?from=-15m',
      async (page) => {
        await page.locator('.heartbeat').first().waitFor();
        await panel(page, 'Time and loss').locator('canvas').waitFor();
        await checkAccessible(page, `probes, ${theme}`);
      },
      { theme },
    );
  });
}

test('probes: on a phone nothing is wider than the screen', async () => {
  await pages.at(
    '/probes?from=-15m',
    async (page) => {
      await panel(page, 'Time and loss').locator('canvas').waitFor();
      const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      assert.ok(wide <= screen, `${wide} of ${screen}`);
    },
    { width: 390 },
  );
});
