import { EXIT, UserError } from '../core/errors.ts';

/**
 * A display filter that cannot be used: what is wrong, the filter, and a caret line under the place. Exit code 4.
 * `at` and `length` are offsets into the filter's text, for editors.
 */
export class FilterError extends UserError {
  readonly reason: string;
  readonly at: number;
  readonly length: number;

  constructor(reason: string, text: string, at: number, length = 1) {
    super(`${reason}\n${caretLines(text, at, length)}`, EXIT.filter);
    this.name = 'FilterError';
    this.reason = reason;
    this.at = at;
    this.length = length;
  }
}

/** The line of the filter that holds the place, and carets below it. */
function caretLines(text: string, at: number, length: number): string {
  const from = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const line = text.slice(from, end < 0 ? text.length : end).replaceAll('\t', ' ');
  const column = points(text.slice(from, at));
  const width = Math.max(1, Math.min(points(text.slice(at, at + length)), points(line) - column));
  return `    ${line}\n    ${' '.repeat(column)}^${'~'.repeat(width - 1)}`;
}

/** Columns a text takes: its code points. */
function points(text: string): number {
  return Array.from(text).length;
}
