/** Builds the page: web/ → web/dist, hashed files, nothing from another host. `--watch`: again after every change. */
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, type InlineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));

/** The public suffix list is one long constant: written out where it is used, it would be there twice. */
const ONCE = { inlineConst: false } as const;

/** Regular expressions run in the worker and in the server: what the page only checks needs no engine. */
const CHECKED_ONLY: Plugin = {
  name: 'patterns are only checked',
  enforce: 'pre',
  resolveId: (source) => (source === 're2js' ? join(root, 'src/explore/editor/pattern.ts') : null),
};

/** Vite's configuration; `outDir` is where the page goes. */
function pageConfig(outDir: string): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [CHECKED_ONLY],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    worker: { format: 'es', rolldownOptions: { optimization: ONCE } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // Fonts and pictures stay files: `data:` needs a wider policy than 'self'.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      sourcemap: false,
      rolldownOptions: { optimization: ONCE },
    },
  };
}

const dist = join(root, 'dist');

/** Built beside it and moved there whole: whoever serves the page meanwhile never sees half of one. */
async function buildPage(): Promise<void> {
  const fresh = mkdtempSync(join(root, 'dist-'));
  const old = `${fresh}-old`;
  try {
    await build(pageConfig(fresh));
    // Who serves it may be another user than who built it.
    chmodSync(fresh, 0o755);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

await buildPage();
// --watch: again after every change, for whoever works on the page beside a running `nametap serve`.
if (process.argv.includes('--watch')) {
  for await (const _ of watch(join(root, 'src'), { recursive: true })) {
    await sleep(100);
    await buildPage().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
}
