import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** The shared captures lie beside the repository. */
export const corpus = new URL('../../../shared/corpus/', import.meta.url);

/** False when the captures are not there (the test says that it skips); an error in the project's own runs. */
export function hasCorpus(): boolean {
  const found = existsSync(corpus);
  if (!found) assert.notEqual(process.env.CI, 'true', `${corpus.pathname} is missing: it must be there under CI`);
  return found;
}

/** A table of the ground truth, gzip-compressed or not: rows by column name. */
export function readTable(url: URL): Record<string, string>[] | undefined {
  const bytes = existsSync(url)
    ? readFileSync(url)
    : existsSync(`${url.pathname}.gz`)
      ? gunzipSync(readFileSync(`${url.pathname}.gz`))
      : undefined;
  if (bytes === undefined) return undefined;
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const columns = lines[0].replace(/^#/, '').split('\t');
  return lines.slice(1).map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
  });
}

/** One line of the manifest per capture. */
export function manifest(): Record<string, string>[] {
  return readTable(new URL('MANIFEST.tsv', corpus)) ?? [];
}

/** How a truth file of a capture is called: the capture's own name, without its folder. */
export function truth(file: string, kind: string): Record<string, string>[] | undefined {
  const name = file.slice(file.lastIndexOf('/') + 1);
  const folder = new URL('truth/', corpus);
  const found = readdirSync(folder).find((entry) => entry === `${name}${kind}` || entry === `${name}${kind}.gz`);
  return found === undefined ? undefined : readTable(new URL(found.replace(/\.tsv\.gz$/, '.tsv'), folder));
}
