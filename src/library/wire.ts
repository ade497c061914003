/**
 * `nametap/wire`: DNS messages to values and back, in Node and in the browser.
 *
 * `decodeMessage(bytes)` gives a plain value, `encodeMessage(value)` its wire form, `messageText(view)` dig's text;
 * `MessageView` reads a message without allocating.
 */
export { DNS, LLMNR, MDNS, NBNS } from '../core/carrier.ts';
export { UserError } from '../core/errors.ts';
export type { FieldKind, FieldSpec, RdataValue, RRType } from '../rr/define.ts';
export { decodeMessage, encodeMessage, type MessageInput, type RecordInput } from '../rr/encode.ts';
export { rrTypeOf, typeName, typeNumber } from '../rr/registry.ts';
export { messageText, rdataText, recordText } from '../rr/show.ts';
export {
  type EcsData,
  type EdeData,
  type EdnsData,
  type FaultData,
  type Message,
  messageValue,
  type QuestionData,
  type RecordData,
} from '../rr/value.ts';
export { OptionCursor, optionText, optionValue } from '../wire/edns.ts';
export { FAULT_PLACES, FAULTS, type FaultName } from '../wire/fault.ts';
export { className, classNumber, opcodeName, opcodeNumber, rcodeName, rcodeNumber } from '../wire/iana.ts';
export { ADDITIONAL, ANSWER, AUTHORITY, MessageView } from '../wire/message.ts';
export { equalNames, nameText } from '../wire/name.ts';
export { parseName } from '../wire/writer.ts';
