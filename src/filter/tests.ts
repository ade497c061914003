import type { FilterError } from './errors.ts';
import { fastTest, type Sign } from './fast.ts';

export type { Sign } from './fast.ts';
import { samePrefix } from './functions.ts';
import { isLiteral, type Literal, literalFor, namePart } from './literals.ts';
import { plainText, sourceOf } from './operands.ts';
import { compilePattern } from './pattern.ts';
import type { Context, Source } from './source.ts';
import type { Comparison, Operand, Quantifier, SetItem, Test } from './syntax.ts';
import { compareValues, findOctets, foldText, octetsOf, type Subject, type Value, Values } from './value.ts';

/** Says whether a message passes. */
export type Predicate = (subject: Subject) => boolean;

/** A compiled test and what it costs, roughly in ns: cheap ones go first in an `and`. */
export interface Compiled {
  readonly test: Predicate;
  readonly cost: number;
}

/** Says whether one value passes. */
export type ValueTest = (value: Value) => boolean;

/** Compiles a test. Throws `FilterError`. */
export function compileTest(test: Test, context: Context): Compiled {
  switch (test.kind) {
    case 'not': {
      const { test: inner, cost } = compileTest(test.of, context);
      return { test: (s) => !inner(s), cost };
    }
    case 'present':
      return compilePresent(test.operand, context);
    case 'compare':
      return compileComparison(test, context);
    case 'contains':
      return compileContains(test, context);
    case 'matches':
      return compileMatches(test, context);
    case 'in':
      return compileSet(test, context);
    case 'all':
    case 'one':
    case 'odd':
    default:
      return compileJoined(test.kind, test.of, context);
  }
}

/** Tests have no effects, so their order is free: what costs little goes first. */
function compileJoined(kind: 'all' | 'one' | 'odd', of: readonly Test[], context: Context): Compiled {
  const compiled = of.map((one) => compileTest(one, context)).sort((a, b) => a.cost - b.cost);
  const tests = compiled.map(({ test }) => test);
  const cost = compiled.reduce((sum, one) => sum + one.cost, 0);
  const [a, b] = tests;
  if (kind === 'odd') {
    return { cost, test: (s) => tests.reduce((odd, test) => (test(s) ? !odd : odd), false) };
  }
  if (tests.length === 2) return { cost, test: kind === 'all' ? (s) => a(s) && b(s) : (s) => a(s) || b(s) };
  const stop = kind === 'one';
  return {
    cost,
    test: (s) => {
      for (let i = 0; i < tests.length; i++) if (tests[i](s) === stop) return stop;
      return !stop;
    },
  };
}

const COST_VALUES = 100;
const COST_PATTERN = 1000;

/** A field alone asks whether it is there; a calculation, whether anything but 0 comes out. */
function compilePresent(operand: Operand, context: Context): Compiled {
  const source = literalAlone(operand, context);
  const { field } = source;
  if (field?.column !== undefined) {
    const { column } = field;
    return { cost: 10, test: (s) => column.next(s, 0) >= 0 };
  }
  const computed = operand.kind === 'call' || operand.kind === 'arithmetic' || operand.kind === 'negative';
  const values = new Values();
  return {
    cost: COST_VALUES,
    test: (s) => {
      values.clear();
      source.read(s, values);
      if (!computed) return values.count > 0;
      for (let i = 0; i < values.count; i++) if (!isZero(values.list[i])) return true;
      return false;
    },
  };
}

function isZero(value: Value): boolean {
  return typeof value === 'object' ? value.length === 0 : value === '' || Number(value) === 0;
}

/** The source of an operand that must not be a literal. */
function literalAlone(operand: Operand, context: Context): Source {
  if (operand.kind !== 'word' && isLiteral(operand, context)) {
    throw context.error('This is neither a field nor a protocol: it needs a comparison with one.', operand);
  }
  return sourceOf(operand, context);
}

type Side = { source: Source; literal?: undefined } | { source?: undefined; literal: Operand };

