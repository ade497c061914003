import koffi from 'koffi';
import { isIPv6 } from 'node:net';
import { addressText } from '../../core/address.ts';
import { parseIpv4, parseIpv6 } from '../../wire/field.ts';
import { noteOwnSocket } from '../own-traffic.ts';
import type { Server } from '../server.ts';
import { zoneIndex } from '../zone-index.ts';
import { type Datagrams, type TakeDatagram, unreachable } from './datagrams.ts';

type Memory = bigint | ArrayBufferView | null;

const libc = koffi.load(null);
const socket: (domain: number, type: number, protocol: number) => number = libc.func('int socket(int, int, int)');
const connect: (fd: number, address: Memory, length: number) => number = libc.func(
  'int connect(int, void *, uint32_t)',
);
const getsockname: (fd: number, address: Memory, length: Memory) => number = libc.func(
  'int getsockname(int, void *, void *)',
);
const setsockopt: (fd: number, level: number, name: number, value: Memory, length: number) => number = libc.func(
  'int setsockopt(int, int, int, void *, uint32_t)',
);
const sendmmsg: (fd: number, messages: Memory, count: number, flags: number) => number = libc.func(
  'int sendmmsg(int, void *, uint32_t, int)',
);
const recvmmsg: (fd: number, messages: Memory, count: number, flags: number, timeout: Memory) => number = libc.func(
  'int recvmmsg(int, void *, uint32_t, int, void *)',
);
const poll: (fds: Memory, count: number, timeoutMs: number) => number = libc.func(
  'int poll(void *, unsigned long, int)',
);
const close: (fd: number) => number = libc.func('int close(int)');

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const BUFFER_BYTES = 4 << 20;
const REFUSALS = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']);

/** Datagrams of one system call, and the room of each: no message is longer. Memory that nothing is put into costs none. */
const BATCH = 64;
const SLOT = 65_536;

/** `struct mmsghdr` and `struct iovec` of a batch, and the bytes they point at (64-bit Linux). */
class Batch {
  readonly bytes = new Uint8Array(BATCH * SLOT);
  /** Eight words each: of `msghdr` the third is the vector, the fourth its length; the last is `msg_len`. */
  readonly headers = new BigUint64Array(BATCH * 8);
  readonly #vectors = new BigUint64Array(BATCH * 2);
  readonly #vectorWords = new Uint32Array(this.#vectors.buffer);
  readonly #headerWords = new Uint32Array(this.headers.buffer);
  readonly #headersAt: bigint;

  constructor() {
    const bytesAt = koffi.address(this.bytes);
    const vectorsAt = koffi.address(this.#vectors);
    this.#headersAt = koffi.address(this.headers);
    for (let i = 0; i < BATCH; i++) {
      this.#vectors[i * 2] = bytesAt + BigInt(i * SLOT);
      this.#vectors[i * 2 + 1] = BigInt(SLOT);
      this.headers[i * 8 + 2] = vectorsAt + BigInt(i * 16);
      this.headers[i * 8 + 3] = 1n;
    }
  }

  setLength(i: number, length: number): void {
    this.#vectorWords[i * 4 + 2] = length;
  }
  /** Bytes received in slot `i`. */
  length(i: number): number {
    return this.#headerWords[i * 16 + 14];
  }
  /** Where the headers from `i` on are. */
  from(i: number): Memory {
    return i === 0 ? this.headers : this.#headersAt + BigInt(i * 64);
  }
}

/** A connected UDP socket that sends and receives by `sendmmsg` and `recvmmsg`: one system call for many datagrams. */
export class BatchSocket implements Datagrams {
  refused = 0;
  unsent = 0;
  reason = '';
  readonly port: number;
  readonly #fd: number;
  readonly #out = new Batch();
  readonly #in = new Batch();
  #first = 0;
  #count = 0;
  #error = '';
  readonly #polled = new Int32Array(2);
  readonly #forget: () => void;

