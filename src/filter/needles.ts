import { FilterError } from './errors.ts';
import { findField } from './fields/registry.ts';
import { isLiteral, type Literal, literalFor } from './literals.ts';
import { parseFilter } from './parser.ts';
import { sourceOf } from './operands.ts';
import type { Context } from './source.ts';
import type { Operand, Test } from './syntax.ts';
import { meaning, rangeOf } from './tests.ts';

/** Fields of which a store may remember which values a stretch of rows has. */
export const NEEDLE_FIELDS = ['dns.qry.name', 'dns.a', 'dns.aaaa'] as const;

/** A value of one of these fields: folded text of a name, octets of an address. */
export interface Needle {
  readonly field: (typeof NEEDLE_FIELDS)[number];
  readonly value: string | Uint8Array;
}

/** More are not worth looking for one by one. */
const MOST = 64;

/**
 * Values of which every transaction that passes a filter has one; undefined where the filter does not say so. The filter
 * has been compiled before: what is wrong with it is told there.
 */
export function needlesOf(text: string): readonly Needle[] | undefined {
  const tree = parseFilter(text);
  const context: Context = {
    exact: false,
    find: (name) => findField(name.startsWith('.') ? name.slice(1) : name),
    error: (reason, { at, end }) => new FilterError(reason, text, at, Math.max(1, end - at)),
    suggest: () => '',
  };
  const found = tree === undefined ? undefined : needed(tree, context);
  return found === undefined || found.length > MOST ? undefined : found;
}

function needed(test: Test, context: Context): readonly Needle[] | undefined {
  if (test.kind === 'all') {
    const lists = test.of.map((one) => needed(one, context)).filter((list) => list !== undefined);
    return lists.sort((a, b) => a.length - b.length)[0];
  }
  if (test.kind === 'one') {
    const lists = test.of.map((one) => needed(one, context));
    return lists.every((list) => list !== undefined) ? lists.flat() : undefined;
  }
  if (test.kind === 'compare') {
    const isLeft = isLiteral(test.left, context);
    if (meaning(test.op, test.quantifier).sign !== '==' || isLeft === isLiteral(test.right, context)) return undefined;
    const [of, literal] = isLeft ? [test.right, test.left] : [test.left, test.right];
    const field = fieldOf(of, context);
    return field && toNeedles(field, [literalFor(literal, sourceOf(of, context), context)]);
  }
  if (test.kind === 'in' && !test.negated) {
    const field = fieldOf(test.left, context);
    if (field === undefined) return undefined;
    const source = sourceOf(test.left, context);
    const ranges = test.set.map((item) => rangeOf(item, source, context));
    if (ranges.some(([low, high]) => low !== high)) return undefined;
    const literals = ranges.map(([low]) => low);
    return toNeedles(field, literals);
  }
  return undefined;
}

/** The field itself, not something made of it. */
function fieldOf(operand: Operand, context: Context): Needle['field'] | undefined {
  if (operand.kind !== 'word') return undefined;
  const name = context.find(operand.text)?.name;
  return NEEDLE_FIELDS.find((known) => known === name);
}

function toNeedles(field: Needle['field'], literals: readonly Literal[]): readonly Needle[] | undefined {
  const needles = literals.flatMap(({ value, prefix }): Needle[] =>
    prefix === undefined && (typeof value === 'string' || value instanceof Uint8Array) ? [{ field, value }] : [],
  );
  return needles.length === literals.length ? needles : undefined;
}
