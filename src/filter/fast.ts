import { equalNames, FOLD } from '../wire/name.ts';
import { parseName } from '../wire/writer.ts';
import type { Column } from './fields/field.ts';
import type { Literal } from './literals.ts';
import type { Source } from './source.ts';
import type { Compiled, Predicate } from './tests.ts';
import { findOctets, octetsOf, type Subject } from './value.ts';

/** How two values are ordered. */
export type Sign = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A relation between a field and what it is compared with. */
export type Relation =
  | { readonly kind: 'compare'; readonly sign: Sign; readonly literal: Literal }
  | { readonly kind: 'contains'; readonly needle: Uint8Array }
  | {
      readonly kind: 'in';
      readonly literals: readonly (readonly [low: Literal, high: Literal])[];
      readonly negated: boolean;
    };

type NumberTest = (n: number) => boolean;

/**
 * The same test without making values: numbers straight from the header or the carrier, IPv4 addresses as 32 bits,
 * names on their wire octets. Undefined for what has no such form.
 */
export function fastTest(source: Source, relation: Relation, every: boolean): Compiled | undefined {
  const column = source.field?.column;
  if (column === undefined) return undefined;
  if (source.kind === 'name') return nameTest(column, relation, every);
  if (source.kind === 'ipv4') return numbers(column, addressTest(relation), every);
  if (source.kind === 'uint' || source.kind === 'bool' || source.kind === 'span') {
    return numbers(column, numberTest(relation), every);
  }
  return undefined;
}

/** Some number passes, or every one and there is one. */
function numbers(column: Column, test: NumberTest | undefined, every: boolean): Compiled | undefined {
  if (test === undefined) return undefined;
  const { single } = column;
  if (single !== undefined) return { cost: 3, test: (s) => single(s) && test(column.at(s, 0)) };
  return { cost: 20, test: loop(column, (s, i) => test(column.at(s, i)), every) };
}

function loop(column: Column, test: (s: Subject, index: number) => boolean, every: boolean): Predicate {
  return (s) => {
    let i = column.next(s, 0);
    if (i < 0) return false;
    do {
      if (test(s, i) !== every) return !every;
      i = column.next(s, i + 1);
    } while (i >= 0);
    return every;
  };
}

function numberTest(relation: Relation): NumberTest | undefined {
  if (relation.kind === 'contains') return undefined;
  if (relation.kind === 'compare') return compareNumber(relation.sign, Number(relation.literal.value));
  const low = relation.literals.map(([from]) => Number(from.value));
  const high = relation.literals.map(([, to]) => Number(to.value));
  return inRanges(low, high, relation.negated);
}

function compareNumber(sign: Sign, wanted: number): NumberTest {
  if (sign === '==') return (n) => n === wanted;
  if (sign === '!=') return (n) => n !== wanted;
  if (sign === '<') return (n) => n < wanted;
  if (sign === '<=') return (n) => n <= wanted;
  return sign === '>' ? (n) => n > wanted : (n) => n >= wanted;
}

function inRanges(low: readonly number[], high: readonly number[], negated: boolean): NumberTest {
  // A list of single numbers is a set: as fast with a thousand as with two.
  if (low.every((from, i) => from === high[i])) {
    const wanted = new Set(low);
    return (n) => wanted.has(n) !== negated;
  }
  return (n) => {
    for (let i = 0; i < low.length; i++) if (n >= low[i] && n <= high[i]) return !negated;
    return negated;
  };
}

function addressTest(relation: Relation): NumberTest | undefined {
  if (relation.kind === 'contains') return undefined;
  if (relation.kind === 'compare') {
    const { sign, literal } = relation;
    if (literal.prefix === undefined) return compareNumber(sign, addressNumber(literal));
    const [low, high] = addressRange(literal, literal);
    return inRanges([low], [high], sign === '!=');
  }
  const ranges = relation.literals.map(([from, to]) => addressRange(from, to));
  return inRanges(
    ranges.map(([low]) => low),
    ranges.map(([, high]) => high),
    relation.negated,
  );
}

