import { EXIT, UserError } from '../core/errors.ts';
import { closedFolder, type DataFolder } from './data-folder.ts';
import type { Account } from './input.ts';

/** Throws UserError where another process serves the folder. */
export function refuseSecond(data: DataFolder): void {
  const other = data.announced();
  if (other === undefined || other.pid === process.pid) return;
  throw new UserError(
    `The data folder ${data.path} is served already, by process ${other.pid} at ${other.url}. Stop it, or name another folder with --data.`,
    EXIT.file,
  );
}

/** Throws UserError where the user that nametap becomes cannot reach its data, or nametap's own files. */
export function refuseClosed(account: Account, data: DataFolder): void {
  const closed = closedToUser(account, data.path);
  if (closed === undefined) return;
  throw new UserError(
    `The user ${account.name}, which nametap becomes once its sockets are open, may not enter ${closed}. Name another data folder with --data, another user with --user, or stay root with --user root.`,
    EXIT.file,
  );
}

/** The folder that keeps a user from the data, or from nametap's own files; undefined when there is none. */
export function closedToUser(account: Account, data: string): string | undefined {
  return closedFolder(data, account) ?? closedFolder(import.meta.filename, account);
}
