/**
 * Keeps the right to change nftables when nametap gives up its own: reads what the sets of table `inet nametap` are to
 * hold, a line of JSON each, and answers each with `{"ok":true}` or `{"error":…}`. It can do nothing else. When whoever
 * started it is gone, however that came, the table goes too: nothing stays blocked.
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { removeScript, setupScript, wishScript } from './nft-rules.ts';

const NFT_MS = 10_000;
const MOST_LINE = 4 << 20;

/** Runs a script as one transaction. Throws with what nft says. */
function nft(script: string): void {
  try {
    execFileSync('nft', ['-f', '-'], {
      input: script,
      encoding: 'utf8',
      timeout: NFT_MS,
      env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: string };
    if (code === 'ENOENT') throw new Error('the program nft is not installed', { cause: error });
    throw new Error((stderr ?? String(error)).trim().split('\n')[0].slice(0, 300), { cause: error });
  }
}

function answer(act: () => void): void {
  let said: object = { ok: true };
  try {
    act();
  } catch (error) {
    said = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

// Ctrl-C and a service manager mean the one who started it, who ends this by closing its input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// Nobody listens any more: the end of the input follows.
process.stdout.on('error', () => {});

answer(() => nft(setupScript()));
for await (const line of createInterface({ input: process.stdin })) {
  answer(() => {
    if (line.length > MOST_LINE) throw new Error('too long');
    nft(wishScript(JSON.parse(line) as unknown));
  });
}
try {
  nft(removeScript());
} catch {
  process.exitCode = 1;
}
