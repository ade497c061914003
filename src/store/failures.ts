import { EXIT, reasonOf, UserError } from '../core/errors.ts';

/** First line of what DuckDB says, without its kind of error. */
export function databaseReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0].replace(/^(?:\w+ )*Error: /, '');
}

/** That a write failed because there is no room. */
export function isDiskFull(error: unknown): boolean {
  return /No space left|disk is full|ENOSPC|out of disk|not enough (?:space|disk)/i.test(String(error));
}

/** That DuckDB gave the whole database up: it has to be opened anew. */
export function isInvalidated(error: unknown): boolean {
  return /database has been invalidated|FATAL Error/i.test(String(error));
}

/** Asks a database; `without` while it is given up, which may come out only now: state and first screen tell of it. */
export async function unlessGivenUp<T>(
  store: { readonly isDead: boolean; failed(error: unknown): void },
  ask: () => Promise<T>,
  without: T,
): Promise<T> {
  try {
    if (!store.isDead) return await ask();
  } catch (error) {
    if (!isInvalidated(error)) throw error;
    store.failed(error);
  }
  return without;
}

/** Why a store cannot be opened, in one or two sentences. */
export function openFailure(file: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  const say = (sentence: string) => new UserError(sentence, EXIT.file, cause);
  if (/Could not set lock|Conflicting lock|being used by another process/i.test(text)) {
    const pid = /PID (\d+)/.exec(text)?.[1];
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    return say(`The store ${file} is in use by ${who}. Ask it through its API (--url), or stop it first.`);
  }
  if (/newer (?:version|DuckDB)|created with a newer|version number \d+.*can only read|storage version/i.test(text)) {
    return say(
      `The store ${file} was written by a newer nametap. Install that version, or give another folder (--data).`,
    );
  }
  if (
    /not a valid DuckDB|[Cc]orrupt|checksum|Failed to deserialize|Serialization|magic bytes|WAL|does not (?:match|exist)|truncated/.test(
      text,
    )
  ) {
    const reason = databaseReason(error);
    return say(
      `The store ${file} is damaged (${reason}). Move it away to begin anew; Parquet files in its folder parts stay readable.`,
    );
  }
  if (/Permission denied|EACCES|EPERM/i.test(text)) {
    return say(
      `The store ${file} cannot be written: permission denied. Give the user the right, or another folder (--data).`,
    );
  }
  if (/Read-only file system|EROFS/i.test(text)) {
    return say(`The store ${file} cannot be written: the file system is read-only. Give another folder (--data).`);
  }
  if (isDiskFull(error))
    return say(`The store ${file} cannot be opened: the disk is full. Make room, then start again.`);
  const { code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined };
  return say(`The store ${file} cannot be opened: ${code === undefined ? databaseReason(error) : reasonOf(error)}.`);
}
