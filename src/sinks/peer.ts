import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { form, group, optionalGroup, text, type ValueOf } from '../core/settings.ts';
import type { Chunk, Target } from './target.ts';

/** A receiver on the network or on this machine. */
export type PeerAddress = { kind: 'udp' | 'tcp' | 'tls'; host: string; port: number } | { kind: 'unix'; path: string };

/** Reads `tcp:HOST:PORT`, `unix:/PATH` and the like, of the kinds given. Throws UserError. */
export function readPeer(written: string, kinds: readonly PeerAddress['kind'][]): PeerAddress {
  const [, kind, rest] = /^(udp|tcp|tls|unix):(.+)$/.exec(written) ?? [];
  if (kind === 'unix' && kinds.includes('unix')) return { kind, path: rest };
  const [, six, host, digits] = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s/]+)):(\d{1,5})$/i.exec(rest ?? '') ?? [];
  const port = Number(digits);
  const isKnown = (kind === 'udp' || kind === 'tcp' || kind === 'tls') && kinds.includes(kind);
  if (!isKnown || !(port > 0 && port < 65_536)) throw new UserError(`"${written}" is no receiver.`);
  return { kind, host: six ?? host, port };
}

/** Setting `to`. */
export function peerSetting(kinds: readonly PeerAddress['kind'][], example: string) {
  const forms = kinds.map((kind) => (kind === 'unix' ? 'unix:/PATH' : `${kind}:HOST:PORT`));
  return form('The receiver.', forms.join(', '), (written) => readPeer(written, kinds), { required: true, example });
}

/** Setting `tls` of those that may use it. */
export const TLS_SETTINGS = {
  tls: optionalGroup('How a receiver on TLS is known, and what is shown to it.', {
    authority: text('Authority (PEM) of its certificate, instead of those the system trusts.', {
      example: '/etc/nametap/authority.pem',
    }),
    name: text('Name in its certificate, where it is not the host.', { example: 'logs.example.net' }),
    certificate: text('Own certificate (PEM), for receivers that ask for one.', { example: '/etc/nametap/cert.pem' }),
    key: text('Key of the own certificate (PEM).', { example: '/etc/nametap/key.pem' }),
  }),
} as const;
const tlsGroup = group('', TLS_SETTINGS);
export type PeerTls = ValueOf<typeof tlsGroup>['tls'];

const CONNECT_MS = 10_000;
const FAREWELL_MS = 3000;
/** What was handed to the system last may never reach a receiver that dies: so much, and so young, is sent again. */
const RECENT_BYTES = 1 << 20;
const RECENT_MS = 5000;

/** What is said at the beginning and at the end of a connection. */
export interface PeerProtocol {
  greet?(socket: Socket): Promise<void>;
  farewell?(socket: Socket): Promise<void>;
}

interface Recent {
  chunk: Chunk;
  at: number;
}

/**
 * A stream to a receiver (TCP, TLS, Unix socket), connected with the first chunk and again after every loss. Records keep
 * their order; those sent shortly before a loss are sent again: some may come twice, none is missing within the bounds.
 */
export class StreamPeer implements Target {
  repeated = 0;
  readonly #address: PeerAddress;
  readonly #tls: ReturnType<typeof tlsOptions>;
  readonly #protocol: PeerProtocol;
  readonly #lost: () => void;
  #socket: Socket | undefined;
  #recent: Recent[] = [];
  #recentBytes = 0;
  /** Of a lost connection, being sent again. */
  #owed = 0;

  /** `lost` is told when a connection broke with records that have to be sent again. */
  constructor(address: PeerAddress, options: { tls?: PeerTls; protocol?: PeerProtocol; lost(): void }) {
    this.#address = address;
    this.#tls = tlsOptions(options.tls);
    this.#protocol = options.protocol ?? {};
    this.#lost = options.lost;
  }

