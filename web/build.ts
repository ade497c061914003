/** Builds the page: web/ → web/dist, hashed files, nothing from another host. */
import { fileURLToPath } from 'node:url';
import { build, type InlineConfig } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Vite's configuration; `outDir` is where the page goes. */
function pageConfig(outDir: string): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // Fonts and pictures stay files: `data:` needs a wider policy than 'self'.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      sourcemap: false,
    },
  };
}

await build(pageConfig(fileURLToPath(new URL('dist', import.meta.url))));
