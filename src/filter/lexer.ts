import { FilterError } from './errors.ts';

/** One token: its kind is its sign, or `word`, `string`, `char`, `slice`, `end`. */
export interface Token {
  readonly kind: string;
  readonly at: number;
  readonly end: number;
  /** Words as written, strings and characters with their escapes undone, the inside of `[…]`. */
  readonly text: string;
  /** Of strings: octets, where an escape stands for one beyond ASCII. */
  readonly octets?: Uint8Array;
}

/** Longest filter, in characters. */
const MAX_LENGTH = 65_536;
const BLANK = /[ \t\n\r]+/y;
const SIGN = /===|==|=|!==|!=|~=|>=|<=|&&|\|\||\^\^|\.\.|[!~<>&+\-*/%(){},#@$]/y;
// A word may hold single dots, colons and hyphens; an address may have a prefix length behind it.
const WORD = /(?:[\p{L}\p{N}_:-]|\.(?!\.))+/uy;
const PREFIX = /\/(?:\d+(?:\.\d+){3}|\d+)/y;
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i;
const WORD_SIGNS: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  xor: '^^',
  not: '!',
  eq: '==',
  any_eq: '==',
  ne: '!=',
  all_ne: '!=',
  all_eq: '===',
  any_ne: '!==',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  contains: 'contains',
  matches: '~',
  in: 'in',
  bitand: '&',
  bitwise_and: '&',
};
const ESCAPES: Readonly<Record<string, number>> = {
  "'": 39,
  '"': 34,
  '\\': 92,
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};
const utf8 = new TextEncoder();

/** The tokens of a filter; the last is `end`. Throws `FilterError`. */
export function readTokens(text: string): Token[] {
  if (text.length > MAX_LENGTH) {
    throw new FilterError(`The filter has ${text.length} characters; ${MAX_LENGTH} is the most.`, text.slice(0, 60), 0);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = matchAt(BLANK, text, at);
    if (blank !== '') {
      at += blank.length;
      continue;
    }
    const token = readToken(text, at, tokens.at(-1));
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', at: text.length, end: text.length, text: '' });
  return tokens;
}

function matchAt(form: RegExp, text: string, at: number): string {
  form.lastIndex = at;
  return form.exec(text)?.[0] ?? '';
}

function readToken(text: string, at: number, before: Token | undefined): Token {
  const c = text[at];
  if (c === '"') return readString(text, at, at);
  if ((c === 'r' || c === 'R') && text[at + 1] === '"') return readRaw(text, at);
  if (c === "'") return readChar(text, at);
  if (c === '[') {
    const end = text.indexOf(']', at);
    if (end < 0) throw new FilterError("The slice is not closed: ']' is missing.", text, at, text.length - at);
    return { kind: 'slice', at, end: end + 1, text: text.slice(at + 1, end) };
  }
  const sign = matchAt(SIGN, text, at);
  if (sign !== '') {
    return { kind: sign, at, end: at + sign.length, text: sign };
  }
  let word = matchAt(WORD, text, at);
  if (word === '')
    throw new FilterError(`'${String.fromCodePoint(text.codePointAt(at) ?? 0)}' has no meaning here.`, text, at);
  if (ADDRESS.test(word)) word += matchAt(PREFIX, text, at + word.length);
  const end = at + word.length;
  const operator = WORD_SIGNS[word];
  // Behind '@' or '.' it can only be a name.
  if (operator !== undefined && before?.kind !== '@') return { kind: operator, at, end, text: word };
  return { kind: 'word', at, end, text: word };
}

function readRaw(text: string, at: number): Token {
  let i = at + 2;
  // A backslash keeps itself and the character behind it, so that \" does not end the text.
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  if (i >= text.length) throw new FilterError('The text is not closed: a " is missing.', text, at, text.length - at);
  const inside = text.slice(at + 2, i);
  return { kind: 'string', at, end: i + 1, text: inside, octets: utf8.encode(inside) };
}

function readString(text: string, at: number, quote: number): Token {
  let inside = '';
  const octets: number[] = [];
  let i = quote + 1;
  while (i < text.length && text[i] !== '"') {
    if (text[i] === '\\') {
      const escape = readEscape(text, i);
      i = escape.end;
      inside += String.fromCodePoint(escape.code);
      if (escape.octet) octets.push(escape.code);
      else octets.push(...utf8.encode(String.fromCodePoint(escape.code)));
      continue;
    }
    const c = String.fromCodePoint(text.codePointAt(i) ?? 0);
    inside += c;
    octets.push(...utf8.encode(c));
    i += c.length;
  }
  if (i >= text.length) throw new FilterError('The text is not closed: a " is missing.', text, at, text.length - at);
  return { kind: 'string', at, end: i + 1, text: inside, octets: Uint8Array.from(octets) };
}

function readChar(text: string, at: number): Token {
  let i = at + 1;
  let code: number;
  if (text[i] === '\\') {
    const escape = readEscape(text, i);
    code = escape.code;
    i = escape.end;
  } else {
    code = text.codePointAt(i) ?? 0;
    i += code > 0xffff ? 2 : 1;
  }
  if (text[i] !== "'" || i === at + 1) {
    throw new FilterError("A character is written as 'c' or '\\x0a'. Put text in double quotes.", text, at);
  }
  return { kind: 'char', at, end: i + 1, text: String(code) };
}

/** The escape at `at` (its backslash). */
function readEscape(text: string, at: number): { code: number; octet: boolean; end: number } {
  const forms: readonly [RegExp, number, boolean][] = [
    [/x([0-9a-fA-F]{1,2})/y, 16, true],
    [/u([0-9a-fA-F]{4})/y, 16, false],
    [/U([0-9a-fA-F]{8})/y, 16, false],
    [/([0-7]{1,3})/y, 8, true],
  ];
  for (const [form, base, octet] of forms) {
    form.lastIndex = at + 1;
    const match = form.exec(text);
    if (match === null) continue;
    const code = Number.parseInt(match[1], base);
    if (octet ? code <= 255 : code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) {
      return { code, octet, end: at + 1 + match[0].length };
    }
  }
  const simple = ESCAPES[text[at + 1]];
  if (simple === undefined) {
    const what = text.slice(at, at + 2);
    throw new FilterError(
      `${what} is not an escape. Write ${what.replace('\\', '\\\\')}, or r"…" in which backslashes stand for themselves.`,
      text,
      at,
      2,
    );
  }
  return { code: simple, octet: false, end: at + 2 };
}