function addressNumber({ value }: Literal): number {
  const o = value as Uint8Array;
  return ((o[0] << 24) | (o[1] << 16) | (o[2] << 8) | o[3]) >>> 0;
}

/** First and last address of a network, or of a range. */
function addressRange(from: Literal, to: Literal): [number, number] {
  if (from.prefix === undefined) return [addressNumber(from), addressNumber(to)];
  const size = 2 ** (32 - from.prefix);
  const low = addressNumber(from) - (addressNumber(from) % size);
  return [low, low + size - 1];
}

function nameTest(column: Column, relation: Relation, every: boolean): Compiled | undefined {
  if (relation.kind === 'contains') {
    const { needle } = relation;
    const test = loop(column, (s, i) => findOctets(nameOctets, 0, writeName(s, column.at(s, i)), needle) >= 0, every);
    return { cost: 60, test };
  }
  if (relation.kind === 'in') {
    if (relation.literals.some(([low, high]) => low !== high)) return undefined;
    const names = relation.literals.map(([{ value }]) => wireName(String(value))).filter((name) => name !== undefined);
    const { negated } = relation;
    const isOne = (s: Subject, i: number): boolean =>
      names.some((name) => isName(s, column.at(s, i), name)) !== negated;
    // Longer lists are looked up as texts.
    return names.length > 8 ? undefined : { cost: 40, test: loop(column, isOne, every) };
  }
  const { sign, literal } = relation;
  if (sign !== '==' && sign !== '!=') return undefined;
  const name = wireName(String(literal.value));
  const equal = sign === '==';
  return {
    cost: 30,
    test: loop(column, (s, i) => (name !== undefined && isName(s, column.at(s, i), name)) === equal, every),
  };
}

function isName({ view }: Subject, at: number, name: Uint8Array): boolean {
  return equalNames(view.bytes, at, view.start, name, 0, 0);
}

/** Wire form of a name; undefined for a text that no name can be. */
function wireName(text: string): Uint8Array | undefined {
  try {
    return parseName(text);
  } catch {
    return undefined;
  }
}

// Text of the name at hand, folded; a name of 255 octets has at most four characters for each.
const nameOctets = new Uint8Array(1024);
const DOT = 0x2e;

/** What a folded octet of a label looks like in text: itself, or an escape (RFC 1035 §5.1). */
const ESCAPED: readonly (Uint8Array | undefined)[] = Array.from({ length: 256 }, (_, c) => {
  if (c === DOT || c === 0x5c) return Uint8Array.of(0x5c, c);
  if (c > 0x20 && c < 0x7f) return undefined;
  return octetsOf(`\\${String(c).padStart(3, '0')}`);
});
const PLAIN = Uint8Array.from(ESCAPED, (escape) => (escape === undefined ? 1 : 0));

/** Writes the folded text of a sound name into `nameOctets`; returns its length. */
function writeName({ view }: Subject, offset: number): number {
  const { bytes, start } = view;
  let at = offset;
  let to = 0;
  for (;;) {
    const n = bytes[at];
    if (n >= 0xc0) {
      at = start + (((n & 0x3f) << 8) | bytes[at + 1]);
      continue;
    }
    if (n === 0) break;
    if (to > 0) nameOctets[to++] = DOT;
    const stop = at + n;
    while (at < stop) {
      const c = bytes[++at];
      if (PLAIN[c] === 1) nameOctets[to++] = FOLD[c];
      else to = writeEscape(c, to);
    }
    at++;
  }
  if (to === 0) nameOctets[to++] = DOT;
  return to;
}

function writeEscape(c: number, to: number): number {
  const escape = ESCAPED[c];
  if (escape === undefined) return to;
  nameOctets.set(escape, to);
  return to + escape.length;
}
