/** How many numbers of which kind every model of a table has. Doubles: exact counts and times. */
export interface ModelShape {
  doubles: number;
  floats: number;
  /** 32-bit words: hashes. */
  ints: number;
}

/**
 * The first doubles of every model: seconds since 1970 of its first and last sample, samples, until when it is not to
 * learn, and the hour since 1970 whose transactions are being counted.
 */
export const FIRST = 0;
export const LAST = 1;
export const SAMPLES = 2;
export const MUTED = 3;
export const HOUR = 4;
export const OWN = 5;

/** When the table is full this part is given up at once, and no more before this time has passed, in seconds. */
const GIVEN_UP = 0.25;
const PAUSE = 60;
const START = 64;
const TURN = 2 ** 24;
/** Samples of long ago count for less when it is chosen who goes. */
const FADE_SECONDS = 14 * 86_400;

/** What a model is of. It keeps where its model lies (see `place`), so that this need not be searched for. */
export interface Owner {
  readonly text: string;
}

/**
 * Models by key, for a bounded number of keys, their numbers side by side in three arrays. When it is full, a quarter of
 * the models is given up: those with the fewest samples, old samples counted for less; and a new key gets a place only
 * once it came more often than those (`admits`). A minute passes until the next quarter goes, so that many keys of which each
 * is as good as the others do not push out each other all the time. So a flood of new keys pushes out nothing that was
 * learnt over days.
 */
export class ModelTable {
  readonly capacity: number;
  readonly shape: ModelShape;
  doubles: Float64Array;
  floats: Float32Array;
  ints: Int32Array;
  /** By place; empty where none is. */
  readonly keys: string[] = [];
  /** Models given up so far. */
  evicted = 0;
  /** Samples of those that were given up last: a key that came no more often is not worth a place while there is no room. */
  #floor = 0;
  /** When models were given up last, in seconds since 1970. */
  #gaveUp = Number.NEGATIVE_INFINITY;
  /** Called when a place has a new key: its first three doubles and its hour are set, all else is zero. */
  onMade: ((place: number, now: number) => void) | undefined;
  /** Called when a place is given up. */
  onEvict: ((place: number) => void) | undefined;
  readonly #index = new Map<string, number>();
  /** Who was found to be whose model this is, by place. */
  readonly #owners: (Owner | undefined)[] = [];
  /** How often each place was given to another key. */
  readonly #turns: number[] = [];
  #free: number[] = [];
  #rows = START;

  constructor(capacity: number, shape: ModelShape) {
    this.capacity = capacity;
    this.shape = shape;
    this.doubles = new Float64Array(START * shape.doubles);
    this.floats = new Float32Array(START * shape.floats);
    this.ints = new Int32Array(START * shape.ints);
  }

  get size(): number {
    return this.#index.size;
  }

  /** Bytes of its numbers. */
  get bytes(): number {
    return this.doubles.byteLength + this.floats.byteLength + this.ints.byteLength;
  }

  /** The place of a key, −1 when it has none. */
  find(key: string): number {
    return this.#index.get(key) ?? -1;
  }

  /**
   * Where an owner's model lies, for the owner to keep and to bring along next time as `hint` (−1 at first). Below 0 it has
   * none: it gets one when it is seen the `least`th time (a power of two), and there is room. A sight is a step down from −1,
   * and of more than `least` only every doubling of them is worth a search.
   */
  place(owner: Owner, hint: number, least: number, now: number): number {
    if (hint >= 0 && this.#owners[hint] === owner) return hint;
    return this.#seek(owner, hint < 0 ? hint - 1 : -2, least, now);
  }

  #seek(owner: Owner, hint: number, least: number, now: number): number {
    const sights = -1 - hint;
    if (sights < least || (sights & (sights - 1)) !== 0) return hint;
    let place = this.find(owner.text);
    if (place < 0) {
      if (!this.admits(sights, now)) return hint;
      place = this.take(owner.text, now);
    }
    this.#owners[place] = owner;
    return place;
  }

  /** Whether a key that came so often gets a place now. */
  admits(times: number, now: number): boolean {
    return this.#index.size < this.capacity || (times > this.#floor && now - this.#gaveUp >= PAUSE);
  }

