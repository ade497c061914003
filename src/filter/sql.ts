import { mayHold, presenceOf, type Side, type StoredValue } from './columns.ts';
import type { Compat } from './compile.ts';
import { DUCKDB, listed, type SqlDialect } from './dialect.ts';
import { FilterError } from './errors.ts';
import { findField } from './fields/registry.ts';
import { and, FALSE, type Fragment, isSame, not, or, param, sql, TRUE } from './fragment.ts';
import { isLiteral, type Literal, literalFor } from './literals.ts';
import { parseFilter } from './parser.ts';
import { compileStored } from './row.ts';
import type { Source } from './source.ts';
import { shownName, type SqlContext, type SqlOperand, sqlOperand } from './sql-values.ts';
import type { Comparison, Operand, SetItem, Test } from './syntax.ts';
import { meaning, needleOf, rangeOf, satisfies, type Sign } from './tests.ts';
import type { Kind } from './value.ts';

export type { Fragment, SqlValue } from './fragment.ts';

/**
 * A display filter as conditions on the columns of stored transactions (`store/schema.ts`). A row passes when the whole
 * filter holds for its query or for its response.
 *
 * Columns do not tell everything: where `sure` holds the row passes, where `may` does not it fails, and in between its
 * messages decide (`rowFilter` of the same text). `isExact`: there is nothing in between. Whoever counts in SQL first
 * looks at the rows with `may AND NOT sure`, and then asks for `sure OR transaction IN (those that passed)`.
 */
export interface SqlFilter {
  readonly text: string;
  readonly may: Fragment;
  readonly sure: Fragment;
  readonly isExact: boolean;
}

/** What is certainly not false, and what is certainly true. */
interface Bounds {
  readonly may: Fragment;
  readonly sure: Fragment;
}

const exactly = (condition: Fragment): Bounds => ({ may: condition, sure: condition });
const perhaps = (may: Fragment): Bounds => ({ may, sure: FALSE });

/**
 * Compiles a display filter. Values are parameters, never part of the SQL. Throws `FilterError`, and
 * `UnstoredFieldError` (row.ts) for a field that no stored transaction has.
 */
export function compileSql(text: string, options: { compat?: Compat; dialect?: SqlDialect } = {}): SqlFilter {
  const { dialect = DUCKDB } = options;
  compileStored(text, options.compat);
  const tree = parseFilter(text);
  if (tree === undefined) return { text, may: TRUE, sure: TRUE, isExact: true };
  let isIrregular = false;
  const contextOf = (side: Side): SqlContext => ({
    side,
    dialect,
    exact: options.compat === 'wireshark',
    find: (name) => findField(name.startsWith('.') ? name.slice(1) : name),
    error: (reason, { at, end }) => new FilterError(reason, text, at, Math.max(1, end - at)),
    suggest: () => '',
    irregular: () => {
      isIrregular = true;
    },
  });
  const query = compileTest(tree, contextOf('query'));
  const response = compileTest(tree, contextOf('response'));
  const may = ofEither(query.may, response.may);
  const sure = ofEither(query.sure, response.sure);
  if (!isIrregular) return { text, may, sure, isExact: isSame(may, sure) };
  const rest = sql`irregular = 1`;
  return { text, may: or(rest, may), sure: and(sql`irregular = 0`, sure), isExact: false };
}

const HAS_QUERY = sql`query_bytes > 0`;
const HAS_RESPONSE = sql`response_bytes > 0`;

/** Every row has one of the two messages at least. */
function ofEither(query: Fragment, response: Fragment): Fragment {
  if (isSame(query, response)) return query;
  return or(and(HAS_QUERY, query), and(HAS_RESPONSE, response));
}

