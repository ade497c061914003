import { MessageView } from '../wire/message.ts';

const HEADER_BYTES = 12;
const view = new MessageView();

/** Least bytes of a length prefix and a header: nothing can be said about fewer. */
export const PREFIXED_HEADER_BYTES = 2 + HEADER_BYTES;

/**
 * False when bytes certainly are no DNS message of the given length that a peer would send over TCP; `at` is the
 * header, of which all 12 bytes are there, `end` the end of the bytes at hand.
 */
export function plausible(bytes: Uint8Array, at: number, length: number, end: number): boolean {
  if (length < HEADER_BYTES) return false;
  // Opcode 3 is not assigned, 7 and above neither; the Z bit is zero (RFC 1035 §4.1.1).
  const high = bytes[at + 2];
  const opcode = (high >> 3) & 15;
  if (opcode === 3 || opcode > 6 || (bytes[at + 3] & 0x40) !== 0) return false;
  const response = high >= 0x80;
  const questions = (bytes[at + 4] << 8) | bytes[at + 5];
  const answers = (bytes[at + 6] << 8) | bytes[at + 7];
  const authority = (bytes[at + 8] << 8) | bytes[at + 9];
  const additional = (bytes[at + 10] << 8) | bytes[at + 11];
  if (opcode === 6) return questions + answers + authority + additional === 0 && length >= HEADER_BYTES + 4;
  if (questions > 1 || (questions === 0 && (!response || answers === 0))) return false;
  if (!response && opcode !== 5 && (answers > 2 || authority > 2 || additional > 4)) return false;
  // A question takes 5 bytes at least, a record 11.
  if (HEADER_BYTES + 5 * questions + 11 * (answers + authority + additional) > length) return false;
  return questions === 0 || plausibleQuestion(bytes, at + HEADER_BYTES, at + length, end);
}

/** The question's name is never compressed, its class is one of few. Bytes beyond `end` are given the benefit of doubt. */
function plausibleQuestion(bytes: Uint8Array, at: number, messageEnd: number, end: number): boolean {
  const from = at;
  for (;;) {
    if (at >= messageEnd || at - from > 254) return false;
    if (at >= end) return true;
    const label = bytes[at++];
    if (label === 0) break;
    if (label > 63) return false;
    at += label;
  }
  if (at + 4 > messageEnd) return false;
  if (at + 4 > end) return true;
  const type = (bytes[at] << 8) | bytes[at + 1];
  const klass = (bytes[at + 2] << 8) | bytes[at + 3];
  return type !== 0 && (klass === 1 || klass === 3 || klass === 4 || klass === 254 || klass === 255);
}

/** True for a whole message without any fault: in a stream whose framing is unknown, a message begins here. */
export function sound(bytes: Uint8Array, at: number, length: number): boolean {
  return plausible(bytes, at, length, at + length) && view.read(bytes, at, length) === 0;
}
