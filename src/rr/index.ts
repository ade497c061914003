import { A } from './a.ts';
import { AAAA } from './aaaa.ts';
import type { RRType } from './define.ts';
import { SRV } from './srv.ts';

/** Every RR type nametap knows; one line each. */
export const RR_TYPES: readonly RRType[] = [
  A, //
  AAAA,
  SRV,
];
