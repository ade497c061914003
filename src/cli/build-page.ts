import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainText } from '../core/figures.ts';
import { remark } from './remarks.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(ROOT, 'web', 'dist', 'index.html');
const SCRIPT = join(ROOT, 'web', 'build.ts');

/**
 * Builds the page in a checkout, where it is missing or older than its sources; a package brings it along. Without it the
 * API is served all the same, and the page says what is missing.
 */
export function buildPage(): void {
  const sources = globSync(['web/src/**', 'web/public/**', 'web/*.{ts,html}', 'src/{wire,filter,library}/**'], {
    cwd: ROOT,
  });
  if (!sources.includes(join('web', 'build.ts'))) return;
  const built = modified(BUILT);
  if (built > 0 && sources.every((path) => modified(join(ROOT, path)) <= built)) return;
  process.stderr.write('nametap: building the page (once, a few seconds) … ');
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT], { cwd: ROOT, encoding: 'utf8', timeout: 120_000 });
  if (status === 0) {
    process.stderr.write('done\n');
    return;
  }
  process.stderr.write('failed\n');
  const lines = stderr.trim().split('\n');
  const why = lines.find((line) => /error/i.test(line)) ?? lines[0];
  remark(`the page could not be built, and is as it was: ${plainText(why.trim())}`);
}

/** Milliseconds since 1970; 0 for what is not there. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
