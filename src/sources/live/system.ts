import koffi from 'koffi';

/** The system calls of Linux that capture needs, by way of libc; and their numbers (linux/if_packet.h, socket.h). */
const libc = koffi.load(null);

/** Memory of the process as libc takes it: a pointer, or an array it reads or fills. */
type Memory = bigint | ArrayBufferView | null;

export const socket: (domain: number, type: number, protocol: number) => number = libc.func('socket', 'int', [
  'int',
  'int',
  'int',
]);
export const bind: (fd: number, address: Memory, length: number) => number = libc.func('bind', 'int', [
  'int',
  'void *',
  'uint32_t',
]);
export const close: (fd: number) => number = libc.func('close', 'int', ['int']);
const setsockopt: (fd: number, level: number, name: number, value: Memory, length: number) => number = libc.func(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint32_t'],
);
const getsockopt: (fd: number, level: number, name: number, value: Memory, length: Memory) => number = libc.func(
  'getsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'void *'],
);
const mmap: (at: Memory, length: number, protection: number, flags: number, fd: number, offset: number) => bigint =
  libc.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'int64_t']);
const poll: (fds: Memory, count: number, timeoutMs: number) => number = libc.func('poll', 'int', [
  'void *',
  'unsigned long',
  'int',
]);

export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0x80000;
export const ETH_P_ALL = 3;

export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_ATTACH_FILTER = 26;
export const SO_TIMESTAMPNS = 35;

export const SOL_PACKET = 263;
export const PACKET = {
  addMembership: 1,
  receiveRing: 5,
  statistics: 6,
  version: 10,
  fanout: 18,
  fanoutData: 22,
  version3: 2,
  /** Fan-out by a classic BPF program. */
  fanoutByProgram: 6,
  /** Socket options are not heeded in a group, this flag is: no copies of what this machine sends to itself. */
  fanoutIgnoreOutgoing: 0x4000,
  ignoreOutgoing: 23,
  membershipPromiscuous: 1,
} as const;

const PROTECTION_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 0xffffffffffffffffn;
const POLLIN = 1;
const POLLERR = 8;

/** A system call that failed; `code` as `EPERM`. */
export class SystemError extends Error {
  readonly code: string;

  constructor(what: string, number = koffi.errno()) {
    const code = Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
    super(`${what}: ${code}`);
    this.code = code;
  }
}

/** Sets a socket option given as bytes or as one int. Throws SystemError. */
export function setOption(fd: number, level: number, name: number, value: ArrayBufferView | number): void {
  const bytes = typeof value === 'number' ? new Int32Array([value]) : value;
  if (setsockopt(fd, level, name, bytes, bytes.byteLength) !== 0) throw new SystemError(`setsockopt ${level}/${name}`);
}

/** Sets an option that takes a BPF program (`struct sock_fprog`): its length and where it lies. */
export function setProgram(fd: number, option: { level: number; name: number }, program: Uint8Array): void {
  const descriptor = new Uint8Array(16);
  const view = new BigUint64Array(descriptor.buffer);
  new Uint16Array(descriptor.buffer)[0] = program.length / 8;
  view[1] = koffi.address(program);
  setOption(fd, option.level, option.name, descriptor);
}

/** Reads a socket option into words. Throws SystemError. */
export function getOption(fd: number, level: number, name: number, words: number): Uint32Array {
  const value = new Uint32Array(words);
  if (getsockopt(fd, level, name, value, new Uint32Array([value.byteLength])) !== 0) {
    throw new SystemError(`getsockopt ${level}/${name}`);
  }
  return value;
}

/** Memory of a socket's ring, seen without a copy. */
export class Mapping {
  readonly buffer: ArrayBuffer;
  readonly #address: bigint;

  /** Maps the ring of a socket. Throws SystemError. */
  constructor(fd: number, length: number) {
    this.#address = mmap(null, length, PROTECTION_READ_WRITE, MAP_SHARED, fd, 0);
    if (this.#address === MAP_FAILED) throw new SystemError('mmap');
    this.buffer = koffi.view(this.#address, length);
  }

  /**
   * Gives the memory back. The addresses stay readable (as zeros, at no cost): whoever still holds a view of a batch
   * must not bring the process down.
   */
  release(): void {
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
    mmap(this.#address, this.buffer.byteLength, PROTECTION_READ_WRITE, flags, -1, 0);
  }
}

/** Waits in this thread until the socket has something or has failed; false when the time is over. */
export function waitBlocking(fd: number, timeoutMs: number): boolean {
  pollWords[0] = fd;
  pollWords[1] = POLLIN | POLLERR;
  return poll(pollWords, 1, timeoutMs) > 0;
}
const pollWords = new Int32Array(2);

/** Waits in the event loop until a socket has something or has failed. One at a time. */
export class Waiter {
  readonly #handle: ReturnType<typeof koffi.node.poll>;
  #wake: (() => void) | undefined;

  constructor(fd: number) {
    this.#handle = koffi.node.poll(fd, { readable: true }, () => this.wake());
    this.#handle.stop();
  }

  async wait(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.wake(), timeoutMs);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        this.#handle.stop();
        // The callback of a poll handle runs outside of what drains promises: have the loop do it.
        setImmediate(resolve);
      };
      this.#handle.start({ readable: true }, () => this.wake());
    });
  }

  /** Ends the wait. */
  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#handle.close();
  }
}

/** Whether a time service keeps the kernel's clock right (adjtimex: state without STA_UNSYNC). */
export function clockIsSynchronized(): boolean {
  const adjtimex = libc.func('adjtimex', 'int', ['void *']) as (state: Memory) => number;
  const TIME_ERROR = 5;
  // `struct timex` has 208 bytes; all zero = only ask.
  return adjtimex(new BigUint64Array(32)) !== TIME_ERROR;
}
