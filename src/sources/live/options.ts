import type { EncryptedPorts } from './bpf/dns.ts';

/** How to capture from interfaces. */
export interface LiveOptions {
  /** Names as in `ip link`, or `any`. */
  interfaces: readonly string[];
  /** Most bytes kept of a frame; 262144 unless told. */
  snaplen?: number;
  /** Also frames for other stations; on unless told. */
  promiscuous?: boolean;
  /** Kernel memory for captured frames, of all workers together; 64 MiB unless told. */
  ringBytes?: number;
  /** Longest wait for a part-filled block; 20 ms unless told. */
  blockTimeoutMs?: number;
  /** Capture filter in tcpdump's language; replaces the default one. */
  filter?: string;
  /** Without `filter`: what may be DNS, or every packet. */
  defaultFilter?: 'dns' | 'none';
  /** Further ports for the default filter. */
  extraUdpPorts?: readonly number[];
  extraTcpPorts?: readonly number[];
  /** Encrypted DNS that the default filter lets through; `off` unless told. */
  encrypted?: EncryptedPorts;
  /** Only IPv4 or only IPv6. */
  family?: 4 | 6;
  /** Shares the packets between `size` sources of the same group; only index 0 counts drops of the interface. */
  fanout?: Fanout;
  /** Waits in the thread for packets (workers), not in the event loop. */
  blocking?: boolean;
  /** `auto`: ring on Linux, libpcap elsewhere. */
  backend?: 'auto' | 'ring' | 'libpcap';
  /** Is told in a sentence when an interface goes down, comes back or disappears; standard error unless told. */
  notice?: (text: string) => void;
}

/** A group of sources that share the packets of their interfaces by address pair. */
export interface Fanout {
  /** Number of the group, 0 … 65535, unique on the machine. */
  group: number;
  /** Sources in the group. */
  size: number;
  /** Which of them this is. */
  index?: number;
  /** Counts the members; each starts to capture when all have joined. */
  joined?: Int32Array;
}

/** What holds where the options do not say. */
export const DEFAULTS = { snaplen: 262_144, ringBytes: 64 * 1024 * 1024, blockTimeoutMs: 20 } as const;
