import koffi from 'koffi';

/** The system calls of Linux that pings need, by way of libc; and their numbers (in.h, in6.h, errqueue.h). */
const libc = koffi.load(null);
type Memory = bigint | ArrayBufferView | null;

const socket: (domain: number, type: number, protocol: number) => number = libc.func('socket', 'int', [
  'int',
  'int',
  'int',
]);
const setsockopt: (fd: number, level: number, name: number, value: Memory, length: number) => number = libc.func(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint32_t'],
);
const bind: (fd: number, address: Memory, length: number) => number = libc.func('bind', 'int', [
  'int',
  'void *',
  'uint32_t',
]);
const getsockname: (fd: number, address: Memory, length: Memory) => number = libc.func('getsockname', 'int', [
  'int',
  'void *',
  'void *',
]);
const sendto: (fd: number, bytes: Memory, n: number, flags: number, to: Memory, length: number) => number = libc.func(
  'sendto',
  'intptr_t',
  ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t'],
);
const recvmsg: (fd: number, message: Memory, flags: number) => number = libc.func('recvmsg', 'intptr_t', [
  'int',
  'void *',
  'int',
]);
export const close: (fd: number) => number = libc.func('close', 'int', ['int']);

const SOCK_FLAGS = 0x80000 | 0x800;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;
const EAGAIN = 11;

/** By family: domain, protocol, level of its options, their numbers, types of request and reply. */
export const FAMILY = {
  4: { domain: 2, protocol: 1, level: 0, errors: 11, askTtl: 12, ttl: 2, request: 8, reply: 0, address: 16 },
  6: { domain: 10, protocol: 58, level: 41, errors: 25, askTtl: 51, ttl: 52, request: 128, reply: 129, address: 28 },
} as const;

/** A call that failed; `code` as `EPERM`. */
export class CallError extends Error {
  readonly code: string;

  constructor(what: string) {
    const number = koffi.errno();
    const code = Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
    super(`${what}: ${code}`);
    this.code = code;
  }
}

/** Opens a socket for echoes of one family; its descriptor. Throws `CallError`. */
export function openSocket(kind: 'ping' | 'raw', family: 4 | 6): number {
  const { domain, protocol, level, errors, askTtl, reply } = FAMILY[family];
  const fd = socket(domain, (kind === 'ping' ? 2 : 3) | SOCK_FLAGS, protocol);
  if (fd < 0) throw new CallError(`${kind} socket`);
  const set = (at: number, name: number, value: ArrayBufferView) => {
    // What is not to be had costs precision, or words, not the measurement.
    setsockopt(fd, at, name, value, value.byteLength);
  };
  const on = new Int32Array([1]);
  set(SOL_SOCKET, SO_TIMESTAMPNS, on);
  set(SOL_SOCKET, SO_RCVBUF, new Int32Array([4 << 20]));
  set(level, errors, on);
  set(level, askTtl, on);
  if (kind === 'raw') {
    // Only echo replies: ICMP_FILTER, ICMP6_FILTER (a bit that is set keeps out).
    if (family === 4) set(255, 1, new Uint32Array([~(1 << reply) >>> 0]));
    else {
      const filter = new Uint32Array(8).fill(0xffffffff);
      filter[reply >>> 5] &= ~(1 << (reply & 31));
      set(58, 1, filter);
    }
  }
  return fd;
}

/** The identifier that the system gives a ping socket. Throws `CallError`. */
export function bindPing(fd: number, family: 4 | 6): number {
  const { domain, address } = FAMILY[family];
  const end = new Uint8Array(address);
  new Uint16Array(end.buffer, 0, 1)[0] = domain;
  if (bind(fd, end, address) < 0) throw new CallError('bind');
  if (getsockname(fd, end, new Uint32Array([address])) < 0) throw new CallError('getsockname');
  return end[2] * 256 + end[3];
}

/** Sends to an address given as `sockaddr`. Throws `CallError`. */
export function send(fd: number, packet: Uint8Array, to: Uint8Array): void {
  if (sendto(fd, packet, packet.length, MSG_DONTWAIT, to, to.length) < 0) throw new CallError('send');
}

/** Where a message is received: octets, and what the system says of it. One message at a time. */
export class Receiver {
  readonly bytes = new Uint8Array(2048);
  /** Kernel's time of the packet, nanoseconds since 1970; 0 without. */
  stamp = 0n;
  hopLimit: number | undefined;
  /** Of the error queue: errno; 0 without. */
  error = 0;
  readonly #control = new Uint8Array(512);
  readonly #view = new DataView(this.#control.buffer);
  readonly #from = new Uint8Array(28);
  readonly #vector = new BigUint64Array(2);
  readonly #header = new Uint8Array(56);
  readonly #head = new DataView(this.#header.buffer);

  /** Octets of the next message; -1 when there is none. `isError`: from the queue of errors. */
  next(fd: number, family: 4 | 6, isError: boolean): number {
    const head = this.#head;
    this.#vector[0] = koffi.address(this.bytes);
    this.#vector[1] = BigInt(this.bytes.length);
    head.setBigUint64(0, koffi.address(this.#from), true);
    head.setUint32(8, this.#from.length, true);
    head.setBigUint64(16, koffi.address(this.#vector), true);
    head.setBigUint64(24, 1n, true);
    head.setBigUint64(32, koffi.address(this.#control), true);
    head.setBigUint64(40, BigInt(this.#control.length), true);
    head.setInt32(48, 0, true);
    const n = recvmsg(fd, this.#header, MSG_DONTWAIT | (isError ? MSG_ERRQUEUE : 0));
    if (n < 0) {
      const errno = koffi.errno();
      if (errno === EAGAIN || isError) return -1;
      // An error that waits on the socket itself: its words are in the queue of errors.
      return -2;
    }
    this.#readControl(Math.min(Number(head.getBigUint64(40, true)), this.#control.length), family);
    return n;
  }

  #readControl(length: number, family: 4 | 6): void {
    this.stamp = 0n;
    this.hopLimit = undefined;
    this.error = 0;
    const of = FAMILY[family];
    const view = this.#view;
    for (let at = 0; at + 16 <= length; ) {
      const size = Number(view.getBigUint64(at, true));
      if (size < 16 || at + size > length) return;
      const level = view.getInt32(at + 8, true);
      const type = view.getInt32(at + 12, true);
      if (level === SOL_SOCKET && type === SO_TIMESTAMPNS && size >= 32) {
        this.stamp = view.getBigInt64(at + 16, true) * 1_000_000_000n + view.getBigInt64(at + 24, true);
      } else if (level === of.level && type === of.ttl && size >= 20) this.hopLimit = view.getInt32(at + 16, true);
      else if (level === of.level && type === of.errors && size >= 20) this.error = view.getUint32(at + 16, true);
      at += (size + 7) & ~7;
    }
  }
}
