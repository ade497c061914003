import { hashOf, KeyTable } from '../sketch/key-table.ts';
import { type Counted, noteTable } from './bounded.ts';

const NO_KEY = new Int32Array(0);
const FREE = 0;

/** What there is one object of as long as it is known. */
export abstract class Entity {
  /** A number of its own, below the capacity; another's once it is forgotten. And one that is never another's. */
  slot = -1;
  serial = 0;
  /** Its key, in memory that is not its own: from where on, and how many words. */
  key: Int32Array = NO_KEY;
  keyAt = 0;
  keyWords = 0;
  /** The turn in which it was used last. */
  turn = 0;
}

interface Generation<E> {
  table: KeyTable;
  entities: E[];
}

/**
 * Entities by key, for as many keys as are at hand: those that were not asked for while twice the capacity of others was
 * are forgotten, and are new objects when they come back. Two tables take turns, so that nothing is ever searched for.
 */
export class Generations<E extends Entity> implements Counted {
  readonly capacity: number;
  /** Entities that were forgotten. */
  evicted = 0;
  /** Grows whenever entities that are not used will be forgotten next: what remembers them by itself begins anew. */
  turns = 1;
  size = 0;
  readonly #half: number;
  #now: Generation<E>;
  #before: Generation<E>;
  readonly #free: number[] = [];
  #slots = 0;
  #serial = 0;
  /** Of the key that was looked for last. */
  #hash = 0;
  readonly #states: { drop(slot: number): void }[] = [];

  constructor(capacity: number) {
    this.#half = Math.max(8, capacity >> 1);
    this.capacity = this.#half * 2;
    this.#now = this.#empty();
    this.#before = this.#empty();
  }

  /** State of at most `most` entities at a time, for as long as they are known. */
  states<V>(most: number): BySlot<E, V> {
    const states = new BySlot<E, V>(Math.min(most, this.capacity), this.capacity);
    this.#states.push(states);
    return states;
  }

  /** A few numbers for every entity; see `Records`. */
  records(width: number): Records<E> {
    return new Records(width, this.capacity);
  }

  /** Forgets state that nobody asks for any more. */
  release(tables: ReadonlySet<unknown>): void {
    for (let i = this.#states.length - 1; i >= 0; i--) if (tables.has(this.#states[i])) this.#states.splice(i, 1);
  }

  /** The entity of a key, used now; undefined when there is none. Add it then, before anything else is looked up. */
  find(key: Int32Array, words: number): E | undefined {
    const hash = hashOf(key, 0, words);
    this.#hash = hash;
    const { table, entities } = this.#now;
    const entry = table.find(key, 0, words, hash);
    if (entry >= 0) return entities[entry];
    const older = this.#before.table.find(key, 0, words, hash);
    if (older < 0) return undefined;
    const entity = this.#before.entities[older];
    this.#insert(key, words, hash, entity);
    return entity;
  }

  /** Adds the entity of the key that was looked for last, and not found. */
  add(key: Int32Array, words: number, entity: E): E {
    this.#insert(key, words, this.#hash, entity);
    entity.slot = this.#free.pop() ?? this.#slots++;
    entity.serial = ++this.#serial;
    this.size++;
    return entity;
  }

  #insert(key: Int32Array, words: number, hash: number, entity: E): void {
    if (this.#now.table.full || this.#now.table.insert(key, 0, words, hash) < 0) {
      // It is found in the table before: there it must not be given up.
      entity.turn = this.turns;
      this.#turn();
      this.#now.table.insert(key, 0, words, hash);
    }
    const { table, entities } = this.#now;
    entity.key = table.words;
    entity.keyAt = table.int;
    entity.keyWords = words;
    entity.turn = this.turns;
    entities.push(entity);
  }

