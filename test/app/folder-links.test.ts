import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runRows } from '../../src/app/run.ts';
import { temporaryFolder } from '../sources/frames.ts';

const RESOLUTION = fileURLToPath(new URL('../captures/resolution.pcap', import.meta.url));

test('rows that wait for their link come out of a folder in which nothing happens any more', {
  timeout: 30_000,
}, async (t) => {
  const count = async (input: { kind: 'files'; paths: string[] } | { kind: 'folder'; path: string }, most: number) => {
    const stop = new AbortController();
    let rows = 0;
    let beforeStop = 0;
    const plan = { input, threads: 0, paths: true };
    await runRows(plan, { signal: stop.signal }, (_, from, to) => {
      rows += to - from;
      if (!stop.signal.aborted) beforeStop = rows;
      if (rows >= most) stop.abort();
    });
    return { rows, beforeStop };
  };
  const all = (await count({ kind: 'files', paths: [RESOLUTION] }, Number.POSITIVE_INFINITY)).rows;
  assert.ok(all > 1);
  const path = temporaryFolder(t);
  copyFileSync(RESOLUTION, join(path, 'resolution.pcap'));
  assert.equal((await count({ kind: 'folder', path }, all)).beforeStop, all);
});
