import { MessageView } from '../wire/message.ts';

const CLASS_IN = 1;
const CLASS_CH = 3;
const CLASS_HS = 4;
const CLASS_NONE = 254;
const CLASS_ANY = 255;
const OPCODES = 0b0111_0101; // QUERY, STATUS, NOTIFY, UPDATE, DSO
const FLAG_RESERVED = 0x0040;
const MAX_RCODE = 11;
const MIN_BYTES = 12 + 1 + 4;

/**
 * Whether a datagram on a port that says nothing is surely a DNS message: one question of a known class, reserved bit
 * 0, counts that fit the direction, and every byte of it in its place. Random bytes pass once in more than 10^12.
 */
export class DnsHeuristic {
  readonly #view = new MessageView();

  /** Judges `bytes[at, at + length)`, a whole payload. */
  accepts(bytes: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
    if (length < MIN_BYTES) return false;
    const flags = (bytes[at + 2] << 8) | bytes[at + 3];
    if (((OPCODES >> ((flags >> 11) & 15)) & 1) === 0 || (flags & FLAG_RESERVED) !== 0) return false;
    if ((flags & 15) > MAX_RCODE) return false;
    if (bytes[at + 4] !== 0 || bytes[at + 5] !== 1) return false;
    // A query has no rcode, and of records at most OPT and a signature.
    const isResponse = (flags & 0x8000) !== 0;
    const opcode = (flags >> 11) & 15;
    if (!isResponse && (flags & 0x048f) !== 0 && opcode === 0) return false;
    if (!isResponse && opcode === 0 && (bytes[at + 6] | bytes[at + 7] | bytes[at + 8] | bytes[at + 9]) !== 0)
      return false;
    if (!isResponse && opcode === 0 && (bytes[at + 10] !== 0 || bytes[at + 11] > 2)) return false;
    // The name of the question begins with a label or is the root.
    if (bytes[at + 12] > 63) return false;
    const view = this.#view;
    if (view.read(bytes, at, length) !== 0) return false;
    const type = view.questionType[0];
    return type !== 0 && isKnownClass(view.questionClass[0]);
  }
}

function isKnownClass(value: number): boolean {
  return value === CLASS_IN || value === CLASS_CH || value === CLASS_HS || value === CLASS_NONE || value === CLASS_ANY;
}
