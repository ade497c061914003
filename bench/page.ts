/**
 * Is the page light? Its size, its first paint, and what it costs while rows come in.
 *
 *   npm run bench -- page [--seconds 20] [--minutes 0] [--rate 50]
 *
 * Against `nametap serve --demo on` in headless Chromium on this machine; the limits are those of the design. Script and
 * tasks are read from the browser's own trace. `--minutes 30` also watches the memory of a long live tail.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { openBrowser, openPage, type Serving, startServe } from '../test/e2e/harness.ts';
import { frameCosts, longestTask, type TraceEvent } from '../test/e2e/trace.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '0' },
    rate: { type: 'string', default: '50' },
  },
});
const CATEGORIES = [
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'v8',
  'blink.user_timing',
  'toplevel',
];

const ASSETS = fileURLToPath(new URL('../web/dist/assets', import.meta.url));
const rows: [what: string, value: string, limit: string, ok: boolean][] = [];
const serving = await startServe();
const browser = await openBrowser(['--js-flags=--expose-gc']);
try {
  measureSize();
  await measureFirstPaint(browser, serving);
  await measureTail(browser, serving);
  if (Number(values.minutes) > 0) await measureMemory(browser, serving);
} finally {
  await browser.close();
  await serving.stop();
}
for (const [what, value, limit, ok] of rows) {
  process.stdout.write(`${what.padEnd(44)}${value.padStart(12)}   limit ${limit.padEnd(10)}${ok ? '' : '  OVER'}\n`);
}
if (rows.some(([, , , ok]) => !ok)) process.exitCode = 1;

function note(what: string, value: string): void {
  rows.push([what, value, '-', true]);
}

function add(what: string, value: number, limit: number, unit: string): void {
  rows.push([what, `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`, `${limit} ${unit}`, value <= limit]);
}

/** A file of the page, compressed as a server would, in kB. */
function compressed(name: string): number {
  return gzipSync(readFileSync(join(ASSETS, name)), { level: 9 }).length / 1000;
}

/** All JavaScript of all pages. Apart: the engine, which a worker loads when a capture file is dropped on the page. */
function measureSize(): void {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'));
  const sum = (names: readonly string[]): number => names.reduce((total, name) => total + compressed(name), 0);
  const isWorker = (name: string): boolean => name.startsWith('worker-');
  add('JavaScript, all pages, gzip', sum(scripts.filter((name) => !isWorker(name))), 250, 'kB');
  note('the engine, once a capture file is dropped', `${sum(scripts.filter(isWorker)).toFixed(0)} kB`);
}

/** First contentful paint of a fresh browser profile, median of five. */
async function measureFirstPaint(browser: Browser, serving: Serving): Promise<void> {
  const paints: number[] = [];
  for (let round = 0; round < 5; round++) {
    const { page, context } = await openPage(browser, serving);
    await page.reload();
    await page.locator('.tail').waitFor();
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    if (round === 0) {
      const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
      const scripts = loaded.flatMap((url) => /\/assets\/([^/]+\.js)$/.exec(url)?.[1] ?? []);
      note(
        'JavaScript of the first screen, gzip',
        `${scripts.reduce((kb, name) => kb + compressed(name), 0).toFixed(0)} kB`,
      );
    }
    await context.close();
  }
  add('first contentful paint, median of 5', paints.sort((a, b) => a - b)[2], 1000, 'ms');
}

async function measureTail(browser: Browser, serving: Serving): Promise<void> {
  const { page, context } = await openPage(browser, serving);
  await page.goto(`${serving.url}/?rate=${values.rate}`);
  await page.locator('.tail tbody tr').first().waitFor();
  await page.waitForTimeout(3000);
  const session = await context.newCDPSession(page);
  const events = await traced(session, page, Number(values.seconds) * 1000);
  const costs = frameCosts(events);
  const sorted = costs.toSorted((a, b) => a - b);
  add(`script in a frame, p99 of ${costs.length} frames`, sorted[Math.floor(costs.length * 0.99)] ?? 0, 8, 'ms');
  note('script in a frame, most', `${(sorted.at(-1) ?? 0).toFixed(2)} ms`);
  add('longest task', longestTask(events), 50, 'ms');
  await context.close();
}

async function traced(session: CDPSession, page: Page, forMs: number): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: CATEGORIES, excludedCategories: ['*'] },
  });
  await page.waitForTimeout(forMs);
  const complete = new Promise<void>((resolve) => {
    session.once('Tracing.tracingComplete', () => {
      resolve();
    });
  });
  await session.send('Tracing.end');
  await complete;
  return events;
}

/** Heap after a collection, at the start and once a minute: the last quarter against the first. */
async function measureMemory(browser: Browser, serving: Serving): Promise<void> {
  const { page, context } = await openPage(browser, serving);
  await page.goto(`${serving.url}/?rate=${values.rate}`);
  const session = await context.newCDPSession(page);
  const sizes: number[] = [];
  for (let minute = 0; minute <= Number(values.minutes); minute++) {
    await page.waitForTimeout(60_000);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    sizes.push(usedSize / 1e6);
  }
  const quarter = Math.max(1, Math.floor(sizes.length / 4));
  const mean = (part: number[]): number => part.reduce((sum, size) => sum + size, 0) / part.length;
  const growth = mean(sizes.slice(-quarter)) / mean(sizes.slice(0, quarter));
  note('heap after a collection', `${sizes.at(-1)?.toFixed(1)} MB`);
  rows.push([`heap, last quarter against first, ${values.minutes} min`, growth.toFixed(3), '1.1', growth <= 1.1]);
  await context.close();
}
