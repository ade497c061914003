import { RE2JS } from 're2js';
import { UserError } from '../core/errors.ts';
import { form, type Setting } from '../core/settings.ts';

/** A regular expression as it was written; matching takes time linear in the text, whoever wrote that. */
export interface ProbePattern {
  text: string;
  matches(text: string): boolean;
}

const MOST = 4096;

/** Throws `UserError`. */
function readPattern(text: string): ProbePattern {
  if (text.length > MOST) throw new UserError(`A pattern has at most ${MOST} characters.`);
  try {
    const compiled = RE2JS.compile(text, RE2JS.DOTALL);
    return { text, matches: (subject) => compiled.test(subject) };
  } catch (error) {
    throw new UserError(`'${text}' is no regular expression: ${error instanceof Error ? error.message : ''}`);
  }
}

/** A setting that takes a regular expression (RE2). */
export function patternSetting(summary: string): Setting<ProbePattern | undefined> {
  return form(summary, 'a regular expression (RE2)', readPattern, { example: '^220 ' });
}