  #turn(): void {
    const { turns } = this;
    const states = this.#states;
    for (const entity of this.#before.entities) {
      // Those that were used since are in the other table, too.
      if (entity.turn === turns) continue;
      for (const one of states) one.drop(entity.slot);
      this.#free.push(entity.slot);
      this.evicted++;
      this.size--;
    }
    this.#before = this.#now;
    this.#now = this.#empty();
    this.turns++;
  }

  *values(): Generator<E> {
    const { turns } = this;
    yield* this.#now.entities;
    for (const entity of this.#before.entities) if (entity.turn !== turns) yield entity;
  }

  #empty(): Generation<E> {
    return { table: new KeyTable(this.#half), entities: [] };
  }
}

/** A few numbers for every entity that is known, side by side: for what is kept of all of them. */
export class Records<E extends Entity> {
  readonly numbers: Float64Array;
  readonly #width: number;

  /** The first of `width` numbers says whose they are. */
  constructor(width: number, slots: number) {
    this.#width = width;
    this.numbers = new Float64Array(width * slots);
  }

  /** Where the numbers of an entity begin, its own behind the first; zeros at first. */
  at({ slot, serial }: E): number {
    const from = slot * this.#width;
    if (this.numbers[from] !== serial) {
      this.numbers.fill(0, from, from + this.#width);
      this.numbers[from] = serial;
    }
    return from;
  }

  /** Reads the numbers of these entities; see `Entities.touch`. Their sum, so that the reads are not left out. */
  touch(entities: readonly (E | null)[], count: number): number {
    const { numbers } = this;
    const width = this.#width;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const entity = entities[k];
      if (entity !== null) sum += numbers[entity.slot * width] + numbers[(entity.slot + 1) * width - 1];
    }
    return sum;
  }

  /** Zeros again. */
  clear({ slot, serial }: E): void {
    const from = slot * this.#width;
    if (this.numbers[from] === serial) this.numbers[from] = 0;
  }
}

/**
 * State per host or domain, for at most `capacity` of them, as `Bounded` keeps it per key: it is found by the entity's
 * slot, and goes with it. Whoever was not used while half the capacity of others were taken is given up.
 */
export class BySlot<E extends Entity, V> implements Counted {
  readonly capacity: number;
  evicted = 0;
  size = 0;
  readonly #half: number;
  readonly #values: (V | undefined)[];
  readonly #entities: (E | undefined)[];
  /** Per slot: `FREE`, or the generation (1, 2) in which it was used last. */
  readonly #used: Uint8Array;
  #generation = 1;
  /** Those of this generation. */
  #count = 0;

  constructor(capacity: number, slots: number) {
    this.capacity = capacity;
    this.#half = Math.max(1, capacity >> 1);
    this.#values = new Array<V | undefined>(slots).fill(undefined);
    this.#entities = new Array<E | undefined>(slots).fill(undefined);
    this.#used = new Uint8Array(slots);
    noteTable(this);
  }

  /** The state of an entity, without counting as a use; undefined when there is none. */
  peek({ slot }: E): V | undefined {
    return this.#used[slot] === FREE ? undefined : this.#values[slot];
  }

  /** The state of an entity, made of it and of `context` when there is none; it is used now. */
  take<C>(entity: E, make: (entity: E, context: C) => V, context?: C): V {
    const { slot } = entity;
    const used = this.#used[slot];
    if (used === this.#generation) return this.#values[slot] as V;
    let value = used === FREE ? undefined : this.#values[slot];
    if (value !== undefined) this.#used[slot] = this.#generation;
    if (this.#count >= this.#half) this.#turn();
    if (value === undefined) {
      value = make(entity, context as C);
      this.#values[slot] = value;
      this.#entities[slot] = entity;
      this.size++;
    }
    this.#used[slot] = this.#generation;
    this.#count++;
    return value;
  }

  *entries(): Generator<[E, V]> {
    for (let slot = 0; slot < this.#used.length; slot++) {
      const entity = this.#entities[slot];
      if (entity !== undefined) yield [entity, this.#values[slot] as V];
    }
  }

  delete({ slot }: E): boolean {
    if (this.#used[slot] === FREE) return false;
    this.#free(slot);
    return true;
  }

  /** Gives up what is kept of a slot. */
  drop(slot: number): void {
    if (this.#used[slot] === FREE) return;
    this.#free(slot);
    this.evicted++;
  }

  #free(slot: number): void {
    if (this.#used[slot] === this.#generation) this.#count--;
    this.#used[slot] = FREE;
    this.#values[slot] = this.#entities[slot] = undefined;
    this.size--;
  }

  #turn(): void {
    const before = 3 - this.#generation;
    const used = this.#used;
    for (let slot = used.indexOf(before); slot >= 0; slot = used.indexOf(before, slot + 1)) this.drop(slot);
    this.#generation = before;
    this.#count = 0;
  }
}
