import { UserError } from '../core/errors.ts';
import { type Field, type FieldKind, type RdataValue, type Siblings, Words } from './field.ts';
import type { RdataReader } from './rdata.ts';
import type { Writer } from './writer.ts';

/** One field of an RR type or EDNS option, for lists, filters and docs. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: FieldKind;
  /** Wireshark's name of the field, such as `dns.srv.priority`. */
  readonly wireshark?: string;
  readonly summary: string;
  /** How it is read, shown and written. */
  readonly codec: Field<RdataValue>;
}

/** Octets with a form: what an RR type's rdata, or an EDNS option, is made of. */
export interface Structure<V> {
  readonly fields: readonly FieldSpec[];
  /** False where the fields do not lie one after another as listed: only `decode` can read them. */
  readonly inOrder: boolean;
  /** Reads from a reader that stands at it; the value counts only if the reader is `sound` and at its end. */
  decode(reader: RdataReader): V;
  /** Presentation text of a value. `dots`: names end in a dot, as in zone files and dig. */
  show(value: V, dots?: boolean): string;
  /** Writes the octets (without a length in front). Throws `UserError` for a value that does not fit. */
  write(value: V, writer: Writer): void;
  /** The value of a presentation text. Throws `UserError`. */
  parse(text: string): V;
}

/** What a structure does its own way where fields one after another do not describe it. */
export interface Own<V> {
  decode?(reader: RdataReader): V;
  show?(value: V, dots: boolean): string;
  write?(value: V, writer: Writer): void;
  parse?(words: Words): V;
}

/** Fields in wire order give reader, writer, text and parser, and the type of the value: one key per field. */
export function structure<V extends object>(
  name: string,
  fields: { readonly [K in keyof V]: Field<V[K]> },
  own: Own<V> = {},
): Structure<V> {
  const keys = Object.keys(fields) as (keyof V & string)[];
  const decode = (r: RdataReader): V => {
    const value = {} as V;
    for (const key of keys) value[key] = fields[key].read(r, value as Siblings);
    return value;
  };
  const show = (value: V, dots: boolean): string => {
    let text = '';
    for (const key of keys) {
      const shown = fields[key].show(value[key], dots, value as Siblings);
      if (shown !== '') text += text === '' ? shown : ` ${shown}`;
    }
    return text;
  };
  const parse = (words: Words): V => {
    const value = {} as V;
    for (const key of keys) value[key] = fields[key].parse(words, value as Siblings);
    return value;
  };
  const write = (value: V, writer: Writer): void => {
    for (const key of keys) fields[key].write(writer, value[key], value as Siblings);
  };
  const ownShow = own.show ?? show;
  const ownParse = own.parse ?? parse;
  return {
    fields: keys.map((key) => fieldSpec(key, fields[key] as unknown as Field<RdataValue>)),
    inOrder: own.decode === undefined,
    decode: own.decode ?? decode,
    write: own.write ?? write,
    show: (value, dots = false) => ownShow(value, dots),
    parse(text) {
      const words = new Words(text);
      const value = ownParse(words);
      if (words.more) throw new UserError(`'${text}' has more than ${name} takes.`);
      return value;
    },
  };
}

function fieldSpec(name: string, codec: Field<RdataValue>): FieldSpec {
  const { kind, wireshark, summary } = codec;
  return wireshark === undefined ? { name, kind, summary, codec } : { name, kind, wireshark, summary, codec };
}

/** A structure whose value type is not known where it is used. */
export type AnyStructure = Structure<Record<string, RdataValue>>;
