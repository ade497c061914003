import { readFileSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Carrier } from '../core/carrier.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Damage } from '../core/frames.ts';
import type { MessageSource } from '../core/messages.ts';

/** Where senders come to. */
export type ListenInput =
  | { kind: 'unix'; path: string }
  /** A TCP port, with TLS when certificate and key (PEM files) are given. */
  | { kind: 'tcp'; host?: string; port: number; tls?: TlsFiles };

export interface TlsFiles {
  certificate: string;
  key: string;
  /** Senders must show a certificate of this authority. */
  clientAuthority?: string;
}

/** What senders speak. */
export interface SenderProtocol {
  /** For people. */
  readonly name: string;
  begin(deliver: (carrier: Carrier) => void): Decoding;
}

/** Turns the streams of all senders into messages. */
export interface Decoding {
  /** Payloads that could not be read. */
  readonly unreadable: number;
  stream(answer: (bytes: Uint8Array) => void): SenderStream;
}

/** What one sender sends. */
export interface SenderStream {
  /** Takes bytes; false when the stream is broken, with `reason`. */
  push(bytes: Uint8Array): boolean;
  readonly reason: string;
  /** The sender has begun: it may keep its place. */
  readonly hasBegun: boolean;
  /** It said that nothing more comes. */
  readonly isOver: boolean;
  /** The bytes so far end with a whole payload. */
  readonly isWhole: boolean;
  /** Bytes of whole payloads. */
  readonly offset: number;
  /** What is missing when the bytes end here; empty when nothing is. */
  missing(): string;
}

/** Most senders connected at once. */
const MAX_CONNECTIONS = 256;
/** A sender that has not begun its stream after so long is cut off: it would keep its place for nothing. */
const START_MS = 10_000;

/** Listens for any number of senders of messages. */
export class MessageListener implements MessageSource {
  readonly live = true;
  refused = 0;
  readonly damage: Damage[] = [];
  readonly #startMs: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #socketPath: string | undefined;
  /** Senders that came before somebody asked for messages. */
  #early: Socket[] = [];
  readonly #protocol: SenderProtocol;
  #decoding: Decoding | undefined;

  private constructor(
    server: Server,
    protocol: SenderProtocol,
    { socketPath, event, startMs }: { socketPath?: string; event: 'connection' | 'secureConnection'; startMs: number },
  ) {
    this.#server = server;
    this.#protocol = protocol;
    this.#socketPath = socketPath;
    this.#startMs = startMs;
    server.on('drop', () => this.refused++);
    // All of them, also those that never finish a TLS handshake: the end of the run waits for none.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on(event, (socket: Socket) => {
      if (this.#decoding === undefined) this.#early.push(socket.pause());
      else this.#take(socket, this.#decoding);
    });
  }

  /** Throws UserError (exit code 2) for an address that cannot be listened on. */
  static async open(
    input: ListenInput,
    protocol: SenderProtocol,
    startMs: number = START_MS,
  ): Promise<MessageListener> {
    const socketPath = input.kind === 'unix' ? input.path : undefined;
    if (socketPath !== undefined) await removeStaleSocket(socketPath);
    const tls = input.kind === 'tcp' ? input.tls : undefined;
    const server =
      tls === undefined ? createServer() : createTlsServer({ ...tlsOptions(tls), handshakeTimeout: startMs });
    server.maxConnections = MAX_CONNECTIONS;
    const listener = new MessageListener(server, protocol, {
      event: tls === undefined ? 'connection' : 'secureConnection',
      startMs,
      ...(socketPath !== undefined && { socketPath }),
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const where = input.kind === 'unix' ? input.path : `${input.host ?? '*'} port ${input.port}`;
        reject(
          new UserError(`Cannot listen for ${protocol.name} on ${where}: ${error.message}.`, EXIT.interface, {
            cause: error,
          }),
        );
      });
      if (input.kind === 'unix') server.listen(input.path, resolve);
      else server.listen(input.port, input.host, resolve);
    });
    return listener;
  }

  get unreadable(): number {
    return this.#decoding?.unreadable ?? 0;
  }

  /** The TCP port in use (that of port 0 is chosen by the system). */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async messages(signal: AbortSignal, deliver: (carrier: Carrier) => void): Promise<void> {
    const decoding = this.#protocol.begin(deliver);
    this.#decoding = decoding;
    for (const socket of this.#early) this.#take(socket, decoding);
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

  #take(socket: Socket, decoding: Decoding): void {
    const name = socket.remoteAddress ?? 'a sender on the socket';
    const stream = decoding.stream((bytes) => socket.write(bytes));
    const late = setTimeout(() => {
      this.refused++;
      socket.destroy();
    }, this.#startMs);
    if (stream.hasBegun) clearTimeout(late);
    socket.on('close', () => clearTimeout(late));
    socket.on('data', (bytes) => {
      const isSound = stream.push(bytes);
      if (stream.hasBegun) clearTimeout(late);
      if (!isSound) {
        this.#damaged(name, stream, stream.reason);
        socket.destroy();
      } else if (stream.isOver) socket.end();
    });
    socket.on('end', () => {
      // A sender that is killed leaves its stream open: only a frame that was cut is a loss.
      if (!stream.isWhole) this.#damaged(name, stream, stream.missing());
    });
    socket.on('error', (error) => {
      // A sender that does not wait for our last word has still sent everything.
      if (!stream.isOver) this.#damaged(name, stream, error.message);
    });
    socket.resume();
  }

  #damaged(file: string, stream: SenderStream, reason: string): void {
    // Bounded: a sender that keeps breaking must not fill the memory.
    if (this.damage.length < 1000) this.damage.push({ file, offset: stream.offset, reason });
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
