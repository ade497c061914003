/**
 * `nametap/filter`: the display-filter language, in Node and in the browser.
 *
 * `messageFilter(text)` gives a function on the bytes of a message, `compileFilter(text)` a predicate over what a dissector
 * has filled; both throw `FilterError` with the place of the mistake. `outputField(name)` prints a field's values;
 * `FIELDS` lists what can be asked.
 */
export { Carrier } from '../core/carrier.ts';
export { MessageJoin } from '../core/join.ts';
export { type Compat, compileFilter, type Filter } from '../filter/compile.ts';
export { FilterError } from '../filter/errors.ts';
export type { FieldType, FilterField } from '../filter/fields/field.ts';
export { FIELDS, findField } from '../filter/fields/registry.ts';
export { type FieldPrinter, outputField } from '../filter/output.ts';
export { messageFilter, type Seen } from './message-filter.ts';
export { MessageView } from '../wire/message.ts';
