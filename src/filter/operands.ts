import { whyUnoffered } from './fields/unoffered.ts';
import { FUNCTIONS } from './functions.ts';
import { integerOf, isLiteral, literalFor } from './literals.ts';
import type { Context, Source } from './source.ts';
import type { Operand, Range } from './syntax.ts';
import { parseOctets } from '../wire/field.ts';
import { octetsOf, type Kind, type Value, Values } from './value.ts';

/** Most values an arithmetic of two lists gives. */
const MAX_PAIRS = 65_536;
const SLICEABLE = new Set<Kind>(['text', 'name', 'bytes', 'ipv4', 'ipv6', 'ether', 'eui64', 'protocol']);

/** The source of an operand that is no literal. Throws `FilterError`. */
export function sourceOf(operand: Operand, context: Context): Source {
  switch (operand.kind) {
    case 'word':
      return fieldSource(operand, context);
    case 'slice':
      return sliceSource(operand, context);
    case 'layer':
      return layerSource(operand, context);
    case 'raw':
      return rawSource(operand, context);
    case 'call':
      return callSource(operand, context);
    case 'negative':
      return negativeSource(operand, context);
    case 'arithmetic':
      return arithmeticSource(operand, context);
    case 'string':
    case 'char':
    default:
      throw context.error('A field or function was expected here, not a literal.', operand);
  }
}

function fieldSource(operand: Operand & { kind: 'word' }, context: Context): Source {
  const field = context.find(operand.text);
  if (field === undefined) {
    const why = whyUnoffered(operand.text);
    if (why !== undefined) throw context.error(`${why}.`, operand);
    const hint = context.suggest(operand);
    throw context.error(`'${operand.text}' is neither a field nor a protocol.${hint}`, operand);
  }
  const { kind, names, octets, type } = field;
  return {
    kind: kind === 'name' && context.exact ? 'text' : kind,
    what: field.name,
    field,
    ...(names !== undefined && { names }),
    ...(kind === 'uint' && { octets, signed: type === 'FT_INT32' }),
    read: kind === 'name' && context.exact ? exactNames(field.read) : field.read,
  };
}

/** Names as the reference dissector has them: the root is `<Root>`, dots in labels are not told apart. */
function exactNames(read: Source['read']): Source['read'] {
  return (subject, out) => {
    const from = out.count;
    read(subject, out);
    if (!out.raw) for (let i = from; i < out.count; i++) out.list[i] = exactName(String(out.list[i]));
  };
}

/** A name's escaped text as the reference dissector has it: octets taken for UTF-8, the root `<Root>`. */
export function exactName(text: string): string {
  if (text === '.') return '<Root>';
  return text.includes('\\') ? utf8.decode(parseOctets(text)) : text;
}
const utf8 = new TextDecoder();

/** A source whose names, if it has any, are plain text: what slices, functions and patterns look at. */
export function plainText(source: Source): Source {
  return source.kind === 'name' && source.field !== undefined ? { ...source, read: exactNames(source.read) } : source;
}

function sliceSource(operand: Operand & { kind: 'slice' }, context: Context): Source {
  const of = plainText(sourceOf(operand.of, context));
  if (!SLICEABLE.has(of.kind)) throw context.error(`${of.what} is no text and no octets: it has no slices.`, operand);
  const text = of.kind === 'text' || of.kind === 'name';
  const values = new Values();
  return {
    kind: text ? of.kind : 'bytes',
    what: `${of.what}[…]`,
    read(subject, out) {
      values.clear();
      of.read(subject, values);
      for (let i = 0; i < values.count; i++) {
        const part = text
          ? sliceText(String(values.list[i]), operand.ranges)
          : sliceOctets(octetsOf(values.list[i]), operand.ranges);
        if (part !== undefined) out.add(part);
      }
    },
  };
}

/** Where a range begins and ends in something of `length`; undefined when it is not all there. */
function bounds({ from, length, until }: Range, whole: number): [number, number] | undefined {
  const start = from < 0 ? whole + from : from;
  const last = until === undefined ? 0 : until < 0 ? whole + until : until;
  const end = until !== undefined ? last + 1 : length < 0 ? whole : start + length;
  return start >= 0 && start < end && end <= whole ? [start, end] : undefined;
}