function compileTest(test: Test, context: SqlContext): Bounds {
  switch (test.kind) {
    case 'not': {
      const { may, sure } = compileTest(test.of, context);
      return { may: not(sure), sure: not(may) };
    }
    case 'all': {
      const parts = test.of.map((one) => compileTest(one, context));
      return { may: and(...parts.map(({ may }) => may)), sure: and(...parts.map(({ sure }) => sure)) };
    }
    case 'one': {
      const parts = test.of.map((one) => compileTest(one, context));
      return { may: or(...parts.map(({ may }) => may)), sure: or(...parts.map(({ sure }) => sure)) };
    }
    case 'odd':
      return test.of.map((one) => compileTest(one, context)).reduce(oddOf);
    case 'present':
      return present(test.operand, context);
    case 'compare':
      return comparison(test, context);
    case 'contains':
      return containing(test, context);
    case 'matches':
      return matching(test, context);
    case 'in':
    default:
      return inSet(test, context);
  }
}

/** One of the two, and not both. */
function oddOf(a: Bounds, b: Bounds): Bounds {
  return {
    may: or(and(a.may, not(b.sure)), and(b.may, not(a.sure))),
    sure: or(and(a.sure, not(b.may)), and(b.sure, not(a.may))),
  };
}

function present(operand: Operand, context: SqlContext): Bounds {
  const known = operand.kind === 'word' ? presenceOf(operand.text) : undefined;
  if (known !== undefined) return exactly(known);
  const of = sqlOperand(operand, context);
  const { kind } = of.source;
  if (of.values === undefined) return perhaps(of.present);
  const isComputed = operand.kind === 'call' || operand.kind === 'arithmetic' || operand.kind === 'negative';
  if (!isComputed) return exactly(of.present === TRUE ? TRUE : or(...of.values.map(({ when }) => when)));
  if (!NUMBERS.has(kind)) return perhaps(of.present);
  return some(of.values, false, ({ value }) => sql`${value} <> 0`);
}

const NUMBERS = new Set<Kind>(['uint', 'bool', 'double', 'span']);

/** Some value passes; `every`: each does, and there is one. */
function some(values: readonly StoredValue[], every: boolean, test: (value: StoredValue) => Fragment): Bounds {
  if (!every) return exactly(or(...values.map((one) => and(one.when, test(one)))));
  const all = values.map((one) => or(not(one.when), test(one)));
  return exactly(and(or(...values.map(({ when }) => when)), ...all));
}

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '==': '==',
  '!=': '!=',
  '===': '===',
  '!==': '!==',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const SIGNS: Readonly<Record<Sign, (a: Fragment, b: Fragment) => Fragment>> = {
  '==': (a, b) => sql`${a} = ${b}`,
  '!=': (a, b) => sql`${a} <> ${b}`,
  '<': (a, b) => sql`${a} < ${b}`,
  '<=': (a, b) => sql`${a} <= ${b}`,
  '>': (a, b) => sql`${a} > ${b}`,
  '>=': (a, b) => sql`${a} >= ${b}`,
};

function comparison(test: Test & { kind: 'compare' }, context: SqlContext): Bounds {
  const isLeft = isLiteral(test.left, context);
  if (!isLeft && !isLiteral(test.right, context)) return pairs(test, context);
  const of = sqlOperand(isLeft ? test.right : test.left, context);
  const literal = literalFor(isLeft ? test.left : test.right, of.source, context);
  const { sign, every } = meaning(isLeft ? MIRRORED[test.op] : test.op, test.quantifier);
  const compare = SIGNS[sign];
  if (of.values === undefined && sign === '==' && !every)
    return perhaps(and(of.present, lookedFor(of, [literal], context)));
  if (of.values === undefined || !isSaid(of.source, [literal], context)) return perhaps(of.present);
  // Equal octets are of the same family.
  const isAddress = of.source.kind === 'ipv4' || of.source.kind === 'ipv6';
  if (isAddress && literal.prefix === undefined && sign === '==' && !every) {
    return exactly(or(...of.values.map(({ value }) => compare(value, valueOf(literal, of.source, context)))));
  }
  return some(of.values, every, ({ value, constant }) => {
    if (literal.prefix !== undefined) {
      const inside = between(value, ...networkOf(literal));
      return sign === '==' ? inside : not(inside);
    }
    if (constant !== undefined) return satisfies(sign, constant, Number(literal.value)) ? TRUE : FALSE;
    return compare(value, valueOf(literal, of.source, context));
  });
}

