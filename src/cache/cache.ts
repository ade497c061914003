import { randomInt } from 'node:crypto';
import { LocalEntries } from './local-entries.ts';
import type { SharedEntries } from './shared-entries.ts';
import type { CacheSettings } from './settings.ts';

/** How an answer is kept. */
export interface Keeping {
  /** As good as new for so many milliseconds; Infinity: as long as it is there. */
  fresh: number;
  /** Given once more for so long after that, while it is looked up anew. Default 0. */
  stale?: number;
  /** Entries with a tag are forgotten together (`forget`). */
  tag?: string;
}

/** Counters of what became of questions, and what is kept. */
export interface CacheStatus {
  /** Answered from this process, from Redis, looked up, or together with the same question of somebody else. */
  local: number;
  shared: number;
  loaded: number;
  joined: number;
  /** Of those answered: not new any more, looked up anew behind it; that there is nothing. */
  stale: number;
  empty: number;
  /** Redis was not there, or too slow; an entry there made no sense; a look-up failed. */
  unreached: number;
  garbled: number;
  failed: number;
  /** In this process. */
  entries: number;
  bytes: number;
  limit: number;
  evicted: number;
  /** What keeps Redis from answering; null = nothing. */
  trouble: string | null;
}

/** Somebody else's look-up is waited for so long, asking every so often. */
const CLAIM_MS = 10_000;
const POLL_MS = 20;

type Load = () => Promise<unknown>;

/** When it was made, ms since 1970, and JSON. */
const ENTRY = /^(\d{13}) /;
const TIME_LENGTH = 14;

/**
 * Cache-aside: an answer comes from this process, else from Redis, else it is looked up, once, however many ask, here or in
 * other processes. Redis is never waited for longer than its patience; without it the store is asked. What is kept is JSON:
 * values come back as JSON gives them.
 */
