import { bare, listed, type SqlDialect } from '../../filter/dialect.ts';
import { param, sql } from '../../filter/fragment.ts';
import type { SqlValue } from '../session.ts';

/** What ClickHouse says differently. */
export const CLICKHOUSE: SqlDialect = {
  name: 'clickhouse',
  double: (value) => sql`toFloat64(${value})`,
  integer: (value) => sql`toInt64(${value})`,
  text: (value) => sql`toString(${value})`,
  number: (value) => param(Number.isSafeInteger(value) ? BigInt(value) : value),
  takes: () => true,
  octets: (text) => sql`length(${text})`,
  characters: (text) => sql`lengthUTF8(${text})`,
  substring: (text, start, length) => sql`substringUTF8(${text}, ${start}, ${length})`,
  contains: (text, part) => sql`(position(${text}, ${part}) > 0)`,
  holds: (octets, part) => sql`(position(${octets}, ${param(part)}) > 0)`,
  matches: (text, pattern) => sql`match(${text}, ${param(`(?i)${pattern}`)})`,
  bits: (value, shift, mask) => {
    const shifted = shift > 0 ? sql`bitShiftRight(${value}, ${bare(shift)})` : value;
    return mask === 0xffff ? shifted : sql`bitAnd(${shifted}, ${bare(mask)})`;
  },
  bitAnd: (a, b) => sql`bitAnd(${a}, ${b})`,
  extreme: (which, items) => sql`arrayReduce(${bare(`'${which}'`)}, [${listed(items)}])`,
  remainder: (a, b) => sql`(${a} % ${b})`,
  quotient: (a, b) => `intDiv(${a}, ${b})`,
  octave: (value) => `toInt32(floor(log2(${value})))`,
  types: { double: 'Float64', integer: 'Int64', huge: 'Int128', small: 'UInt16' },
};

const MOST_SIGNED = 0x7fff_ffff_ffff_ffffn;

/** A statement with its `?` named and typed, as ClickHouse wants them, and their values. Texts of ours hold no other question mark. */
export function bound(text: string, values: readonly SqlValue[]): { query: string; params: Record<string, unknown> } {
  const params: Record<string, unknown> = {};
  let n = 0;
  const query = text.replaceAll('?', () => {
    const given = values[n];
    const value = typeof given === 'boolean' ? BigInt(given) : given;
    const name = `p${n++}`;
    if (value === null) return 'NULL';
    if (typeof value === 'object') {
      params[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
      return `unhex({${name}:String})`;
    }
    params[name] = typeof value === 'bigint' ? String(value) : value;
    if (typeof value === 'string') return `{${name}:String}`;
    if (typeof value === 'bigint') return `{${name}:${value > MOST_SIGNED ? 'UInt64' : 'Int64'}}`;
    return `{${name}:Float64}`;
  });
  if (n !== values.length) throw new Error(`${values.length} values for ${n} places`);
  return { query, params };
}
