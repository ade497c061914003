import { columnValues, isAlwaysTold, mayBeThere, type Side, type StoredValue } from './columns.ts';
import { bare, type SqlDialect } from './dialect.ts';
import { and, FALSE, type Fragment, or, param, sql, TRUE } from './fragment.ts';
import { FUNCTIONS } from './functions.ts';
import { isLiteral, literalFor } from './literals.ts';
import { sourceOf } from './operands.ts';
import type { Context, Source } from './source.ts';
import type { Operand, Range } from './syntax.ts';
import type { Kind } from './value.ts';

/** An operand in one message of a row, as SQL. */
export interface SqlOperand {
  readonly source: Source;
  /** What it is; undefined where columns do not tell. */
  readonly values?: readonly StoredValue[];
  /** Where it may be there at all. */
  readonly present: Fragment;
}

/** What compiling for one side knows and finds out. */
export interface SqlContext extends Context {
  readonly side: Side;
  readonly dialect: SqlDialect;
  /** Called for every field whose columns tell nothing of irregular rows. */
  irregular(): void;
}

const NUMBERS = new Set<Kind>(['uint', 'bool', 'double', 'span']);
const isText = (kind: Kind): boolean => kind === 'text' || kind === 'name';

/** An operand that is no literal. Its errors have been told: the filter was compiled before. */
export function sqlOperand(operand: Operand, context: SqlContext): SqlOperand {
  const source = sourceOf(operand, context);
  switch (operand.kind) {
    case 'word':
      return fieldOperand(source, context);
    case 'slice':
      return derive(source, sqlOperand(operand.of, context), (of, kind) =>
        isText(kind) ? slice(of, operand.ranges, context.dialect) : undefined,
      );
    case 'negative':
      return derive(source, sqlOperand(operand.of, context), ({ value, when }) => ({
        value: sql`(-${context.dialect.double(value)})`,
        when,
      }));
    case 'call':
      return callOperand(operand, source, context);
    case 'arithmetic':
      return arithmeticOperand(operand, source, context);
    case 'raw':
    case 'layer': {
      const { present } = sqlOperand(operand.of, context);
      return { source, present };
    }
    case 'string':
    case 'char':
    default:
      return { source, present: TRUE };
  }
}

function fieldOperand(source: Source, context: SqlContext): SqlOperand {
  const { field } = source;
  if (field === undefined) return { source, present: TRUE };
  if (!isAlwaysTold(field.name)) context.irregular();
  const values = columnValues(field.name, context.side, context.dialect);
  if (values === undefined) return { source, present: mayBeThere(field, context.side) };
  // Names compared by octets: letter case is not in the column.
  const isExact = !(context.exact && field.kind === 'name');
  const present = or(...values.map(({ when }) => when));
  return { source, present, ...(isExact && { values }) };
}

/** Makes each value into another one; none where that cannot be said in SQL. */
function derive(
  source: Source,
  of: SqlOperand,
  make: (value: StoredValue, kind: Kind) => StoredValue | undefined,
): SqlOperand {
  const { present } = of;
  if (of.values === undefined) return { source, present };
  const made = of.values.map((value) => make(shownName(value, of.source), of.source.kind));
  return made.some((value) => value === undefined)
    ? { source, present }
    : { source, present, values: made.filter((value) => value !== undefined) };
}

/** What patterns, slices and functions see of a name: the root is `<Root>`, here folded as all names. */
export function shownName(of: StoredValue, source: Source): StoredValue {
  if (source.kind !== 'name' || source.field === undefined) return of;
  return { value: sql`(CASE WHEN ${of.value} = '.' THEN '<root>' ELSE ${of.value} END)`, when: of.when };
}

