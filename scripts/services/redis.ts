import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

export interface RedisService {
  /** `redis://127.0.0.1:PORT`. */
  readonly address: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
  /** SIGKILL. What it held is gone. */
  kill(): Promise<void>;
}

/** Starts Debian's redis-server on loopback; nothing is written to the disk. `port`: the one it had before. */
export async function start({
  port,
  args = [],
}: {
  port?: number;
  args?: readonly string[];
} = {}): Promise<RedisService> {
  const at = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'nametap-redis-'));
  const words = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...args];
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => line.includes('Ready to accept connections') && resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    // One that was stopped does not hear.
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT');
      child.kill(signal);
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  return { address: `redis://127.0.0.1:${at}`, process: child, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
