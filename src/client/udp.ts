import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { Deadline } from './deadline.ts';
import type { QueryFit } from './fit.ts';
import { networkOutcome } from './network-error.ts';
import { type Attempt, type Discarded, newAttempt, type Outcome } from './outcome.ts';
import { noteOwnSocket } from './own-traffic.ts';
import type { Server } from './server.ts';

/** One attempt to be made. */
export interface Trial {
  server: Server;
  query: Uint8Array;
  fit: QueryFit;
  timeoutMs: number;
  /** Address to ask from, and its port; any unless told. */
  source?: { address?: string; port?: number } | undefined;
  signal?: AbortSignal | undefined;
  /** Messages passed over are counted here. */
  discarded: Discarded;
  dial?: Dial | undefined;
}

/** The way of a caller's own to a server (`host:port`): a connected datagram socket, or a stream. */
export type Dial = (network: 'udp' | 'tcp', address: string) => Promise<Socket | Duplex>;

export interface Tried {
  attempt: Attempt;
  /** The answer; null without one. */
  bytes: Uint8Array | null;
}

/** An address has to be looked up nowhere. */
const asItIs = (address: string, _: unknown, done: (error: null, address: string, family: number) => void): void =>
  done(null, address, isIPv6(address) ? 6 : 4);

/** Asks once over UDP, from a connected socket of its own: the system passes only what comes from the server. */
export async function askByUdp(trial: Trial): Promise<Tried> {
  const { server, query, signal, dial } = trial;
  const attempt = newAttempt('udp', server, query);
  if (signal?.aborted === true) return { attempt: { ...attempt, outcome: 'aborted' }, bytes: null };
  let socket: Socket;
  try {
    socket = dial === undefined ? ownSocket(trial) : ((await dial('udp', dialAddress(server))) as Socket);
  } catch (error) {
    return { attempt: { ...attempt, ...networkOutcome(error) }, bytes: null };
  }
  return new DatagramExchange(socket, trial, attempt).run(dial !== undefined);
}

function ownSocket({ server }: Trial): Socket {
  return createSocket({ type: isIPv6(server.address) ? 'udp6' : 'udp4', lookup: asItIs });
}

/** `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function dialAddress({ address, port }: Server): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

class DatagramExchange {
  readonly #socket: Socket;
  readonly #trial: Trial;
  readonly #attempt: Attempt;
  #began = 0;
  #noted: (() => void) | undefined;
  #finish: ((bytes: Uint8Array | null, outcome: Outcome, reason?: string, at?: number) => void) | undefined;

  constructor(socket: Socket, trial: Trial, attempt: Attempt) {
    this.#socket = socket;
    this.#trial = trial;
    this.#attempt = attempt;
  }

  run(isConnected: boolean): Promise<Tried> {
    const { server, query, timeoutMs, signal, source } = this.#trial;
    const socket = this.#socket;
    return new Promise((resolve) => {
      const timer = new Deadline(timeoutMs, () => this.#finish?.(null, this.#silence()));
      const aborted = () => this.#finish?.(null, 'aborted');
      signal?.addEventListener('abort', aborted, { once: true });
      this.#began = performance.now();
      this.#finish = (bytes, outcome, reason, at = performance.now()) => {
        this.#finish = undefined;
        timer.clear();
        signal?.removeEventListener('abort', aborted);
        const attempt = this.#attempt;
        attempt.ms = at - this.#began;
        attempt.outcome = outcome;
        if (reason !== undefined) attempt.reason = reason;
        this.#noted?.();
        closeQuietly(socket);
        resolve({ attempt, bytes });
      };
      const failed = (error: unknown) => {
        const { outcome, reason } = networkOutcome(error);
        this.#finish?.(null, outcome, reason);
      };
      socket.on('error', failed);
      socket.on('message', (bytes, from) => this.#take(bytes, from));
      const send = (refused?: Error) => {
        if (refused !== undefined) return failed(refused);
        this.#connected();
        timer.restart();
        socket.send(query, (error) => {
          if (error !== null) failed(error);
        });
      };
      if (isConnected) return send();
      const connect = () => socket.connect(server.port, server.address, send);
      if (source === undefined) connect();
      else
        socket.bind(
          { port: source.port ?? 0, ...(source.address !== undefined && { address: source.address }) },
          connect,
        );
    });
  }

  #connected(): void {
    try {
      const { address, port } = this.#socket.address();
      this.#attempt.local = { address, port };
      this.#noted = noteOwnSocket('udp', address, port);
    } catch {
      // A socket that a caller dialled may have no address to tell.
    }
    this.#attempt.sentAt = Date.now();
    this.#began = performance.now();
  }

  #take(bytes: Uint8Array, from: RemoteInfo): void {
    const at = performance.now();
    const { fit, discarded } = this.#trial;
    const judged = this.#isFromServer(from) ? fit.judge(bytes) : 'wrongSource';
    if (judged === 'fits') {
      this.#attempt.bytesIn = bytes.length;
      this.#finish?.(bytes, 'answered', undefined, at);
    } else if (judged === 'malformed') {
      this.#attempt.bytesIn = bytes.length;
      this.#finish?.(bytes, 'garbage', fit.faultText, at);
    } else discarded[judged]++;
  }

  /** Of a connected socket the system has seen to it; one that a caller dialled may not be connected. */
  #isFromServer({ address, port }: RemoteInfo): boolean {
    if (this.#trial.dial === undefined) return true;
    try {
      this.#socket.remoteAddress();
      return true;
    } catch {
      const { server } = this.#trial;
      return address === server.address && port === server.port;
    }
  }

  /** What to call it when nothing fitted. */
  #silence(): Outcome {
    const { wrongId, wrongQuestion, garbage } = this.#trial.discarded;
    if (wrongId > 0) return 'wrong_id';
    if (wrongQuestion > 0) return 'wrong_question';
    return garbage > 0 ? 'garbage' : 'timeout';
  }
}

function closeQuietly(socket: Socket): void {
  socket.removeAllListeners('message');
  // Errors of packets still under way are of no interest.
  socket.removeAllListeners('error').on('error', () => undefined);
  try {
    socket.close();
  } catch {
    // A dialled socket may be closed already.
  }
}
