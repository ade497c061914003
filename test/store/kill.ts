import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openStore } from '../../src/store/open.ts';

const WRITER = fileURLToPath(new URL('./kill-writer.ts', import.meta.url));
const FLUSH_MS = 200;
/** For writing it, on a busy machine, on top of the flush interval. */
const GRACE_MS = 2000;

/**
 * Kills a process that writes a store under load, again and again (SIGKILL, at a random moment), and checks each time
 * that the store opens, holds what was flushed, and says what the crash cost.
 */
export async function killLoop(kills: number): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'nametap-kill-'));
  try {
    let before = 0;
    for (let kill = 0; kill < kills; kill++) {
      const { said, killed } = await writeAndKill(path, 300 + Math.random() * 1200);
      const { accepted, safe } = said.at(-1) ?? { accepted: 0, safe: 0 };
      const store = await openStore({ path });
      const { remark, tables } = await store.status();
      const rows = tables
        .filter(({ name }) => name.startsWith('transactions'))
        .reduce((sum, table) => sum + table.rows, 0);
      const [counted] = (await store.statistics({ from: 0, to: 4e12, measures: ['transactions', 'queries'] })).rows;
      assert.equal(counted?.transactions ?? 0, rows, 'every row is readable');
      assert.ok(rows - before >= safe, `kill ${kill}: ${rows - before} rows kept, ${safe} were said to be safe`);
      const missed = said.find((one) => one.accepted > rows - before)?.at ?? killed;
      assert.ok(
        killed - missed <= FLUSH_MS + GRACE_MS,
        `kill ${kill}: rows of the last ${killed - missed} ms were lost`,
      );
      assert.ok(rows - before <= accepted + 65_536, `kill ${kill}: no row came twice`);
      const lost = Number(/(\d+) transactions? (?:was|were) lost/.exec(remark ?? '')?.[1] ?? 0);
      assert.match(remark ?? '', /ended without closing/, 'the crash is told');
      assert.ok(
        rows - before + lost >= accepted,
        `kill ${kill}: ${rows - before} kept + ${lost} lost < ${accepted} accepted`,
      );
      await store.close();
      const again = await openStore({ path });
      assert.equal((await again.status()).remark, null);
      await again.close();
      before = rows;
    }
    assert.ok(before > 0, 'something was written');
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

interface Said {
  /** Rows handed over, rows said to be on the disk, and when. */
  accepted: number;
  safe: number;
  at: number;
}

/** What the writer said before it was killed, and when that was. */
function writeAndKill(path: string, after: number): Promise<{ said: Said[]; killed: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, path, String(FLUSH_MS)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said: Said[] = [];
    let killed = 0;
    let timer: NodeJS.Timeout | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [accepted, safe] = line.split(' ').map(Number);
      said.push({ accepted, safe, at: performance.now() });
      timer ??= setTimeout(() => {
        killed = performance.now();
        child.kill('SIGKILL');
      }, after);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve({ said, killed });
      else reject(new Error(`the writer ended by itself (${code})`));
    });
  });
}
