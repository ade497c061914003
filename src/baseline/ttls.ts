import { mix } from '../wire/name.ts';
import { type AnswerAddresses, TYPE_A } from './answers.ts';

/** Places that a key may lie in. */
const WAYS = 4;
/** Networks (/16, of IPv6 /32) that are remembered of a name's addresses; with more it varies, and nothing is said of it. */
const NETWORKS = 6;
/** Where things lie in a name's words, side by side so that few lines of memory are asked for. */
const SIGHTINGS = 0;
const CEILING = 1;
const STRANGE = 2;
const STRANGE_CEILING = 3;
const FIRST_NETWORK = 4;
const WORDS = FIRST_NETWORK + NETWORKS;
const MOST_SIGHTINGS = 0xffff;
const MOST_TTL = 0x7fffffff;
/** Addresses of an answer that are looked at. */
const MOST_FOUND = 16;

/** What was unusual about the addresses of an answer. */
export interface TtlVerdict {
  /** Smallest TTL of the answer, and the largest that was ever seen of this name and type before. */
  ttl: number;
  ceiling: number;
  /** Answers of this name and type so far. */
  sightings: number;
  /** Answers with addresses of networks that are new to the name, in a row, and their largest TTL. */
  strange: number;
  strangeCeiling: number;
}

/**
 * The largest TTL of every name's addresses, by type: caches count down, so that only the ceiling is stable; and the
 * networks that the addresses lie in. Arrays of a fixed size; the names seen least make room.
 */
export class TtlCeilings {
  readonly verdict: TtlVerdict = { ttl: 0, ceiling: 0, sightings: 0, strange: 0, strangeCeiling: 0 };
  /** Names, by type, that are known, and those given up. */
  size = 0;
  evicted = 0;
  readonly capacity: number;
  readonly #mask: number;
  readonly #tags: Int32Array;
  readonly #words: Int32Array;
  readonly #found = new Int32Array(MOST_FOUND);

  /** `entries`: a power of two. */
  constructor(entries = 32_768) {
    this.capacity = entries;
    this.#mask = entries / WAYS - 1;
    this.#tags = new Int32Array(entries);
    this.#words = new Int32Array(entries * WORDS);
  }

  get bytes(): number {
    return this.#tags.byteLength + this.#words.byteLength;
  }

  /**
   * Judges and learns the addresses of an answer; false when it has none. `teaches`: whether it may be learnt from.
   */
  note(nameHash: number, type: number, answers: AnswerAddresses, teaches: boolean): boolean {
    const { verdict } = this;
    verdict.strange = 0;
    const found = this.#read(answers, type);
    if (found === 0) return false;
    const place = this.#place(nameHash, type, teaches);
    if (place < 0) return false;
    const words = this.#words;
    const at = place * WORDS;
    const sightings = words[at + SIGHTINGS];
    const ceiling = words[at + CEILING];
    verdict.sightings = sightings;
    verdict.ceiling = ceiling;
    const varies = words[at + WORDS - 1] !== 0;
    if (sightings === 0 || varies || this.#isKnown(at, found)) {
      words[at + STRANGE] = 0;
      if (teaches) this.#learn(at, found, verdict.ttl);
      return true;
    }
    // New networks: they are learnt once they have come as often as a name's move would show them.
    const strange = Math.min(MOST_SIGHTINGS, words[at + STRANGE] + 1);
    const largest = strange === 1 ? verdict.ttl : Math.max(words[at + STRANGE_CEILING], verdict.ttl);
    words[at + STRANGE] = strange;
    words[at + STRANGE_CEILING] = largest;
    verdict.strange = strange;
    verdict.strangeCeiling = largest;
    if (teaches && strange >= Math.max(10, Math.min(50, sightings / 10))) {
      words[at + STRANGE] = 0;
      this.#learn(at, found, verdict.ttl);
    }
    return true;
  }