function slice({ value, when }: StoredValue, ranges: readonly Range[], dialect: SqlDialect): StoredValue {
  const size = dialect.characters(value);
  const number = (n: number): Fragment => bare(`(${n})`);
  const parts = ranges.map(({ from, length, until }) => {
    const start = from < 0 ? sql`(${size} + ${number(from)})` : number(from);
    const last = until === undefined ? size : until < 0 ? sql`(${size} + ${number(until)})` : number(until);
    const end = until !== undefined ? sql`(${last} + 1)` : length < 0 ? size : sql`(${start} + ${number(length)})`;
    return {
      text: dialect.substring(value, sql`(${start} + 1)`, sql`(${end} - ${start})`),
      there: sql`(${start} >= 0 AND ${start} < ${end} AND ${end} <= ${size})`,
    };
  });
  return {
    value: parts.map(({ text }) => text).reduce((a, b) => sql`(${a} || ${b})`),
    when: and(when, ...parts.map(({ there }) => there)),
  };
}

type Make = (of: StoredValue, source: Source, dialect: SqlDialect) => StoredValue | undefined;
const map =
  (make: (value: Fragment, source: Source, dialect: SqlDialect) => Fragment | undefined): Make =>
  ({ value, when }, source, dialect) => {
    const made = make(value, source, dialect);
    return made === undefined ? undefined : { value: made, when };
  };

/** Octets a value of a kind takes, where that is fixed. */
function octetsOf({ kind, octets }: Source): number | undefined {
  if (kind === 'uint') return octets ?? 4;
  if (kind === 'bool') return 1;
  if (kind === 'ipv4') return 4;
  if (kind === 'ipv6') return 16;
  return kind === 'span' || kind === 'time' || kind === 'double' ? 8 : undefined;
}

/** True in a list of ranges of addresses, as 1 and 0. */
const inRanges =
  (v4: readonly (readonly [number, number])[], v6: readonly (readonly [number, number])[]): Make =>
  ({ value, when }, { kind }) => {
    const tests = (kind === 'ipv4' ? v4 : v6).map(([low, high]) => {
      const size = kind === 'ipv4' ? 4 : 16;
      return sql`${value} BETWEEN ${param(octets(low, size, 0))} AND ${param(octets(high, size, 255))}`;
    });
    return { value: sql`(CASE WHEN ${or(...tests)} THEN 1 ELSE 0 END)`, when };
  };
/** The first two octets, filled up. */
function octets(two: number, size: number, rest: number): Uint8Array {
  const address = new Uint8Array(size).fill(rest);
  address[0] = two >> 8;
  address[1] = two & 255;
  return address;
}

/** Seconds of a time span, else the number as it is. */
function asDouble(value: Fragment, { kind }: Source, dialect: SqlDialect): Fragment {
  return kind === 'span' ? sql`(${dialect.double(value)} / 1e9)` : dialect.double(value);
}

// Functions that make each value into one, and are the same in SQL. What is not here is read from the messages.
const EACH: Readonly<Record<string, Make>> = {
  lower: map((value, { kind }) => (kind === 'name' ? value : undefined)),
  upper: map((value, { kind }) => (kind === 'name' ? sql`upper(${value})` : undefined)),
  dec: map((value, _, dialect) => dialect.text(value)),
  float: map(asDouble),
  double: map(asDouble),
  abs: map((value, _, dialect) => sql`abs(${dialect.double(value)})`),
  len: map((value, source, dialect) => {
    const fixed = octetsOf(source);
    return fixed === undefined ? (isText(source.kind) ? dialect.octets(value) : undefined) : bare(fixed);
  }),
  ip_rfc1918: inRanges(
    [
      [0x0a00, 0x0aff],
      [0xac10, 0xac1f],
      [0xc0a8, 0xc0a8],
    ],
    [],
  ),
  ip_linklocal: inRanges([[0xa9fe, 0xa9fe]], [[0xfe80, 0xfebf]]),
  ip_multicast: inRanges([[0xe000, 0xefff]], [[0xff00, 0xffff]]),
  ip_ula: inRanges([], [[0xfc00, 0xfdff]]),
};

function callOperand(operand: Operand & { kind: 'call' }, source: Source, context: SqlContext): SqlOperand {
  const args = operand.args.map((arg) => sqlOperand(arg, context));
  const present = or(...args.map((arg) => arg.present));
  if (operand.name === 'count') return countOperand(args[0], source);
  if (operand.name === 'max' || operand.name === 'min') return gathered(operand.name, args, source, context.dialect);
  const each = EACH[operand.name];
  if (each === undefined || !FUNCTIONS.has(operand.name)) return { source, present };
  return derive(source, args[0], (value) => each(value, args[0].source, context.dialect));
}