function side(operand: Operand, context: Context): Side {
  return isLiteral(operand, context) ? { literal: operand } : { source: sourceOf(operand, context) };
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

/** Both sides are literals: most likely a mistyped field. */
function notAField(operand: Operand, context: Context): FilterError {
  const hint = context.suggest(operand);
  const text = operand.kind === 'word' && /^[a-z_]/i.test(operand.text) ? `'${operand.text}' is not a field.` : '';
  return context.error(
    text === '' ? 'One side of a comparison must be a field or function.' : `${text}${hint}`,
    operand,
  );
}

/** Whether one pair of values satisfies the sign, and whether every pair has to. */
export function meaning(op: Comparison, quantifier: Quantifier): { sign: Sign; every: boolean } {
  const sign: Sign = op === '===' ? '==' : op === '!==' ? '!=' : op;
  const every = quantifier === '' ? op === '!=' || op === '===' : quantifier === 'all';
  return { sign, every };
}

/** Whether the result of comparing two values (−1, 0, 1) satisfies a sign. */
const SATISFIES: Readonly<Record<Sign, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Whether two numbers satisfy a sign. */
export function satisfies(sign: Sign, a: number, b: number): boolean {
  return SATISFIES[sign](a - b);
}

function compileComparison(test: Test & { kind: 'compare' }, context: Context): Compiled {
  const left = side(test.left, context);
  const right = side(test.right, context);
  if (left.source !== undefined && right.source !== undefined) {
    return comparePairs(left.source, right.source, test, context);
  }
  const source = left.source ?? right.source;
  if (source === undefined) {
    throw notAField(test.left, context);
  }
  const op = left.source === undefined ? MIRRORED[test.op] : test.op;
  const operand = left.literal ?? right.literal ?? test.right;
  if (source.kind === 'protocol' && source.field !== undefined && source.field.type === 'FT_NONE') {
    throw context.error(`${source.what} has no value: it can only be there or not.`, test.left);
  }
  const literal = literalFor(operand, source, context);
  const { sign, every } = meaning(op, test.quantifier);
  if (literal.prefix !== undefined && sign !== '==' && sign !== '!=') {
    throw context.error(`A network can be compared with '==' and '!=' only, and be in a set.`, operand);
  }
  return (
    fastTest(source, { kind: 'compare', sign, literal }, every) ??
    eachValue(source, compareWith(source, sign, literal), every)
  );
}

/** Folds values of names; others are themselves. */
function folding(source: Source, test: ValueTest): ValueTest {
  return source.kind === 'name' ? (value) => test(foldText(String(value))) : test;
}

function compareWith(source: Source, sign: Sign, { value: wanted, prefix }: Literal): ValueTest {
  if (prefix !== undefined) {
    const network = wanted as Uint8Array;
    return (value) => samePrefix(value as Uint8Array, network, prefix) === (sign === '==');
  }
  const satisfies = SATISFIES[sign];
  return folding(source, (value) => satisfies(compareValues(value, wanted)));
}

/** True when some value (every: each value, and there is one) passes. */
export function eachValue(source: Source, test: ValueTest, every: boolean, cost = COST_VALUES): Compiled {
  const values = new Values();
  return {
    cost,
    test: (s) => {
      values.clear();
      source.read(s, values);
      for (let i = 0; i < values.count; i++) if (test(values.list[i]) !== every) return !every;
      return every && values.count > 0;
    },
  };
}

/** Kinds that may be compared with each other. */
function comparable(a: Source, b: Source): boolean {
  const group = ({ kind }: Source): string => {
    if (kind === 'uint' || kind === 'bool' || kind === 'double') return 'number';
    if (kind === 'text' || kind === 'name') return 'text';
    return kind === 'protocol' || kind === 'ether' || kind === 'eui64' ? 'bytes' : kind;
  };
  return (
    group(a) === group(b) ||
    (group(a) === 'bytes' && group(b) === 'text') ||
    (group(a) === 'text' && group(b) === 'bytes')
  );
}

function comparePairs(a: Source, b: Source, test: Test & { kind: 'compare' }, context: Context): Compiled {
  if (!comparable(a, b))
    throw context.error(`${a.what} and ${b.what} are of different kinds and cannot be compared.`, test);
  const { sign, every } = meaning(test.op, test.quantifier);
  const folds = a.kind === 'name' || b.kind === 'name';
  const lefts = new Values();
  const rights = new Values();
  const satisfies = SATISFIES[sign];
  const satisfied = (x: Value, y: Value): boolean =>
    satisfies(folds ? compareValues(foldText(String(x)), foldText(String(y))) : compareValues(x, y));
  return {
    cost: 2 * COST_VALUES,
    test: (s) => {
      lefts.clear();
      rights.clear();
      a.read(s, lefts);
      b.read(s, rights);
      // Two lists as long as a message allows would make 35 million pairs: sets do for equality.
      if (lefts.count * rights.count > MAX_PAIRS) return manyPairs(lefts, rights, satisfied, every);
      for (let i = 0; i < lefts.count; i++) {
        for (let k = 0; k < rights.count; k++) if (satisfied(lefts.list[i], rights.list[k]) !== every) return !every;
      }
      return every && lefts.count > 0 && rights.count > 0;
    },
  };
}
const MAX_PAIRS = 262_144;

/** Compares the first values only: enough for any message but one built to cost time. */
function manyPairs(a: Values, b: Values, satisfied: (x: Value, y: Value) => boolean, every: boolean): boolean {
  const most = Math.floor(Math.sqrt(MAX_PAIRS));
  for (let i = 0; i < Math.min(a.count, most); i++) {
    for (let k = 0; k < Math.min(b.count, most); k++) if (satisfied(a.list[i], b.list[k]) !== every) return !every;
  }
  return every;
}

function compileContains(test: Test & { kind: 'contains' }, context: Context): Compiled {
  const source = literalAlone(test.left, context);
  const { kind } = source;
  const named = kind === 'uint' && source.names !== undefined && source.field !== undefined;
  if (!named && kind !== 'text' && kind !== 'name' && kind !== 'bytes' && kind !== 'protocol') {
    throw context.error(`${source.what} is no text and no octets: it contains nothing. Use '=='.`, test.left);
  }
  const every = test.quantifier === 'all';
  const right = side(test.right, context);
  if (right.source !== undefined) return containsSource(source, right.source, every, test, context);
  const needle = needleOf(right.literal, source, context);
  if (named) {
    const texts = source.names;
    const wanted = new TextDecoder().decode(needle);
    return eachValue(
      source,
      (value) => texts?.texts(Number(value)).some((text) => text.includes(wanted)) === true,
      every,
    );
  }
  const fast = fastTest(source, { kind: 'contains', needle }, every);
  if (fast !== undefined) return fast;
  const inText = (value: Value): boolean => contains(octetsOf(value), needle);
  return eachValue(source, folding(source, inText), every);
}

/** What is looked for, as octets. A name's part is folded; the octets of a text are as they stand. */
export function needleOf(operand: Operand, source: Source, context: Context): Uint8Array {
  if (source.kind === 'bytes' || source.kind === 'protocol')
    return literalFor(operand, source, context).value as Uint8Array;
  if (operand.kind === 'string' && source.kind !== 'name') return operand.octets;
  if (operand.kind === 'word' && /^:?[0-9a-f]{2}(?:[:-][0-9a-f]{2})+$/i.test(operand.text)) {
    return literalFor(operand, { kind: 'bytes', what: source.what, read: () => {} }, context).value as Uint8Array;
  }
  const text = operand.kind === 'char' ? String.fromCodePoint(operand.code) : 'text' in operand ? operand.text : '';
  return octetsOf(source.kind === 'name' ? namePart(text, source) : text);
}

function contains(bytes: Uint8Array, needle: Uint8Array): boolean {
  return findOctets(bytes, 0, bytes.length, needle) >= 0;
}

function containsSource(a: Source, b: Source, every: boolean, test: Test, context: Context): Compiled {
  if (!comparable(a, b)) throw context.error(`${a.what} cannot contain ${b.what}: they are of different kinds.`, test);
  const needles = new Values();
  const values = new Values();
  const fold = a.kind === 'name' || b.kind === 'name';
  const octets = (value: Value): Uint8Array => octetsOf(fold && typeof value === 'string' ? foldText(value) : value);
  return {
    cost: 2 * COST_VALUES,
    test: (s) => {
      values.clear();
      needles.clear();
      a.read(s, values);
      b.read(s, needles);
      if (values.count * needles.count > MAX_PAIRS) return false;
      for (let i = 0; i < values.count; i++) {
        for (let k = 0; k < needles.count; k++) {
          if (contains(octets(values.list[i]), octets(needles.list[k])) !== every) return !every;
        }
      }
      return every && values.count > 0 && needles.count > 0;
    },
  };
}

function compileMatches(test: Test & { kind: 'matches' }, context: Context): Compiled {
  const source = plainText(literalAlone(test.left, context));
  const { kind, names } = source;
  const named = kind === 'uint' && names !== undefined;
  if (!named && kind !== 'text' && kind !== 'name' && kind !== 'bytes' && kind !== 'protocol') {
    throw context.error(`${source.what} is no text and no octets: it matches no pattern.`, test.left);
  }
  if (test.right.kind !== 'string') throw context.error('The pattern is written in double quotes.', test.right);
  const every = test.quantifier === 'all';
  const pattern = compilePattern(test.right, context);
  if (pattern.literal !== undefined && kind === 'name') {
    const fast = fastTest(source, { kind: 'contains', needle: pattern.literal }, every);
    if (fast !== undefined) return fast;
  }
  const { matches } = pattern;
  if (named) return eachValue(source, (value) => names.texts(Number(value)).some(matches), every, COST_PATTERN);
  // Octets are matched as the characters 0 to 255.
  const text = (value: Value): string => (typeof value === 'object' ? latin1(value) : String(value));
  return eachValue(source, (value) => matches(text(value)), every, COST_PATTERN);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const octet of bytes) text += String.fromCharCode(octet);
  return text;
}

