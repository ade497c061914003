import { bare, DUCKDB, listed, type SqlDialect } from '../../filter/dialect.ts';
import { param, sql } from '../../filter/fragment.ts';

/** Largest repetition of a pattern (RE_DUP_MAX). */
const MOST_REPEATED = 255;

/** PostgreSQL 14 and newer. What fails when it is computed needlessly (a division by zero, a negative length) is kept from it. */
export const POSTGRES: SqlDialect = {
  ...DUCKDB,
  name: 'postgres',
  double: (value) => sql`(${value})::float8`,
  integer: (value) => sql`(${value})::bigint`,
  text: (value) => sql`(${value})::text`,
  number: (value) =>
    Number.isSafeInteger(value) ? sql`${param(BigInt(value))}::bigint` : sql`${param(value)}::float8`,
  takes: (text) => !text.includes('\0'),
  octets: (text) => sql`octet_length(${text})`,
  characters: (text) => sql`char_length(${text})`,
  substring: (text, start, length) =>
    sql`substring(${text} FROM (${start})::integer FOR greatest(0, (${length})::integer))`,
  contains: (text, part) => sql`(strpos(${text}, ${part}) > 0)`,
  holds: (octets, part) => sql`(position(${param(part)}::bytea IN ${octets}) > 0)`,
  matches: (text, pattern) => (isPlain(pattern) ? sql`(${text} ~* ${param(pattern)})` : undefined),
  extreme: (which, items) => sql`${bare(which === 'max' ? 'greatest' : 'least')}(${listed(items)})`,
  // Only of exact numbers, which doubles become no more than 15 digits of.
  remainder: () => undefined,
  quotient: (a, b) => `${a} / ${b}`,
  octave: (value) => octave(value),
  types: { double: 'float8', integer: 'bigint', huge: 'numeric', small: 'smallint' },
};

/** Exact: the exponent of the double. */
function octave(value: string): string {
  const octets = `float8send((${value})::float8)`;
  return `((((get_byte(${octets}, 0) & 127) << 4) | (get_byte(${octets}, 1) >> 4)) - 1023)`;
}

/** Patterns that mean the same here: no escapes but of signs and of classes outside of brackets, nothing repeated that is nothing. */
function isPlain(pattern: string): boolean {
  if (/\\[bB]|\[[^\]]*\\|[*+?}][*+{]|[\^$|(][*+?{]|^[*+?{]/.test(pattern)) return false;
  return [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].every(
    ([, low, high]) => Number(low) <= MOST_REPEATED && Number(high ?? 0) <= MOST_REPEATED,
  );
}
