/**
 * A message in parts that are alike from one to the next, so that most of them are known already: exact, and turned back
 * without looking at anything but the parts.
 *
 * NONE: there is no message. RAW: `rest` is all of it. LEAN: flags are a column; `rest` is the id (with OTHER_ID), the
 * counts (with QUESTION three, for it is one question), and what follows the header (and the question). QUESTION: one
 * question, of the row's name, type and class. TTLS: TTLs of the records were set to 0 and stand elsewhere, one (with
 * SAME) or each, OPT left out.
 */
export const NONE = 0;
export const RAW = 1;
export const LEAN = 2;
export const QUESTION = 4;
export const OTHER_ID = 8;
export const TTLS = 16;
export const SAME = 32;

const HEADER = 12;
const TYPE_OPT = 41;
const MOST_MESSAGE = 65_535;
const MOST_NAME = 255;

/** What a row says of its messages. */
export interface RowQuestion {
  id: number;
  /** Wire form of the name asked; length 0 = none. */
  bytes: Uint8Array;
  nameAt: number;
  nameLength: number;
  type: number;
  class: number;
}

/** Length of the name of the only question of a message, where it is whole and not compressed; else 0. */
export function plainName(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length;
  if (length < HEADER + 5 || bytes[start + 4] !== 0 || bytes[start + 5] !== 1) return 0;
  let at = start + HEADER;
  for (;;) {
    const n = bytes[at];
    if (n >= 0x40) return 0;
    at += n + 1;
    if (at + 4 > end || at - start - HEADER > MOST_NAME) return 0;
    if (n === 0) return at - start - HEADER;
  }
}

/** Takes messages apart; fields hold the last one. */
export class MessageParts {
  form = NONE;
  flags = 0;
  readonly rest = new Uint8Array(MOST_MESSAGE + 16);
  length = 0;
  readonly ttls = new Uint32Array(MOST_MESSAGE);
  ttlCount = 0;

  take(bytes: Uint8Array, start: number, length: number, asked: RowQuestion, isResponse: boolean): void {
    const { rest } = this;
    this.flags = this.ttlCount = 0;
    if (length < HEADER || length > MOST_MESSAGE) {
      this.form = length === 0 ? NONE : RAW;
      this.length = length;
      rest.set(bytes.subarray(start, start + length));
      return;
    }
    let form = LEAN;
    let to = 0;
    this.flags = (bytes[start + 2] << 8) | bytes[start + 3];
    if (((bytes[start] << 8) | bytes[start + 1]) !== asked.id) {
      form |= OTHER_ID;
      rest[to++] = bytes[start];
      rest[to++] = bytes[start + 1];
    }
    let from = start + 4;
    if (isAsked(bytes, start, length, asked)) {
      form |= QUESTION;
      for (let i = 6; i < HEADER; i++) rest[to++] = bytes[start + i];
      from = start + HEADER + asked.nameLength + 4;
    }
    const count = start + length - from;
    if (count > 160) rest.set(bytes.subarray(from, start + length), to);
    else for (let i = 0; i < count; i++) rest[to + i] = bytes[from + i];
    this.length = to + count;
    this.form = form;
    if (isResponse && (form & QUESTION) !== 0) this.#takeTtls(to);
  }

  /** Moves TTLs out where records and counts agree with the length; `at`: where the records begin in `rest`. */
  #takeTtls(at: number): void {
    const { rest, length, ttls } = this;
    const counts = at - 6;
    let n = 0;
    let same = true;
    const records = recordsOf(rest, counts);
    for (let r = 0; r < records; r++) {
      at = behindName(rest, at, length);
      if (at + 10 > length) return;
      if (rest[at] !== 0 || rest[at + 1] !== TYPE_OPT) {
        const ttl = ((rest[at + 4] << 24) | (rest[at + 5] << 16) | (rest[at + 6] << 8) | rest[at + 7]) >>> 0;
        if (n > 0 && ttl !== ttls[0]) same = false;
        ttls[n++] = ttl;
      }
      at += 10 + ((rest[at + 8] << 8) | rest[at + 9]);
      if (at > length) return;
    }
    if (n === 0) return;
    putTtls(rest, counts + 6, length, records, null, 0, false);
    this.form |= same ? TTLS | SAME : TTLS;
    this.ttlCount = same ? 1 : n;
  }
}