  /** What was handed to the system, until it is old enough. */
  get unsure(): number {
    if (this.#socket !== undefined && this.#owed === 0) this.#forget(performance.now() - RECENT_MS);
    return this.#recent.length + this.#owed;
  }

  async send(chunk: Chunk, signal: AbortSignal): Promise<void> {
    if (this.#socket === undefined) {
      // Nothing to say, and nothing owed.
      if (chunk.bytes.length === 0 && this.#recent.length === 0) return;
      await this.#sendAgain(await this.#connect(signal), signal);
    }
    if (chunk.bytes.length > 0 && this.#socket !== undefined) await this.#write(this.#socket, chunk, signal);
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.removeAllListeners('close');
    try {
      await within(this.#protocol.farewell?.(socket) ?? Promise.resolve(), FAREWELL_MS, 'the receiver says nothing');
      socket.end();
      await within(closed(socket), FAREWELL_MS, '');
      // Its end answered ours: it has read everything.
      this.#recent = [];
    } catch {
      // A receiver that does not wait for our last word has everything all the same.
    } finally {
      socket.destroy();
    }
  }

  /** Sends what may not have arrived before the connection was lost. */
  async #sendAgain(socket: Socket, signal: AbortSignal): Promise<void> {
    const owed = this.#recent;
    this.#recent = [];
    this.#recentBytes = 0;
    this.#owed = owed.length;
    for (const [i, { chunk }] of owed.entries()) {
      try {
        await this.#write(socket, chunk, signal);
        this.repeated += chunk.rows;
        this.#owed--;
      } catch (error) {
        // Lost again: what is left is owed as before.
        for (const one of owed.slice(i)) this.#recentBytes += one.chunk.bytes.length;
        this.#recent.push(...owed.slice(i));
        this.#owed = 0;
        throw error;
      }
    }
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const socket = this.#open();
    // Its reasons come with the promise below, with the write that fails, or with `close`.
    socket.on('error', () => {});
    const stop = () => socket.destroy(new Error('there is no more time'));
    signal.addEventListener('abort', stop, { once: true });
    try {
      const event = this.#address.kind === 'tls' ? 'secureConnect' : 'connect';
      const connected = new Promise<void>((resolve, reject) => {
        socket.once(event, () => resolve());
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('the connection was closed')));
      });
      await within(connected, CONNECT_MS, 'no answer');
      socket.removeAllListeners('close');
      await within(this.#protocol.greet?.(socket) ?? Promise.resolve(), CONNECT_MS, 'no answer to the handshake');
    } catch (error) {
      socket.destroy();
      throw new Error(`Cannot reach ${peerText(this.#address)}: ${whyOf(error)}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', stop);
    }
    if (socket.destroyed) throw new Error(`Cannot reach ${peerText(this.#address)}: the connection was closed`);
    // What a receiver says is read, so that its end is seen, and nothing of it is kept.
    socket.resume();
    socket.once('end', () => socket.destroy());
    socket.once('close', () => this.#drop(socket));
    this.#socket = socket;
    return socket;
  }

  #open(): Socket {
    const address = this.#address;
    if (address.kind === 'unix') return connectPlain({ path: address.path });
    const { host, port } = address;
    if (address.kind !== 'tls') return connectPlain({ host, port, keepAlive: true });
    const { name = host, files } = this.#tls;
    return connectTls({
      host,
      port,
      // An address is no server name (RFC 6066 §3); it is compared with the certificate all the same.
      servername: isIP(name) === 0 ? name : '',
      minVersion: 'TLSv1.2',
      ...files,
    });
  }

  #write(socket: Socket, chunk: Chunk, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => socket.destroy(new Error('there is no more time'));
      signal.addEventListener('abort', stop, { once: true });
      socket.write(chunk.bytes, (error) => {
        signal.removeEventListener('abort', stop);
        if (error)
          reject(new Error(`The connection to ${peerText(this.#address)} broke: ${whyOf(error)}`, { cause: error }));
        else {
          this.#remember(chunk);
          resolve();
        }
      });
    });
  }

  #remember(chunk: Chunk): void {
    const now = performance.now();
    this.#recent.push({ chunk, at: now });
    this.#recentBytes += chunk.bytes.length;
    this.#forget(now - RECENT_MS);
  }

  /** Forgets what is older, or more than is kept. */
  #forget(before: number): void {
    while (this.#recent.length > 0 && (this.#recent[0].at < before || this.#recentBytes > RECENT_BYTES)) {
      this.#recentBytes -= this.#recent[0].chunk.bytes.length;
      this.#recent.shift();
    }
  }

  /** A connection is gone. */
  #drop(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#forget(performance.now() - RECENT_MS);
    if (this.#recent.length > 0) this.#lost();
  }
}

/** A receiver as it is written in the configuration. */
export function peerText(address: PeerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { kind, host, port } = address;
  return `${kind}:${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Files are read at the start: later there may be no right to. */
export function tlsOptions(tls: PeerTls): { name?: string; files: { ca?: Buffer; cert?: Buffer; key?: Buffer } } {
  const { authority, certificate, key, name } = tls ?? {};
  return {
    ...(name !== undefined && { name }),
    files: {
      ...(authority !== undefined && { ca: pem(authority) }),
      ...(certificate !== undefined && { cert: pem(certificate) }),
      ...(key !== undefined && { key: pem(key) }),
    },
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path} for TLS: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the receiver closed it',
  EPIPE: 'the receiver closed it',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'the name has no address',
  ETIMEDOUT: 'no answer',
};

/** Why a receiver cannot be reached, in words that follow `Cannot reach RECEIVER: `. */
export function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '' }: NodeJS.ErrnoException = error;
  return WHY[code] ?? error.message;
}

/** Rejects where it was no end that both sides wanted. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('close', (isBroken) => {
      if (isBroken) reject(new Error('the connection broke'));
      else resolve();
    });
  });
}

/** Rejects with `message` when a promise takes longer. */
async function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
