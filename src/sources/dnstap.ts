import { readFileSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { Carrier } from '../core/carrier.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Damage } from '../core/frames.ts';
import type { MessageSource } from '../core/messages.ts';
import { BrokenInput, type ByteInput, Peeked } from './byte-input.ts';
import { openBytes } from './bytes.ts';
import { uncompressed } from './compressed.ts';
import { DnstapDecoder } from './dnstap-message.ts';
import {
  ACCEPT,
  BROKEN,
  CONTROL,
  controlFrame,
  DATA,
  DNSTAP_CONTENT_TYPE,
  FINISH,
  FrameStreams,
  NOTHING,
  READY,
  START,
  STOP,
} from '../wire/frame-streams.ts';

/** Where dnstap comes from, as plain data. */
export type DnstapInput =
  /** A Frame Streams file, plain or compressed; `-` is standard input. */
  | { kind: 'file'; path: string }
  /** A Unix socket to listen on. */
  | { kind: 'unix'; path: string }
  /** A TCP port to listen on, with TLS when certificate and key (PEM files) are given. */
  | { kind: 'tcp'; host?: string; port: number; tls?: TlsFiles };

export interface TlsFiles {
  certificate: string;
  key: string;
  /** Senders must show a certificate of this authority. */
  clientAuthority?: string;
}

/** Most senders connected at once. */
const MAX_CONNECTIONS = 256;
/** A sender that has not begun its stream after so long is cut off: it would keep its place for nothing. */
const START_MS = 10_000;

/**
 * Opens a dnstap source. A file is read once; a listener takes any number of senders, one-way or with the handshake.
 * Throws UserError: exit code 3 for a file, 2 for an address that cannot be listened on.
 */
export async function openDnstap(input: DnstapInput, startMs = START_MS): Promise<MessageSource> {
  if (input.kind === 'file') return new DnstapFile(input.path, await openBytes(input.path));
  return DnstapListener.open(input, startMs);
}

/** One stream of frames, from a file or a sender: follows its handshake and decodes its data frames. */
class DnstapStream {
  readonly frames = new FrameStreams();
  /** True between START and STOP. */
  isOpen = false;
  /** True after FINISH was due: nothing more is expected. */
  isOver = false;
  reason = '';
  /** True when the sender began with the handshake: it waits for answers. */
  #twoWay = false;
  readonly #decoder: DnstapDecoder;
  readonly #answer: (bytes: Uint8Array) => void;

  constructor(decoder: DnstapDecoder, answer: (bytes: Uint8Array) => void) {
    this.#decoder = decoder;
    this.#answer = answer;
  }

  /** Takes bytes of the stream; false when it is broken, with `reason`. */
  push(bytes: Uint8Array): boolean {
    this.frames.push(bytes);
    for (;;) {
      const found = this.frames.next();
      if (found === NOTHING) return true;
      if (found === BROKEN) this.reason = this.frames.reason;
      else if (found === CONTROL) this.#control();
      else if (found === DATA && this.isOpen) {
        this.#decoder.decode(this.frames.bytes, this.frames.at, this.frames.length);
      } else this.reason = 'data comes before the start frame';
      if (this.reason !== '') return false;
    }
  }

  #control(): void {
    const { control } = this.frames;
    if (control === READY && (this.#twoWay || this.isOpen)) this.reason = 'a ready frame comes twice or too late';
    else if (control === STOP && !this.isOpen) this.reason = 'a stop frame comes before the start frame';
    else if (control === READY || control === START) {
      if (!this.frames.accepts(DNSTAP_CONTENT_TYPE))
        this.reason = `the stream holds something else than ${DNSTAP_CONTENT_TYPE}`;
      else if (control === START) this.isOpen = true;
      else {
        this.#twoWay = true;
        this.#answer(controlFrame(ACCEPT, DNSTAP_CONTENT_TYPE));
      }
    } else if (control === STOP) {
      this.isOpen = false;
      this.isOver = true;
      if (this.#twoWay) this.#answer(controlFrame(FINISH));
    }
  }

  /** What is missing when the bytes end here; empty when nothing is. */
  missing(): string {
    if (!this.frames.isEmpty) return 'the stream ends within a frame';
    return this.isOver && !this.isOpen ? '' : 'the stream ends without a stop frame';
  }
}

class DnstapFile implements MessageSource {
  readonly live = false;
  readonly refused = 0;
  readonly damage: Damage[] = [];
  readonly #path: string;
  #input: ByteInput;
  #decoder: DnstapDecoder | undefined;

  constructor(path: string, input: ByteInput) {
    this.#path = path;
    this.#input = input;
  }

  get unreadable(): number {
    return this.#decoder?.unreadable ?? 0;
  }

  async messages(
    signal: AbortSignal,
    deliver: (carrier: Carrier) => void,
    ready?: () => Promise<void> | undefined,
  ): Promise<void> {
    const decoder = new DnstapDecoder(deliver);
    this.#decoder = decoder;
    const stream = new DnstapStream(decoder, () => {});
    const close = () => this.#input.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const buffer = new Uint8Array(256 * 1024);
      await this.#look(buffer);
      while (!signal.aborted) {
        const count = await this.#input.read(buffer);
        if (count === 0) break;
        if (count > 0 && !stream.push(buffer.subarray(0, count))) break;
        await (ready?.() ?? setImmediate());
      }
      const reason = stream.reason || stream.missing();
      if (reason !== '' && !signal.aborted) this.#damaged(stream, reason);
    } catch (error) {
      if (!(error instanceof BrokenInput)) throw error;
      this.#damaged(stream, error.message);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Looks for compression, and for what every stream begins with: an escape. */
  async #look(buffer: Uint8Array): Promise<void> {
    for (let isPlain = false; !isPlain; ) {
      let count = 0;
      while (count < 12) {
        const got = await this.#input.read(buffer.subarray(count, 12));
        if (got === 0) break;
        count += Math.max(0, got);
      }
      const head = buffer.slice(0, count);
      const inner = count < 4 ? undefined : uncompressed(this.#input, head);
      isPlain = inner === undefined;
      this.#input = inner ?? new Peeked(this.#input, head);
      if (isPlain && count >= 4 && head.subarray(0, 4).some((octet) => octet !== 0)) {
        throw new UserError(`${this.#path} is no dnstap file: it does not begin as Frame Streams do.`, EXIT.file);
      }
    }
  }

  #damaged(stream: DnstapStream, reason: string): void {
    this.damage.push({ file: this.#path, offset: stream.frames.offset, reason });
  }
}

class DnstapListener implements MessageSource {
  readonly live = true;
  refused = 0;
  readonly damage: Damage[] = [];
  readonly #startMs: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #socketPath: string | undefined;
  /** Senders that came before somebody asked for messages. */
  #early: Socket[] = [];
  #decoder: DnstapDecoder | undefined;

  private constructor(
    server: Server,
    { socketPath, event, startMs }: { socketPath?: string; event: 'connection' | 'secureConnection'; startMs: number },
  ) {
    this.#server = server;
    this.#socketPath = socketPath;
    this.#startMs = startMs;
    server.on('drop', () => this.refused++);
    // All of them, also those that never finish a TLS handshake: the end of the run waits for none.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on(event, (socket: Socket) => {
      if (this.#decoder === undefined) this.#early.push(socket.pause());
      else this.#take(socket, this.#decoder);
    });
  }

  static async open(input: Exclude<DnstapInput, { kind: 'file' }>, startMs: number): Promise<DnstapListener> {
    const socketPath = input.kind === 'unix' ? input.path : undefined;
    if (socketPath !== undefined) await removeStaleSocket(socketPath);
    const tls = input.kind === 'tcp' ? input.tls : undefined;
    const server =
      tls === undefined ? createServer() : createTlsServer({ ...tlsOptions(tls), handshakeTimeout: startMs });
    server.maxConnections = MAX_CONNECTIONS;
    const listener = new DnstapListener(server, {
      event: tls === undefined ? 'connection' : 'secureConnection',
      startMs,
      ...(socketPath !== undefined && { socketPath }),
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const where = input.kind === 'unix' ? input.path : `${input.host ?? '*'} port ${input.port}`;
        reject(
          new UserError(`Cannot listen for dnstap on ${where}: ${error.message}.`, EXIT.interface, { cause: error }),
        );
      });
      if (input.kind === 'unix') server.listen(input.path, resolve);
      else server.listen(input.port, input.host, resolve);
    });
    return listener;
  }

  get unreadable(): number {
    return this.#decoder?.unreadable ?? 0;
  }

  /** The TCP port in use (that of port 0 is chosen by the system). */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async messages(signal: AbortSignal, deliver: (carrier: Carrier) => void): Promise<void> {
    const decoder = new DnstapDecoder(deliver);
    this.#decoder = decoder;
    for (const socket of this.#early) this.#take(socket, decoder);
    this.#early = [];
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
    if (this.#socketPath !== undefined) unlinkIfThere(this.#socketPath);
  }

  #take(socket: Socket, decoder: DnstapDecoder): void {
    const name = socket.remoteAddress ?? 'a sender on the socket';
    const stream = new DnstapStream(decoder, (bytes) => socket.write(bytes));
    const late = setTimeout(() => {
      this.refused++;
      socket.destroy();
    }, this.#startMs);
    socket.on('close', () => clearTimeout(late));
    socket.on('data', (bytes) => {
      const isSound = stream.push(bytes);
      if (stream.isOpen || stream.isOver) clearTimeout(late);
      if (!isSound) {
        this.#damaged(name, stream, stream.reason);
        socket.destroy();
      } else if (stream.isOver) socket.end();
    });
    socket.on('end', () => {
      // A sender that is killed leaves its stream open: only a frame that was cut is a loss.
      if (!stream.frames.isEmpty) this.#damaged(name, stream, stream.missing());
    });
    socket.on('error', (error) => {
      // A sender that does not wait for our last word has still sent everything.
      if (!stream.isOver) this.#damaged(name, stream, error.message);
    });
    socket.resume();
  }

  #damaged(file: string, stream: DnstapStream, reason: string): void {
    // Bounded: a sender that keeps breaking must not fill the memory.
    if (this.damage.length < 1000) this.damage.push({ file, offset: stream.frames.offset, reason });
  }
}

function tlsOptions(files: TlsFiles): { cert: Buffer; key: Buffer; ca?: Buffer; requestCert: boolean } {
  const read = (path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new UserError(`Cannot read ${path} for TLS: ${reasonOf(error)}.`, EXIT.interface, {
        cause: error,
      });
    }
  };
  return {
    cert: read(files.certificate),
    key: read(files.key),
    ...(files.clientAuthority === undefined ? {} : { ca: read(files.clientAuthority) }),
    requestCert: files.clientAuthority !== undefined,
  };
}

/** Removes a socket file that nobody listens on any more, as after a kill; leaves everything else. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const inUse = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
  if (inUse) throw new UserError(`Another program listens on ${path} already.`, EXIT.interface);
  unlinkIfThere(path);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
