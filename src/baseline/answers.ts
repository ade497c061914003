import { addressText, word } from '../core/address.ts';
import { skipName } from '../wire/name.ts';

export const TYPE_A = 1;
export const TYPE_CNAME = 5;
export const TYPE_AAAA = 28;
const TYPE_OPT = 41;
const CLASS_IN = 1;

/** Addresses looked at in one response. */
const MOST = 64;
/** Owner of most answers: a pointer to the question's name, which is sound when the first of them is come to. */
const POINTER = 0xc0;
const QUESTION = 12;

/**
 * The addresses in a response's answer section: columns, filled again for every response. They are found by a walk of
 * their own, as far as the message is sound: what comes behind the answers is not looked at.
 */
export class AnswerAddresses {
  count = 0;
  readonly family = new Uint8Array(MOST);
  readonly words = new Int32Array(MOST * 4);
  /** TTL of each, seconds, all 32 bits as on the wire; and 1 where its class is IN. */
  readonly ttls = new Uint32Array(MOST);
  readonly isInternet = new Uint8Array(MOST);
  /** Smallest TTL of them, seconds; 0 without any. */
  ttl = 0;
  /** Whether an alias stands before them. */
  hasAlias = false;
  /** Letters of the longest first label that an alias leads to. */
  longestAlias = 0;
  /** Questions that the header claims. */
  questions = 0;
  /** Whether nothing but OPT comes behind the answers. */
  isAll = true;

  clear(): void {
    this.count = this.ttl = this.questions = this.longestAlias = 0;
    this.hasAlias = false;
    this.isAll = true;
  }

  /** Reads those of the response in `bytes[start, start + length)`; how many. */
  read(bytes: Uint8Array<ArrayBufferLike>, start: number, length: number): number {
    this.clear();
    const end = start + length;
    if (length < QUESTION) return 0;
    this.questions = (bytes[start + 4] << 8) | bytes[start + 5];
    let left = (bytes[start + 6] << 8) | bytes[start + 7];
    const more = (bytes[start + 8] << 24) | (bytes[start + 9] << 16) | (bytes[start + 10] << 8) | bytes[start + 11];
    this.isAll = more === 0;
    if (left === 0 && more !== 1) return 0;
    let at = behindQuestions(bytes, start, end, this.questions);
    if (at < 0) return 0;
    const { family, words } = this;
    let n = 0;
    let least = 0x80000000;
    for (; left > 0 && n < MOST && at < end; left--) {
      if (bytes[at] === POINTER && at > start + QUESTION && at + 1 < end && bytes[at + 1] === QUESTION) at += 2;
      else at = skipName(bytes, at, start, end);
      if (at < 0 || at + 10 > end) break;
      const type = (bytes[at] << 8) | bytes[at + 1];
      const size = (bytes[at + 8] << 8) | bytes[at + 9];
      const data = at + 10;
      if (data + size > end) break;
      const is4 = type === TYPE_A && size === 4;
      if (is4 || (type === TYPE_AAAA && size === 16)) {
        const to = n * 4;
        family[n] = is4 ? 4 : 6;
        words[to] = is4 ? 0 : word(bytes, data);
        words[to + 1] = is4 ? 0 : word(bytes, data + 4);
        words[to + 2] = is4 ? 0 : word(bytes, data + 8);
        words[to + 3] = word(bytes, is4 ? data : data + 12);
        const ttl = word(bytes, at + 4) >>> 0;
        this.ttls[n] = ttl;
        this.isInternet[n] = ((bytes[at + 2] << 8) | bytes[at + 3]) === CLASS_IN ? 1 : 0;
        if (ttl < least) least = ttl;
        n++;
      } else if (type === TYPE_CNAME) {
        this.hasAlias = true;
        if (size > bytes[data] && bytes[data] > this.longestAlias && bytes[data] < 64) this.longestAlias = bytes[data];
      }
      at = data + size;
    }
    if (more === 1 && left === 0)
      this.isAll = at + 11 <= end && bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === TYPE_OPT;
    this.count = n;
    this.ttl = n === 0 ? 0 : least;
    return n;
  }

  /** Address `i` as text. */
  text(i: number): string {
    const { family, words } = this;
    const at = i * 4;
    return addressText(family[i], words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  /** A number for the network that address `i` lies in: its /16, of IPv6 its /32. */
  network(i: number): number {
    const at = i * 4;
    return this.family[i] === 4 ? this.words[at + 3] >>> 16 : (this.words[at] >>> 0) + 0x10000;
  }

  /** A number for address `i` itself (of IPv6 a hash). */
  key(i: number): number {
    const { words, family } = this;
    const at = i * 4;
    if (family[i] === 4) return words[at + 3] >>> 0;
    const mixed = Math.imul(words[at] ^ Math.imul(words[at + 1], 0x9e3779b1), 0x85ebca6b) ^ words[at + 2];
    return 0x100000000 + ((Math.imul(mixed, 0xc2b2ae35) ^ words[at + 3]) >>> 0);
  }
}

/** Offset behind the questions; −1 when they are not sound. */
function behindQuestions(bytes: Uint8Array<ArrayBufferLike>, start: number, end: number, questions: number): number {
  let at = start + QUESTION;
  for (let i = 0; i < questions; i++) {
    if (at >= end) return -1;
    at = skipName(bytes, at, start, end);
    if (at < 0 || at + 4 > end) return -1;
    at += 4;
  }
  return at;
}
