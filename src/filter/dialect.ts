import { type Fragment, param, sql } from './fragment.ts';

/**
 * What databases say differently. Everything else that filters and statistics compile to is the same everywhere: CASE,
 * BETWEEN, IN, coalesce, nullif, abs, trunc, upper, replace, `||`, `count(*) FILTER (WHERE …)`, comparisons, `octet_length` of octets.
 *
 * Texts compare octet by octet (PostgreSQL: columns have COLLATE "C"). A value that cannot be said is `undefined`: then
 * messages decide. A new engine: one object, and a run of the property test (`test/filter/sql-property.ts`).
 */
export interface SqlDialect {
  readonly name: string;
  /** A number as a double, as a whole number of 64 bits, as text. */
  double(value: Fragment): Fragment;
  integer(value: Fragment): Fragment;
  text(value: Fragment): Fragment;
  /** A number from outside beside columns: whole ones must fit whatever width the column has. */
  number(value: number): Fragment;
  /** False where the engine has no such text (PostgreSQL: with a NUL). */
  takes(text: string): boolean;
  /** Octets of a text, and its characters. */
  octets(text: Fragment): Fragment;
  characters(text: Fragment): Fragment;
  /** `length` characters from the 1-based `start`; both are whole numbers, `length` may be negative where nothing is used. */
  substring(text: Fragment, start: Fragment, length: Fragment): Fragment;
  contains(text: Fragment, part: Fragment): Fragment;
  /** Octets somewhere in octets. */
  holds(octets: Fragment, part: Uint8Array): Fragment;
  /** A pattern of RE2 somewhere in text; case of ASCII letters does not count. */
  matches(text: Fragment, pattern: string): Fragment | undefined;
  /** Bits of whole numbers. */
  bits(value: Fragment, shift: number, mask: number): Fragment;
  bitAnd(a: Fragment, b: Fragment): Fragment;
  /** The largest or smallest of doubles; NULLs do not count. */
  extreme(which: 'max' | 'min', items: readonly Fragment[]): Fragment;
  /** What is left of doubles, with the sign of `a` (as `%` of JavaScript); `b` is not 0. */
  remainder(a: Fragment, b: Fragment): Fragment | undefined;
  /** Quotient of whole numbers as text of SQL, rounded down for positive ones. */
  quotient(a: string, b: string | number): string;
  /** floor(log2(x)) of a positive double, exact, as a whole number. */
  octave(value: string): string;
  /** Casts of text of SQL: to a double, to 64 bits, to a number that holds sums of squares. */
  readonly types: { readonly double: string; readonly integer: string; readonly huge: string; readonly small: string };
}

/** The embedded store's. */
export const DUCKDB: SqlDialect = {
  name: 'duckdb',
  double: (value) => sql`(${value})::DOUBLE`,
  integer: (value) => sql`(${value})::BIGINT`,
  text: (value) => sql`(${value})::VARCHAR`,
  number: (value) => param(Number.isSafeInteger(value) ? BigInt(value) : value),
  takes: () => true,
  octets: (text) => sql`strlen(${text})`,
  characters: (text) => sql`length(${text})`,
  substring: (text, start, length) => sql`substring(${text}, (${start})::BIGINT, (${length})::BIGINT)`,
  contains: (text, part) => sql`contains(${text}, ${part})`,
  // There is no search for octets in octets; in hexadecimal nothing is missed.
  holds: (octets, part) => sql`contains(hex(${octets}), ${param(digits(part))})`,
  matches: (text, pattern) => sql`regexp_matches(${text}, ${param(pattern)}, 'i')`,
  bits: (value, shift, mask) => masked(shift > 0 ? sql`(${value} >> ${bare(shift)})` : value, mask),
  bitAnd: (a, b) => sql`(${a} & ${b})`,
  extreme: (which, items) => sql`${bare(`list_${which}`)}([${listed(items)}])`,
  remainder: (a, b) => sql`(${a} % ${b})`,
  quotient: (a, b) => `${a} // ${b}`,
  octave: (value) => `floor(log2(${value}))::INTEGER`,
  types: { double: 'DOUBLE', integer: 'BIGINT', huge: 'HUGEINT', small: 'USMALLINT' },
};

function digits(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

function masked(value: Fragment, mask: number): Fragment {
  return mask === 0xffff ? value : sql`(${value} & ${bare(mask)})`;
}

/** SQL of our own. */
export function bare(text: string | number): Fragment {
  return { sql: String(text), params: [] };
}

/** Fragments with commas between. */
export function listed(items: readonly Fragment[]): Fragment {
  return items.reduce((a, b) => sql`${a}, ${b}`);
}

/** A text of SQL with its `?` numbered, as PostgreSQL wants it. Texts of ours hold no other question mark. */
export function numbered(text: string): string {
  let n = 0;
  return text.replaceAll('?', () => `$${++n}`);
}
