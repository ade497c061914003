import type { Field, RdataValue } from '../wire/field.ts';
import type { MessageView } from '../wire/message.ts';
import { RdataReader } from '../wire/rdata.ts';
import { type Own, type Structure, structure } from '../wire/structure.ts';

export type { FieldKind, RdataValue } from '../wire/field.ts';
export type { FieldSpec } from '../wire/structure.ts';

/** An RR type: how its rdata is read, shown, written and parsed. `V` is its value, one key per field. */
export interface RRType<V = Record<string, RdataValue>> extends Structure<V> {
  readonly type: number;
  readonly name: string;
  readonly reference: string;
  readonly summary: string;
  /** The value of a record; undefined when its rdata is malformed. */
  read(view: MessageView, record: number): V | undefined;
  /** Presentation text of a record; undefined when its rdata is malformed. `dots`: names end in a dot, as in dig. */
  text(view: MessageView, record: number, dots?: boolean): string | undefined;
}

const NOTHING = {};

/** The reader all records are read with: its work counter spans a message, whatever type reads. */
export const recordReader = new RdataReader();

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
  const form = structure(name, fields, own);
  const keys = Object.keys(fields) as (keyof V)[];
  const only = keys.length === 1 && own.decode === undefined && own.show === undefined ? fields[keys[0]] : undefined;
  const read = (view: MessageView, record: number): V | undefined => {
    const value = form.decode(recordReader.open(view, record));
    return recordReader.finish() ? value : undefined;
  };
  return {
    ...form,
    type,
    name,
    reference,
    summary,
    read,
    text(view, record, dots = false) {
      // Most records are one field (A, AAAA, CNAME …): shown without making a value.
      if (only !== undefined) {
        const one = only.read(recordReader.open(view, record), NOTHING);
        return recordReader.finish() ? only.show(one, dots, NOTHING) : undefined;
      }
      const value = read(view, record);
      return value === undefined ? undefined : form.show(value, dots);
    },
  };
}