function compileSet(test: Test & { kind: 'in' }, context: Context): Compiled {
  const source = literalAlone(test.left, context);
  if (source.kind === 'protocol' && source.field?.type === 'FT_NONE') {
    throw context.error(`${source.what} has no value: it can only be there or not.`, test.left);
  }
  const literals: [low: Literal, high: Literal][] = [];
  for (const item of test.set) literals.push(rangeOf(item, source, context));
  // `not in`: the field is there and no value is in the set.
  const every = test.negated ? test.quantifier !== 'any' : test.quantifier === 'all';
  const fast = fastTest(source, { kind: 'in', literals, negated: test.negated }, every);
  if (fast !== undefined) return fast;
  const inSet: ValueTest = folding(source, (value) =>
    literals.some(([low, high]) =>
      low.prefix === undefined
        ? compareValues(value, low.value) >= 0 && compareValues(value, high.value) <= 0
        : samePrefix(value as Uint8Array, low.value as Uint8Array, low.prefix),
    ),
  );
  return eachValue(source, test.negated ? (value) => !inSet(value) : inSet, every);
}

/** Both ends of an element of a set: the same literal twice where it is one value. Throws `FilterError`. */
export function rangeOf({ low, high }: SetItem, source: Source, context: Context): [Literal, Literal] {
  for (const end of high === undefined ? [low] : [low, high]) {
    if (!isLiteral(end, context))
      throw context.error('The elements of a set are values, not fields or functions.', end);
  }
  const from = literalFor(low, source, context);
  if (high === undefined) return [from, from];
  const to = literalFor(high, source, context);
  if (from.prefix !== undefined || to.prefix !== undefined)
    throw context.error('A range runs from address to address.', low);
  return [from, to];
}
