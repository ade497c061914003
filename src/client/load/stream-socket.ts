import type { Duplex } from 'node:stream';
import { UserError } from '../../core/errors.ts';
import { type Outcome, sentenceOf, newAttempt, nothingDiscarded } from '../outcome.ts';
import type { Server } from '../server.ts';
import { type Opened, openSocket, type TlsOptions } from '../stream.ts';
import type { Datagrams, TakeDatagram } from './datagrams.ts';

/** Connections that share the queries. */
const CONNECTIONS = 4;
/** Messages put between two flushes, and bytes that may wait to be sent. */
const BATCH = 64;
const MOST_UNSENT = 1 << 20;
const CONNECT_MS = 5000;
/** One that was closed is opened again after so long. */
const REOPEN_MS = 20;
/** A connection that cannot be opened again is tried so often. */
const PAUSE_MS = 200;

export interface StreamForm {
  transport: 'tcp' | 'tls';
  tls?: TlsOptions | undefined;
}

/**
 * Messages over a few TCP or TLS connections (RFC 7766: many queries under way on each). One that the server closes is opened
 * again; what was under way on it is lost. Throws `UserError` when the first cannot be opened.
 */
export async function openStreams(server: Server, form: StreamForm): Promise<Datagrams> {
  const open = async (): Promise<Opened> => {
    const tls = form.transport === 'tls' ? (form.tls ?? {}) : undefined;
    return openSocket({ server, tls, timeoutMs: CONNECT_MS }, tls === undefined ? [] : ['dot']);
  };
  const first = await open();
  if (first.socket === null) throw new UserError(sentence(server, form, first), 2);
  const streams = new StreamSockets(open);
  streams.take(first.socket);
  for (let i = 1; i < CONNECTIONS; i++) void streams.more();
  return streams;
}

function sentence(server: Server, { transport }: StreamForm, { outcome, reason, connectMs }: Opened): string {
  const attempt = { ...newAttempt(transport, server, new Uint8Array(0)), outcome, ms: connectMs };
  return sentenceOf([reason === undefined ? attempt : { ...attempt, reason }], outcome, nothingDiscarded());
}

/** Outcomes that say that nobody is there. */
const REFUSALS: ReadonlySet<Outcome> = new Set(['refused', 'unreachable', 'timeout']);

interface Connection {
  socket: Duplex;
  out: Uint8Array[];
  /** What has come and is not a whole message yet. */
  chunks: Uint8Array[];
  held: number;
}

class StreamSockets implements Datagrams {
  refused = 0;
  unsent = 0;
  reason = '';
  readonly port = 0;
  readonly #openOne: () => Promise<Opened>;
  readonly #connections: Connection[] = [];
  #turn = 0;
  #count = 0;
  #isClosed = false;
  #hasData = false;
  #wake: (() => void) | undefined;

  constructor(open: () => Promise<Opened>) {
    this.#openOne = open;
  }

  get room(): number {
    const isReady = this.#connections.some(({ socket }) => socket.writableLength < MOST_UNSENT);
    return isReady ? BATCH - this.#count : 0;
  }

  /** Takes a connection that stands. */
  take(socket: Duplex): void {
    const connection: Connection = { socket, out: [], chunks: [], held: 0 };
    this.#connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Uint8Array) => {
      connection.chunks.push(chunk);
      connection.held += chunk.length;
      this.#hasData = true;
      this.#wake?.();
    });
    const ended = (): void => {
      const at = this.#connections.indexOf(connection);
      if (at < 0) return;
      this.#connections.splice(at, 1);
      this.#count -= connection.out.length;
      socket.destroy();
      // Not at once: a server that ends each connection would make a storm of them.
      setTimeout(() => void this.more(), REOPEN_MS).unref();
    };
    socket.once('end', ended).once('close', ended);
    this.#wake?.();
  }

  /** Opens one more, again and again until it stands. */
  async more(): Promise<void> {
    if (this.#isClosed) return;
    const { socket, outcome, reason } = await this.#openOne();
    if (socket !== null && !this.#isClosed) this.take(socket);
    else if (socket !== null) socket.destroy();
    else {
      this.reason = reason ?? outcome;
      if (REFUSALS.has(outcome)) this.refused++;
      setTimeout(() => void this.more(), PAUSE_MS).unref();
    }
  }

  put(message: Uint8Array, id: number): void {
    const ready = this.#connections.filter(({ socket }) => socket.writableLength < MOST_UNSENT);
    const connection = ready[this.#turn++ % Math.max(1, ready.length)];
    const framed = new Uint8Array(message.length + 2);
    framed[0] = message.length >>> 8;
    framed[1] = message.length;
    framed.set(message, 2);
    framed[2] = id >>> 8;
    framed[3] = id;
    connection.out.push(framed);
    this.#count++;
  }

  flush(): void {
    for (const connection of this.#connections) {
      if (connection.out.length === 0) continue;
      connection.socket.write(Buffer.concat(connection.out));
      connection.out = [];
    }
    this.#count = 0;
  }

  receive(take: TakeDatagram): number {
    this.#hasData = false;
    let count = 0;
    for (const connection of this.#connections) count += messagesOf(connection, take);
    return count;
  }

  async wait(ms: number): Promise<void> {
    if (this.#hasData) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  close(): void {
    this.#isClosed = true;
    for (const { socket } of this.#connections.splice(0)) socket.destroy();
  }
}

/** Hands out the messages that are whole; how many. One without a length ends its connection. */
function messagesOf(connection: Connection, take: TakeDatagram): number {
  if (connection.held < 2) return 0;
  const all = connection.chunks.length === 1 ? connection.chunks[0] : Buffer.concat(connection.chunks);
  let at = 0;
  let count = 0;
  while (at + 2 <= all.length) {
    const length = (all[at] << 8) | all[at + 1];
    if (length === 0) {
      connection.socket.destroy();
      at = all.length;
      break;
    }
    if (at + 2 + length > all.length) break;
    take(all, at + 2, length);
    at += 2 + length;
    count++;
  }
  const rest = all.subarray(at);
  connection.chunks = rest.length === 0 ? [] : [rest];
  connection.held = rest.length;
  return count;
}
