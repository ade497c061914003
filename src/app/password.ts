import { UserError } from '../core/errors.ts';
import { hashPassword } from '../server/passwords.ts';

const LEAST = 10;

/** A password as `server.users` wants it. Throws UserError for one that is too short to hold. */
export async function keptPassword(password: string): Promise<string> {
  if (password.length < LEAST) throw new UserError(`A password has at least ${LEAST} characters.`);
  if (/[\r\n\0]/.test(password)) throw new UserError('A password is one line of text.');
  return hashPassword(password);
}