  /** Throws `Error` when the system gives no socket. */
  constructor({ address, port }: Server) {
    const isSix = isIPv6(address);
    this.#fd = socket(isSix ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new Error(`the system gives no socket: ${errorName()}`);
    const size = new Int32Array([BUFFER_BYTES]);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, size, 4);
    setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUF, size, 4);
    const target = socketAddress(address, port);
    if (connect(this.#fd, target, target.length) !== 0) {
      const name = errorName();
      close(this.#fd);
      throw unreachable({ address, port }, { code: name });
    }
    this.#polled[0] = this.#fd;
    this.#polled[1] = POLLIN;
    const own = new Uint8Array(28);
    getsockname(this.#fd, own, new Uint32Array([own.length]));
    this.port = (own[2] << 8) | own[3];
    this.#forget = noteOwnSocket('udp', addressOf(own, isSix), this.port);
  }

  get room(): number {
    return BATCH - this.#first - this.#count;
  }

  put(message: Uint8Array, id: number): void {
    const slot = this.#first + this.#count++;
    const { bytes } = this.#out;
    const at = slot * SLOT;
    bytes.set(message, at);
    bytes[at] = id >>> 8;
    bytes[at + 1] = id;
    this.#out.setLength(slot, message.length);
  }

  flush(): void {
    while (this.#count > 0) {
      const sent = sendmmsg(this.#fd, this.#out.from(this.#first), this.#count, MSG_DONTWAIT);
      if (sent < 0) {
        if (this.#isBusy()) return;
        // An ICMP error that came before stands in for the call, which sent nothing; else the first cannot be sent.
        if (this.#isRefusal()) continue;
        this.unsent++;
      }
      const gone = Math.max(1, sent);
      this.#first += gone;
      this.#count -= gone;
    }
    this.#first = 0;
  }

  receive(take: TakeDatagram): number {
    for (;;) {
      const count = recvmmsg(this.#fd, this.#in.headers, BATCH, MSG_DONTWAIT, null);
      if (count < 0) {
        if (!this.#isBusy() && this.#isRefusal()) continue;
        return 0;
      }
      const { bytes } = this.#in;
      for (let i = 0; i < count; i++) take(bytes, i * SLOT, this.#in.length(i));
      return count;
    }
  }

  wait(ms: number): undefined {
    poll(this.#polled, 1, Math.max(0, Math.ceil(ms)));
    return undefined;
  }

  close(): void {
    close(this.#fd);
    this.#forget();
  }

  /** True when the last call failed because the system has no room, or nothing, for now. */
  #isBusy(): boolean {
    this.#error = errorName();
    return this.#error === 'EAGAIN' || this.#error === 'EINTR' || this.#error === 'ENOBUFS';
  }

  #isRefusal(): boolean {
    this.reason = this.#error;
    if (!REFUSALS.has(this.#error)) return false;
    this.refused++;
    return true;
  }
}

function errorName(): string {
  const number = koffi.errno();
  return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}

/** The address in a `struct sockaddr_in` or `sockaddr_in6`. */
function addressOf(bytes: Uint8Array, isSix: boolean): string {
  if (!isSix) return bytes.subarray(4, 8).join('.');
  const view = new DataView(bytes.buffer, 8);
  return addressText(6, view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

/** `struct sockaddr_in` or `sockaddr_in6`. */
function socketAddress(address: string, port: number): Uint8Array {
  const isSix = isIPv6(address);
  const bytes = new Uint8Array(isSix ? 28 : 16);
  new Uint16Array(bytes.buffer)[0] = isSix ? AF_INET6 : AF_INET;
  bytes[2] = port >>> 8;
  bytes[3] = port;
  if (isSix) {
    bytes.set(parseIpv6(address.split('%')[0]), 8);
    // The index is in the machine's own order.
    new Uint32Array(bytes.buffer)[6] = zoneIndex(address);
  } else bytes.set(parseIpv4(address), 4);
  return bytes;
}
