/** Runs the real command for the tests of the command line. */
import { spawn, spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const NAMETAP = join(ROOT, 'bin', 'nametap');

/** A capture of test/captures. */
export const capture = (name: string): string => join(ROOT, 'test', 'captures', name);

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Colours and debugging must not depend on who runs the tests. */
const { NO_COLOR: _c, FORCE_COLOR: _f, CLICOLOR_FORCE: _l, NAMETAP_DEBUG: _d, ...plain } = process.env;

/** Runs it to its end. */
export function nametap(words: readonly string[], options: SpawnSyncOptions = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [NAMETAP, ...words], {
    cwd: ROOT,
    timeout: 60_000,
    ...options,
    env: { ...plain, ...options.env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** Starts it; `until` resolves when its standard output or error holds the text. */
export function started(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [NAMETAP, ...words], { cwd: ROOT, env: { ...plain, ...env } });
  const said = { out: '', err: '' };
  const waiting = new Set<() => void>();
  const heard = (where: 'out' | 'err') => (chunk: Buffer) => {
    said[where] += chunk;
    for (const look of waiting) look();
  };
  child.stdout.on('data', heard('out'));
  child.stderr.on('data', heard('err'));
  const ended = new Promise<Ran & { signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...said }));
  });
  const until = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!said.out.includes(text) && !said.err.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(`it ended without saying "${text}": ${said.err}`)));
      look();
    });
  return { child, said, ended, until };
}

/** A folder that goes when the tests of the file have run. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nametap-cli-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
