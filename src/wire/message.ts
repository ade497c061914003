import { FAULT } from './fault.ts';
import { hashName, nameFault, skipName } from './name.ts';

export const QUESTION = 0;
export const ANSWER = 1;
export const AUTHORITY = 2;
export const ADDITIONAL = 3;

const TYPE_OPT = 41;

/**
 * A checked window on one DNS message: the header, and columns of where every question and record lies.
 *
 * `read` walks the message once and allocates nothing; afterwards no accessor can fail. What could be read before a
 * fault stays readable: `questions` and `records` are the numbers actually found, never the header's claims.
 * One instance is used again for every message; offsets are into `bytes`.
 */
export class MessageView {
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** First byte of the message, and the byte behind the last one at hand. */
  start = 0;
  end = 0;

  /** Grows with each `read`: whoever remembers something about the message can tell that it is another one. */
  serial = 0;

  id = 0;
  /** The 16 flag bits (RFC 1035 §4.1.1). */
  flags = 0;
  /** The header's counts, as claimed. */
  questionCount = 0;
  answerCount = 0;
  authorityCount = 0;
  additionalCount = 0;

  /** Questions found. Columns: owner offset, type, class. */
  questions = 0;
  questionName = new Int32Array(8);
  questionType = new Uint16Array(8);
  questionClass = new Uint16Array(8);
  /** Byte behind the first question; `start` without. */
  questionEnd = 0;
  #questionHash = 0;
  /** `serial` of the message that `#questionHash` belongs to. */
  #hashed = -1;

  /** Records found, in order of the message, with their section (`ANSWER` …). */
  records = 0;
  section = new Uint8Array(64);
  owner = new Int32Array(64);
  type = new Uint16Array(64);
  class = new Uint16Array(64);
  /** TTL in seconds, all 32 bits as on the wire. */
  ttl = new Uint32Array(64);
  rdata = new Int32Array(64);
  rdlength = new Uint16Array(64);
  /** Index of the OPT record, −1 without; TTL and class of it are EDNS fields (RFC 6891 §6.1.3). */
  opt = -1;

  /** 0, or the first fault found (FAULT…), its offset from the message's start, and FAULT_PLACES index. */
  fault = 0;
  faultAt = 0;
  faultIn = 0;
  /** Byte behind the last thing understood. */
  parsedEnd = 0;

  /** Folded hash of the first question's name; 0 without a question. Computed when it is asked for. */
  get questionHash(): number {
    if (this.#hashed !== this.serial) {
      this.#hashed = this.serial;
      this.#questionHash = this.questions === 0 ? 0 : hashName(this.bytes, this.questionName[0], this.start);
    }
    return this.#questionHash;
  }
  get isResponse(): boolean {
    return (this.flags & 0x8000) !== 0;
  }
  get opcode(): number {
    return (this.flags >> 11) & 15;
  }
  /** Response code with EDNS's upper eight bits (RFC 6891 §6.1.3). */
  get rcode(): number {
    const low = this.flags & 15;
    return this.opt < 0 ? low : ((this.ttl[this.opt] >>> 24) << 4) | low;
  }
  get truncated(): boolean {
    return (this.flags & 0x0200) !== 0;
  }

