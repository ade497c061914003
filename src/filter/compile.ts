import type { Carrier } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import type { MessageView } from '../wire/message.ts';
import { FilterError } from './errors.ts';

/** How names compare: `nametap` folds ASCII case (RFC 4343), `wireshark` is exact as the reference dissector. */
export type Compat = 'nametap' | 'wireshark';

/** A display filter ready to run. It allocates nothing that outlives a message and never throws. */
export interface Filter {
  readonly text: string;
  /** Says whether a message passes; carrier, view and join belong to it. */
  matches(carrier: Carrier, view: MessageView, join: MessageJoin): boolean;
  /** It asks for the fate of queries (`dns.response_in`, `dns.response_missing`): run it when the transaction closes. */
  readonly needsFate: boolean;
  /** It asks for fields of the frame or its layers, which a stored transaction does not hold. */
  readonly needsFrame: boolean;
  /** Names of the fields used. */
  readonly fields: readonly string[];
  /** Remarks for people, one line each: what the filter does that one may not expect. */
  readonly hints: readonly string[];
}

/** Compiles a display filter (Wireshark's language, CONVENTIONS §1). Throws `FilterError`. */
export function compileFilter(text: string, options: { compat?: Compat } = {}): Filter {
  void options;
  if (text.trim() !== '') throw new FilterError('Filters come soon.', text, 0);
  return { text, matches: () => true, needsFate: false, needsFrame: false, fields: [], hints: [] };
}
