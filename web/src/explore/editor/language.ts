/** The project's own filter language, in the page. Loaded when it is first needed. */
import type { Fields } from '../../../../src/server/schema/meta.ts';
import { compileFilter, FIELDS, FilterError, findField } from '../../../../src/library/filter.ts';
import type { FieldInfo } from './complete.ts';

/** What is wrong with a filter, and where; `fix` goes in place of what is marked. */
export interface Mistake {
  reason: string;
  at: number;
  length: number;
  fix?: string;
}
export interface Verdict {
  mistake: Mistake | null;
  /** What the filter does that one may not expect. */
  hints: readonly string[];
}

/** Looks at a filter as the server will: its grammar, its fields, and whether history holds them. */
export function check(text: string, isStored: (field: string) => boolean = storedByDefault): Verdict {
  try {
    const { fields, hints } = compileFilter(text);
    const missing = fields.find((name) => !isStored(name));
    if (missing === undefined) return { mistake: null, hints };
    const at = Math.max(0, text.indexOf(missing));
    return { mistake: { reason: `${missing} is not kept with transactions.`, at, length: missing.length }, hints };
  } catch (thrown) {
    if (!(thrown instanceof FilterError)) throw thrown;
    const { reason, at, length } = thrown;
    const fix =
      /Did you mean (\S+)\?/.exec(reason)?.[1] ?? /^'(=)' is not an operator\./.exec(reason)?.[1]?.concat('=');
    return { mistake: { reason, at, length, ...(fix !== undefined && { fix }) }, hints: [] };
  }
}

function storedByDefault(name: string): boolean {
  return findField(name)?.stored !== false;
}

/** Fields for completion; `server`: what its store holds, once it is known. */
export function fieldInfos(server?: Fields): FieldInfo[] {
  const stored = new Map(server?.rows.map((row) => [row.name, row.stored]));
  return FIELDS.map(({ name, title, kind, stored: usual, names }) => ({
    name,
    title,
    kind,
    stored: stored.get(name) ?? usual,
    values: (names?.entries ?? []).map(([number, text]) => {
      const all = names?.texts(number) ?? [text];
      const short = all.find((one) => !one.includes(' ')) ?? text;
      return { number, text: short, also: all.find((one) => one !== short) ?? '' };
    }),
  }));
}
