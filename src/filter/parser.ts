import { FilterError } from './errors.ts';
import { readTokens, type Token } from './lexer.ts';
import type { Comparison, Operand, Quantifier, Range, SetItem, Test } from './syntax.ts';

/** Deepest nesting of brackets, functions and signs; most parts of a filter. */
const MAX_DEPTH = 128;
const MAX_PARTS = 4096;

const COMPARISONS = new Set(['==', '!=', '===', '!==', '<', '<=', '>', '>=']);
/** How tightly the signs between values bind. */
const BINDING: Readonly<Record<string, number>> = { '&': 1, '+': 2, '-': 2, '*': 3, '/': 3, '%': 3 };
const SIGN_HINTS: Readonly<Record<string, string>> = {
  '=': "'=' is not an operator. Write '==' to compare.",
  '~=': "'~=' is not an operator any more. Write '!==' for \"some value differs\", '!=' for \"no value equals\".",
  $: 'Macros and field references ($…) are not supported. Write the filter out.',
};
const UPPER_HINT = /^(?:AND|OR|XOR|NOT|CONTAINS|MATCHES|IN|EQ|NE|GT|GE|LT|LE)$/;

/** The syntax tree of a filter, undefined when it is blank (everything passes). Throws `FilterError`. */
export function parseFilter(text: string): Test | undefined {
  const parser = new Parser(text);
  return parser.parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;
  #parts = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = readTokens(text);
  }

  parse(): Test | undefined {
    if (this.#peek.kind === 'end') return undefined;
    const test = this.#either();
    if (this.#peek.kind !== 'end') throw this.#unexpected(this.#peek);
    return test;
  }

  get #peek(): Token {
    return this.#tokens[this.#next];
  }

  #take(): Token {
    return this.#tokens[this.#next++];
  }

  #takeIf(kind: string): Token | undefined {
    return this.#peek.kind === kind ? this.#take() : undefined;
  }

  #error(reason: string, place: { at: number; end: number }): FilterError {
    return new FilterError(reason, this.#text, place.at, Math.max(1, place.end - place.at));
  }

  #unexpected(token: Token): FilterError {
    const hint = SIGN_HINTS[token.kind];
    if (hint !== undefined) return this.#error(hint, token);
    if (token.kind === 'end') return this.#error('The filter ends where more should follow.', token);
    if (token.kind === 'word' && UPPER_HINT.test(token.text)) {
      return this.#error(`Operators are written in lower case: '${token.text.toLowerCase()}'.`, token);
    }
    return this.#error(`'${this.#text.slice(token.at, token.end)}' was not expected here.`, token);
  }

  #part(place: { at: number; end: number }): void {
    if (++this.#parts > MAX_PARTS) throw this.#error(`The filter has more than ${MAX_PARTS} parts.`, place);
  }

  /** Runs a parser one level deeper. */
  #deeper<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw this.#error(`The filter is nested more than ${MAX_DEPTH} levels deep.`, this.#peek);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  #joined(kind: 'all' | 'one' | 'odd', sign: string, parse: () => Test): Test {
    const first = parse();
    if (this.#peek.kind !== sign) return first;
    const of = [first];
    while (this.#takeIf(sign) !== undefined) of.push(parse());
    return { kind, of, at: first.at, end: of[of.length - 1].end };
  }

  #either(): Test {
    return this.#joined('one', '||', () =>
      this.#joined('odd', '^^', () => this.#joined('all', '&&', () => this.#negation())),
    );
  }

  #negation(): Test {
    const not = this.#takeIf('!');
    if (not === undefined) return this.#test();
    const of = this.#deeper(() => this.#negation());
    return { kind: 'not', of, at: not.at, end: of.end };
  }

  #test(): Test {
    const open = this.#takeIf('(');
    if (open !== undefined) {
      const inner = this.#deeper(() => this.#either());
      const close = this.#takeIf(')');
      if (close === undefined) throw this.#missing(')', open);
      return { ...inner, at: open.at, end: close.end };
    }
    return this.#relation(this.#quantifier());
  }

  #missing(sign: string, open: Token): FilterError {
    if (this.#peek.kind !== 'end') return this.#unexpected(this.#peek);
    return this.#error(`'${sign}' is missing: this was not closed.`, open);
  }

  #quantifier(): Quantifier {
    const { kind, text } = this.#peek;
    if (kind !== 'word' || (text !== 'any' && text !== 'all')) return '';
    const behind = this.#tokens[this.#next + 1].kind;
    if (behind !== 'word' && behind !== '@' && behind !== '{' && behind !== '-' && behind !== '+') return '';
    this.#take();
    return text;
  }

  #relation(quantifier: Quantifier): Test {
    const left = this.#values(0);
    this.#part(left);
    const { kind } = this.#peek;
    if (COMPARISONS.has(kind)) return this.#comparisons(quantifier, left);
    if (kind === 'contains' || kind === '~') {
      this.#take();
      const right = this.#values(0);
      const place = { at: left.at, end: right.end };
      return kind === '~'
        ? { kind: 'matches', quantifier, left, right, ...place }
        : { kind: 'contains', quantifier, left, right, ...place };
    }
    const negated = kind === '!' && this.#tokens[this.#next + 1].kind === 'in';
    if (negated || kind === 'in') {
      this.#next += negated ? 2 : 1;
      const { set, end } = this.#set();
      return { kind: 'in', negated, quantifier, left, set, at: left.at, end };
    }
    if (quantifier !== '') {
      throw this.#error(`'${quantifier}' needs a comparison behind its field.`, this.#peek);
    }
    return { kind: 'present', operand: left, at: left.at, end: left.end };
  }

  /** `a < b <= c` is `a < b and b <= c`. */
  #comparisons(quantifier: Quantifier, first: Operand): Test {
    const of: Test[] = [];
    let left = first;
    while (COMPARISONS.has(this.#peek.kind)) {
      const op = this.#take().kind as Comparison;
      const right = this.#values(0);
      this.#part(right);
      of.push({ kind: 'compare', op, quantifier, left, right, at: left.at, end: right.end });
      left = right;
    }
    return of.length === 1 ? of[0] : { kind: 'all', of, at: first.at, end: left.end };
  }

  #set(): { set: SetItem[]; end: number } {
    const open = this.#takeIf('{');
    if (open === undefined) {
      if (this.#peek.kind === 'end') throw this.#unexpected(this.#peek);
      throw this.#error('A set is written in braces: in {1, 28, 64 .. 65}.', this.#peek);
    }
    const set: SetItem[] = [];
    do {
      const low = this.#values(0);
      this.#part(low);
      const high = this.#takeIf('..') === undefined ? undefined : this.#values(0);
      set.push(high === undefined ? { low } : { low, high });
    } while (this.#takeIf(',') !== undefined);
    const close = this.#takeIf('}');
    if (close !== undefined) return { set, end: close.end };
    if (this.#peek.kind === 'word' || this.#peek.kind === 'string') {
      throw this.#error('The elements of a set are separated by commas.', this.#peek);
    }
    throw this.#missing('}', open);
  }

  /** Values joined by arithmetic signs that bind at least as tightly as `binding`. */
  #values(binding: number): Operand {
    const depth = this.#depth;
    let left = this.#signed();
    for (;;) {
      const op = this.#peek.kind as '+' | '-' | '*' | '/' | '%' | '&';
      const tight = BINDING[op];
      if (tight === undefined || tight < binding) {
        this.#depth = depth;
        return left;
      }
      this.#take();
      this.#part(left);
      const right = this.#deeper(() => this.#values(tight + 1));
      left = { kind: 'arithmetic', op, left, right, at: left.at, end: right.end };
      // A long chain is as deep as one of brackets.
      if (++this.#depth > MAX_DEPTH) throw this.#error(`More than ${MAX_DEPTH} arithmetic signs.`, left);
    }
  }

  #signed(): Operand {
    const sign = this.#takeIf('-') ?? this.#takeIf('+');
    if (sign === undefined) return this.#entity();
    const of = this.#deeper(() => this.#signed());
    return sign.kind === '+' ? of : { kind: 'negative', of, at: sign.at, end: of.end };
  }

  #entity(): Operand {
    const open = this.#takeIf('{');
    if (open !== undefined) {
      const inner = this.#deeper(() => this.#values(0));
      const close = this.#takeIf('}');
      if (close === undefined) throw this.#missing('}', open);
      return { ...inner, at: open.at, end: close.end };
    }
    const raw = this.#takeIf('@');
    if (raw !== undefined) {
      const of = this.#postfix(this.#word());
      return of.kind === 'slice'
        ? { ...of, of: { kind: 'raw', of: of.of, at: raw.at, end: of.of.end }, at: raw.at }
        : { kind: 'raw', of, at: raw.at, end: of.end };
    }
    return this.#postfix(this.#primary());
  }

  #word(): Operand {
    const token = this.#take();
    if (token.kind !== 'word') throw this.#unexpected(token);
    return { kind: 'word', text: token.text, at: token.at, end: token.end };
  }

  #primary(): Operand {
    const token = this.#take();
    const { at, end } = token;
    if (token.kind === 'string')
      return { kind: 'string', text: token.text, octets: token.octets ?? new Uint8Array(), at, end };
    if (token.kind === 'char') return { kind: 'char', code: Number(token.text), at, end };
    if (token.kind !== 'word') throw this.#unexpected(token);
    if (this.#peek.kind === '(' && this.#peek.at === end) return this.#call(token);
    if (UPPER_HINT.test(token.text) && this.#peek.kind !== 'end') throw this.#unexpected(token);
    return { kind: 'word', text: token.text, at, end };
  }

  #call(name: Token): Operand {
    const open = this.#take();
    const args: Operand[] = [];
    if (this.#peek.kind !== ')') {
      do args.push(this.#deeper(() => this.#values(0)));
      while (this.#takeIf(',') !== undefined);
    }
    const close = this.#takeIf(')');
    if (close === undefined) throw this.#missing(')', open);
    return { kind: 'call', name: name.text, args, at: name.at, end: close.end };
  }

  #postfix(first: Operand): Operand {
    const depth = this.#depth;
    let operand = first;
    for (;;) {
      const layer = this.#takeIf('#');
      if (layer !== undefined) {
        const { ranges, end } = this.#layers(layer);
        operand = { kind: 'layer', of: operand, ranges, at: operand.at, end };
        continue;
      }
      const slice = this.#takeIf('slice');
      if (slice === undefined) {
        this.#depth = depth;
        return operand;
      }
      this.#part(slice);
      operand = { kind: 'slice', of: operand, ranges: this.#ranges(slice), at: operand.at, end: slice.end };
      if (++this.#depth > MAX_DEPTH) throw this.#error('Too many slices.', slice);
    }
  }

  #layers(sign: Token): { ranges: Range[]; end: number } {
    const slice = this.#takeIf('slice');
    if (slice !== undefined) return { ranges: this.#ranges(slice), end: slice.end };
    const minus = this.#takeIf('-');
    const word = this.#take();
    if (word.kind !== 'word' || !/^[0-9]{1,9}$/.test(word.text) || Number(word.text) === 0) {
      throw this.#error(
        "Behind '#' stands the number of a layer, from 1 (or −1 for the last).",
        word.kind === 'end' ? sign : word,
      );
    }
    const from = Number(word.text) * (minus === undefined ? 1 : -1);
    return { ranges: [{ from, length: 1 }], end: word.end };
  }

  /** The inside of `[…]`: `i:j` offset and length, `i-j` both ends, `i`, `:j`, `i:`, joined by commas. */
  #ranges(token: Token): Range[] {
    const number = '(-?(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,9}))';
    const form = new RegExp(`^\\s*(?:${number}?\\s*:\\s*${number}?|${number}\\s*-\\s*${number}|${number})\\s*$`);
    return token.text.split(',').map((part) => {
      const match = form.exec(part);
      if (
        match === null ||
        (match[1] === undefined && match[2] === undefined && match[3] === undefined && match[5] === undefined)
      ) {
        throw this.#error('A slice is written [offset:length], [first-last], [offset], [:length] or [offset:].', token);
      }
      if (match[5] !== undefined) return { from: Number(match[5]), length: 1 };
      if (match[3] !== undefined) return this.#inclusive(Number(match[3]), Number(match[4]), token);
      const length = match[2] === undefined ? -1 : Number(match[2]);
      if (match[2] !== undefined && length <= 0) throw this.#error('The length of a slice is at least 1.', token);
      return { from: signed(match[1]), length };
    });
  }

  #inclusive(from: number, until: number, token: Token): Range {
    if (from >= 0 === until >= 0 && until < from) throw this.#error('The slice ends before it begins.', token);
    return { from, length: 0, until };
  }
}

function signed(text: string | undefined): number {
  return text === undefined ? 0 : Number(text);
}
