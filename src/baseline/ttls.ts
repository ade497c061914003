import { word } from '../core/address.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { mix } from '../wire/name.ts';

const TYPE_A = 1;
const TYPE_AAAA = 28;
/** Places that a key may lie in. */
const WAYS = 4;
/** Networks (/16, of IPv6 /32) that are remembered of a name's addresses; with more it varies, and nothing is said of it. */
const NETWORKS = 6;
const MOST_SIGHTINGS = 0xffff;

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
  evicted = 0;
  readonly #mask: number;
  readonly #tags: Int32Array;
  readonly #ceilings: Uint32Array;
  readonly #sightings: Uint16Array;
  readonly #networks: Int32Array;
  readonly #strange: Uint16Array;
  readonly #strangeCeilings: Uint32Array;
  readonly #found = new Int32Array(16);

  /** `entries`: a power of two. */
  constructor(entries = 32_768) {
    this.#mask = entries / WAYS - 1;
    this.#tags = new Int32Array(entries);
    this.#ceilings = new Uint32Array(entries);
    this.#sightings = new Uint16Array(entries);
    this.#networks = new Int32Array(entries * NETWORKS);
    this.#strange = new Uint16Array(entries);
    this.#strangeCeilings = new Uint32Array(entries);
  }

  get bytes(): number {
    return this.#tags.length * (4 + 4 + 2 + 4 * NETWORKS + 2 + 4);
  }

  /** Judges and learns the addresses of an answer; false when it has none. `teaches`: whether it may be learnt from. */
  note(nameHash: number, type: number, view: MessageView, teaches: boolean): boolean {
    const { verdict } = this;
    verdict.strange = 0;
    const found = this.#read(view, type);
    if (found === 0) return false;
    const place = this.#place(nameHash, type, teaches);
    if (place < 0) return false;
    const sightings = this.#sightings[place];
    const ceiling = this.#ceilings[place];
    verdict.sightings = sightings;
    verdict.ceiling = ceiling;
    const varies = this.#networks[place * NETWORKS + NETWORKS - 1] !== 0;
    if (sightings === 0 || varies || this.#isKnown(place, found)) {
      this.#strange[place] = 0;
      if (!teaches) return true;
      this.#learn(place, found, verdict.ttl);
      return true;
    }
    // New networks: they are learnt once they have come as often as a name's move would show them.
    const before = this.#strange[place];
    const largest = before === 0 ? verdict.ttl : Math.max(this.#strangeCeilings[place], verdict.ttl);
    this.#strange[place] = Math.min(MOST_SIGHTINGS, before + 1);
    this.#strangeCeilings[place] = largest;
    verdict.strange = before + 1;
    verdict.strangeCeiling = largest;
    if (teaches && before + 1 >= Math.max(10, Math.min(50, sightings / 10))) {
      this.#strange[place] = 0;
      this.#learn(place, found, verdict.ttl);
    }
    return true;
  }

  #learn(place: number, found: number, ttl: number): void {
    if (ttl > this.#ceilings[place]) this.#ceilings[place] = ttl;
    if (this.#sightings[place] < MOST_SIGHTINGS) this.#sightings[place]++;
    const at = place * NETWORKS;
    for (let k = 0; k < found; k++) {
      const network = this.#found[k];
      for (let i = at; i < at + NETWORKS; i++) {
        if (this.#networks[i] === network) break;
        if (this.#networks[i] !== 0) continue;
        this.#networks[i] = network;
        break;
      }
    }
  }

  /** Whether an address lies where this name was before: one is enough. */
  #isKnown(place: number, found: number): boolean {
    const at = place * NETWORKS;
    for (let k = 0; k < found; k++) {
      for (let i = at; i < at + NETWORKS; i++) if (this.#networks[i] === this.#found[k]) return true;
    }
    return false;
  }

  /** Reads networks and the smallest TTL of the addresses of a response; how many. */
  #read(view: MessageView, type: number): number {
    const { records, section, rdata, rdlength, bytes } = view;
    let n = 0;
    let ttl = 0x80000000;
    for (let r = 0; r < records && section[r] === ANSWER && n < this.#found.length; r++) {
      if (view.type[r] !== type) continue;
      const isA = type === TYPE_A && rdlength[r] === 4;
      if (!isA && !(type === TYPE_AAAA && rdlength[r] === 16)) continue;
      // 0 is a free place.
      this.#found[n++] = (isA ? word(bytes, rdata[r]) >>> 16 : word(bytes, rdata[r])) | 0 || 1;
      if (view.ttl[r] < ttl) ttl = view.ttl[r];
    }
    this.verdict.ttl = n === 0 ? 0 : ttl;
    return n;
  }

  #place(nameHash: number, type: number, makes: boolean): number {
    const tag = mix(nameHash ^ Math.imul(type, 0x9e3779b1)) | 1;
    const first = ((nameHash ^ (nameHash >>> 15) ^ type) & this.#mask) * WAYS;
    let least = first;
    for (let i = first; i < first + WAYS; i++) {
      if (this.#tags[i] === tag) return i;
      if (this.#sightings[i] < this.#sightings[least]) least = i;
    }
    if (!makes) return -1;
    if (this.#tags[least] !== 0) {
      this.evicted++;
      // Those that stay grow older, so that what was frequent once goes in the end.
      for (let i = first; i < first + WAYS; i++) this.#sightings[i] -= this.#sightings[i] >>> 4;
    }
    this.#tags[least] = tag;
    this.#ceilings[least] = this.#sightings[least] = this.#strange[least] = this.#strangeCeilings[least] = 0;
    this.#networks.fill(0, least * NETWORKS, (least + 1) * NETWORKS);
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
  }

  #columns(): (Int32Array | Uint32Array | Uint16Array)[] {
    return [this.#tags, this.#ceilings, this.#sightings, this.#networks, this.#strange, this.#strangeCeilings];
  }
}
