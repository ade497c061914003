import { DNS, NBNS } from '../core/carrier.ts';
import { TYPES } from '../wire/iana.ts';
import { protocolTypeName } from '../wire/protocol.ts';
import type { RRType } from './define.ts';
import { NBNS_RR_TYPES, RR_TYPES } from './index.ts';

const byNumber = new Map(RR_TYPES.map((type) => [type.type, type]));
const onNetbios = new Map(NBNS_RR_TYPES.map((type) => [type.type, type]));

/** The RR type of a number; undefined when its rdata is opaque (RFC 3597). On `NBNS`, 32 and 33 are NB and NBSTAT. */
export function rrTypeOf(number: number, protocol: number = DNS): RRType | undefined {
  return (protocol === NBNS ? onNetbios.get(number) : undefined) ?? byNumber.get(number);
}

/** Mnemonic of an RR type number, `TYPE65280` without one (RFC 3597 §5). */
export function typeName(number: number, protocol: number = DNS): string {
  return protocolTypeName(number, protocol);
}

/** Number of an RR type given as mnemonic in any case, `TYPEn`, `n`, `ANY` or `*`; −1 when it is none. */
export function typeNumber(text: string): number {
  return TYPES.number(text);
}
