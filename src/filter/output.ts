import type { Carrier } from '../core/carrier.ts';
import { UserError } from '../core/errors.ts';
import type { MessageJoin } from '../core/join.ts';
import type { MessageView } from '../wire/message.ts';
import type { Compat } from './compile.ts';
import { showValue } from './fields/field.ts';
import { findField, nearestField } from './fields/registry.ts';
import { exactName } from './operands.ts';
import { Subject, Values } from './value.ts';

/** One field to print: its values in a message as the reference dissector prints them (`-T fields -e`). */
export interface FieldPrinter {
  readonly name: string;
  /** It is only known once the transaction is closed. */
  readonly needsFate: boolean;
  /** It says how messages relate: only matching fills it. */
  readonly needsJoin: boolean;
  /** It is the number of a flow, which the dissector counts only on request. */
  readonly needsStreams: boolean;
  values(carrier: Carrier, view: MessageView, join: MessageJoin): readonly string[];
}

/** The printer of a field. Throws `UserError` with a suggestion for a name that is no field. */
export function outputField(name: string, options: { compat?: Compat } = {}): FieldPrinter {
  const field = findField(name);
  if (field === undefined) {
    const near = nearestField(name);
    const hint =
      near === undefined ? "'nametap fields' lists them all" : `Did you mean ${near}? 'nametap fields' lists them all`;
    throw new UserError(`'${name}' is not a field. ${hint}.`);
  }
  const exact = options.compat === 'wireshark' && field.kind === 'name';
  const subject = new Subject();
  const values = new Values();
  return {
    name,
    needsFate: field.fate,
    needsJoin: field.group === 'transaction',
    needsStreams: name.endsWith('.stream'),
    values(carrier, view, join) {
      subject.carrier = carrier;
      subject.view = view;
      subject.join = join;
      values.clear();
      field.read(subject, values);
      const texts: string[] = new Array(values.count);
      for (let i = 0; i < values.count; i++) {
        const value = values.list[i];
        texts[i] = exact ? exactName(String(value)) : showValue(field, value);
      }
      return texts;
    },
  };
}
