import { SEVERITIES, type Severity } from '../core/alert.ts';
import { UserError } from '../core/errors.ts';
import type { Filter } from '../filter/compile.ts';
import type { FieldPrinter } from '../filter/output.ts';
import { compileStored } from '../filter/row.ts';
import { type KeyPart, keyPart, storedField } from './row-fields.ts';
import { type Comparison, parseWhen, type When } from './when.ts';

/** A rule of the operator's, as written. */
export interface RuleText {
  name: string;
  /** Display filter; empty = every transaction. */
  filter: string;
  /** What to count by: words of `KEY_WORDS`, or fields. */
  per: readonly string[];
  /** Seconds. */
  over: number | undefined;
  /** Without it every transaction that passes is marked, and nobody is woken. */
  when: string | undefined;
  severity: Severity;
  text: string;
  attack: readonly string[];
}

/** What a comparison of a rule needs of every row. */
export interface Input {
  comparison: Comparison;
  field?: FieldPrinter;
  filter?: Filter;
}

/** A rule that can run. */
export interface Rule extends Omit<RuleText, 'when' | 'over'> {
  keys: readonly KeyPart[];
  over: number;
  when: When | undefined;
  /** In the order of the conditions. */
  inputs: readonly Input[];
}

const MOST_NAME = 80;
const DEFAULT_OVER = 300;
const LEAST_OVER = 1;
const MOST_OVER = 7 * 86_400;

/** Throws UserError (FilterError for its filters) with what is wrong in the rule. */
export function ruleOf(written: RuleText): Rule {
  const { name, filter, per, over = DEFAULT_OVER, severity } = written;
  if (name.trim() === '' || name.length > MOST_NAME) {
    throw new UserError(`A rule needs a name of 1 to ${MOST_NAME} characters.`);
  }
  if (!SEVERITIES.includes(severity)) throw new UserError(`'${severity}' is no severity: ${SEVERITIES.join(', ')}.`);
  if (over < LEAST_OVER || over > MOST_OVER)
    throw new UserError("'over' is between a second and seven days: over: 5m.");
  if (filter.trim() !== '') compileStored(filter);
  const isMark = written.when === undefined;
  if (isMark && (per.length > 0 || written.over !== undefined)) {
    throw new UserError("'per' and 'over' belong to 'when': add one, such as when: count >= 20.");
  }
  const when = written.when === undefined ? undefined : parseWhen(written.when);
  const inputs = (when?.any.flat() ?? []).map((comparison): Input => {
    const { aggregate, argument } = comparison;
    if (argument === '') return { comparison };
    return aggregate === 'ratio'
      ? { comparison, filter: compileStored(argument) }
      : { comparison, field: storedField(argument) };
  });
  return { ...written, keys: per.map(keyPart), over, when, inputs };
}
