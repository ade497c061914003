import { Redis } from 'ioredis';
import { reasonOf } from '../core/errors.ts';
import type { CacheSettings } from './settings.ts';

/** What several processes keep together. Each of its promises settles within the patience. */
export interface SharedEntries {
  /** Text of a key, null when it has none; and the generation of a tag, which changes when the tag is forgotten. */
  read(key: string, tag: string | undefined): Promise<{ text: string | null; generation: string }>;
  /** Keeps a text for so many seconds, unless its tag was forgotten since `generation`. */
  write(key: string, text: string, seconds: number, tag?: { name: string; generation: string }): Promise<void>;
  /** What has this tag is not there any more, for anybody. */
  forget(tag: string): Promise<void>;
  /** True for the first who asks, for at most so many milliseconds: the others may wait for what that one finds. */
  claim(key: string, ms: number): Promise<boolean>;
  release(key: string): Promise<void>;
  /** Null = it works. */
  readonly trouble: string | null;
  /** What others forget is told to us: entries with tags may be kept here too. */
  readonly isTold: boolean;
  close(): void;
}

/** Failures in a row after which it is left alone, and for how long. */
const FAILURES = 3;
const REST_MS = 2000;
const LONGEST_RETRY_MS = 2000;

/** Writes when the tag is still what it was. KEYS: entry, generation, members; ARGV: text, seconds, generation. */
const WRITE = `
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return 0 end
redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])
redis.call('SADD', KEYS[3], KEYS[1])
redis.call('EXPIRE', KEYS[3], ARGV[2])
return 1`;

/** KEYS: generation, members; ARGV: longest life in seconds. */
const FORGET = `
redis.call('INCR', KEYS[1])
local members = redis.call('SMEMBERS', KEYS[2])
for from = 1, #members, 1000 do
  redis.call('UNLINK', unpack(members, from, math.min(from + 999, #members)))
end
redis.call('DEL', KEYS[2])
return #members`;

interface Scripts {
  writeTagged(
    entry: string,
    generation: string,
    members: string,
    text: string,
    seconds: number,
    was: string,
  ): Promise<number>;
  forgetTag(generation: string, members: string): Promise<number>;
}

/**
 * Entries in Redis: plain strings with SETEX; of those with a tag the keys are members of a set beside a generation, so that
 * one write forgets all of them, and an answer looked up before it is not kept after it.
 */
export class RedisEntries implements SharedEntries {
  readonly #redis: Redis & Scripts;
  readonly #listener: Redis;
  readonly #prefix: string;
  readonly #channel: string;
  readonly #patience: number;
  #failures = 0;
  #resumeAt = 0;
  #trouble: string | null = null;
  #isTold = false;
  /** Questions without an answer yet, in order, and what looks at them. */
  readonly #waiting = new Set<{ since: number; reject(error: Error): void }>();
  #clock: NodeJS.Timeout | undefined;

