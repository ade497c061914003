import { connect as connectTcp, isIPv6, type Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Deadline } from './deadline.ts';
import type { QueryFit } from './fit.ts';
import { networkOutcome, tlsOutcome } from './network-error.ts';
import type { Discarded, Outcome } from './outcome.ts';
import { noteOwnSocket } from './own-traffic.ts';
import type { Server } from './server.ts';
import { dialAddress, type Dial } from './udp.ts';

/** How a stream to a server is opened. */
export interface OpenOptions {
  server: Server;
  /** TLS above TCP; absent: plain. */
  tls?: TlsOptions | undefined;
  source?: { address?: string; port?: number } | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  dial?: Dial | undefined;
}

export interface TlsOptions {
  /** False takes any certificate (RFC 7858's opportunistic privacy). */
  verify?: boolean;
  /** Authorities to trust instead of the system's, PEM. */
  ca?: string | Buffer;
  /** SHA-256 of the server's public key (SPKI) in base64: nothing else is trusted (RFC 7858 §4.2). */
  pin?: string;
}

export interface Opened {
  socket: Duplex | null;
  outcome: Outcome;
  reason?: string;
  connectMs: number;
  tlsMs?: number;
  local?: { address: string; port: number };
}

/** Opens a connection; never throws for what the network does. */
export async function openSocket(options: OpenOptions, alpn: readonly string[]): Promise<Opened> {
  const began = performance.now();
  const deadline = AbortSignal.timeout(Math.max(1, Math.ceil(options.timeoutMs)));
  let socket: Duplex;
  let isRaw = true;
  try {
    if (options.dial === undefined) socket = tcpSocket(options);
    else {
      socket = (await options.dial('tcp', dialAddress(options.server))) as Duplex;
      isRaw = (socket as TcpSocket).connecting === true;
    }
  } catch (error) {
    return { socket: null, connectMs: performance.now() - began, ...networkOutcome(error) };
  }
  const refused = isRaw ? await happens(socket, 'connect', deadline, options.signal, connectOutcome) : null;
  const connectMs = performance.now() - began;
  if (refused !== null) return { socket: null, connectMs, ...refused };
  const local = noted(socket);
  if (options.tls === undefined) {
    return { socket, outcome: 'answered', connectMs, ...local };
  }
  const { connectSecurely, isOtherKey } = await import('./tls.ts');
  const secured = connectSecurely(socket, options.server, options.tls, alpn);
  let failed = await happens(secured, 'secureConnect', deadline, options.signal, tlsOutcome);
  const { pin } = options.tls;
  if (failed === null && pin !== undefined && isOtherKey(secured, pin)) {
    failed = { outcome: 'certificate', reason: 'its key is not the pinned one' };
  }
  const tlsMs = performance.now() - began - connectMs;
  if (failed !== null) {
    socket.destroy();
    return { socket: null, connectMs, tlsMs, ...failed };
  }
  return { socket: secured, outcome: 'answered', connectMs, tlsMs, ...local };
}

function tcpSocket({ server, source }: OpenOptions): TcpSocket {
  const socket = connectTcp({
    host: server.address,
    port: server.port,
    family: isIPv6(server.address) ? 6 : 4,
    autoSelectFamily: false,
    noDelay: true,
    ...(source?.address !== undefined && { localAddress: source.address }),
    ...(source?.port !== undefined && { localPort: source.port }),
  });
  return socket;
}

/** A reset while connecting is a refusal. */
function connectOutcome(error: unknown): { outcome: Outcome; reason: string } {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' ? { outcome: 'refused', reason: 'it reset the connection' } : networkOutcome(error);
}

