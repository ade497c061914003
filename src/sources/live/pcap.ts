import koffi from 'koffi';
import { existsSync } from 'node:fs';

/** libpcap by way of koffi: what is used of it. Handles and pointers are addresses. */
export interface Pcap {
  version: string;
  create(device: string, error: Uint8Array): bigint | null;
  setSnaplen(handle: bigint, bytes: number): number;
  setPromiscuous(handle: bigint, on: number): number;
  setTimeout(handle: bigint, ms: number): number;
  setBufferSize(handle: bigint, bytes: number): number;
  setNanos: ((handle: bigint, precision: number) => number) | undefined;
  getPrecision: ((handle: bigint) => number) | undefined;
  activate(handle: bigint): number;
  statusText(status: number): string;
  setNonBlocking(handle: bigint, on: number, error: Uint8Array): number;
  datalink(handle: bigint): number;
  openDead(link: number, snaplen: number): bigint | null;
  compile(handle: bigint, program: Uint8Array, expression: string, optimize: number, netmask: number): number;
  setFilter(handle: bigint, program: Uint8Array): number;
  freeCode(program: Uint8Array): void;
  next(handle: bigint, header: BigUint64Array, data: BigUint64Array): number;
  statistics(handle: bigint, counters: Uint32Array): number;
  error(handle: bigint): string;
  close(handle: bigint): void;
}

/** `struct bpf_program`: a length and a pointer. */
export const PROGRAM_BYTES = 16;
export const ERROR_BYTES = 256;
/** Any netmask (PCAP_NETMASK_UNKNOWN). */
export const NO_NETMASK = 0xffffffff;

/** The text that libpcap wrote into an error buffer. */
export function errorText(error: Uint8Array): string {
  return Buffer.from(error.subarray(0, Math.max(0, error.indexOf(0)))).toString('utf8');
}

/** Copies memory of libpcap into ours. */
export function copyFrom(address: bigint, into: Uint8Array, length: number): void {
  memcpy ??= koffi
    .load(process.platform === 'win32' ? 'msvcrt.dll' : null)
    .func('memcpy', 'void *', ['void *', 'void *', 'size_t']);
  memcpy(into, address, length);
}
let memcpy: ((to: Uint8Array, from: bigint, length: number) => unknown) | undefined;

let loaded: Pcap | null | undefined;

/** libpcap (Npcap on Windows), null where it is not installed. */
export function loadPcap(): Pcap | null {
  if (loaded !== undefined) return loaded;
  loaded = null;
  for (const name of LIBRARIES[process.platform] ?? LIBRARIES.linux) {
    try {
      loaded = declare(koffi.load(name));
      break;
    } catch {
      // Not under this name.
    }
  }
  return loaded;
}

const NPCAP = 'C:\\Windows\\System32\\Npcap\\wpcap.dll';
const LIBRARIES: Record<string, string[]> = {
  linux: ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'],
  darwin: ['/usr/lib/libpcap.A.dylib', 'libpcap.dylib'],
  freebsd: ['libpcap.so.8', 'libpcap.so'],
  openbsd: ['libpcap.so'],
  win32: existsSync(NPCAP) ? [NPCAP] : ['wpcap.dll'],
};

function declare(library: ReturnType<typeof koffi.load>): Pcap {
  const handle = 'void *';
  // Older versions and Npcap do not have all of it.
  const optional = (name: string, ...types: string[]) => {
    try {
      return library.func(name, 'int', types);
    } catch {
      return undefined;
    }
  };
  const libVersion = library.func('pcap_lib_version', 'str', []) as () => string;
  return {
    version: libVersion(),
    create: library.func('pcap_create', handle, ['str', handle]),
    setSnaplen: library.func('pcap_set_snaplen', 'int', [handle, 'int']),
    setPromiscuous: library.func('pcap_set_promisc', 'int', [handle, 'int']),
    setTimeout: library.func('pcap_set_timeout', 'int', [handle, 'int']),
    setBufferSize: library.func('pcap_set_buffer_size', 'int', [handle, 'int']),
    setNanos: optional('pcap_set_tstamp_precision', handle, 'int'),
    getPrecision: optional('pcap_get_tstamp_precision', handle),
    activate: library.func('pcap_activate', 'int', [handle]),
    statusText: library.func('pcap_statustostr', 'str', ['int']),
    setNonBlocking: library.func('pcap_setnonblock', 'int', [handle, 'int', handle]),
    datalink: library.func('pcap_datalink', 'int', [handle]),
    openDead: library.func('pcap_open_dead', handle, ['int', 'int']),
    compile: library.func('pcap_compile', 'int', [handle, handle, 'str', 'int', 'uint32_t']),
    setFilter: library.func('pcap_setfilter', 'int', [handle, handle]),
    freeCode: library.func('pcap_freecode', 'void', [handle]),
    next: library.func('pcap_next_ex', 'int', [handle, handle, handle]),
    statistics: library.func('pcap_stats', 'int', [handle, handle]),
    error: library.func('pcap_geterr', 'str', [handle]),
    close: library.func('pcap_close', 'void', [handle]),
  };
}
