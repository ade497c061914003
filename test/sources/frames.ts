import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type FrameBatch, NO_PACKET, type Source } from '../../src/core/frames.ts';
import { openFiles } from '../../src/sources/files.ts';

/** A frame as a row that can be compared. */
export interface FrameRow {
  number: number;
  time: string;
  captured: number;
  wire: number;
  link: number;
  interfaceId: number;
  md5: string;
}

export interface Reading {
  rows: FrameRow[];
  packets: number;
  source: Source;
}

/** Reads all frames of some files. */
export async function readAll(paths: readonly string[], capacity?: number): Promise<Reading> {
  return drain(await openFiles(paths, { capacity }));
}

export async function drain(source: Source, signal = new AbortController().signal): Promise<Reading> {
  const rows: FrameRow[] = [];
  for await (const batch of source.batches(signal)) addRows(batch, rows);
  return { rows, packets: rows.filter((row) => row.link !== NO_PACKET).length, source };
}

export function addRows(batch: FrameBatch, rows: FrameRow[]): void {
  for (let i = 0; i < batch.count; i++) {
    const bytes = batch.bytes.subarray(batch.at[i], batch.at[i] + batch.captured[i]);
    rows.push({
      number: batch.number[i],
      time: batch.untimed[i] === 1 ? '' : `${batch.seconds[i]}.${String(batch.nanos[i]).padStart(9, '0')}`,
      captured: batch.captured[i],
      wire: batch.wire[i],
      link: batch.link[i],
      interfaceId: batch.interfaceId[i],
      md5: createHash('md5').update(bytes).digest('hex'),
    });
  }
}

/** A folder that is gone after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function putFile(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