function countOperand({ values }: SqlOperand, source: Source): SqlOperand {
  if (values === undefined) return { source, present: TRUE };
  const one = values.map(({ when }) => sql`(CASE WHEN ${when} THEN 1 ELSE 0 END)`);
  const sum = one.reduce((a, b) => sql`(${a} + ${b})`, bare(0));
  return { source, present: TRUE, values: [{ value: sum, when: TRUE }] };
}

function gathered(name: 'max' | 'min', args: readonly SqlOperand[], source: Source, dialect: SqlDialect): SqlOperand {
  const present = or(...args.map((arg) => arg.present));
  const values = args.flatMap((arg) => arg.values ?? []);
  const isMixed = args.some((arg) => !NUMBERS.has(arg.source.kind));
  if (args.some((arg) => arg.values === undefined) || isMixed) return { source, present };
  if (values.length === 0) return { source, present: FALSE, values: [] };
  const items = values.map(({ value, when }) => sql`CASE WHEN ${when} THEN ${dialect.double(value)} END`);
  return { source, present, values: [{ value: dialect.extreme(name, items), when: present }] };
}

function arithmeticOperand(operand: Operand & { kind: 'arithmetic' }, source: Source, context: SqlContext): SqlOperand {
  const { left, right, op } = operand;
  const [a, b] = [left, right].map((side) => (isLiteral(side, context) ? undefined : sqlOperand(side, context)));
  const present = and(a?.present ?? TRUE, b?.present ?? TRUE);
  const kinds = [a, b].map((side) => side?.source.kind ?? 'uint');
  // Times are whole numbers beyond 2^53; bits of what was calculated, perhaps negative, are JavaScript's own.
  if (op === '&' && (left.kind !== 'word' || right.kind !== 'word')) return { source, present };
  if (kinds.some((kind) => !NUMBERS.has(kind))) return { source, present };
  const scale = (other: SqlOperand | undefined): boolean => other?.source.kind === 'span' && op !== '*' && op !== '/';
  const lefts = a === undefined ? literal(left, scale(b), context) : a.values;
  const rights = b === undefined ? literal(right, scale(a), context) : b.values;
  if (lefts === undefined || rights === undefined) return { source, present };
  const isWhole = source.kind === 'uint';
  const values = lefts.flatMap((x) => rights.map((y) => joined(op, x, y, isWhole, context.dialect)));
  return values.every((value) => value !== undefined) ? { source, present, values } : { source, present };
}

/** A number beside a field; seconds become nanoseconds. */
function literal(operand: Operand, isSpan: boolean, context: SqlContext): StoredValue[] {
  const like: Source = { kind: isSpan ? 'span' : 'double', what: 'a number', read: () => {} };
  const { value } = literalFor(operand, like, context);
  return [{ value: context.dialect.double(param(Number(value))), when: TRUE }];
}

function joined(
  op: string,
  a: StoredValue,
  b: StoredValue,
  isWhole: boolean,
  dialect: SqlDialect,
): StoredValue | undefined {
  const [x, y] = [dialect.double(a.value), dialect.double(b.value)];
  const when = and(a.when, b.when);
  // Where `when` does not hold the value is computed all the same: without a division by zero.
  const divisor = sql`nullif(${y}, 0)`;
  switch (op) {
    case '&':
      return { value: dialect.bitAnd(dialect.integer(x), dialect.integer(y)), when };
    case '+':
      return { value: sql`(${x} + ${y})`, when };
    case '-':
      return { value: sql`(${x} - ${y})`, when };
    case '*':
      return { value: sql`(${x} * ${y})`, when };
    case '/':
      return {
        value: isWhole ? sql`trunc(${x} / ${divisor})` : sql`(${x} / ${divisor})`,
        when: and(when, sql`${y} <> 0`),
      };
    default: {
      const rest = dialect.remainder(x, divisor);
      return rest && { value: rest, when: and(when, sql`${y} <> 0`) };
    }
  }
}