  #learn(at: number, found: number, ttl: number): void {
    const words = this.#words;
    if (ttl > words[at + CEILING]) words[at + CEILING] = ttl;
    if (words[at + SIGHTINGS] < MOST_SIGHTINGS) words[at + SIGHTINGS]++;
    for (let k = 0; k < found; k++) {
      const network = this.#found[k];
      for (let i = at + FIRST_NETWORK; i < at + WORDS; i++) {
        if (words[i] === network) break;
        if (words[i] !== 0) continue;
        words[i] = network;
        break;
      }
    }
  }

  /** Whether an address lies where this name was before: one is enough. */
  #isKnown(at: number, found: number): boolean {
    const words = this.#words;
    for (let k = 0; k < found; k++) {
      for (let i = at + FIRST_NETWORK; i < at + WORDS; i++) if (words[i] === this.#found[k]) return true;
    }
    return false;
  }

  /** Takes networks and the smallest TTL of the addresses asked for; how many. */
  #read({ count, questions, family, words, ttls, isInternet }: AnswerAddresses, type: number): number {
    this.verdict.ttl = 0;
    // All but one question is none that an address answers.
    if (questions !== 1) return 0;
    const wanted = type === TYPE_A ? 4 : 6;
    let n = 0;
    let least = MOST_TTL;
    for (let i = 0; i < count && n < MOST_FOUND; i++) {
      if (family[i] !== wanted || isInternet[i] === 0) continue;
      const network = type === TYPE_A ? words[i * 4 + 3] >>> 16 : words[i * 4];
      // 0 is a free place.
      this.#found[n++] = network | 0 || 1;
      // The highest bit of a TTL is none (RFC 2181 §8).
      const ttl = ttls[i] | 0;
      if (ttl < least) least = ttl < 0 ? 0 : ttl;
    }
    if (n > 0) this.verdict.ttl = least;
    return n;
  }

  /** Reads what an answer about a name will read. */
  touch(nameHash: number, type: number): number {
    const first = ((nameHash ^ (nameHash >>> 15) ^ type) & this.#mask) * WAYS;
    return this.#tags[first] + this.#words[first * WORDS] + this.#words[(first + 2) * WORDS];
  }

  #place(nameHash: number, type: number, makes: boolean): number {
    const tags = this.#tags;
    const tag = mix(nameHash ^ Math.imul(type, 0x9e3779b1)) | 1;
    const first = ((nameHash ^ (nameHash >>> 15) ^ type) & this.#mask) * WAYS;
    for (let i = first; i < first + WAYS; i++) if (tags[i] === tag) return i;
    return makes ? this.#make(first, tag) : -1;
  }

  /** Gives a key the place, of those it may lie in, that was seen least. */
  #make(first: number, tag: number): number {
    const words = this.#words;
    let least = first;
    for (let i = first + 1; i < first + WAYS; i++) {
      if (words[i * WORDS + SIGHTINGS] < words[least * WORDS + SIGHTINGS]) least = i;
    }
    if (this.#tags[least] !== 0) {
      this.evicted++;
      // Those that stay grow older, so that what was frequent once goes in the end.
      for (let i = first; i < first + WAYS; i++) words[i * WORDS + SIGHTINGS] -= words[i * WORDS + SIGHTINGS] >>> 4;
    } else this.size++;
    this.#tags[least] = tag;
    words.fill(0, least * WORDS, (least + 1) * WORDS);
    return least;
  }

  state(): ArrayBufferView[] {
    return this.#columns().map((column) => column.slice());
  }

  fits(state: readonly ArrayBufferView[]): boolean {
    return this.#columns().every((column, i) => state[i]?.byteLength === column.byteLength);
  }

  /** Takes what was saved, and fits. */
  restore(state: readonly ArrayBufferView[]): void {
    this.#columns().forEach((column, i) => {
      const { buffer, byteOffset, byteLength } = state[i];
      new Uint8Array(column.buffer).set(new Uint8Array(buffer, byteOffset, byteLength));
    });
    this.size = this.#tags.reduce((used, tag) => (tag === 0 ? used : used + 1), 0);
  }

  #columns(): Int32Array[] {
    return [this.#tags, this.#words];
  }
}
