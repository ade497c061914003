import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { EXIT, UserError } from '../../core/errors.ts';

/** An interface of this machine. */
export interface NetworkInterface {
  /** Number by which the system and `-i` know it. */
  index: number;
  name: string;
  /** `up`, `down`, or `unknown` where the driver does not say. */
  state: string;
  isUp: boolean;
  isLoopback: boolean;
  /** Addresses with prefix length, such as `192.0.2.7/24`. */
  addresses: string[];
  /** Link-layer address, where it has one. */
  mac?: string;
  /** ARPHRD_ value (Linux). */
  hardwareType?: number;
  /** LINKTYPE_ value of its frames; absent where this program cannot capture from it. */
  link?: number;
  mtu?: number;
  statistics?: InterfaceStatistics;
}

/** Counters of an interface since it was made. */
export interface InterfaceStatistics {
  receivedPackets: number;
  receivedBytes: number;
  /** Dropped before any program saw them: by the card (missed, FIFO) or the driver. */
  receivedDropped: number;
  sentPackets: number;
  sentBytes: number;
}

/** LINKTYPE_ values (tcpdump.org/linktypes.html). */
export const LINK = { ethernet: 1, raw: 101, wireless: 105, radiotap: 127 } as const;

export const LOOPBACK_HARDWARE = 772;

/** Link type by hardware type (linux/if_arp.h): what a raw packet socket delivers from such an interface. */
const LINK_OF_HARDWARE: Record<number, number> = {
  1: LINK.ethernet,
  [LOOPBACK_HARDWARE]: LINK.ethernet,
  // No header of its own, the packet begins with IP: PPP, raw IP, tunnels, tun and WireGuard.
  512: LINK.raw,
  519: LINK.raw,
  768: LINK.raw,
  769: LINK.raw,
  776: LINK.raw,
  778: LINK.raw,
  823: LINK.raw,
  65534: LINK.raw,
  801: LINK.wireless,
  803: LINK.radiotap,
};

/** LINKTYPE_ value for a hardware type, undefined when it is not known. */
export function linkOfHardware(hardwareType: number): number | undefined {
  return LINK_OF_HARDWARE[hardwareType];
}

/** All hardware types that give one of these links. */
export function hardwareOfLink(...links: number[]): number[] {
  return Object.keys(LINK_OF_HARDWARE)
    .map(Number)
    .filter((type) => links.includes(LINK_OF_HARDWARE[type]));
}

/** The interfaces of this machine in the order of their numbers. */
export function listInterfaces(): NetworkInterface[] {
  const known = networkInterfaces();
  const names = process.platform === 'linux' ? readdirSync('/sys/class/net') : Object.keys(known);
  return names
    .map((name, i) => {
      const addresses = (known[name] ?? []).map(({ cidr, address }) => cidr ?? address);
      const isLoopback = known[name]?.some(({ internal }) => internal) ?? false;
      const found = { index: i + 1, name, state: 'up', isUp: true, isLoopback, addresses };
      return process.platform === 'linux' ? readInterface(found) : found;
    })
    .filter((found) => found !== undefined)
    .sort((a, b) => a.index - b.index);
}

/** What Linux tells of an interface; undefined when it has gone meanwhile, or is no network interface. */
function readInterface(found: NetworkInterface): NetworkInterface | undefined {
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(`/sys/class/net/${found.name}/${file}`, 'latin1').trim();
    } catch {
      return undefined;
    }
  };
  const index = Number(read('ifindex'));
  if (!(index > 0)) return undefined;
  const hardwareType = Number(read('type'));
  const mac = read('address');
  const isUp = (Number(read('flags')) & 1) !== 0;
  return {
    ...found,
    index,
    state: isUp ? (read('operstate') ?? 'unknown') : 'down',
    isUp,
    isLoopback: hardwareType === LOOPBACK_HARDWARE,
    ...(mac && !/^[0:]*$/.test(mac) ? { mac } : {}),
    hardwareType,
    link: linkOfHardware(hardwareType),
    mtu: Number(read('mtu')),
    statistics: interfaceStatistics(found.name),
  };
}

/** Counters of an interface (Linux); undefined when it is gone. */
export function interfaceStatistics(name: string): InterfaceStatistics | undefined {
  try {
    const read = (file: string) => Number(readFileSync(`/sys/class/net/${name}/statistics/${file}`, 'latin1'));
    return {
      receivedPackets: read('rx_packets'),
      receivedBytes: read('rx_bytes'),
      receivedDropped: read('rx_missed_errors') + read('rx_fifo_errors'),
      sentPackets: read('tx_packets'),
      sentBytes: read('tx_bytes'),
    };
  } catch {
    return undefined;
  }
}

/** Whether an interface is there and up (Linux). */
export function interfaceState(name: string, index: number): 'up' | 'down' | 'gone' {
  try {
    if (Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1')) !== index) return 'gone';
    return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'latin1')) & 1) !== 0 ? 'up' : 'down';
  } catch {
    return 'gone';
  }
}

/** Finds interfaces by name or number. Throws UserError (exit code 2) for one that is not there. */
export function resolveInterfaces(wanted: readonly string[]): NetworkInterface[] {
  const all = listInterfaces();
  return [...new Set(wanted)].map((name) => {
    const found = all.find((candidate) => candidate.name === name) ?? all.find(({ index }) => String(index) === name);
    if (found === undefined) {
      const names = all.map((candidate) => candidate.name).join(', ');
      throw new UserError(`There is no interface ${name} here. There are: ${names}, and any.`, EXIT.interface);
    }
    if (process.platform === 'linux' && found.link === undefined) {
      throw new UserError(
        `${found.name} has a kind of link (ARPHRD ${found.hardwareType}) that nametap cannot read. ` +
          'Choose another interface (nametap interfaces lists them).',
        EXIT.interface,
      );
    }
    return found;
  });
}
