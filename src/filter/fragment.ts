/** What a `?` stands for. */
export type SqlValue = string | number | bigint | Uint8Array;

/** A piece of SQL with its values, bound in order: texts of filters never become part of the SQL. */
export interface Fragment {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

const NONE: readonly SqlValue[] = [];
export const TRUE: Fragment = { sql: 'true', params: NONE };
export const FALSE: Fragment = { sql: 'false', params: NONE };

/**
 * SQL with fragments in it. What is written here is ours; every value from outside comes in through `param`.
 * @example sql`${column} >= ${param(5)}`
 */
export function sql(texts: TemplateStringsArray, ...parts: readonly Fragment[]): Fragment {
  let text = texts[0];
  for (let i = 0; i < parts.length; i++) text += parts[i].sql + texts[i + 1];
  return { sql: text, params: parts.length === 1 ? parts[0].params : parts.flatMap(({ params }) => params) };
}

/** A value from outside. */
export function param(value: SqlValue): Fragment {
  return { sql: '?', params: [value] };
}

export function not(of: Fragment): Fragment {
  if (of === TRUE) return FALSE;
  if (of === FALSE) return TRUE;
  return sql`(NOT ${of})`;
}

export function and(...of: readonly Fragment[]): Fragment {
  return joined(of, TRUE, FALSE, ' AND ');
}

export function or(...of: readonly Fragment[]): Fragment {
  return joined(of, FALSE, TRUE, ' OR ');
}

function joined(of: readonly Fragment[], neutral: Fragment, deciding: Fragment, sign: string): Fragment {
  const left: Fragment[] = [];
  for (const one of of) {
    if (one === deciding) return deciding;
    if (one !== neutral && !left.some((other) => isSame(one, other))) left.push(one);
  }
  if (left.length === 0) return neutral;
  return balanced(left, sign);
}

/** As flat as can be: long chains nest deeper than a database takes. */
function balanced(of: readonly Fragment[], sign: string): Fragment {
  if (of.length === 1) return of[0];
  const middle = of.length >> 1;
  const [a, b] = [balanced(of.slice(0, middle), sign), balanced(of.slice(middle), sign)];
  return { sql: `(${a.sql}${sign}${b.sql})`, params: [...a.params, ...b.params] };
}

/** The same SQL with the same values. */
export function isSame(a: Fragment, b: Fragment): boolean {
  return a === b || (a.sql === b.sql && a.params.every((value, i) => isEqual(value, b.params[i])));
}

function isEqual(a: SqlValue, b: SqlValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
