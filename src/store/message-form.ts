import type { MessageView } from '../wire/message.ts';

/**
 * A message as the store keeps it: exact, and as alike as messages of one kind can be made, so that columns compress.
 * What other columns say is left out: id, flags, question, counts, TTLs of a response.
 *
 * The first octet says what is there; nothing at all = no message. RAW: the message as it is. Else: COUNTS eight octets
 * of counts, ID two octets, then what follows the question (or, without QUESTION, the header), in a sound
 * message with TTLs set to zero.
 */
const RAW = 1;
const QUESTION = 2;
const COUNTS = 4;
const ID = 8;

const HEADER = 12;
const MAX_MESSAGE = 65_535;
const TYPE_OPT = 41;

/** What columns say about a message. */
export interface MessageColumns {
  id: number;
  flags: number;
  /** Wire form of the name asked, its length (0 = no question), type and class. */
  name: Uint8Array;
  nameLength: number;
  type: number;
  class: number;
  /** Records found by section; of a query they count as none, of which one additional record where anything follows. */
  answers: number;
  authority: number;
  additional: number;
  isResponse: boolean;
}

/** Makes lean forms; `bytes[0, length)` and `ttls[0, ttlsLength)` hold the last one. */
export class LeanForm {
  readonly bytes = new Uint8Array(MAX_MESSAGE + 16);
  length = 0;
  readonly ttls = new Uint8Array(MAX_MESSAGE);
  ttlsLength = 0;

  write(view: MessageView, say: MessageColumns): void {
    const { bytes: out } = this;
    const { bytes, start, end } = view;
    this.ttlsLength = 0;
    if (end - start < HEADER) {
      out[0] = RAW;
      out.set(bytes.subarray(start, end), 1);
      this.length = 1 + end - start;
      return;
    }
    let form = 0;
    let to = 1;
    const from = start + HEADER + questionLength(view, say);
    if (from > start + HEADER) form |= QUESTION;
    const rest = end - from;
    if (!countsFollow(view, say, form !== 0, rest)) {
      form |= COUNTS;
      for (let i = 4; i < HEADER; i++) out[to++] = bytes[start + i];
    }
    if (view.id !== say.id) {
      form |= ID;
      out[to++] = view.id >>> 8;
      out[to++] = view.id;
    }
    out[0] = form;
    if (rest > 160) out.set(bytes.subarray(from, end), to);
    else for (let i = 0; i < rest; i++) out[to + i] = bytes[from + i];
    this.length = to + rest;
    // In an unsound message a name may run through a TTL: there they stay.
    if (say.isResponse && view.fault === 0) this.#takeTtls(view, from - to);
  }

  /** Moves TTLs out; `shift` leads from a message's offset to the form's. */
  #takeTtls(view: MessageView, shift: number): void {
    const { bytes: out, ttls } = this;
    let n = 0;
    let same = true;
    for (let r = 0; r < view.records; r++) {
      if (r === view.opt) continue;
      const at = view.rdata[r] - 6 - shift;
      for (let i = 0; i < 4; i++) {
        const octet = out[at + i];
        if (n >= 4 && octet !== ttls[i]) same = false;
        ttls[n++] = octet;
        out[at + i] = 0;
      }
    }
    this.ttlsLength = same && n > 0 ? 4 : n;
  }
}

/** Octets of the question where the columns say all of it: one, uncompressed, of this very name; else 0. */
function questionLength(
  { bytes, questions, questionName, questionType, questionClass, start, end }: MessageView,
  say: MessageColumns,
): number {
  const { name, nameLength } = say;
  if (questions !== 1 || nameLength === 0 || start + HEADER + nameLength + 4 > end) return 0;
  if (questionType[0] !== say.type || questionClass[0] !== say.class) return 0;
  const at = questionName[0];
  for (let i = 0; i < nameLength; i++) if (bytes[at + i] !== name[i]) return 0;
  return nameLength + 4;
}

function countsFollow(view: MessageView, say: MessageColumns, question: boolean, rest: number): boolean {
  if (view.questionCount !== (question ? 1 : 0)) return false;
  if (!say.isResponse) {
    return view.answerCount === 0 && view.authorityCount === 0 && view.additionalCount === (rest > 0 ? 1 : 0);
  }
  return (
    view.answerCount === say.answers && view.authorityCount === say.authority && view.additionalCount === say.additional
  );
}

/** Writes the message of a form into `out` at `at`; its length, 0 = there is none. `out` has room for any message. */
export function restoreMessage(
  form: Uint8Array,
  ttls: Uint8Array,
  say: MessageColumns,
  out: Uint8Array,
  at: number,
): number {
  if (form.length === 0) return 0;
  const kind = form[0];
  if ((kind & RAW) !== 0) {
    out.set(form.subarray(1), at);
    return form.length - 1;
  }
  let from = 1;
  let to = at + 4;
  if ((kind & COUNTS) !== 0) {
    for (let i = 0; i < 8; i++) out[to++] = form[from++];
  }
  const id = (kind & ID) !== 0 ? (form[from++] << 8) | form[from++] : say.id;
  if ((kind & COUNTS) === 0) {
    const more = say.isResponse ? say.additional : form.length > from ? 1 : 0;
    to = put16(out, to, (kind & QUESTION) !== 0 ? 1 : 0);
    to = put16(out, to, say.isResponse ? say.answers : 0);
    to = put16(out, to, say.isResponse ? say.authority : 0);
    to = put16(out, to, more);
  }
  put16(out, put16(out, at, id), say.flags);
  if ((kind & QUESTION) !== 0) {
    out.set(say.name.subarray(0, say.nameLength), to);
    to = put16(out, put16(out, to + say.nameLength, say.type), say.class);
  }
  out.set(form.subarray(from), to);
  const length = to + form.length - from - at;
  if (ttls.length > 0) putTtls(out, at, length, ttls);
  return length;
}

/**
 * Puts the TTLs of a sound message back. Records are walked without following pointers, which may lead to where a TTL is
 * not yet.
 */
function putTtls(out: Uint8Array, start: number, length: number, ttls: Uint8Array): void {
  const end = start + length;
  let records = 0;
  for (let i = 6; i < HEADER; i += 2) records += (out[start + i] << 8) | out[start + i + 1];
  let at = start + HEADER;
  for (let questions = (out[start + 4] << 8) | out[start + 5]; questions > 0 && at < end; questions--) {
    at = behindName(out, at, end) + 4;
  }
  let n = 0;
  for (; records > 0; records--) {
    at = behindName(out, at, end);
    if (at + 10 > end) return;
    if (out[at] !== 0 || out[at + 1] !== TYPE_OPT) {
      for (let i = 0; i < 4; i++) out[at + 4 + i] = ttls[n + i];
      if (ttls.length > 4) n += 4;
    }
    at += 10 + ((out[at + 8] << 8) | out[at + 9]);
  }
}

/** Where a name ends in place. */
function behindName(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) return at + 2;
    at += bytes[at] + 1;
  }
  return at + 1;
}

function put16(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 8;
  out[at + 1] = value;
  return at + 2;
}
