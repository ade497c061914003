import type { FilterError } from './errors.ts';
import type { FilterField } from './fields/field.ts';
import type { ValueNames } from './fields/names.ts';
import type { Place } from './syntax.ts';
import type { Kind, Subject, Values } from './value.ts';

/** Where values come from: a field, a part of one, a function of some. */
export interface Source {
  readonly kind: Kind;
  /** How it is called in messages to people. */
  readonly what: string;
  /** Set when the values are those of the field as they are. */
  readonly field?: FilterField;
  /** Names of its numbers. */
  readonly names?: ValueNames;
  /** Octets of its numbers, where they have a width. */
  readonly octets?: number;
  readonly signed?: boolean;
  /** Adds the values of a message. */
  read(subject: Subject, out: Values): void;
}

/** What compiling a filter knows and gathers. */
export interface Context {
  /** Names compare by octets (`compat: 'wireshark'`). */
  readonly exact: boolean;
  find(name: string): FilterField | undefined;
  error(reason: string, place: Place): FilterError;
  /** ` Did you mean …?` for a word that looks like a field's name, else empty. */
  suggest(operand: Place & { kind: string; text?: string }): string;
}
