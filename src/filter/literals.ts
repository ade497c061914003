import { parseIpv4, parseIpv6 } from '../wire/field.ts';
import { nearest } from './nearest.ts';
import type { Context, Source } from './source.ts';
import type { Operand } from './syntax.ts';
import { instantOf } from './times.ts';
import { foldText, octetsOf, type Value } from './value.ts';

/** A literal as a value of the kind it is compared with; of addresses, the bits that count. */
export interface Literal {
  readonly value: Value;
  readonly prefix?: number;
}

const MAX_UINT = 2 ** 53;

/** An integer: decimal, `0x…`, `0b…`, octal with a leading 0; undefined when it is none. */
export function integerOf(text: string): number | undefined {
  const lower = text.toLowerCase();
  let value: number;
  if (/^0x[0-9a-f]{1,16}$/.test(lower)) value = Number.parseInt(lower.slice(2), 16);
  else if (/^0b[01]{1,64}$/.test(lower)) value = Number.parseInt(lower.slice(2), 2);
  else if (/^0[0-7]+$/.test(lower)) value = Number.parseInt(lower, 8);
  else if (/^(?:0|[1-9][0-9]{0,18})$/.test(lower)) value = Number(lower);
  else return undefined;
  return value <= MAX_UINT ? value : undefined;
}

/** A number with or without fraction; undefined when it is none. */
function decimalOf(text: string): number | undefined {
  return /^[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,3})?$/i.test(text) ? Number(text) : integerOf(text);
}

/** True for operands that are text, a number or an address rather than a field. */
export function isLiteral(operand: Operand, context: Context): boolean {
  if (operand.kind === 'negative') return isLiteral(operand.of, context);
  if (operand.kind === 'word') return context.find(operand.text) === undefined;
  return operand.kind === 'string' || operand.kind === 'char';
}

/** The value of a literal that is compared with `target`. Throws `FilterError`. */
export function literalFor(operand: Operand, target: Source, context: Context): Literal {
  if (operand.kind === 'negative') return negative(operand, target, context);
  switch (target.kind) {
    case 'uint':
      return { value: uintOf(operand, target, context) };
    case 'bool':
      return { value: boolOf(operand, target, context) };
    case 'double':
    case 'span':
      return { value: numberOf(operand, target, context) };
    case 'text':
      return { value: textOf(operand) };
    case 'name':
      return { value: nameLiteral(textOf(operand), target, context) };
    case 'ipv4':
    case 'ipv6':
      return addressOf(operand, target, context);
    case 'time':
      return { value: timeOf(operand, context) };
    case 'ether':
    case 'eui64': {
      const octets = octetsLiteral(operand, context);
      const wanted = target.kind === 'ether' ? 6 : 8;
      if (octets.length !== wanted)
        throw context.error(`An address of ${target.what} has ${wanted} octets: 00:11:22:….`, operand);
      return { value: octets };
    }
    case 'bytes':
    case 'protocol':
    default:
      return { value: octetsLiteral(operand, context) };
  }
}

function negative(operand: Operand & { kind: 'negative' }, target: Source, context: Context): Literal {
  const { kind } = target;
  if (kind !== 'uint' && kind !== 'double' && kind !== 'span') {
    throw context.error(`${target.what} takes no negative number.`, operand);
  }
  if (kind === 'uint' && target.octets !== undefined && !target.signed) {
    throw context.error(
      `${target.what} is never negative: 0 to ${2 ** (8 * target.octets) - 1} are its values.`,
      operand,
    );
  }
  const { value } = literalFor(operand.of, target, context);
  return { value: -Number(value) };
}

function textOf(operand: Operand): string {
  if (operand.kind === 'string' || operand.kind === 'word') return operand.text;
  return operand.kind === 'char' ? String.fromCodePoint(operand.code) : '';
}

/** A name as it is compared: folded, without trailing dot, the root as `.` (compat wireshark: as it stands). */
function nameLiteral(text: string, target: Source, context: Context): string {
  if (context.exact) return text;
  const folded = namePart(text, target);
  // A part of a name is no name: its dots are its own.
  if (target.field === undefined) return folded;
  if (folded === '<root>' || folded === '.') return '.';
  return /(?:^|[^\\])(?:\\\\)*\.$/.test(folded) ? folded.slice(0, -1) : folded;
}

