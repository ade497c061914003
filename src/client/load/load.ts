import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { Distribution } from '../../sketch/summary.ts';
import { rcodeName } from '../../wire/iana.ts';
import { FOLD } from '../../wire/name.ts';
import type { Server } from '../server.ts';
import { type Datagrams, openDatagrams } from './datagrams.ts';
import { OpenQueries } from './open-queries.ts';
import type { StreamForm } from './stream-socket.ts';

/** A query to send; whoever gives it may put more into the object. */
export interface LoadQuery {
  /** The whole message; its id is replaced. */
  query: Uint8Array;
  /** Milliseconds after the start before which it is not sent. */
  at?: number;
}

export interface LoadOptions {
  server: Server;
  /** Most queries under way; 100 unless told, at most 16384. */
  window?: number;
  /** A query is lost after that; 5000 unless told. */
  timeoutMs?: number;
  /** Most queries a second; as fast as it answers unless told. */
  rate?: number;
  signal?: AbortSignal;
  /** TCP or TLS instead of UDP. */
  stream?: StreamForm;
  /** Node's sockets even where the system has batches. */
  simple?: boolean;
  /** Told about four times a second. */
  progress?(result: LoadResult): unknown;
}

/** What becomes of each query. `bytes` hold only during the call. */
export interface LoadSink<T extends LoadQuery> {
  answered(query: T, bytes: Uint8Array, ms: number): void;
  lost(query: T): void;
}

/** `sent` = `answered` + `lost` + what was under way when it was stopped. */
export interface LoadResult {
  sent: number;
  answered: number;
  lost: number;
  /** Messages that fit no query under way: late, doubled, or forged. */
  unexpected: number;
  /** ICMP: nobody listens, or no way. */
  refused: number;
  /** Queries that the system would not send, part of `lost`. */
  unsent: number;
  rcodes: Map<number, number>;
  seconds: number;
  /** Nanoseconds. */
  latency: Distribution;
  /** Why it ended early; absent at its end. */
  ended?: string;
}

/** Gives the next queries, a bounded number; null at the end. */
export type LoadSource<T extends LoadQuery> = () => readonly T[] | null | Promise<readonly T[] | null>;

export const MOST_WINDOW = 16_384;
/** How long other work of this thread waits for a turn, milliseconds. */
const TURN_MS = 20;
const PROGRESS_MS = 250;
/** A server that nobody runs: so many refusals and not one answer. */
const HOPELESS = 200;
/** It began that long ago and all has been sent (or four times as long ago), something was refused, and nothing answered. */
const HOPELESS_MS = 500;

/**
 * Sends queries as fast as answers come, or as paced: at most a window of them is under way, each with an id
 * nobody can guess; an answer has to have its id and its question. Runs in this thread, which it keeps busy.
 */
export async function runLoad<T extends LoadQuery>(
  source: LoadSource<T>,
  options: LoadOptions,
  sink?: LoadSink<T>,
): Promise<LoadResult> {
  const datagrams = await openWay(options);
  try {
    return await new Load(datagrams, source, options, sink).run();
  } finally {
    datagrams.close();
  }
}

async function openWay({ server, stream, simple }: LoadOptions): Promise<Datagrams> {
  if (stream === undefined) return openDatagrams(server, simple);
  const { openStreams } = await import('./stream-socket.ts');
  return openStreams(server, stream);
}

