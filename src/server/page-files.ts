import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};
const COMPRESSED = new Set(['.html', '.js', '.css', '.json', '.svg', '.webmanifest', '.txt', '.wasm']);
/** Vite puts a hash of the content into these names: what has one never changes. */
const HASHED = /^\/assets\/.+-[\w-]{8,}\.\w+$/;
const FOREVER = 'public, max-age=31536000, immutable';
const EVERY_TIME = 'no-cache';
/** Bytes of files kept in memory, as they are and compressed. */
const MOST_CACHED_BYTES = 32 << 20;

/** What the system says of a path that is no file. */
const NO_FILE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>nametap</title>
<h1>The page is not built</h1><p>Run <code>npm run build:web</code>, then load this page again. The API is at <a href="/api/v1/openapi.json">/api/v1</a>.</p></html>`;

interface Kept {
  modified: number;
  tag: string;
  plain: Buffer;
  brotli?: Promise<Buffer>;
  gzip?: Promise<Buffer>;
}

/** The built page: files of one folder, and index.html for every path that is a page of it. */
export class PageFiles {
  readonly #folder: string | null;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(folder: string | null) {
    this.#folder = folder;
  }

  /** The answer to a GET or HEAD of the page; null when it is for no file and no page. */
  async answer(request: Request): Promise<Response | null> {
    const path = pathOf(request.url);
    if (path === null) return null;
    const wantsPage = request.headers.get('accept')?.includes('text/html') === true || path === '/';
    const own = path === '/' ? '/index.html' : path;
    const file = await this.#read(own);
    if (file !== null) return send(request, own, file);
    // Pages have names and addresses in their paths: a dot does not make it a file.
    if (path.startsWith('/assets/') || !wantsPage) return null;
    const index = await this.#read('/index.html');
    if (index !== null) return send(request, '/index.html', index);
    return new Response(NOT_BUILT, { headers: { 'Content-Type': TYPES['.html'], 'Cache-Control': 'no-store' } });
  }

  async #read(path: string): Promise<Kept | null> {
    if (this.#folder === null) return null;
    const file = join(this.#folder, path);
    try {
      const found = await stat(file);
      if (!found.isFile()) return null;
      const known = this.#kept.get(path);
      if (known !== undefined && known.modified === found.mtimeMs) return known;
      const plain = await readFile(file);
      const tag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 20)}"`;
      const kept = { modified: found.mtimeMs, tag, plain };
      this.#bytes -= (this.#kept.get(path)?.plain.length ?? 0) * 2;
      this.#kept.delete(path);
      if (this.#bytes + plain.length * 2 <= MOST_CACHED_BYTES) {
        this.#kept.set(path, kept);
        this.#bytes += plain.length * 2;
      }
      return kept;
    } catch (error) {
      // The caller looks for another; what may not be read, or cannot, is told as what it is.
      if (NO_FILE.has((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw error;
    }
  }
}

/** The path of a file below the folder; null for what tries to leave it. */
function pathOf(url: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(new URL(url).pathname);
  } catch {
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const plain = normalize(path).replaceAll(sep, '/');
  return plain.startsWith('/') && !plain.split('/').some((part) => part.startsWith('.')) ? plain : null;
}

async function send(request: Request, path: string, kept: Kept): Promise<Response> {
  const extension = extname(path);
  const headers = new Headers({
    'Content-Type': TYPES[extension] ?? 'application/octet-stream',
    'Cache-Control': HASHED.test(path) ? FOREVER : EVERY_TIME,
    ETag: kept.tag,
  });
  if (COMPRESSED.has(extension)) headers.set('Vary', 'Accept-Encoding');
  if (request.headers.get('if-none-match') === kept.tag) return new Response(null, { status: 304, headers });
  const body = COMPRESSED.has(extension) ? await encoded(request, kept, headers) : kept.plain;
  headers.set('Content-Length', String(body.length));
  return new Response(request.method === 'HEAD' ? null : new Uint8Array(body), { headers });
}

const brotli = promisify<Buffer, object, Buffer>(brotliCompress);
const zip = promisify<Buffer, object, Buffer>(gzip);

/** Compressed once, in the best form that the client takes. */
async function encoded(request: Request, kept: Kept, headers: Headers): Promise<Buffer> {
  const accepted = request.headers.get('accept-encoding') ?? '';
  if (/\bbr\b/.test(accepted)) {
    headers.set('Content-Encoding', 'br');
    kept.brotli ??= brotli(kept.plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    return kept.brotli;
  }
  if (/\bgzip\b/.test(accepted)) {
    headers.set('Content-Encoding', 'gzip');
    kept.gzip ??= zip(kept.plain, { level: 9 });
    return kept.gzip;
  }
  return kept.plain;
}
