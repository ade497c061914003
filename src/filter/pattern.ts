import { RE2JS } from 're2js';
import type { Context } from './source.ts';
import type { Operand } from './syntax.ts';
import { foldText, octetsOf } from './value.ts';

/** A regular expression: matched in time linear in the text, whatever the pattern. Case does not count unless `(?-i)`. */
export interface Pattern {
  matches(text: string): boolean;
  /** Set when the pattern is plain text: the octets to look for in folded text. */
  readonly literal?: Uint8Array;
}

/** Longest pattern: what it compiles to is bounded with it. */
const MAX_PATTERN = 4096;
const MAX_PROGRAM = 20_000;

/** Compiles the pattern of `matches`. Throws `FilterError` where it is none, or needs more than linear time. */
export function compilePattern(operand: Operand & { kind: 'string' }, context: Context): Pattern {
  const { text } = operand;
  if (text.length > MAX_PATTERN) throw context.error(`The pattern is longer than ${MAX_PATTERN} characters.`, operand);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, '').replace('(?i)', '') : String(error);
    const back = /\\[1-9]|\(\?[=!<]/.test(text) ? ' Look-around and back-references are not supported.' : '';
    throw context.error(`The pattern is no regular expression: ${reason}.${back}`, operand);
  }
  if (compiled.programSize() > MAX_PROGRAM)
    throw context.error('The pattern is too large. Use smaller repetitions.', operand);
  const matches = (subject: string): boolean => compiled.test(subject);
  // K and S have further lower-case forms beyond ASCII; folded octets know ASCII only, and names are escaped ASCII: what
  // begins with a digit could be found in an escape, and a part of `<Root>` not in the root.
  const folded = foldText(text);
  return /^[a-z_-][0-9a-z_-]*$/.test(folded) && !'<root>'.includes(folded)
    ? { matches, literal: octetsOf(folded) }
    : { matches };
}
