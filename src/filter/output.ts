import { ipv4Text } from '../core/address.ts';
import type { Carrier } from '../core/carrier.ts';
import { epochText } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import type { MessageJoin } from '../core/join.ts';
import type { MessageView } from '../wire/message.ts';
import type { Compat } from './compile.ts';
import { type FilterField, showValue } from './fields/field.ts';
import { isOfFlow } from './fields/flow.ts';
import { findField, nearestField } from './fields/registry.ts';
import { whyUnoffered } from './fields/unoffered.ts';
import { exactName } from './operands.ts';
import { Subject, Values } from './value.ts';

/** One field to print: its values in a message as the reference dissector prints them (`-T fields -e`). */
export interface FieldPrinter {
  readonly name: string;
  /** It is only known once the transaction is closed. */
  readonly needsFate: boolean;
  /** It says how messages relate: only matching fills it. */
  readonly needsJoin: boolean;
  /** It is the number or a time of a flow, which the dissector follows only on request. */
  readonly needsStreams: boolean;
  values(carrier: Carrier, view: MessageView, join: MessageJoin): readonly string[];
}

/** The printer of a field. Throws `UserError` with a suggestion for a name that is no field. */
export function outputField(name: string, options: { compat?: Compat } = {}): FieldPrinter {
  const field = findField(name);
  if (field === undefined) {
    const why = whyUnoffered(name);
    if (why !== undefined) throw new UserError(`${why}.`);
    const near = nearestField(name);
    const hint =
      near === undefined ? "'nametap fields' lists them all" : `Did you mean ${near}? 'nametap fields' lists them all`;
    throw new UserError(`'${name}' is not a field. ${hint}.`);
  }
  const exact = options.compat === 'wireshark' && field.kind === 'name';
  const subject = new Subject();
  const print = printerOf(field, exact);
  return {
    name,
    needsFate: field.fate,
    needsJoin: field.group === 'transaction',
    needsStreams: isOfFlow(name),
    values(carrier, view, join) {
      subject.carrier = carrier;
      subject.view = view;
      subject.join = join;
      return print(subject);
    },
  };
}

type Print = (subject: Subject) => readonly string[];

/** How a field's values become text; numbers, addresses and the time without making values of them first. */
function printerOf(field: FilterField, exact: boolean): Print {
  const { column, kind } = field;
  if (field.name === 'frame.time_epoch') return ({ carrier }) => [epochText(carrier.seconds, carrier.nanos)];
  if (column !== undefined && (kind === 'uint' || kind === 'bool' || kind === 'ipv4')) {
    return (subject) => {
      const texts: string[] = [];
      for (let i = column.next(subject, 0); i >= 0; i = column.next(subject, i + 1)) {
        const n = column.at(subject, i);
        texts.push(kind === 'ipv4' ? ipv4Text(n) : showValue(field, n));
      }
      return texts;
    };
  }
  const values = new Values();
  return (subject) => {
    values.clear();
    field.read(subject, values);
    const texts: string[] = new Array(values.count);
    for (let i = 0; i < values.count; i++) {
      const value = values.list[i];
      texts[i] = exact ? exactName(String(value)) : showValue(field, value);
    }
    return texts;
  };
}
