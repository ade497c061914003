import { UserError } from '../core/errors.ts';
import { type Field, type FieldKind, type RdataValue, type Siblings, Words } from '../wire/field.ts';
import type { MessageView } from '../wire/message.ts';
import { RdataReader } from '../wire/rdata.ts';
import type { Writer } from '../wire/writer.ts';

export type { FieldKind, RdataValue } from '../wire/field.ts';

/** One field of an RR type, for lists, filters and docs. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: FieldKind;
  /** Wireshark's name of the field, such as `dns.srv.priority`. */
  readonly wireshark?: string;
  readonly summary: string;
}

/** An RR type: how its rdata is read, shown, written and parsed. `V` is its value, one key per field. */
export interface RRType<V = Record<string, RdataValue>> {
  readonly type: number;
  readonly name: string;
  readonly reference: string;
  readonly summary: string;
  readonly fields: readonly FieldSpec[];
  /** The value of a record; undefined when its rdata is malformed. */
  read(view: MessageView, record: number): V | undefined;
  /** Presentation text of a record; undefined when its rdata is malformed. `dots`: names end in a dot, as in dig. */
  text(view: MessageView, record: number, dots?: boolean): string | undefined;
  /** Reads from a reader that stands at the rdata; the value counts only if the reader is `sound` and at its end. */
  decode(reader: RdataReader): V;
  /** Presentation text of a value. */
  show(value: V, dots?: boolean): string;
  /** Writes rdata (without its length). Throws `UserError` for a value that does not fit. */
  write(value: V, writer: Writer): void;
  /** The value of a presentation text. Throws `UserError`. */
  parse(text: string): V;
}

/** What a type may do its own way where fields one after another do not describe it. */
export interface Own<V> {
  decode?(reader: RdataReader): V;
  show?(value: V, dots: boolean): string;
  write?(value: V, writer: Writer): void;
  parse?(words: Words): V;
}

const reader = new RdataReader();

/**
 * Declares an RR type: its fields in wire order give reader, writer, text and parser, and the type of its value.
 * Types that are more than fields one after another give their `own` functions.
 */
export function rrType<V extends object>(
  type: number,
  name: string,
  reference: string,
  summary: string,
  fields: { readonly [K in keyof V]: Field<V[K]> },
  own: Own<V> = {},
): RRType<V> {
  const keys = Object.keys(fields) as (keyof V & string)[];
  const specs = keys.map((key): FieldSpec => {
    const { kind, wireshark, summary: meaning } = fields[key];
    return wireshark === undefined
      ? { name: key, kind, summary: meaning }
      : { name: key, kind, wireshark, summary: meaning };
  });

  const decode =
    own.decode ??
    ((r: RdataReader): V => {
      const value = {} as V;
      for (const key of keys) value[key] = fields[key].read(r, value as Siblings);
      return value;
    });
  const show =
    own.show ??
    ((value: V, dots: boolean): string => {
      let text = '';
      for (const key of keys) {
        const shown = fields[key].show(value[key], dots, value as Siblings);
        if (shown !== '') text += text === '' ? shown : ` ${shown}`;
      }
      return text;
    });
  const parse =
    own.parse ??
    ((words: Words): V => {
      const value = {} as V;
      for (const key of keys) value[key] = fields[key].parse(words, value as Siblings);
      return value;
    });
  const write =
    own.write ??
    ((value: V, writer: Writer): void => {
      for (const key of keys) fields[key].write(writer, value[key], value as Siblings);
    });

  const read = (view: MessageView, record: number): V | undefined => {
    const value = decode(reader.open(view, record));
    return reader.sound && reader.left === 0 ? value : undefined;
  };
  return {
    type,
    name,
    reference,
    summary,
    fields: specs,
    read,
    text(view, record, dots = false) {
      const value = read(view, record);
      return value === undefined ? undefined : show(value, dots);
    },
    decode,
    show: (value, dots = false) => show(value, dots),
    write,
    parse(text) {
      const words = new Words(text);
      const value = parse(words);
      if (words.more) throw new UserError(`'${text}' has more than ${name} takes.`);
      return value;
    },
  };
}
