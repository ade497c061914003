import { UserError } from '../core/errors.ts';
import type { Observation } from '../detect/observation.ts';
import type { Filter } from '../filter/compile.ts';
import { type FieldPrinter, outputField } from '../filter/output.ts';
import { compileStored, RowSubject, UnstoredFieldError } from '../filter/row.ts';
import { findField } from '../filter/fields/registry.ts';

/** Both messages of the row at hand, read once for all rules. */
export class RowMessages {
  readonly #query = new RowSubject([]);
  readonly #response = new RowSubject([]);
  #serial = 0;
  #hasQuery: boolean | undefined;
  #hasResponse: boolean | undefined;

  query(seen: Observation): RowSubject | null {
    this.#turn(seen);
    this.#hasQuery ??= this.#query.query(seen.batch, seen.row);
    return this.#hasQuery ? this.#query : null;
  }

  response(seen: Observation): RowSubject | null {
    this.#turn(seen);
    this.#hasResponse ??= this.#response.response(seen.batch, seen.row);
    return this.#hasResponse ? this.#response : null;
  }

  #turn({ serial }: Observation): void {
    if (serial === this.#serial) return;
    this.#serial = serial;
    this.#hasQuery = this.#hasResponse = undefined;
  }
}

/** The rows a rule is about, seen as its filter sees them: the message of a row that passed is the one at hand. */
export class RowFields {
  readonly #messages: RowMessages;
  readonly #filter: Filter | null;
  #passed: RowSubject | null = null;

  /** Throws FilterError. An empty filter takes every row. */
  constructor(filter: string, messages: RowMessages) {
    this.#messages = messages;
    this.#filter = filter.trim() === '' ? null : compileStored(filter);
  }

  /** Whether the row passes; its query is looked at first. */
  passes(seen: Observation): boolean {
    this.#passed = this.#find(this.#filter, seen);
    return this.#passed !== null;
  }

  /** Whether another filter holds for either message of the row. */
  holds(filter: Filter, seen: Observation): boolean {
    return this.#find(filter, seen) !== null;
  }

  #find(filter: Filter | null, seen: Observation): RowSubject | null {
    const query = this.#messages.query(seen);
    if (query !== null && matches(filter, query)) return query;
    const response = this.#messages.response(seen);
    return response !== null && matches(filter, response) ? response : null;
  }

  /** The field's values in the message that passed. */
  values(field: FieldPrinter): readonly string[] {
    if (this.#passed === null) return [];
    const { carrier, view, join } = this.#passed;
    return field.values(carrier, view, join);
  }
}

function matches(filter: Filter | null, { carrier, view, join }: RowSubject): boolean {
  return filter === null || filter.matches(carrier, view, join);
}

/** What a rule counts by: a field's values, or what a transaction knows by itself. */
export type KeyPart = (seen: Observation, row: RowFields) => string | undefined;

const WORDS: Readonly<Record<string, KeyPart>> = {
  client: (seen) => seen.client.text,
  server: (seen) => seen.server.text,
  domain: (seen) => seen.domain?.text,
  name: (seen) => seen.nameText,
};
export const KEY_WORDS = Object.keys(WORDS);

/** Throws UserError for what is no word of `KEY_WORDS` and no field that rows have. */
export function keyPart(name: string): KeyPart {
  const word = WORDS[name];
  if (word !== undefined) return word;
  const field = storedField(name, `'per' takes ${KEY_WORDS.join(', ')} or a field`);
  return (_, row) => row.values(field)[0];
}

/** The printer of a field that rows have. Throws UserError. */
export function storedField(name: string, otherwise = 'Give the name of a field'): FieldPrinter {
  const field = findField(name);
  if (field?.stored === false) throw new UnstoredFieldError(name, name);
  if (!/^[\w.]+$/.test(name)) throw new UserError(`'${name}' is not a field. ${otherwise}, such as dns.qry.name.`);
  return outputField(name);
}
