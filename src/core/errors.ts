/** Exit codes (CONTRACTS: Commands). */
export const EXIT = { ok: 0, usage: 1, interface: 2, file: 3, filter: 4, cut: 14 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

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
