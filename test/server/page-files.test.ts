import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { PageFiles } from '../../src/server/page-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-page-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'dist', 'assets'), { recursive: true });
writeFileSync(join(folder, 'dist', 'index.html'), '<!doctype html><title>page</title>');
writeFileSync(join(folder, 'dist', 'assets', 'main-Abc123_x.js'), 'export {};'.repeat(100));
writeFileSync(join(folder, 'dist', '.secret'), 'no');
writeFileSync(join(folder, 'outside.txt'), 'no');
const files = new PageFiles(join(folder, 'dist'));
const HTML = { accept: 'text/html' };

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  files.answer(new Request(`http://127.0.0.1${path}`, { headers, method }));

const octets = async (response: Response | null) => Buffer.from(await (response ?? new Response()).arrayBuffer());

test('assets are kept for ever, the page is asked for every time', async () => {
  const asset = await ask('/assets/main-Abc123_x.js');
  assert.equal(asset?.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(asset?.headers.get('content-type'), 'text/javascript; charset=utf-8');
  const page = await ask('/');
  assert.equal(page?.headers.get('cache-control'), 'no-cache');
  const tag = page?.headers.get('etag') ?? '';
  assert.match(tag, /^".+"$/);
  assert.equal((await ask('/', { 'if-none-match': tag }))?.status, 304);
  writeFileSync(join(folder, 'dist', 'index.html'), '<!doctype html><title>new page</title>');
  const changed = await ask('/', { 'if-none-match': tag });
  assert.equal(changed?.status, 200, 'a new build is seen');
  assert.match((await changed?.text()) ?? '', /new page/);
});

test('paths of the page are the page, other paths are nothing', async () => {
  assert.match((await (await ask('/explore', HTML))?.text()) ?? '', /<title>/);
  assert.match((await (await ask('/domains/example.com?from=-1h', HTML))?.text()) ?? '', /<title>/);
  assert.equal(await ask('/explore'), null, 'a program that wants no page gets none');
  assert.equal(await ask('/assets/gone-12345678.js', HTML), null, 'a file that is not there is no page');
});

test('nothing outside the folder is reached', async () => {
  for (const path of [
    '/../outside.txt',
    '/..%2foutside.txt',
    '/%2e%2e/outside.txt',
    '/.secret',
    '/assets/%00',
    '/a%5c..%5c..',
  ]) {
    const found = await ask(path);
    assert.equal(found, null, path);
  }
  assert.equal(await ask('/%zz'), null);
  assert.equal(await ask('/index.html/x'), null);
  assert.equal(await ask(`/${'x'.repeat(5000)}`), null);
});

test('text is sent compressed to those who take it', async () => {
  const plain = await (await ask('/assets/main-Abc123_x.js'))?.text();
  const brotli = await ask('/assets/main-Abc123_x.js', { 'accept-encoding': 'gzip, br' });
  assert.equal(brotli?.headers.get('content-encoding'), 'br');
  assert.equal(brotliDecompressSync(await octets(brotli)).toString(), plain);
  const gzip = await ask('/assets/main-Abc123_x.js', { 'accept-encoding': 'gzip' });
  assert.equal(gunzipSync(await octets(gzip)).toString(), plain);
  const head = await ask('/assets/main-Abc123_x.js', {}, 'HEAD');
  assert.equal(await head?.text(), '');
});

test('without a built page it is said how to build one', async () => {
  const none = new PageFiles(null);
  const page = await none.answer(new Request('http://127.0.0.1/', { headers: HTML }));
  assert.match((await page?.text()) ?? '', /npm run build:web/);
});
