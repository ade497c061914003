import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { noteOwnSocket } from '../own-traffic.ts';
import type { Server } from '../server.ts';
import { type Datagrams, type TakeDatagram, unreachable } from './datagrams.ts';

/** Messages put between two flushes, and those that wait to be taken. */
const BATCH = 64;
const MOST_WAITING = 4096;
const BUFFER_BYTES = 4 << 20;

/** The same on a socket of Node's, for systems without `sendmmsg`. */
export async function openNodeSocket(server: Server): Promise<Datagrams> {
  const socket = createSocket({ type: isIPv6(server.address) ? 'udp6' : 'udp4' });
  socket.connect(server.port, server.address);
  try {
    await once(socket, 'connect');
  } catch (error) {
    socket.close();
    throw unreachable(server, error as NodeJS.ErrnoException);
  }
  socket.setRecvBufferSize(BUFFER_BYTES);
  return new NodeSocket(socket);
}

class NodeSocket implements Datagrams {
  refused = 0;
  unsent = 0;
  reason = '';
  readonly port: number;
  readonly #socket: Socket;
  #out: Uint8Array[] = [];
  #in: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  readonly #forget: () => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.port = port;
    this.#forget = noteOwnSocket('udp', address, port);
    socket.on('message', (bytes) => {
      // Beyond that the system's own buffer is what fills.
      if (this.#in.length < MOST_WAITING) this.#in.push(bytes);
      this.#wake?.();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
  }

  get room(): number {
    return BATCH - this.#out.length;
  }

  put(message: Uint8Array, id: number): void {
    const copy = message.slice();
    copy[0] = id >>> 8;
    copy[1] = id;
    this.#out.push(copy);
  }

  flush(): void {
    for (const message of this.#out) {
      this.#socket.send(message, (error) => {
        if (error !== null) this.#failed(error);
      });
    }
    this.#out = [];
  }

  receive(take: TakeDatagram): number {
    const all = this.#in;
    this.#in = [];
    for (const bytes of all) take(bytes, 0, bytes.length);
    return all.length;
  }

  async wait(ms: number): Promise<void> {
    if (this.#in.length > 0) return;
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
    this.#socket.removeAllListeners('message');
    this.#socket.close();
    this.#forget();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.reason = error.code ?? error.message;
    if (this.reason === 'ECONNREFUSED') this.refused++;
    else this.unsent++;
  }
}
