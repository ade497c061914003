/** Tokens of one key. */
interface Bucket {
  tokens: number;
  at: number;
}

/** How much each key may do: `rate` a second, `burst` at once. Bounded: of more keys than `keys`, the longest idle goes. */
export class RateLimit {
  /** Requests refused. */
  refused = 0;
  readonly #rate: number;
  readonly #burst: number;
  readonly #keys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ rate, burst, keys = 4096 }: { rate: number; burst: number; keys?: number }) {
    this.#rate = rate;
    this.#burst = burst;
    this.#keys = keys;
  }

  /** Seconds to wait; 0 = go on. */
  take(key: string, now: number): number {
    const bucket = this.#bucket(key, now);
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 0;
    }
    return this.#wait(bucket);
  }

  /** The same without using anything up. */
  look(key: string, now: number): number {
    const bucket = this.#bucket(key, now);
    return bucket.tokens >= 1 ? 0 : this.#wait(bucket);
  }

  #wait({ tokens }: Bucket): number {
    this.refused++;
    return Math.max(1, Math.ceil((1 - tokens) / this.#rate));
  }

  #bucket(key: string, now: number): Bucket {
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.#rate);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= this.#keys) break;
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

/** Lets `most` run at a time and `queue` wait; more are refused (null). */
export class Gate {
  running = 0;
  refused = 0;
  readonly #most: number;
  readonly #queue: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number, queue: number) {
    this.#most = most;
    this.#queue = queue;
  }

  /** Resolves with the function that lets the next one in; null when too many wait. */
  async enter(): Promise<(() => void) | null> {
    if (this.running >= this.#most) {
      if (this.#waiting.length >= this.#queue) {
        this.refused++;
        return null;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.running++;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.running--;
      else next();
    };
  }
}