function isAsked(bytes: Uint8Array, start: number, length: number, asked: RowQuestion): boolean {
  const { nameLength, nameAt, bytes: name, type, class: klass } = asked;
  if (nameLength === 0 || HEADER + nameLength + 4 > length) return false;
  if (bytes[start + 4] !== 0 || bytes[start + 5] !== 1) return false;
  let at = start + HEADER;
  for (let i = 0; i < nameLength; i++) if (bytes[at + i] !== name[nameAt + i]) return false;
  at += nameLength;
  return ((bytes[at] << 8) | bytes[at + 1]) === type && ((bytes[at + 2] << 8) | bytes[at + 3]) === klass;
}

/** Records of all sections, by three counts at `at`. */
function recordsOf(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] << 8) | bytes[at + 1]) + ((bytes[at + 2] << 8) | bytes[at + 3]) + ((bytes[at + 4] << 8) | bytes[at + 5])
  );
}

/**
 * Writes TTLs into records (`ttls` null: zeroes), from `ttls[next]` on; the number of those used, −1 where the records do
 * not reach that far. Names are passed without following pointers.
 */
function putTtls(
  bytes: Uint8Array,
  at: number,
  end: number,
  records: number,
  ttls: Uint32Array | null,
  next: number,
  same: boolean,
): number {
  const first = next;
  for (let r = 0; r < records; r++) {
    at = behindName(bytes, at, end);
    if (at + 10 > end) return -1;
    if (bytes[at] !== 0 || bytes[at + 1] !== TYPE_OPT) {
      if (ttls !== null && next >= ttls.length) return -1;
      const ttl = ttls === null ? 0 : ttls[next];
      bytes[at + 4] = ttl >>> 24;
      bytes[at + 5] = ttl >>> 16;
      bytes[at + 6] = ttl >>> 8;
      bytes[at + 7] = ttl;
      if (!same) next++;
    }
    at += 10 + ((bytes[at + 8] << 8) | bytes[at + 9]);
  }
  return same ? 1 : next - first;
}

/** Where a name ends in place. */
function behindName(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) return at + 2;
    at += bytes[at] + 1;
  }
  return at + 1;
}

/** Length of a message whose `rest` has `restLength` octets; −1 where that cannot be. */
export function lengthOf(form: number, restLength: number, nameLength: number): number {
  if (form === NONE) return restLength === 0 ? 0 : -1;
  if (form === RAW) return restLength;
  if ((form & LEAN) === 0 || (form & RAW) !== 0 || form > 63) return -1;
  const isAsking = (form & QUESTION) !== 0;
  if (isAsking && nameLength === 0) return -1;
  const tail = restLength - ((form & OTHER_ID) !== 0 ? 2 : 0) - (isAsking ? 6 : 8);
  const length = HEADER + (isAsking ? nameLength + 4 : 0) + tail;
  return tail < 0 || length > MOST_MESSAGE ? -1 : length;
}

/**
 * Writes a message of `length` octets (`lengthOf`) into `out` at `at`. The number of TTLs used from `ttls[next]` on; −1
 * where they do not fit the message.
 */
export function putMessage(
  form: number,
  flags: number,
  rest: Uint8Array,
  from: number,
  length: number,
  asked: RowQuestion,
  out: Uint8Array,
  at: number,
  ttls: Uint32Array,
  next: number,
): number {
  if (form === RAW) {
    for (let i = 0; i < length; i++) out[at + i] = rest[from + i];
    return 0;
  }
  const end = at + length;
  let { id } = asked;
  if ((form & OTHER_ID) !== 0) {
    id = (rest[from] << 8) | rest[from + 1];
    from += 2;
  }
  out[at] = id >>> 8;
  out[at + 1] = id;
  out[at + 2] = flags >>> 8;
  out[at + 3] = flags;
  let to = at + 4;
  let records = 0;
  if ((form & QUESTION) !== 0) {
    records = recordsOf(rest, from);
    out[to++] = 0;
    out[to++] = 1;
    for (let i = 0; i < 6; i++) out[to++] = rest[from++];
    const { bytes, nameAt, nameLength, type, class: klass } = asked;
    for (let i = 0; i < nameLength; i++) out[to++] = bytes[nameAt + i];
    out[to++] = type >>> 8;
    out[to++] = type;
    out[to++] = klass >>> 8;
    out[to++] = klass;
  }
  const count = end - to;
  if (count > 160) out.set(rest.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) out[to + i] = rest[from + i];
  if ((form & TTLS) === 0) return 0;
  if ((form & QUESTION) === 0) return -1;
  return putTtls(out, to, end, records, ttls, next, (form & SAME) !== 0);
}
