import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** ClickHouse's engine as npm has it; some 550 MB, so not among the packages of the project. */
const PACKAGE = 'chdb@3.4.0';
const HOME = fileURLToPath(new URL('../../.cache/services/clickhouse', import.meta.url));
const MODULES = join(HOME, 'node_modules');
const ENGINE = fileURLToPath(new URL('./clickhouse-engine.ts', import.meta.url));

export interface ClickHouseService {
  /** Address of its HTTP interface. */
  readonly address: string;
  readonly folder: string;
  /** Ends it; a temporary folder goes too. */
  stop(): Promise<void>;
  /** SIGKILL; the folder stays. */
  kill(): Promise<void>;
}

/** Installs the engine once, into `.cache`; who does it at the same time does it beside. */
export function install(): void {
  if (existsSync(join(MODULES, 'chdb', 'package.json'))) return;
  const beside = `${HOME}-${process.pid}`;
  mkdirSync(beside, { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', '--prefix', beside, ...flags, PACKAGE], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm could not install ${PACKAGE} (${status})`);
  if (existsSync(join(MODULES, 'chdb', 'package.json'))) rmSync(beside, { recursive: true });
  else {
    rmSync(HOME, { recursive: true, force: true });
    renameSync(beside, HOME);
  }
}

/** Starts the engine on loopback over a folder (absent: a temporary one). */
export async function start({
  folder,
  port = 0,
  user = 'default',
  password = '',
}: {
  folder?: string;
  port?: number;
  user?: string;
  password?: string;
} = {}): Promise<ClickHouseService> {
  install();
  const path = folder ?? mkdtempSync(join(tmpdir(), 'nametap-clickhouse-'));
  const child = spawn(process.execPath, [ENGINE, MODULES, path, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NAMETAP_TEST_USER: user, NAMETAP_TEST_PASSWORD: password },
  });
  const ended = once(child, 'exit');
  const said = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => Promise.reject(new Error('the engine of ClickHouse did not start'))),
  ]);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return {
    address: `http://127.0.0.1:${said[0]}`,
    folder: path,
    stop: async () => {
      await end('SIGTERM');
      if (folder === undefined) rmSync(path, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
  };
}
