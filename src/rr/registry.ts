import { TYPES } from '../wire/iana.ts';
import type { RRType } from './define.ts';
import { RR_TYPES } from './index.ts';

const byNumber = new Map(RR_TYPES.map((type) => [type.type, type]));

/** The RR type of a number; undefined when its rdata is opaque (RFC 3597). */
export function rrTypeOf(number: number): RRType | undefined {
  return byNumber.get(number);
}

/** Mnemonic of an RR type number, `TYPE65280` without one (RFC 3597 §5). */
export function typeName(number: number): string {
  return TYPES.name(number);
}

/** Number of an RR type given as mnemonic in any case, `TYPEn`, `n`, `ANY` or `*`; −1 when it is none. */
export function typeNumber(text: string): number {
  return TYPES.number(text);
}
