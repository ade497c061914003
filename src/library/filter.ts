/**
 * `nametap/filter`: the display-filter language, in Node and in the browser.
 *
 * `compileFilter(text)` gives a predicate over messages and throws `FilterError` with the place of the mistake;
 * `outputField(name)` prints a field's values; `FIELDS` lists what can be asked.
 */
export { Carrier } from '../core/carrier.ts';
export { MessageJoin } from '../core/join.ts';
export { type Compat, compileFilter, type Filter } from '../filter/compile.ts';
export { FilterError } from '../filter/errors.ts';
export type { FieldType, FilterField } from '../filter/fields/field.ts';
export { FIELDS, findField } from '../filter/fields/registry.ts';
export { type FieldPrinter, outputField } from '../filter/output.ts';
export { MessageView } from '../wire/message.ts';