/** A text to be looked for in names: folded, and octets beyond printable ASCII escaped as they are there. */
export function namePart(text: string, target: Source): string {
  const folded = foldText(text);
  if (target.field === undefined || !/[^!-~]/.test(folded)) return folded;
  const escaped = (octet: number): string =>
    octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`;
  return Array.from(octetsOf(folded), escaped).join('');
}

function uintOf(operand: Operand, target: Source, context: Context): number {
  const { names, octets, what } = target;
  const text = textOf(operand);
  const number = operand.kind === 'char' ? operand.code : operand.kind === 'word' ? integerOf(text) : undefined;
  if (number === undefined) {
    const named = names?.number(text) ?? -1;
    if (named >= 0) return named;
    const hint = context.suggest(operand);
    if (names === undefined) throw context.error(`'${text}' is not a number, and ${what} is one.${hint}`, operand);
    const near = nearest(
      text,
      names.entries.flatMap(([value]) => names.texts(value)),
    );
    const known = near === undefined ? hint : ` Did you mean ${near}?`;
    throw context.error(`'${text}' is no number or name of ${what}.${known}`, operand);
  }
  const max = octets === undefined ? MAX_UINT : 2 ** (8 * octets) - 1;
  if (number > max) throw context.error(`${text} is too big for ${what}: ${max} is the most.`, operand);
  return number;
}

function boolOf(operand: Operand, target: Source, context: Context): number {
  const text = textOf(operand).toLowerCase();
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  const number = operand.kind === 'word' ? integerOf(text) : undefined;
  if (number === undefined) throw context.error(`${target.what} is true or false: compare it with 1 or 0.`, operand);
  return number === 0 ? 0 : 1;
}

function numberOf(operand: Operand, target: Source, context: Context): number {
  const text = textOf(operand);
  const number = operand.kind === 'string' ? undefined : decimalOf(text);
  if (number === undefined) {
    const what = target.kind === 'span' ? 'a number of seconds, such as 0.1' : 'a number';
    throw context.error(`'${text}' is not ${what}.${context.suggest(operand)}`, operand);
  }
  return target.kind === 'span' ? Math.round(number * 1e9) : number;
}

function timeOf(operand: Operand, context: Context): bigint {
  const text = textOf(operand);
  const time = instantOf(text);
  if (time === undefined) {
    throw context.error(
      `'${text}' is not a time. Write "2026-11-24 08:15:30 UTC", "2026-11-24T08:15:30Z" or seconds since 1970.`,
      operand,
    );
  }
  return time;
}

/** Octets: hexadecimal pairs joined by `:`, `-`, `.` or nothing; a text's own octets. */
function octetsLiteral(operand: Operand, context: Context): Uint8Array {
  if (operand.kind === 'string') return operand.octets;
  if (operand.kind === 'char') return octetsOf(String.fromCodePoint(operand.code));
  const text = textOf(operand).replace(/^:/, '');
  if (/^[0-9a-f]$/i.test(text)) return Uint8Array.of(Number.parseInt(text, 16));
  const groups = text.split(/[:.-]/);
  const pairs = groups.every((group) => /^(?:[0-9a-f]{2})+$/i.test(group) || /^[0-9a-f]$/i.test(group));
  if (!pairs) {
    throw context.error(
      `'${text}' are no octets: write 01:02:0a, or a text in quotes.${context.suggest(operand)}`,
      operand,
    );
  }
  const digits = groups.map((group) => (group.length === 1 ? `0${group}` : group)).join('');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function addressOf(operand: Operand, target: Source, context: Context): Literal {
  const v4 = target.kind === 'ipv4';
  const what = v4 ? 'an IPv4 address' : 'an IPv6 address';
  if (operand.kind !== 'word') {
    throw context.error(
      `Addresses are written without quotes: ${v4 ? '192.0.2.1, 192.0.2.0/24' : '2001:db8::1, 2001:db8::/32'}.`,
      operand,
    );
  }
  const [text, bits] = operand.text.split('/');
  let value: Uint8Array;
  try {
    value = v4 ? parseIpv4(text) : parseIpv6(text);
  } catch {
    const hint = context.suggest(operand);
    throw context.error(
      `'${operand.text}' is not ${what}${hint === '' ? '. Names are not looked up' : ''}.${hint}`,
      operand,
    );
  }
  if (bits === undefined) return { value };
  const prefix = bits.includes('.') ? maskLength(bits) : Number(bits);
  if (!(prefix >= 0 && prefix <= (v4 ? 32 : 128))) {
    throw context.error(`/${bits} is no prefix length of ${what}: 0 to ${v4 ? 32 : 128} are.`, operand);
  }
  return { value, prefix };
}

/** Prefix length of a netmask; NaN when its bits have gaps. */
function maskLength(text: string): number {
  try {
    const bits = Array.from(parseIpv4(text), (octet) => octet.toString(2).padStart(8, '0')).join('');
    return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
