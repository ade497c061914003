import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { PrivacyEpoch } from '../enrich/privacy.ts';

/** When keys change, and how long old ones are kept so that pseudonyms of their time can be made again; seconds. */
export interface KeyRotation {
  /** 0 = one key for ever. */
  everySeconds: number;
  /** Epochs that ended longer ago are forgotten; 0 = none is. */
  keepSeconds: number;
}

const KEY_BYTES = 32;

/**
 * The keys of pseudonyms, by rising time, from a file that only its owner may read (mode 0600): one line for each
 * epoch, its beginning (RFC 3339) and 64 hexadecimal digits. A missing file is created; an epoch that is over is
 * followed by a new one from `now` (seconds since 1970); forgotten epochs are overwritten. Throws UserError (exit code 3)
 * for a file that cannot be read, is open to others, or holds something else.
 */
export function privacyEpochs(path: string, rotation: KeyRotation, now: number): PrivacyEpoch[] {
  const known = existsSync(path) ? readKeys(path) : [];
  const last = known.at(-1);
  const isOver = last === undefined || (rotation.everySeconds > 0 && now - last.from >= rotation.everySeconds);
  const all = isOver ? [...known, { from: Math.floor(now), key: new Uint8Array(randomBytes(KEY_BYTES)) }] : known;
  // An epoch ends where the next begins.
  const kept = all.filter((_, i) => {
    const next = all.at(i + 1);
    return rotation.keepSeconds === 0 || next === undefined || now - next.from <= rotation.keepSeconds;
  });
  if (kept.length !== known.length || isOver) writeKeys(path, kept);
  return kept;
}

function readKeys(path: string): PrivacyEpoch[] {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new UserError(`The key file ${path} can be read by others. Run: chmod 600 ${path}`, EXIT.file);
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read the key file ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
  const epochs: PrivacyEpoch[] = [];
  text.split('\n').forEach((line, i) => {
    if (line === '' || line.startsWith('#')) return;
    const [time, hex = '', ...rest] = line.split(' ');
    const from = Date.parse(time) / 1000;
    const isRising = epochs.length === 0 || from > epochs[epochs.length - 1].from;
    if (!Number.isFinite(from) || !isRising || !/^[0-9a-f]{64}$/.test(hex) || rest.length > 0) {
      throw new UserError(`Line ${i + 1} of the key file ${path} is no time and key. Restore the file.`, EXIT.file);
    }
    epochs.push({ from, key: new Uint8Array(Buffer.from(hex, 'hex')) });
  });
  return epochs;
}

/** Written aside and renamed: never half a file. */
function writeKeys(path: string, epochs: readonly PrivacyEpoch[]): void {
  const lines = epochs.map(
    ({ from, key }) => `${new Date(from * 1000).toISOString()} ${Buffer.from(key).toString('hex')}`,
  );
  const text = `# Keys of nametap's pseudonyms: from when, and the key. Keep it secret.\n${lines.join('\n')}\n`;
  try {
    const aside = `${path}.new`;
    writeFileSync(aside, text, { mode: 0o600, flush: true });
    chmodSync(aside, 0o600);
    renameSync(aside, path);
  } catch (error) {
    throw new UserError(`Cannot write the key file ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}
