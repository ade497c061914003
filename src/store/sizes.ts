import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE_FILE, PARTS_FOLDER } from './setup.ts';

/** Bytes of a file; 0 where there is none. */
export function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes of all files of a store; 0 in memory. */
export function folderBytes(path: string | null): number {
  if (path === null) return 0;
  const parts = join(path, PARTS_FOLDER);
  const files = [DATABASE_FILE, `${DATABASE_FILE}.wal`].map((name) => join(path, name));
  return [...files, ...readdirSync(parts).map((name) => join(parts, name))].reduce(
    (sum, file) => sum + fileBytes(file),
    0,
  );
}
