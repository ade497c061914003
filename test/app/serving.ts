/** A nametap that serves within the test: temporary data folder, a port of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LoadedConfig, loadConfig } from '../../src/app/config.ts';
import { serve } from '../../src/app/serve.ts';
import type { Served, ServeResult } from '../../src/app/serve-hooks.ts';
import type { OptionValues } from '../../src/core/definition.ts';

export const DEMO = fileURLToPath(new URL('../../assets/demo.pcap.gz', import.meta.url));

export interface LogLine {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

export interface Server {
  served: Served;
  log: LogLine[];
  reload(next: LoadedConfig): void;
  get(path: string): Promise<Response>;
  json<T>(path: string): Promise<T>;
  /** Ends it in order. */
  stop(): Promise<ServeResult>;
}

/** A folder that goes when the process ends: whoever serves it has ended by then. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nametap-serve-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function configOf(data: string, flags: OptionValues = {}): LoadedConfig {
  return loadConfig({
    flags: { data, sensor: 'here', 'server-listen': '127.0.0.1:0', 'capture-user': 'root', ...flags },
    environment: {},
  });
}

/** Serves until the test ends, or `stop`. Rejects with whatever keeps it from starting. */
export async function serving(t: TestContext, data: string, flags: OptionValues = {}): Promise<Server> {
  const abort = new AbortController();
  const log: LogLine[] = [];
  const say = (level: string) => (fields: object, message: string) => {
    log.push({ level, fields: fields as Record<string, unknown>, message });
  };
  let reload: ((next: LoadedConfig) => void) | undefined;
  let ended: Promise<ServeResult> | undefined;
  const served = await new Promise<Served>((started, failed) => {
    ended = serve(configOf(data, flags), {
      signal: abort.signal,
      version: '1.2.3',
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      command: ['nametap', 'serve'],
      started,
      reloading: (apply) => {
        reload = apply;
      },
    });
    ended.catch(failed);
  });
  const stop = async () => {
    abort.abort();
    assert.ok(ended !== undefined);
    return ended;
  };
  t.after(stop);
  const token = new URL(served.signIn).hash.slice('#token='.length);
  const get = (path: string) => fetch(`${served.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  return {
    served,
    log,
    reload: (next) => reload?.(next),
    get,
    json: async <T>(path: string) => {
      const response = await get(path);
      assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
      return (await response.json()) as T;
    },
    stop,
  };
}

/** Waits until `look` gives something. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  return assert.fail(`${what} within ten seconds`);
}