  /** The place of a key, made when it has none; `now` in seconds since 1970. */
  take(key: string, now: number): number {
    const known = this.find(key);
    if (known >= 0) return known;
    if (this.#index.size >= this.capacity) this.#giveUp(now);
    const place = this.#free.pop() ?? this.keys.length;
    if (place >= this.#rows) this.#grow();
    const { doubles, floats, ints } = this.shape;
    this.doubles.fill(0, place * doubles, (place + 1) * doubles);
    this.floats.fill(0, place * floats, (place + 1) * floats);
    this.ints.fill(0, place * ints, (place + 1) * ints);
    this.doubles[place * doubles + FIRST] = now;
    this.doubles[place * doubles + LAST] = now;
    this.doubles[place * doubles + HOUR] = Math.floor(now / 3600);
    this.keys[place] = key;
    this.#index.set(key, place);
    this.onMade?.(place, now);
    return place;
  }

  /** A number that stands for the key at a place as long as it is there; see `keyOf`. */
  idOf(place: number): number {
    return place + (this.#turns[place] ?? 0) * TURN;
  }

  /** The key that an id stands for, undefined when it was given up since. */
  keyOf(id: number): string | undefined {
    const place = id % TURN;
    return this.idOf(place) === id && this.keys[place] !== '' ? this.keys[place] : undefined;
  }

  /** Places of models, in no order. */
  places(): IterableIterator<number> {
    return this.#index.values();
  }

  /** One of a model's doubles. */
  double(place: number, which: number): number {
    return this.doubles[place * this.shape.doubles + which];
  }

  /** Nothing is learnt of a key until then. */
  mute(key: string, until: number): void {
    const place = this.find(key);
    if (place < 0) return;
    const at = place * this.shape.doubles + MUTED;
    if (until > this.doubles[at]) this.doubles[at] = until;
  }

  /**
   * Hours up to this one were not watched: they are not learnt as hours without a transaction. `rows`: which float counts
   * the transactions of an hour.
   */
  skipTo(hour: number, rows: number): void {
    const { doubles, floats } = this.shape;
    for (const place of this.#index.values()) {
      if (this.doubles[place * doubles + HOUR] >= hour) continue;
      this.doubles[place * doubles + HOUR] = hour;
      this.floats[place * floats + rows] = 0;
    }
  }

  #grow(): void {
    this.#rows = Math.min(this.#rows * 2, this.capacity);
    const { doubles, floats, ints } = this.shape;
    this.doubles = widened(this.doubles, new Float64Array(this.#rows * doubles));
    this.floats = widened(this.floats, new Float32Array(this.#rows * floats));
    this.ints = widened(this.ints, new Int32Array(this.#rows * ints));
  }

  #giveUp(now: number): void {
    const { doubles: width } = this.shape;
    const places = Int32Array.from(this.#index.values());
    const scores = new Float64Array(places.length);
    for (let i = 0; i < places.length; i++) {
      const at = places[i] * width;
      scores[i] = this.doubles[at + SAMPLES] * 2 ** ((this.doubles[at + LAST] - now) / FADE_SECONDS);
    }
    const count = Math.max(1, Math.floor(places.length * GIVEN_UP));
    const limit = scores.toSorted()[count - 1];
    this.#floor = limit;
    this.#gaveUp = now;
    let left = count;
    for (let i = 0; i < places.length && left > 0; i++) {
      if (scores[i] > limit) continue;
      left--;
      const place = places[i];
      this.onEvict?.(place);
      this.#index.delete(this.keys[place]);
      this.keys[place] = '';
      this.#owners[place] = undefined;
      this.#turns[place] = (this.#turns[place] ?? 0) + 1;
      this.#free.push(place);
      this.evicted++;
    }
  }

  /** Plain data. */
  state(): ModelTableState {
    const { doubles, floats, ints } = this.shape;
    const rows = this.keys.length;
    return {
      shape: this.shape,
      keys: [...this.keys],
      turns: Array.from(this.keys, (_, place) => this.#turns[place] ?? 0),
      evicted: this.evicted,
      doubles: this.doubles.slice(0, rows * doubles),
      floats: this.floats.slice(0, rows * floats),
      ints: this.ints.slice(0, rows * ints),
    };
  }

  /** Whether what was saved is of this shape, and of no more models than there is room for. */
  fits(state: ModelTableState): boolean {
    const { doubles, floats, ints } = this.shape;
    const rows = state.keys.length;
    return (
      rows <= this.capacity &&
      state.doubles.length === rows * doubles &&
      state.floats.length === rows * floats &&
      state.ints.length === rows * ints
    );
  }

  /** Takes what was saved, and fits. */
  restore(state: ModelTableState): void {
    const { doubles, floats, ints } = this.shape;
    const rows = state.keys.length;
    this.#rows = Math.min(this.capacity, Math.max(START, 2 ** Math.ceil(Math.log2(Math.max(1, rows)))));
    this.doubles = widened(state.doubles, new Float64Array(this.#rows * doubles));
    this.floats = widened(state.floats, new Float32Array(this.#rows * floats));
    this.ints = widened(state.ints, new Int32Array(this.#rows * ints));
    this.keys.length = this.#owners.length = 0;
    this.#index.clear();
    this.#free = [];
    this.#turns.splice(0, this.#turns.length, ...state.turns);
    state.keys.forEach((key, place) => {
      this.keys.push(key);
      if (key === '') this.#free.push(place);
      else this.#index.set(key, place);
    });
    this.evicted = state.evicted;
  }
}

export interface ModelTableState {
  shape: ModelShape;
  keys: string[];
  turns: number[];
  evicted: number;
  doubles: Float64Array;
  floats: Float32Array;
  ints: Int32Array;
}

function widened<A extends Float64Array | Float32Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
