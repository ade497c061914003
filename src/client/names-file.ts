import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { reasonOf, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { TYPES } from '../wire/iana.ts';
import type { Question } from './question.ts';

/**
 * The questions of a file, or of standard input (`-`): `NAME [TYPE]` a line, as dnsperf reads them; empty lines and those
 * that begin with `;` or `#` are passed over. Throws `UserError` that names the line.
 */
export async function* readNames(path: string, otherwise = 'A'): AsyncGenerator<Question> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      const [name = '', type = otherwise] = line.trim().split(/\s+/);
      if (name === '' || name.startsWith(';') || name.startsWith('#')) continue;
      const code = TYPES.number(type);
      if (code < 0) {
        throw new UserError(
          `${path}, line ${number}: "${plainText(type)}" is not an RR type. Write a name and a type on each line.`,
        );
      }
      yield { name, type: TYPES.name(code) };
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot open ${plainText(path)}: ${reasonOf(error)}.`, 3, { cause: error });
  }
}
