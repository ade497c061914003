import { group } from '../core/settings.ts';
import { detector, type DetectorDefinition } from '../detect/detector.ts';
import type { Observation } from '../detect/observation.ts';
import { RowFields, type RowMessages } from './row-fields.ts';
import type { Rule } from './rule.ts';

/** Called for a transaction that passes rules without a condition, with their names. */
export type Marked = (seen: Observation, rules: readonly string[]) => void;

/** What marks transactions by the rules without a condition; undefined when there is none. It raises nothing. */
export function markDetector(
  rules: readonly Rule[],
  marked: Marked,
  messages: RowMessages,
): DetectorDefinition | undefined {
  const marks = rules
    .filter(({ when }) => when === undefined)
    .map(({ name, filter }) => ({ name, row: new RowFields(filter, messages) }));
  if (marks.length === 0) return undefined;
  return detector({
    id: 'MARKS',
    title: 'Marks',
    summary: 'Marks transactions by the rules that have no condition.',
    attack: [],
    rows: 'all',
    settings: group('None.', {}),
    create: () => ({
      inspect(seen) {
        const names = marks.filter(({ row }) => row.passes(seen)).map(({ name }) => name);
        if (names.length > 0) marked(seen, names);
      },
    }),
  });
}
