/** Exit codes (CONTRACTS: Commands). */
export const EXIT = { ok: 0, usage: 1, interface: 2, file: 3, filter: 4, cut: 14 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EMFILE: 'too many files are open',
};

/** Why the system refused a file, in words that follow `Cannot open FILE: `. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '' }: NodeJS.ErrnoException = error;
  return REASONS[code] ?? error.message;
}

/**
 * An error a user can do something about: one or two plain sentences that say what happened, where, and what to do
 * next, and the exit code of the command. Anything else thrown is a defect of ours.
 */
export class UserError extends Error {
  readonly exit: ExitCode;

  constructor(message: string, exit: ExitCode = EXIT.usage, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.exit = exit;
  }
}