/** Narrows the rows whose messages have to be looked at to those that hold the octets of some value. */
function lookedFor({ source }: SqlOperand, values: readonly Literal[], { dialect }: SqlContext): Fragment {
  const { field } = source;
  if (field === undefined || values.length > MAX_LOOKED_FOR) return TRUE;
  return or(...values.map((literal) => mayHold(field.name, prefixOctets(literal), dialect)));
}
const MAX_LOOKED_FOR = 8;

/** The whole octets that are the same in all that equals a literal; none where that cannot be said. */
function prefixOctets({ value, prefix }: Literal): Uint8Array {
  if (typeof value === 'object') return prefix === undefined ? value : value.subarray(0, prefix >> 3);
  const isSound = typeof value === 'string' && !value.includes('\ufffd');
  return isSound ? new TextEncoder().encode(value) : new Uint8Array(0);
}

/** Kinds whose values compare in SQL as they do in memory. */
function isComparable(kind: Kind): boolean {
  return kind !== 'bytes' && kind !== 'protocol' && kind !== 'ether' && kind !== 'eui64';
}

/** That a field is compared with literals as in memory. */
function isSaid({ kind }: Source, literals: readonly Literal[], { dialect }: SqlContext): boolean {
  return isComparable(kind) && literals.every(({ value }) => typeof value !== 'string' || dialect.takes(value));
}

function valueOf({ value }: Literal, { kind }: Source, { dialect }: SqlContext): Fragment {
  if (typeof value === 'number') return kind === 'double' ? dialect.double(param(value)) : dialect.number(value);
  return param(value);
}

function between(value: Fragment, low: Fragment, high: Fragment): Fragment {
  return sql`(${value} BETWEEN ${low} AND ${high})`;
}

/** First and last address of a network. */
function networkOf({ value, prefix = 0 }: Literal): [Fragment, Fragment] {
  const low = Uint8Array.from(value as Uint8Array);
  const high = Uint8Array.from(low);
  for (let bit = prefix; bit < low.length * 8; bit++) {
    low[bit >> 3] &= ~(0x80 >> (bit & 7));
    high[bit >> 3] |= 0x80 >> (bit & 7);
  }
  return [param(low), param(high)];
}

function pairs(test: Test & { kind: 'compare' }, context: SqlContext): Bounds {
  const a = sqlOperand(test.left, context);
  const b = sqlOperand(test.right, context);
  const may = and(a.present, b.present);
  if (a.values === undefined || b.values === undefined) return perhaps(may);
  const numeric = [a, b].every(({ source }) => NUMBERS.has(source.kind) && source.kind !== 'span');
  const same = a.source.kind === b.source.kind && a.source.kind !== 'text' && isComparable(a.source.kind);
  if (!numeric && !same) return perhaps(may);
  const { sign, every } = meaning(test.op, test.quantifier);
  const cast = numeric ? context.dialect.double : (of: Fragment) => of;
  const both = a.values.flatMap((x) =>
    (b.values ?? []).map(
      (y): StoredValue => ({
        value: SIGNS[sign](cast(x.value), cast(y.value)),
        when: and(x.when, y.when),
      }),
    ),
  );
  return some(both, every, ({ value }) => value);
}

