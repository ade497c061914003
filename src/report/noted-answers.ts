import { ANSWER as ANSWERS, type MessageView } from '../wire/message.ts';
import { copyName, equalNames, skipName } from '../wire/name.ts';

const ANSWER = ANSWERS;
const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** Longest CNAME chain followed: resolvers follow about a dozen. */
const MAX_CHAIN = 16;
const MAX_NAME_WORDS = 64;

// Words of an answer noted: row, its authoritative bit, where its chain and its addresses begin, and the latter's number;
// and of an address noted: TTL, 1 or 4 words of address, and how many.
const N = {
  ROW: 0,
  AA: 1,
  CHAIN_AT: 2,
  CHAIN_WORDS: 3,
  ADDRESSES_AT: 4,
  ADDRESSES: 5,
  NOTE_WORDS: 6,
  ADDRESS_WORDS: 6,
} as const;
/** Layout of `NotedAnswers.notes` and `addresses`. */
export const NOTED = N;

/** Addresses of many responses, with the CNAME chains that led to them: what the map counts, many answers at once. */
export class NotedAnswers {
  /** Answers, `NOTE_WORDS` each, and how many. */
  notes = new Int32Array(1024 * N.NOTE_WORDS);
  count = 0;
  /** Addresses, `ADDRESS_WORDS` each. */
  addresses = new Int32Array(4096 * N.ADDRESS_WORDS);
  #addressCount = 0;
  /** Names of chains, folded, one behind the other; each chain padded with zeros to whole words. */
  chains = new Int32Array(4096);
  #chainBytes = new Uint8Array(this.chains.buffer);
  #chainEnd = 0;
  readonly #links = new Int32Array(MAX_CHAIN);

  clear(): void {
    this.count = this.#addressCount = this.#chainEnd = 0;
  }

  /** True when it is time to count: a message can hold thousands of addresses. */
  get isCrowded(): boolean {
    return this.#addressCount > 16384 || this.#chainEnd > 65536;
  }

  /** Notes the addresses of row `row`'s response, whose rcode is 0. */
  note(view: MessageView, row: number): void {
    const { records, section, bytes, start, type: types } = view;
    let owner = view.questionName[0];
    let chain = 0;
    const first = this.#addressCount;
    for (let r = 0; r < records && section[r] === ANSWER; r++) {
      const type = types[r];
      if (type !== TYPE_A && type !== TYPE_AAAA && type !== TYPE_CNAME) continue;
      if (view.class[r] !== CLASS_IN || !sameName(bytes, start, view.owner[r], owner)) continue;
      if (type === TYPE_CNAME) {
        if (chain === MAX_CHAIN || this.#addressCount > first || !isName(view, r)) break;
        owner = view.rdata[r];
        this.#links[chain++] = owner;
        continue;
      }
      const wide = type === TYPE_AAAA;
      if (view.rdlength[r] !== (wide ? 16 : 4)) continue;
      this.#noteAddress(bytes, view.rdata[r], wide, view.ttl[r]);
    }
    if (this.#addressCount === first) return;
    if ((this.count + 1) * N.NOTE_WORDS > this.notes.length) this.notes = wider(this.notes);
    const n = this.count++ * N.NOTE_WORDS;
    const notes = this.notes;
    notes[n + N.ROW] = row;
    notes[n + N.AA] = (view.flags >> 10) & 1;
    notes[n + N.ADDRESSES_AT] = first * N.ADDRESS_WORDS;
    notes[n + N.ADDRESSES] = this.#addressCount - first;
    notes[n + N.CHAIN_AT] = this.#chainEnd;
    notes[n + N.CHAIN_WORDS] = chain === 0 ? 0 : this.#noteChain(view, chain);
  }

  #noteAddress(bytes: Uint8Array, at: number, wide: boolean, ttl: number): void {
    const to = this.#addressCount++ * N.ADDRESS_WORDS;
    if (to + N.ADDRESS_WORDS > this.addresses.length) this.addresses = wider(this.addresses);
    const addresses = this.addresses;
    addresses[to] = ttl;
    addresses[to + 1] = raw(bytes, at);
    addresses[to + 5] = 1;
    if (!wide) return;
    addresses[to + 2] = raw(bytes, at + 4);
    addresses[to + 3] = raw(bytes, at + 8);
    addresses[to + 4] = raw(bytes, at + 12);
    addresses[to + 5] = 4;
  }

  /** Writes the chain's names behind the others'; its words. */
  #noteChain(view: MessageView, chain: number): number {
    if (this.#chainEnd + MAX_CHAIN * MAX_NAME_WORDS > this.chains.length) {
      this.chains = wider(this.chains);
      this.#chainBytes = new Uint8Array(this.chains.buffer);
    }
    const bytes = this.#chainBytes;
    const from = this.#chainEnd * 4;
    let at = from;
    for (let i = 0; i < chain; i++) at += copyName(view.bytes, this.#links[i], view.start, bytes, at, true);
    while ((at & 3) !== 0) bytes[at++] = 0;
    this.#chainEnd = at >> 2;
    return (at - from) >> 2;
  }
}

function wider(array: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(array.length * 2);
  copy.set(array);
  return copy;
}

/** Whether two names of a message are equal; nearly always one is a pointer to the other. */
function sameName(bytes: Uint8Array, start: number, a: number, b: number): boolean {
  if (bytes[a] >= 0xc0 && start + (((bytes[a] & 0x3f) << 8) | bytes[a + 1]) === b) return true;
  return equalNames(bytes, a, start, bytes, b, start);
}

/** Whether the rdata of a CNAME record is one whole name and not the root: `MessageView` has not looked into it. */
function isName(view: MessageView, r: number): boolean {
  const end = view.rdata[r] + view.rdlength[r];
  return (
    view.rdlength[r] > 0 &&
    view.bytes[view.rdata[r]] !== 0 &&
    skipName(view.bytes, view.rdata[r], view.start, end) === end
  );
}

/** Four bytes as they lie in a record. */
function raw(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
