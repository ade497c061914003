import { addressText, word } from '../core/address.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';

export const TYPE_A = 1;
export const TYPE_CNAME = 5;
export const TYPE_AAAA = 28;

/** Addresses looked at in one response. */
const MOST = 64;

/** The addresses in a response's answer section: columns, filled again for every response. */
export class AnswerAddresses {
  count = 0;
  readonly family = new Uint8Array(MOST);
  readonly words = new Int32Array(MOST * 4);
  /** Smallest TTL of them, seconds; 0 without any. */
  ttl = 0;
  /** Whether an alias stands before them. */
  hasAlias = false;

  clear(): void {
    this.count = this.ttl = 0;
    this.hasAlias = false;
  }

  /** Reads those of a response; how many. */
  read(view: MessageView): number {
    const { records, section, type, rdata, rdlength, bytes } = view;
    const { family, words } = this;
    let n = 0;
    this.hasAlias = false;
    let ttl = 0x80000000;
    for (let i = 0; i < records && section[i] === ANSWER && n < MOST; i++) {
      if (type[i] === TYPE_CNAME) this.hasAlias = true;
      const is4 = type[i] === TYPE_A && rdlength[i] === 4;
      if (!is4 && !(type[i] === TYPE_AAAA && rdlength[i] === 16)) continue;
      const at = rdata[i];
      const to = n * 4;
      family[n] = is4 ? 4 : 6;
      words[to] = is4 ? 0 : word(bytes, at);
      words[to + 1] = is4 ? 0 : word(bytes, at + 4);
      words[to + 2] = is4 ? 0 : word(bytes, at + 8);
      words[to + 3] = word(bytes, is4 ? at : at + 12);
      if (view.ttl[i] < ttl) ttl = view.ttl[i];
      n++;
    }
    this.count = n;
    this.ttl = n === 0 ? 0 : ttl;
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