function sliceText(text: string, ranges: readonly Range[]): string | undefined {
  const points = Array.from(text);
  let joined = '';
  for (const range of ranges) {
    const place = bounds(range, points.length);
    if (place === undefined) return undefined;
    joined += points.slice(place[0], place[1]).join('');
  }
  return joined;
}

function sliceOctets(octets: Uint8Array, ranges: readonly Range[]): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (const range of ranges) {
    const place = bounds(range, octets.length);
    if (place === undefined) return undefined;
    parts.push(octets.subarray(place[0], place[1]));
    total += place[1] - place[0];
  }
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(Math.min(total, 1 << 20));
  let to = 0;
  for (const part of parts) {
    if (to + part.length > joined.length) return undefined;
    joined.set(part, to);
    to += part.length;
  }
  return joined;
}

/** A message has each layer once, the innermost: it is number 1 and −1. */
function layerSource(operand: Operand & { kind: 'layer' }, context: Context): Source {
  const of = sourceOf(operand.of, context);
  if (of.field === undefined) throw context.error("'#' stands behind a field.", operand);
  const here = operand.ranges.some(({ from, length, until }) => {
    if (from === 1 || from === -1) return true;
    return until === undefined ? from === 0 && length !== 1 : from <= 1 && until >= 1;
  });
  const { field, ...rest } = of;
  return { ...rest, what: `${field.name}#`, read: here ? of.read : () => {} };
}

function rawSource(operand: Operand & { kind: 'raw' }, context: Context): Source {
  const of = sourceOf(operand.of, context);
  if (of.field === undefined) throw context.error("'@' stands before a field.", operand);
  const { field } = of;
  const values = new Values(true);
  return {
    kind: 'bytes',
    what: `@${field.name}`,
    read(subject, out) {
      values.clear();
      field.read(subject, values);
      for (let i = 0; i < values.count; i++) out.add(rawOctets(values.list[i], field.octets));
    },
  };
}

function rawOctets(value: Value, width: number): Uint8Array {
  if (typeof value !== 'number') return octetsOf(value);
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) % 256);
}

function callSource(operand: Operand & { kind: 'call' }, context: Context): Source {
  const made = FUNCTIONS.get(operand.name);
  if (made === undefined) {
    throw context.error(`'${operand.name}' is not a function: ${[...FUNCTIONS.keys()].join(', ')} are.`, {
      at: operand.at,
      end: operand.at + operand.name.length,
    });
  }
  if (operand.args.length === 0 || operand.args.length > made.most) {
    const wanted = made.most === 1 ? 'one argument' : `1 to ${made.most} arguments`;
    throw context.error(`${operand.name}() takes ${wanted}.`, operand);
  }
  const args = operand.args.map((arg) => plainText(sourceOf(arg, context)));
  for (const [i, arg] of args.entries()) {
    if (!made.takes(arg))
      throw context.error(`${operand.name}() takes ${made.wanted}; ${arg.what} is none.`, operand.args[i]);
  }
  return { ...made.make(args), what: `${operand.name}(${args[0].what})` };
}

function negativeSource(operand: Operand & { kind: 'negative' }, context: Context): Source {
  const of = sourceOf(operand.of, context);
  if (of.kind !== 'uint' && of.kind !== 'double' && of.kind !== 'span') {
    throw context.error(`${of.what} is no number: it has no negative.`, operand);
  }
  const values = new Values();
  return {
    kind: of.kind,
    what: `-${of.what}`,
    read(subject, out) {
      values.clear();
      of.read(subject, values);
      for (let i = 0; i < values.count; i++) out.add(-Number(values.list[i]));
    },
  };
}

/** The kind of `left op right`; undefined when there is none. */
function resultKind(op: string, left: Kind, right: Kind): Kind | undefined {
  const numeric = (kind: Kind): boolean => kind === 'uint' || kind === 'double';
  if (op === '&') return left === 'uint' && right === 'uint' ? 'uint' : undefined;
  if (numeric(left) && numeric(right)) return left === 'double' || right === 'double' ? 'double' : 'uint';
  if (op === '+' || op === '-') {
    if (left === 'span' && right === 'span') return 'span';
    if (left === 'time' && right === 'span') return 'time';
    if (op === '-' && left === 'time' && right === 'time') return 'span';
  }
  if ((op === '*' || op === '/') && left === 'span' && numeric(right)) return 'span';
  return undefined;
}