  /**
   * Reads the message in `bytes[at, at + length)`; `claimed` is its length on the wire (> length when the capture cut
   * it). Returns the fault, 0 when sound.
   */
  read(bytes: Uint8Array<ArrayBufferLike>, at: number, length: number, claimed: number = length): number {
    this.serial++;
    this.bytes = bytes;
    this.start = at;
    const end = at + length;
    this.end = end;
    this.questions = 0;
    this.questionEnd = at;
    this.records = 0;
    this.opt = -1;
    this.fault = 0;
    this.faultAt = 0;
    this.faultIn = 0;
    if (length < 12) {
      this.id = length >= 2 ? (bytes[at] << 8) | bytes[at + 1] : 0;
      this.flags = length >= 4 ? (bytes[at + 2] << 8) | bytes[at + 3] : 0;
      this.questionCount = this.answerCount = this.authorityCount = this.additionalCount = 0;
      this.parsedEnd = end;
      return this.#fail(claimed > length ? FAULT.cut : FAULT.short_header, end, 0);
    }
    this.id = (bytes[at] << 8) | bytes[at + 1];
    this.flags = (bytes[at + 2] << 8) | bytes[at + 3];
    this.questionCount = (bytes[at + 4] << 8) | bytes[at + 5];
    this.answerCount = (bytes[at + 6] << 8) | bytes[at + 7];
    this.authorityCount = (bytes[at + 8] << 8) | bytes[at + 9];
    this.additionalCount = (bytes[at + 10] << 8) | bytes[at + 11];
    this.parsedEnd = at + 12;
    // DSO (opcode 6, RFC 8490 §5.4) puts TLVs behind the header; its counts are zero, so nothing special here.
    if (!this.#readQuestions()) return this.#cut(length, claimed);
    const { answerCount, authorityCount, additionalCount } = this;
    if (answerCount > 0 && !this.#readRecords(ANSWER, answerCount)) return this.#cut(length, claimed);
    if (authorityCount > 0 && !this.#readRecords(AUTHORITY, authorityCount)) return this.#cut(length, claimed);
    if (additionalCount > 0 && !this.#readRecords(ADDITIONAL, additionalCount)) return this.#cut(length, claimed);
    if (claimed > length) return this.#fail(FAULT.cut, end, 5);
    if (this.parsedEnd < end && this.opcode !== 6) this.#fail(FAULT.trailing_bytes, this.parsedEnd, 5);
    return this.fault;
  }

  /** A message cut by the capture is not malformed: the fault becomes `cut`. */
  #cut(length: number, claimed: number): number {
    if (claimed > length) this.fault = FAULT.cut;
    return this.fault;
  }

  #fail(code: number, at: number, place: number): number {
    if (this.fault === 0) {
      this.fault = code;
      this.faultAt = at - this.start;
      this.faultIn = place;
    }
    return this.fault;
  }

  #readQuestions(): boolean {
    const { bytes, start, end } = this;
    let at = start + 12;
    for (let i = 0; i < this.questionCount; i++) {
      if (at >= end) return this.#fail(FAULT.count_short, at, 1) < 0;
      const next = skipName(bytes, at, start, end);
      if (next < 0) return this.#fail(nameFault.code, nameFault.at, 1) < 0;
      if (next + 4 > end) return this.#fail(FAULT.question_overrun, next, 1) < 0;
      if (i === this.questionName.length) this.#growQuestions();
      this.questionName[i] = at;
      this.questionType[i] = (bytes[next] << 8) | bytes[next + 1];
      this.questionClass[i] = (bytes[next + 2] << 8) | bytes[next + 3];
      this.questions = i + 1;
      at = next + 4;
      if (i === 0) this.questionEnd = at;
      this.parsedEnd = at;
    }
    return true;
  }

  #readRecords(section: number, count: number): boolean {
    const { bytes, start, end } = this;
    const hasQuestion = this.questions > 0;
    let at = this.parsedEnd;
    for (let i = 0; i < count; i++) {
      if (at >= end) return this.#fail(FAULT.count_short, at, section + 1) < 0;
      // Most owners are a pointer to the first question's name, which is sound, or the root: no need for a call.
      let next: number;
      const n = bytes[at];
      if (n === 0) next = at + 1;
      else if (n === 0xc0 && hasQuestion && at + 1 < end && bytes[at + 1] === 12) next = at + 2;
      else {
        next = skipName(bytes, at, start, end);
        if (next < 0) return this.#fail(nameFault.code, nameFault.at, section + 1) < 0;
      }
      if (next + 10 > end) return this.#fail(FAULT.record_overrun, next, section + 1) < 0;
      const rdlength = (bytes[next + 8] << 8) | bytes[next + 9];
      const r = this.records;
      if (r === this.owner.length) this.#growRecords();
      const type = (bytes[next] << 8) | bytes[next + 1];
      this.section[r] = section;
      this.owner[r] = at;
      this.type[r] = type;
      this.class[r] = (bytes[next + 2] << 8) | bytes[next + 3];
      this.ttl[r] = (bytes[next + 4] << 24) | (bytes[next + 5] << 16) | (bytes[next + 6] << 8) | bytes[next + 7];
      this.rdata[r] = next + 10;
      this.rdlength[r] = rdlength;
      if (next + 10 + rdlength > end) return this.#fail(FAULT.rdata_overrun, next + 8, section + 1) < 0;
      if (type === TYPE_OPT) {
        if (this.opt >= 0) this.#fail(FAULT.opt_repeated, at, section + 1);
        else {
          this.opt = r;
          if (n !== 0) this.#fail(FAULT.opt_owner, at, section + 1);
        }
      }
      this.records = r + 1;
      at = next + 10 + rdlength;
      this.parsedEnd = at;
    }
    return true;
  }

  #growQuestions(): void {
    this.questionName = grow(this.questionName, Int32Array);
    this.questionType = grow(this.questionType, Uint16Array);
    this.questionClass = grow(this.questionClass, Uint16Array);
  }

  #growRecords(): void {
    this.section = grow(this.section, Uint8Array);
    this.owner = grow(this.owner, Int32Array);
    this.type = grow(this.type, Uint16Array);
    this.class = grow(this.class, Uint16Array);
    this.ttl = grow(this.ttl, Uint32Array);
    this.rdata = grow(this.rdata, Int32Array);
    this.rdlength = grow(this.rdlength, Uint16Array);
  }
}

// A 64 KiB message holds at most 13,104 questions or 5,957 records, so growth ends by itself.
function grow<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(
  old: T,
  Type: new (length: number) => T,
): T {
  const wider = new Type(old.length * 2);
  wider.set(old);
  return wider;
}