  /** `forgotten` is called with tags that others (or we) forgot, and without one when some may have been missed. */
  constructor(settings: NonNullable<CacheSettings['redis']>, forgotten: (tag?: string) => void) {
    const { url, user, password, prefix, patience, insecure } = settings;
    this.#prefix = prefix;
    this.#channel = `${prefix}forget`;
    this.#patience = patience;
    const options = {
      ...(user !== undefined && { username: user }),
      ...(password !== undefined && { password }),
      connectTimeout: 2000,
      maxRetriesPerRequest: 0,
      // What cannot be asked now is not asked later.
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      retryStrategy: (times: number) => Math.min(times * 100, LONGEST_RETRY_MS),
      ...(insecure && { tls: { rejectUnauthorized: false } }),
    };
    const redis = new Redis(url, options);
    redis.defineCommand('writeTagged', { numberOfKeys: 3, lua: WRITE });
    redis.defineCommand('forgetTag', { numberOfKeys: 2, lua: FORGET });
    redis.on('error', (error: Error) => (this.#trouble = reasonOf(error)));
    redis.on('ready', () => {
      this.#trouble = null;
      this.#failures = 0;
      this.#resumeAt = 0;
    });
    // The two commands were defined just above.
    this.#redis = redis as Redis & Scripts;
    this.#listener = this.#listen(url, options, forgotten);
  }

  get trouble(): string | null {
    return this.#trouble;
  }
  get isTold(): boolean {
    return this.#isTold;
  }

  async read(key: string, tag: string | undefined): Promise<{ text: string | null; generation: string }> {
    const [text, generation] = await this.#soon(() =>
      tag === undefined
        ? this.#redis.get(this.#prefix + key).then((one) => [one, null])
        : this.#redis.mget(this.#prefix + key, this.#generation(tag)),
    );
    return { text, generation: generation ?? '' };
  }

  async write(key: string, text: string, seconds: number, tag?: { name: string; generation: string }): Promise<void> {
    const entry = this.#prefix + key;
    await this.#soon<unknown>(() =>
      tag === undefined
        ? this.#redis.setex(entry, seconds, text)
        : this.#redis.writeTagged(
            entry,
            this.#generation(tag.name),
            this.#members(tag.name),
            text,
            seconds,
            tag.generation,
          ),
    );
  }

  async forget(tag: string): Promise<void> {
    await this.#soon(() => this.#redis.forgetTag(this.#generation(tag), this.#members(tag)));
    await this.#soon(() => this.#redis.publish(this.#channel, tag));
  }

  async claim(key: string, ms: number): Promise<boolean> {
    return (await this.#soon(() => this.#redis.set(`${this.#prefix}${key}:claim`, '1', 'PX', ms, 'NX'))) !== null;
  }

  async release(key: string): Promise<void> {
    await this.#soon(() => this.#redis.unlink(`${this.#prefix}${key}:claim`));
  }

  close(): void {
    clearInterval(this.#clock);
    this.#redis.disconnect();
    this.#listener.disconnect();
  }

  #generation(tag: string): string {
    return `${this.#prefix}tag:${tag}`;
  }
  #members(tag: string): string {
    return `${this.#prefix}tag:${tag}:members`;
  }

  #listen(url: string, options: object, forgotten: (tag?: string) => void): Redis {
    const listener = new Redis(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null });
    listener.on('error', (error: Error) => (this.#trouble = reasonOf(error)));
    listener.on('close', () => {
      this.#isTold = false;
      forgotten();
    });
    // It subscribes again by itself after a break.
    listener.on('ready', () => {
      forgotten();
      listener.subscribe(this.#channel).then(
        () => (this.#isTold = true),
        (error: unknown) => (this.#trouble = reasonOf(error)),
      );
    });
    listener.on('message', (channel: string, tag: string) => {
      if (channel === this.#channel) forgotten(tag);
    });
    return listener;
  }

  /** What Redis answers within the patience; after some failures it is not asked for a while. */
  async #soon<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#redis.status !== 'ready') throw new Error(this.#trouble ?? 'not connected');
    if (this.#failures >= FAILURES) {
      const now = performance.now();
      if (now < this.#resumeAt) throw new Error(this.#trouble ?? 'left alone for a while');
      // One tries while the others go on without it.
      this.#resumeAt = now + REST_MS;
    }
    try {
      const answer = await this.#inTime(ask());
      this.#failures = 0;
      this.#trouble = null;
      return answer;
    } catch (error) {
      this.#failures++;
      this.#resumeAt = performance.now() + REST_MS;
      this.#trouble = reasonOf(error);
      throw error;
    }
  }

  /** Rejects what takes longer than the patience; one clock for all who wait. */
  #inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { since: performance.now(), reject };
      this.#waiting.add(waiting);
      this.#clock ??= setInterval(() => this.#sweep(), Math.max(5, this.#patience / 4));
      answer.then(resolve, reject).finally(() => this.#waiting.delete(waiting));
    });
  }

  #sweep(): void {
    const late = performance.now() - this.#patience;
    for (const waiting of this.#waiting) {
      // In the order in which they came.
      if (waiting.since > late) break;
      this.#waiting.delete(waiting);
      waiting.reject(new Error(`no answer within ${this.#patience} ms`));
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}