function containing(test: Test & { kind: 'contains' }, context: SqlContext): Bounds {
  const of = sqlOperand(test.left, context);
  if (!isLiteral(test.right, context)) return perhaps(of.present);
  const every = test.quantifier === 'all';
  const { source } = of;
  const octets = needleOf(test.right, source, context);
  const needle = textOf(octets);
  if (of.values === undefined) {
    const isSought = !every && source.kind === 'text' && needle !== undefined;
    return perhaps(isSought ? and(of.present, lookedFor(of, [{ value: needle }], context)) : of.present);
  }
  if (needle === undefined || !context.dialect.takes(needle)) return perhaps(of.present);
  const { names } = source;
  if (source.kind === 'uint' && names !== undefined) {
    return named(of, every, (text) => text.includes(needle), context);
  }
  if (source.kind !== 'text' && source.kind !== 'name') return perhaps(of.present);
  return some(of.values, every, ({ value }) => context.dialect.contains(value, param(needle)));
}

/** Text of octets that are sound UTF-8. */
function textOf(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/** Numbers whose names pass. */
function named(of: SqlOperand, every: boolean, test: (text: string) => boolean, { dialect }: SqlContext): Bounds {
  const { source, values = [] } = of;
  const { names } = source;
  if (names === undefined) return perhaps(of.present);
  const numbers = names.entries.map(([number]) => number).filter((number) => names.texts(number).some(test));
  return some(values, every, ({ value }) => oneOf(value, numbers.map(dialect.number)));
}

function oneOf(value: Fragment, of: readonly Fragment[]): Fragment {
  if (of.length === 0) return FALSE;
  return sql`${value} IN (${listed(of)})`;
}

/** Patterns that both engines read the same way: no flags, no classes of Unicode, no names of groups. */
const PLAIN_PATTERN =
  /^(?:[\w \-.,:;@/<>=!"'#%&~`^$|*+?]|\((?!\?)|\(\?:|\)|\{\d{1,3}(?:,\d{0,3})?\}|\\[dDwWsSbB.\\\-/^$|?*+()[\]{}]|\[\^?(?:[\w .,:;@/<>=!"'#%&~`$|*+?(){}-]|\\[dwsDWS.\\\-^[\]])+\])*$/;

function matching(test: Test & { kind: 'matches' }, context: SqlContext): Bounds {
  const of = sqlOperand(test.left, context);
  const { source } = of;
  if (of.values === undefined || test.right.kind !== 'string' || !PLAIN_PATTERN.test(test.right.text)) {
    return perhaps(of.present);
  }
  // Names are folded in the column, and case does not count in patterns without flags.
  if (source.kind !== 'name') return perhaps(of.present);
  const pattern = test.right.text;
  const { values } = of;
  const found = values.map((one) => context.dialect.matches(shownName(one, source).value, pattern));
  if (!found.every((one) => one !== undefined)) return perhaps(of.present);
  return some(values, test.quantifier === 'all', (one) => found[values.indexOf(one)]);
}

function inSet(test: Test & { kind: 'in' }, context: SqlContext): Bounds {
  const of = sqlOperand(test.left, context);
  const every = test.negated ? test.quantifier !== 'any' : test.quantifier === 'all';
  const literals = test.set.map((item: SetItem) => rangeOf(item, of.source, context));
  const isAny = !test.negated && !every && literals.every(([low, high]) => low === high);
  if (of.values === undefined && isAny) {
    const sought = lookedFor(
      of,
      literals.map(([low]) => low),
      context,
    );
    return perhaps(and(of.present, sought));
  }
  if (of.values === undefined || !isSaid(of.source, literals.flat(), context)) return perhaps(of.present);
  const single = literals.filter(([low, high]) => low === high && low.prefix === undefined);
  const ranges = literals.filter(([low, high]) => low !== high || low.prefix !== undefined);
  return some(of.values, every, ({ value }) => {
    const inside = or(
      oneOf(
        value,
        single.map(([low]) => valueOf(low, of.source, context)),
      ),
      ...ranges.map(([low, high]) =>
        low.prefix === undefined
          ? between(value, valueOf(low, of.source, context), valueOf(high, of.source, context))
          : between(value, ...networkOf(low)),
      ),
    );
    return test.negated ? not(inside) : inside;
  });
}
