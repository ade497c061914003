/** A real `nametap serve` and a real browser for the tests of the page. */
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildPage } from '../../src/cli/build-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Pictures of every page, for people; not in the repository. */
export const PICTURES = join(root, '.cache', 'pictures');
const START_MS = 30_000;

export interface Serving {
  /** Where the page is, without the token. */
  readonly url: string;
  /** The same with what signs in. */
  readonly signIn: string;
  readonly token: string;
  stop(): Promise<void>;
}

/** Starts `nametap serve` over a replayed real capture with an empty store of its own, at a free port. */
export async function startServe(words: readonly string[] = ['--demo', 'on']): Promise<Serving> {
  buildPage();
  const data = mkdtempSync(join(tmpdir(), 'nametap-page-'));
  const child = spawn(
    process.execPath,
    [join(root, 'bin', 'nametap'), 'serve', '--data', data, '--listen', '127.0.0.1:0', ...words],
    { cwd: data, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', NAMETAP_CONFIG: '' } },
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    }
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const signIn = await printedAddress(child);
    const url = new URL(signIn);
    const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? '';
    assert.notEqual(token, '', `the address has a token: ${signIn}`);
    return { url: url.origin, signIn, token, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function printedAddress(child: ChildProcess): Promise<string> {
  let said = '';
  const found = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const address = /https?:\/\/\S+#token=\S+/.exec(said)?.[0];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      reject(new Error(`nametap serve ended (${code}) before it said where it is:\n${said}`));
    });
    setTimeout(() => {
      reject(new Error(`nametap serve did not say where it is in ${START_MS / 1000} s:\n${said}`));
    }, START_MS).unref();
  });
  return found;
}

/** Debian's Chromium, headless. */
export async function openBrowser(words: readonly string[] = []): Promise<Browser> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  assert.ok(executablePath !== undefined, 'chromium is installed');
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...words] });
}

export interface View {
  theme?: 'dark' | 'light';
  width?: number;
  height?: number;
  /** Page to open; default: the first screen. */
  path?: string;
}

/** A page of the browser that is signed in; everything the page complains about is kept in `complaints`. */
export async function openPage(
  browser: Browser,
  serving: Serving,
  { theme = 'dark', width = 1440, height = 900, path = '/' }: View = {},
): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== serving.url && protocol !== 'data:' && protocol !== 'blob:')
      complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`${serving.url}${path}#token=${serving.token}`);
  await page.waitForFunction(() => !location.hash.includes('token'));
  await page.locator('main > *').first().waitFor();
  return { page, context, complaints };
}

/** Fails with what axe-core finds against WCAG 2.2 AA and its best practices. */
export async function checkAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(' ')}: ${failureSummary}`),
  );
  assert.deepEqual(found, [], `${what}: axe-core finds nothing`);
}

/** Writes a picture of the whole page to `PICTURES`. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}
