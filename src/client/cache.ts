import type { Message, RecordData } from '../rr/value.ts';

/** What a cache did so far. */
export interface CacheCounts {
  entries: number;
  hits: number;
  misses: number;
  /** Left out for room, the longest unused first. */
  evicted: number;
}

/** An answer that is kept. */
interface Entry {
  message: Message;
  /** Milliseconds, monotonic. */
  storedAt: number;
  expiresAt: number;
  bytes: number;
}

const DEFAULT_MOST = 10_000;
/** Of all answers together, about: a few of 64 KiB from a hostile zone push out what is small. */
const MOST_BYTES = 64 << 20;
/** Longest time an answer is kept, seconds: a day (RFC 8767 §4 caps at a week), and that there is none: three hours (RFC 2308 §5). */
const MOST_TTL = 86_400;
const MOST_NEGATIVE_TTL = 10_800;

/**
 * Answers by question, for as long as their TTL allows, and that there is none for as long as the zone's SOA allows
 * (RFC 2308 §5); an NXDOMAIN holds for all types (§5). Other response codes, cut answers and TTL 0 are not kept.
 */
export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  readonly #now: () => number;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evicted = 0;

  /** `now`: milliseconds of a clock that is never set. */
  constructor(most: number = DEFAULT_MOST, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  get counts(): CacheCounts {
    return { entries: this.#entries.size, hits: this.#hits, misses: this.#misses, evicted: this.#evicted };
  }

  /** A kept answer, its TTLs less by the time it has been kept; undefined without one. */
  get(name: string, type: string, of: string): Message | undefined {
    const message = this.#fresh(keyOf(name, type, of)) ?? this.#fresh(keyOf(name, NXDOMAIN, of));
    if (message === undefined) this.#misses++;
    else this.#hits++;
    return message;
  }

  put(name: string, type: string, of: string, message: Message): void {
    const ttl = keepSeconds(message);
    if (ttl <= 0) return;
    const key = keyOf(name, message.rcode === NXDOMAIN ? NXDOMAIN : type, of);
    const now = this.#now();
    const bytes = sizeOf(message);
    this.#remove(key);
    this.#entries.set(key, { message, storedAt: now, expiresAt: now + ttl * 1000, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most && this.#bytes <= MOST_BYTES) break;
      this.#remove(oldest);
      this.#evicted++;
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #fresh(key: string): Message | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#now();
    if (now >= entry.expiresAt) {
      this.#remove(key);
      return undefined;
    }
    // The last used is the last to go.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return aged(entry.message, Math.floor((now - entry.storedAt) / 1000));
  }
}

const NXDOMAIN = 'NXDOMAIN';

/** About what a message takes: texts, and an object for each record. */
function sizeOf({ answers, authority, additional }: Message): number {
  let bytes = 500;
  for (const list of [answers, authority, additional])
    for (const { name, data } of list) bytes += 200 + name.length + data.length;
  return bytes;
}

function keyOf(name: string, type: string, of: string): string {
  return `${name.toLowerCase()} ${of} ${type}`;
}

/** Seconds an answer may be kept; 0: not at all. */
export function keepSeconds({ rcode, answers, authority, flags, fault }: Message): number {
  if (fault !== undefined || flags.includes('tc') || (rcode !== 'NOERROR' && rcode !== NXDOMAIN)) return 0;
  const soa = authority.find(({ type }) => type === 'SOA');
  const isNegative = rcode === NXDOMAIN || answers.every(({ type }) => type === 'CNAME' || type === 'DNAME');
  if (!isNegative) return Math.min(MOST_TTL, leastTtl(answers));
  // Without the SOA nobody knows for how long (RFC 2308 §5).
  if (soa === undefined) return 0;
  const minimum = Number(soa.data.split(' ').at(-1));
  const negative = Number.isFinite(minimum) ? Math.min(ttlOf(soa), minimum) : 0;
  return Math.min(MOST_NEGATIVE_TTL, negative, leastTtl(answers));
}

function leastTtl(records: readonly RecordData[]): number {
  return records.reduce((least, record) => Math.min(least, ttlOf(record)), MOST_TTL);
}

/** A TTL with its first bit set is 0 (RFC 2181 §8). */
function ttlOf({ ttl }: RecordData): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}

function aged(message: Message, seconds: number): Message {
  if (seconds === 0) return message;
  const older = (records: readonly RecordData[]) =>
    records.map((record) => ({ ...record, ttl: Math.max(0, record.ttl - seconds) }));
  return {
    ...message,
    answers: older(message.answers),
    authority: older(message.authority),
    additional: older(message.additional),
  };
}
