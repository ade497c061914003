import { setTimeout as sleep } from 'node:timers/promises';
import type { Chunk, Target } from './target.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` with its end. */
const PATH_BYTES = 108;
/** A receiver that is slower is waited for in steps of this. */
const FULL_PAUSE_MS = 5;

/** The calls of libc that Node has no other way to; Linux only. */
interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  errorCode(): string;
}

/** Records as datagrams to a Unix socket such as /dev/log: one each, in order. A full receiver is waited for. */
export class UnixDatagramPeer implements Target {
  readonly #path: string;
  #calls: Calls | undefined;
  #fd = -1;
  #sent = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async send({ bytes, ends }: Chunk, signal: AbortSignal): Promise<void> {
    const calls = (this.#calls ??= await libc());
    if (this.#fd < 0) this.#connect(calls);
    while (this.#sent < ends.length) {
      const record = bytes.subarray(this.#sent === 0 ? 0 : ends[this.#sent - 1], ends[this.#sent]);
      if (calls.send(this.#fd, record, record.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        this.#sent++;
        continue;
      }
      const code = calls.errorCode();
      if (code !== 'EAGAIN' && code !== 'ENOBUFS') {
        this.#disconnect(calls);
        throw new Error(`Cannot send to unix:${this.#path}: ${code}`);
      }
      await sleep(FULL_PAUSE_MS, undefined, { signal });
    }
    this.#sent = 0;
  }

  async close(): Promise<void> {
    if (this.#calls !== undefined) this.#disconnect(this.#calls);
  }

  #connect(calls: Calls): void {
    const path = Buffer.from(this.#path);
    if (path.length >= PATH_BYTES) throw new Error(`The path unix:${this.#path} is too long for a socket`);
    const address = new Uint8Array(2 + PATH_BYTES);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(path, 2);
    this.#fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.#fd >= 0 && calls.connect(this.#fd, address, 2 + path.length + 1) === 0) return;
    const code = calls.errorCode();
    this.#disconnect(calls);
    throw new WrongKind(`Cannot reach unix:${this.#path}: ${code}`, code);
  }

  #disconnect(calls: Calls): void {
    if (this.#fd >= 0) calls.close(this.#fd);
    this.#fd = -1;
  }
}

/** A socket that could not be connected to; `EPROTOTYPE`: it takes streams. */
export class WrongKind extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

async function libc(): Promise<Calls> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  return {
    socket: library.func('socket', 'int', ['int', 'int', 'int']),
    connect: library.func('connect', 'int', ['int', 'void *', 'uint32_t']),
    send: library.func('send', 'long', ['int', 'void *', 'size_t', 'int']),
    close: library.func('close', 'int', ['int']),
    errorCode: () => {
      const number = koffi.errno();
      return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
    },
  };
}