/** Waits for an event; null when it came, else how the wait ended (the socket is gone then). */
function happens(
  socket: Duplex,
  event: string,
  deadline: AbortSignal,
  signal: AbortSignal | undefined,
  outcomeOf: (error: unknown) => { outcome: Outcome; reason: string },
): Promise<{ outcome: Outcome; reason?: string } | null> {
  return new Promise((resolve) => {
    const done = (result: { outcome: Outcome; reason?: string } | null) => {
      socket.off(event, good).off('error', bad).off('close', closed);
      deadline.removeEventListener('abort', late);
      signal?.removeEventListener('abort', aborted);
      // Whoever goes on with the socket listens too; until then an error must not end the program.
      socket.on('error', () => undefined);
      if (result !== null) socket.destroy();
      resolve(result);
    };
    const good = () => done(null);
    const bad = (error: Error) => done(outcomeOf(error));
    const closed = () => done({ outcome: 'closed' });
    const late = () => done({ outcome: 'timeout' });
    const aborted = () => done({ outcome: 'aborted' });
    socket.on(event, good).on('error', bad).on('close', closed);
    deadline.addEventListener('abort', late);
    signal?.addEventListener('abort', aborted);
    if (deadline.aborted) late();
    else if (signal?.aborted === true) aborted();
  });
}

function noted(socket: Duplex): { local?: { address: string; port: number } } {
  const { localAddress: address, localPort: port } = socket as TcpSocket;
  if (address === undefined || port === undefined) return {};
  socket.once('close', noteOwnSocket('tcp', address, port));
  return { local: { address, port } };
}

/** What one query on a stream got. */
export interface StreamReply {
  outcome: Outcome;
  reason?: string;
  bytes: Uint8Array | null;
  bytesIn: number;
}

interface Waiter {
  fit: QueryFit;
  discarded: Discarded;
  /** Takes a message that fits; true when it was the last one. */
  take(bytes: Uint8Array): boolean;
  end(outcome: Outcome, reason?: string): void;
  messages: number;
}

/** Most queries under way on one stream. */
const MOST_WAITING = 1024;
/** Messages in a row that answer nothing: late answers, or a server that sends what nobody asked for. */
const MOST_STRANGERS = 1000;

/**
 * Messages with their lengths on a stream (RFC 1035 §4.2.2), many queries under way at once, answers in any order
 * (RFC 7766 §6.2). At most one incomplete message is held.
 */