export class Cache {
  readonly #settings: CacheSettings;
  readonly #shared: SharedEntries | null;
  readonly #local: LocalEntries;
  readonly #flights = new Map<string, Promise<string>>();
  readonly #counts = {
    local: 0,
    shared: 0,
    loaded: 0,
    joined: 0,
    stale: 0,
    empty: 0,
    unreached: 0,
    garbled: 0,
    failed: 0,
  };

  /** `connect` is given what has to be told of tags that others forget. */
  constructor(settings: CacheSettings, connect: ((forgotten: (tag?: string) => void) => SharedEntries) | null) {
    this.#settings = settings;
    this.#local = new LocalEntries(settings.local);
    this.#shared = connect?.((tag) => this.#local.forget(tag)) ?? null;
  }

  /** The answer of `key`; `load` looks it up. Its failure is everybody's who waits for it, and is not kept. */
  async get<T>(key: string, keeping: Keeping, load: () => Promise<T>): Promise<T> {
    const here = this.#read(this.#local.get(key), keeping);
    if (here !== null) {
      this.#counts.local++;
      if (here.isOld) this.#renew(key, keeping, load);
      return here.value as T;
    }
    const known = this.#flights.get(key);
    if (known !== undefined) {
      this.#counts.joined++;
      return valueOf(await known) as T;
    }
    return valueOf(await this.#flight(key, () => this.#find(key, keeping, load))) as T;
  }

  /** What has this tag is looked up anew, by whoever asks, here and elsewhere. */
  async forget(tag: string): Promise<void> {
    this.#local.forget(tag);
    await this.#reach((shared) => shared.forget(tag), undefined);
  }

  status(): CacheStatus {
    const { size: entries, bytes, evicted } = this.#local;
    const limit = this.#settings.local;
    return { ...this.#counts, entries, bytes, limit, evicted, trouble: this.#shared?.trouble ?? null };
  }

  close(): void {
    this.#shared?.close();
  }

  /** Life of a new entry in Redis, whole seconds: the base and a uniform 1 to `spread`. */
  seconds(): number {
    return Math.ceil(this.#settings.keep / 1000) + randomInt(1, this.#settings.spread + 1);
  }

  #flight(key: string, find: () => Promise<string>): Promise<string> {
    const flight = find().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Looks an old answer up anew, unless that is being done. */
  #renew(key: string, keeping: Keeping, load: Load): void {
    if (this.#flights.has(key)) return;
    // Counted as failed; whoever asks next sees what went wrong.
    this.#flight(key, () => this.#load(key, keeping, load)).catch(() => {});
  }

  /** An entry that may be given; null for none. */
  #read(text: string | null | undefined, keeping: Keeping): { value: unknown; isOld: boolean } | null {
    if (text === null || text === undefined) return null;
    const made = ENTRY.exec(text)?.[1];
    let value: unknown;
    try {
      if (made === undefined) throw new SyntaxError('no time');
      value = valueOf(text);
    } catch {
      this.#counts.garbled++;
      return null;
    }
    const { keep, empty } = this.#settings;
    const nothing = isNothing(value);
    const fresh = Math.min(keeping.fresh, nothing ? empty : keep);
    const age = Date.now() - Number(made);
    const isOld = age > fresh;
    if (age > fresh + (keeping.stale ?? 0)) return null;
    if (isOld) this.#counts.stale++;
    if (nothing) this.#counts.empty++;
    return { value, isOld };
  }

  async #find(key: string, keeping: Keeping, load: Load): Promise<string> {
    const there = await this.#there(key, keeping);
    if (there !== null) {
      // This look-up has to be over before the next one.
      if (there.isOld) setImmediate(() => this.#renew(key, keeping, load));
      return there.text;
    }
    const until = performance.now() + CLAIM_MS;
    while ((await this.#isClaimed(key)) && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const found = await this.#there(key, { ...keeping, stale: 0 });
      if (found !== null) return found.text;
    }
    return this.#load(key, keeping, load);
  }

  /** An entry in Redis that may be given. */
  async #there(key: string, keeping: Keeping): Promise<{ text: string; isOld: boolean } | null> {
    const found = await this.#reach((shared) => shared.read(key, keeping.tag), null);
    const entry = this.#read(found?.text, keeping);
    if (found === null || found.text === null || entry === null) return null;
    this.#counts.shared++;
    this.#keepHere(key, found.text, keeping.tag);
    return { text: found.text, isOld: entry.isOld };
  }

  /** Whether somebody else looks this up; if not, we do. */
  async #isClaimed(key: string): Promise<boolean> {
    return !(await this.#reach((shared) => shared.claim(key, CLAIM_MS), true));
  }

  async #load(key: string, { tag }: Keeping, load: Load): Promise<string> {
    const generation =
      tag === undefined ? '' : ((await this.#reach((shared) => shared.read(key, tag), null))?.generation ?? null);
    try {
      this.#counts.loaded++;
      const value = await load();
      const text = `${Date.now()} ${JSON.stringify(value)}`;
      this.#keepHere(key, text, tag);
      if (generation !== null) {
        const tagged = tag === undefined ? undefined : { name: tag, generation };
        await this.#reach((shared) => shared.write(key, text, this.seconds(), tagged), undefined);
      }
      return text;
    } catch (error) {
      this.#counts.failed++;
      throw error;
    } finally {
      void this.#reach((shared) => shared.release(key), undefined);
    }
  }

  #keepHere(key: string, text: string, tag: string | undefined): void {
    // What others forget has to reach us.
    if (tag === undefined || this.#shared === null || this.#shared.isTold) this.#local.set(key, text, tag);
  }

  async #reach<T>(ask: (shared: SharedEntries) => Promise<T>, otherwise: T): Promise<T> {
    if (this.#shared === null) return otherwise;
    try {
      return await ask(this.#shared);
    } catch {
      // Counted; what it was is in `trouble`.
      this.#counts.unreached++;
      return otherwise;
    }
  }
}

function valueOf(text: string): unknown {
  return JSON.parse(text.slice(TIME_LENGTH));
}

/** Null, an empty list, a page without rows. */
function isNothing(value: unknown): boolean {
  const list = typeof value === 'object' && value !== null && 'rows' in value ? value.rows : value;
  return list === null || (Array.isArray(list) && list.length === 0);
}
