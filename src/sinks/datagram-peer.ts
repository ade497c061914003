import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { reasonOf } from '../core/errors.ts';
import type { Chunk, Target } from './target.ts';

/** Records as UDP datagrams: one each, in order. What is lost on the way nobody knows. */
export class UdpPeer implements Target {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  /** Records of the chunk at hand that are on their way. */
  #sent = 0;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async send({ bytes, ends }: Chunk): Promise<void> {
    this.#socket ??= await this.#connect();
    while (this.#sent < ends.length) {
      const from = this.#sent === 0 ? 0 : ends[this.#sent - 1];
      await this.#datagram(this.#socket, bytes.subarray(from, ends[this.#sent]));
      this.#sent++;
    }
    this.#sent = 0;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #connect(): Promise<Socket> {
    let socket: Socket | undefined;
    try {
      const { address, family } = await lookup(this.#host);
      socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      socket.connect(this.#port, address);
      await once(socket, 'connect');
    } catch (error) {
      socket?.close();
      throw new Error(`Cannot reach udp:${this.#host}:${this.#port}: ${reasonOf(error)}`, { cause: error });
    }
    // An ICMP error says that nobody listens; it comes with the next send.
    socket.on('error', () => {});
    return socket;
  }

  #datagram(socket: Socket, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.send(bytes, (error) => {
        if (error === null) resolve();
        else reject(new Error(`Cannot send to udp:${this.#host}:${this.#port}: ${error.message}`, { cause: error }));
      });
    });
  }
}
