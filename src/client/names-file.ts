import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { TYPES } from '../wire/iana.ts';
import { linesOf } from './lines.ts';
import type { Question } from './question.ts';

/**
 * The questions of a file, or of standard input (`-`): `NAME [TYPE]` a line, as dnsperf reads them; empty lines and those
 * that begin with `;` or `#` are passed over. Throws `UserError` that names the line.
 */
export async function* readNames(path: string, signal?: AbortSignal): AsyncGenerator<Question> {
  for await (const { line, number } of linesOf(path, signal)) {
    const [name = '', type = 'A'] = line.trim().split(/\s+/);
    if (name === '' || name.startsWith(';') || name.startsWith('#')) continue;
    const code = TYPES.number(type);
    if (code < 0) {
      throw new UserError(
        `${plainText(path)}, line ${number}: "${plainText(type)}" is not an RR type. Write a name and a type on each line.`,
      );
    }
    yield { name, type: TYPES.name(code) };
  }
}
