import { createReadStream } from 'node:fs';
import { reasonOf, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';

/** A line is no longer: whoever gives a file without ends of lines has given the wrong one. */
const MOST_LINE = 65_536;

/** A file of lines cannot be read, or a line of it. */
export class LinesError extends UserError {}

/**
 * The lines of a file, or of standard input (`-`), as they come, each with its number: files may be of any size. Throws
 * `LinesError` when it cannot be read, or a line is too long. `signal` ends it, also while nothing comes.
 */
export async function* linesOf(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<{ line: string; number: number }, void> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  const stop = () => void input.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  let rest = '';
  let number = 0;
  try {
    input.setEncoding('utf8');
    for await (const chunk of input) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield { line: line.replace(/\r$/, ''), number: ++number };
      if (rest.length <= MOST_LINE) continue;
      throw new LinesError(`${plainText(path)}, line ${number + 1} is longer than ${MOST_LINE} characters.`, 3);
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    if (error instanceof LinesError) throw error;
    throw new LinesError(`Cannot open ${plainText(path)}: ${reasonOf(error)}.`, 3, { cause: error });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  if (rest !== '') yield { line: rest, number: ++number };
}
