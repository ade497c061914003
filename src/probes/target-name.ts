import { UserError } from '../core/errors.ts';

/** A domain name as it is asked for, without its last dot. Throws `UserError`. */
export function readName(written: string): string {
  const name = written === '.' ? '.' : written.replace(/\.$/, '');
  if (name === '' || name.length > 1000 || /[\s/:@]/.test(name)) {
    throw new UserError(`'${written}' is no domain name.`);
  }
  return name;
}
