/**
 * `nametap/wire`: DNS messages to values and back, in Node and in the browser (RFC 1035, RFC 6891, RFC 3597).
 *
 * `decodeMessage(bytes)` gives a plain value and never throws: what could be read of a malformed message, with its
 * `fault`. `encodeMessage(value)` gives its wire form or throws `UserError`. `MessageView` reads without allocating.
 *
 * @example
 * import { decodeMessage, encodeMessage } from 'nametap/wire';
 *
 * const bytes = encodeMessage({
 *   id: 7, flags: ['qr', 'ra'], rcode: 'NOERROR', edns: { udp_size: 1232 },
 *   questions: [{ name: 'example.com', type: 'MX' }],
 *   answers: [{ name: 'example.com', type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx.example.com' } }],
 * });
 * const { answers, edns, fault } = decodeMessage(bytes);
 * console.log(bytes.length, 'bytes:', answers[0].data); // → 59 bytes: 10 mx.example.com
 * console.log(edns?.udp_size, fault); // → 1232 undefined
 *
 * @example
 * import { decodeMessage, type Message } from 'nametap/wire';
 *
 * const cut: Message = decodeMessage(Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 119, 119));
 * console.log(cut.id, cut.fault?.cause, 'at', cut.fault?.offset); // → 7 name_overrun at 16
 *
 * @example
 * import { encodeMessage, messageText, MessageView } from 'nametap/wire';
 *
 * const query = encodeMessage({ id: 1, flags: ['rd'], questions: [{ name: 'example.com', type: 'AAAA' }] });
 * const view = new MessageView();
 * view.read(query, 0, query.length);
 * console.log(view.questions, view.isResponse); // → 1 false
 * console.log(messageText(view).includes('example.com.') ? 'shown as dig shows it' : ''); // → shown as dig shows it
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
export {
  className,
  classNumber,
  extendedErrorText,
  opcodeName,
  opcodeNumber,
  optionName,
  optionNumber,
  rcodeName,
  rcodeNumber,
} from '../wire/iana.ts';
export { ADDITIONAL, ANSWER, AUTHORITY, MessageView, QUESTION } from '../wire/message.ts';
export { equalNames, nameText } from '../wire/name.ts';
export { parseName } from '../wire/writer.ts';