class Load<T extends LoadQuery> {
  readonly #datagrams: Datagrams;
  readonly #source: LoadSource<T>;
  readonly #options: LoadOptions;
  readonly #sink: LoadSink<T> | undefined;
  readonly #open: OpenQueries<T>;
  readonly #window: number;
  readonly #timeoutMs: number;
  readonly #began = performance.now();
  readonly #result: LoadResult = {
    sent: 0,
    answered: 0,
    lost: 0,
    unexpected: 0,
    refused: 0,
    unsent: 0,
    rcodes: new Map(),
    seconds: 0,
    latency: new Distribution(40),
  };
  /** Response codes below 16, counted without a lookup. */
  readonly #rcodes = new Float64Array(16);
  #queue: readonly T[] = [];
  #next = 0;
  #isAtEnd = false;
  #now = 0;
  readonly #take = (bytes: Uint8Array, at: number, length: number): void => this.#answer(bytes, at, length);

  constructor(datagrams: Datagrams, source: LoadSource<T>, options: LoadOptions, sink: LoadSink<T> | undefined) {
    this.#datagrams = datagrams;
    this.#source = source;
    this.#options = options;
    this.#sink = sink;
    this.#window = Math.max(1, Math.min(MOST_WINDOW, options.window ?? 100));
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#open = new OpenQueries(randomBytes(2 ** 17));
  }

  async run(): Promise<LoadResult> {
    const { signal, progress } = this.#options;
    let turnAt = performance.now() + TURN_MS;
    let progressAt = this.#began + PROGRESS_MS;
    while (signal?.aborted !== true) {
      this.#now = performance.now();
      if (this.#next >= this.#queue.length && !this.#isAtEnd) await this.#fetch();
      this.#fill();
      this.#datagrams.flush();
      const received = this.#datagrams.receive(this.#take);
      this.#expire();
      if (this.#isAtEnd && this.#next >= this.#queue.length && this.#open.count === 0) break;
      if (this.#isHopeless()) {
        this.#result.ended = 'nobody listens there';
        break;
      }
      if (received === 0) {
        const waited = this.#datagrams.wait(this.#patience());
        if (waited !== undefined) await waited;
      }
      if (this.#now >= turnAt) {
        await turn();
        turnAt = performance.now() + TURN_MS;
      }
      if (progress !== undefined && this.#now >= progressAt) {
        progressAt = this.#now + PROGRESS_MS;
        progress(this.#told());
      }
    }
    if (signal?.aborted === true) this.#result.ended = 'stopped';
    return this.#told();
  }

  async #fetch(): Promise<void> {
    const given = this.#source();
    const queries = given instanceof Promise ? await given : given;
    this.#isAtEnd = queries === null;
    this.#queue = queries ?? [];
    this.#next = 0;
    this.#now = performance.now();
  }

  #fill(): void {
    const { rate } = this.#options;
    const elapsed = this.#now - this.#began;
    // A pace holds on the whole: what a pause held up is made good, within the window.
    let most = Math.min(this.#datagrams.room, this.#window - this.#open.count);
    if (rate !== undefined) most = Math.min(most, Math.floor((elapsed * rate) / 1000) + 1 - this.#result.sent);
    const queue = this.#queue;
    for (; most > 0 && this.#next < queue.length; most--) {
      const query = queue[this.#next];
      if (query.at !== undefined && query.at > elapsed) return;
      this.#next++;
      this.#datagrams.put(query.query, this.#open.add(query, this.#now));
      this.#result.sent++;
    }
  }

  #answer(bytes: Uint8Array, at: number, length: number): void {
    const now = performance.now();
    const id = length < 12 ? -1 : (bytes[at] << 8) | bytes[at + 1];
    const query = id < 0 ? undefined : this.#open.at(id);
    if (query === undefined || !isAnswerTo(query.query, bytes, at, length)) {
      this.#result.unexpected++;
      return;
    }
    const ms = now - this.#open.sentAt(id);
    this.#open.remove(id);
    this.#result.answered++;
    this.#rcodes[bytes[at + 3] & 15]++;
    this.#result.latency.add(Math.round(ms * 1e6));
    this.#sink?.answered(query, bytes.subarray(at, at + length), ms);
  }

  #expire(): void {
    const before = this.#now - this.#timeoutMs;
    for (;;) {
      const id = this.#open.oldest;
      if (id < 0 || this.#open.sentAt(id) > before) return;
      const query = this.#open.at(id);
      this.#open.remove(id);
      this.#result.lost++;
      if (query !== undefined) this.#sink?.lost(query);
    }
  }

  /** Milliseconds to wait when nothing comes. */
  #patience(): number {
    const { rate } = this.#options;
    const next = this.#queue[this.#next];
    const elapsed = performance.now() - this.#began;
    let most = TURN_MS / 2;
    if (next !== undefined && this.#open.count < this.#window) {
      if (next.at !== undefined) most = Math.min(most, next.at - elapsed);
      if (rate !== undefined) most = Math.min(most, (this.#result.sent * 1000) / rate - elapsed);
      if (next.at === undefined && rate === undefined) most = 1;
    }
    return Math.max(0, most);
  }

  #isHopeless(): boolean {
    const { refused } = this.#datagrams;
    if (this.#result.answered > 0 || refused === 0) return false;
    const elapsed = this.#now - this.#began;
    return refused >= HOPELESS || elapsed > (this.#isAtEnd ? HOPELESS_MS : 4 * HOPELESS_MS);
  }

  #told(): LoadResult {
    const result = this.#result;
    result.refused = this.#datagrams.refused;
    result.unsent = this.#datagrams.unsent;
    result.seconds = (performance.now() - this.#began) / 1000;
    for (let code = 0; code < 16; code++) if (this.#rcodes[code] > 0) result.rcodes.set(code, this.#rcodes[code]);
    return result;
  }
}

/** Answers by response code. */
export function rcodeCounts({ rcodes }: LoadResult): Record<string, number> {
  return Object.fromEntries([...rcodes].map(([code, n]) => [rcodeName(code), n]));
}

/** True for a response to this query: QR, opcode and the same question (its letters may differ in case). */
export function isAnswerTo(query: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if ((bytes[at + 2] & 0x80) === 0 || (bytes[at + 2] & 0x78) !== (query[2] & 0x78)) return false;
  if (bytes[at + 4] === 0 && bytes[at + 5] === 0) return (bytes[at + 3] & 15) !== 0;
  let end = 12;
  while (end < query.length && query[end] !== 0) end += query[end] + 1;
  end += 5;
  if (end > query.length || end > length) return false;
  for (let i = 12; i < end; i++) {
    const a = query[i];
    const b = bytes[at + i];
    if (a !== b && (FOLD[a] !== FOLD[b] || i >= end - 4)) return false;
  }
  return true;
}