export class MessageStream {
  readonly #socket: Duplex;
  readonly #waiting = new Map<number, Waiter>();
  #chunks: Uint8Array[] = [];
  #held = 0;
  #ended: { outcome: Outcome; reason?: string } | undefined;
  #isRetired = false;
  #strangers = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Uint8Array) => this.#data(chunk));
    socket.on('error', (error) => this.#end(closedOutcome(error)));
    socket.on('end', () => this.#end({ outcome: 'closed' }));
    socket.on('close', () => this.#end({ outcome: 'closed' }));
  }

  /** False when it has ended, or as many queries are under way as may be. */
  get isUsable(): boolean {
    return this.#ended === undefined && !this.#isRetired && this.#waiting.size < MOST_WAITING;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  /** Bytes of a message that is not complete yet. */
  get held(): number {
    return this.#held;
  }
  /** Sends a query and waits for its one answer. */
  ask(
    query: Uint8Array,
    fit: QueryFit,
    discarded: Discarded,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<StreamReply> {
    return new Promise((resolve) => {
      const stop = this.open(query, fit, discarded, {
        take: (bytes) => {
          done({ outcome: 'answered', bytes, bytesIn: bytes.length });
          return true;
        },
        end: (outcome, reason) => {
          done({ outcome, ...(reason !== undefined && { reason }), bytes: null, bytesIn: this.#held });
        },
      });
      const timer = new Deadline(timeoutMs, () => stop(this.#silence(discarded)));
      const aborted = () => stop('aborted');
      signal?.addEventListener('abort', aborted, { once: true });
      const done = (reply: StreamReply) => {
        timer.clear();
        signal?.removeEventListener('abort', aborted);
        resolve(reply);
      };
      if (this.#ended !== undefined) stop(this.#ended.outcome, this.#ended.reason);
    });
  }

  /**
   * Sends a query and hands every message that answers it to `take` until that says true; `end` is called when there
   * will be none. The result gives up waiting.
   */
  open(
    query: Uint8Array,
    fit: QueryFit,
    discarded: Discarded,
    { take, end }: Pick<Waiter, 'take' | 'end'>,
  ): (outcome: Outcome, reason?: string) => void {
    const { id } = fit;
    if (this.#waiting.has(id)) {
      // Two of one id could not be told apart; whoever shares a stream sees to it that there are none.
      queueMicrotask(() => end('not_sent', 'its id is in use on this connection'));
      return () => undefined;
    }
    this.#waiting.set(id, { fit, discarded, take, end, messages: 0 });
    const framed = new Uint8Array(query.length + 2);
    framed[0] = query.length >>> 8;
    framed[1] = query.length;
    framed.set(query, 2);
    if (this.#ended === undefined) this.#socket.write(framed);
    return (outcome, reason) => {
      if (this.#waiting.delete(id)) end(outcome, reason);
    };
  }

  /** Takes no more queries: whoever did not answer on it may be gone. */
  retire(): void {
    this.#isRetired = true;
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  close(): void {
    this.#socket.destroy();
  }
  /** Does not keep the program running while nothing is asked. */
  idle(isIdle: boolean): void {
    const socket = this.#socket as TcpSocket;
    if (isIdle) socket.unref?.();
    else socket.ref?.();
  }

  #silence({ wrongId, wrongQuestion, garbage }: Discarded): Outcome {
    if (this.#held > 0) return 'slow';
    if (wrongId > 0) return 'wrong_id';
    if (wrongQuestion > 0) return 'wrong_question';
    return garbage > 0 ? 'garbage' : 'timeout';
  }

  #end(how: { outcome: Outcome; reason?: string }): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    const waiters = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { end } of waiters) end(how.outcome, how.reason);
    this.#socket.destroy();
  }

  #data(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    // A length that has not all come yet, or a message: nothing is joined before it is whole.
    while (this.#held >= 2) {
      const length = this.#peekLength();
      if (length === 0) {
        for (const { discarded } of this.#waiting.values()) discarded.garbage++;
        return this.#end({ outcome: 'garbage', reason: 'a message of no length' });
      }
      if (this.#held < length + 2) return;
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      const rest = all.subarray(length + 2);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
      this.#message(all.subarray(2, length + 2));
    }
  }

  #peekLength(): number {
    const [first, second] = this.#chunks;
    return first.length >= 2 ? (first[0] << 8) | first[1] : (first[0] << 8) | second[0];
  }

  #message(bytes: Uint8Array): void {
    const id = bytes.length < 2 ? -1 : (bytes[0] << 8) | bytes[1];
    const waiter = this.#waiting.get(id);
    if (waiter === undefined) {
      if (++this.#strangers > MOST_STRANGERS)
        return this.#end({ outcome: 'wrong_id', reason: `${MOST_STRANGERS} messages in a row that nobody asked for` });
      for (const { discarded } of this.#waiting.values()) {
        if (bytes.length < 12) discarded.garbage++;
        else discarded.wrongId++;
      }
      return;
    }
    const judged = waiter.fit.judge(bytes, waiter.messages > 0);
    if (judged === 'fits') {
      this.#strangers = 0;
      waiter.messages++;
      if (waiter.take(bytes)) this.#waiting.delete(id);
    } else if (judged === 'malformed') {
      this.#waiting.delete(id);
      waiter.end('garbage', waiter.fit.faultText);
    } else waiter.discarded[judged]++;
  }
}

function closedOutcome(error: unknown): { outcome: Outcome; reason?: string } {
  const { outcome, reason } = networkOutcome(error);
  return outcome === 'not_sent' ? { outcome: 'closed', reason } : { outcome, reason };
}