function arithmeticSource(operand: Operand & { kind: 'arithmetic' }, context: Context): Source {
  const { op } = operand;
  const [left, right] = arithmeticSides(operand, context);
  const kind = resultKind(op, left.kind, right.kind);
  if (kind === undefined) throw context.error(`${left.what} and ${right.what} cannot be joined by '${op}'.`, operand);
  const lefts = new Values();
  const rights = new Values();
  const apply = operation(op, left.kind, right.kind, kind);
  return {
    kind,
    what: `${left.what} ${op} ${right.what}`,
    read(subject, out) {
      lefts.clear();
      rights.clear();
      left.read(subject, lefts);
      right.read(subject, rights);
      if (lefts.count * rights.count > MAX_PAIRS) return;
      for (let i = 0; i < lefts.count; i++) {
        for (let k = 0; k < rights.count; k++) {
          const value = apply(lefts.list[i], rights.list[k]);
          if (typeof value === 'bigint' || !Number.isNaN(value)) out.add(value);
        }
      }
    },
  };
}

/** Both sides as sources: a literal takes the kind that goes with the other side. */
function arithmeticSides(operand: Operand & { kind: 'arithmetic' }, context: Context): [Source, Source] {
  const { left, right, op } = operand;
  const literals = [isLiteral(left, context), isLiteral(right, context)];
  if (literals[0] && literals[1]) return [constant(left, NUMBER, context), constant(right, NUMBER, context)];
  const leftSource = literals[0] ? undefined : sourceOf(left, context);
  const rightSource = literals[1] ? undefined : sourceOf(right, context);
  const known = leftSource ?? rightSource;
  if (known === undefined) throw context.error('A field was expected here.', operand);
  const scaled = known.kind === 'span' && (op === '*' || op === '/');
  const shifted = known.kind === 'time' && rightSource === undefined;
  const like: Source = scaled ? NUMBER : shifted ? SPAN : { ...known, octets: undefined };
  return [leftSource ?? constant(left, like, context), rightSource ?? constant(right, like, context)];
}

const NUMBER: Source = { kind: 'double', what: 'a number', read: () => {} };
const SPAN: Source = { kind: 'span', what: 'a number of seconds', read: () => {} };

/** A literal as a source of one value. */
function constant(operand: Operand, like: Source, context: Context): Source {
  const integer = operand.kind === 'word' ? integerOf(operand.text) : undefined;
  const whole = integer !== undefined && like.kind === 'double';
  const { value } = literalFor(operand, like, context);
  return {
    kind: whole ? 'uint' : like.kind,
    what: context.exact ? 'literal' : 'the literal',
    read: (_, out) => out.add(value),
  };
}

/** How two values are joined; NaN where there is no result (division by zero). */
function operation(op: string, left: Kind, right: Kind, kind: Kind): (a: Value, b: Value) => number | bigint {
  if (left === 'time' && right === 'time') return (a, b) => Number((a as bigint) - (b as bigint));
  if (left === 'time') {
    return op === '+'
      ? (a, b) => (a as bigint) + BigInt(Math.round(Number(b)))
      : (a, b) => (a as bigint) - BigInt(Math.round(Number(b)));
  }
  const whole = kind === 'uint';
  switch (op) {
    case '+':
      return (a, b) => Number(a) + Number(b);
    case '-':
      return (a, b) => Number(a) - Number(b);
    case '*':
      return (a, b) => Number(a) * Number(b);
    case '/':
      return (a, b) =>
        Number(b) === 0 ? Number.NaN : whole ? Math.trunc(Number(a) / Number(b)) : Number(a) / Number(b);
    case '%':
      return (a, b) => (Number(b) === 0 ? Number.NaN : Number(a) % Number(b));
    default:
      return (a, b) => Number(BigInt.asUintN(64, BigInt(a as number) & BigInt(b as number)));
  }
}
