import { getServers, lookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { exchange } from '../client/exchange.ts';
import { Resolver } from '../client/resolver.ts';
import { type Server, serverOf } from '../client/server.ts';
import type { Failure } from './probe.ts';

/** Which addresses of a name: any, or of one family only. */
export const FAMILIES = ['any', 'ipv4', 'ipv6'] as const;
export type Family = (typeof FAMILIES)[number];

export interface Resolved {
  address: string;
  family: 4 | 6;
  /** Milliseconds it took; 0 for an address. */
  ms: number;
}

const HOSTS = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
/** Longest wait for one name server. */
const PATIENCE_MS = 2000;
/** The hosts file, and whether this machine speaks IPv6, are looked at so often. */
const REFRESH_MS = 30_000;

/**
 * Addresses of targets, asked for with our own client: the system's blocking look-up has four threads for all, where one
 * slow name delays others. Names without a dot, and those of other kinds, are the system's.
 */
export class HostResolver {
  /** The same for questions of other kinds; nothing is kept, each check asks anew. */
  readonly client: Resolver;
  readonly #servers: readonly Server[];
  #hosts = new Map<string, string[]>();
  #hasIpv6 = false;
  #read = Number.NEGATIVE_INFINITY;

  /** `servers`: those of the system unless told. */
  constructor(servers: readonly Server[] = systemServers()) {
    this.#servers = servers;
    const texts = servers.map(({ address, port }) =>
      isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`,
    );
    this.client = new Resolver({ servers: texts, cache: false, timeoutMs: PATIENCE_MS, tries: 1 });
  }

  /** An address of a host. */
  async resolve(host: string, family: Family, timeoutMs: number, signal: AbortSignal): Promise<Resolved | Failure> {
    // With a zone only where it is IPv6: `10.0.0.1%.example` is a name, which would be resolved past all checks.
    const literal = isIP(host);
    if (literal === 0 && host.includes('%')) return { outcome: 'unresolved', text: `${host} is no host` };
    if (literal !== 0) {
      const isOther = family !== 'any' && family !== `ipv${literal}`;
      if (isOther) return { outcome: 'unresolved', text: `${host} is no ${familyText(family)} address` };
      return { address: host, family: literal as 4 | 6, ms: 0 };
    }
    const began = performance.now();
    this.#refresh();
    const name = host.toLowerCase().replace(/\.$/, '');
    const known = this.#hosts.get(name);
    if (known !== undefined) return this.#chosen(host, known, family, 0);
    if (this.#servers.length === 0 || !name.includes('.') || name.endsWith('.local')) {
      return this.#bySystem(host, family, began);
    }
    const types = family === 'any' ? ['A', 'AAAA'] : [family === 'ipv4' ? 'A' : 'AAAA'];
    const answers = await Promise.all(types.map((type) => this.#ask(name, type, timeoutMs, signal)));
    const found = answers.flatMap((answer) => (Array.isArray(answer) ? answer : []));
    if (found.length > 0) return this.#chosen(host, found, family, performance.now() - began);
    const failure = answers.find((answer) => !Array.isArray(answer));
    if (failure !== undefined && !Array.isArray(failure)) return failure;
    return { outcome: 'unresolved', text: `${host} has no ${familyText(family)} address` };
  }

  async #ask(name: string, type: string, timeoutMs: number, signal: AbortSignal): Promise<string[] | Failure> {
    let failure: Failure = { outcome: 'unresolved', text: `${name}: no name server answers` };
    const deadline = performance.now() + timeoutMs;
    for (const server of this.#servers) {
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted) break;
      const patience = Math.max(1, Math.min(left, PATIENCE_MS));
      const options = { server, transport: 'udp', timeoutMs: patience, tries: 1, edns: {}, signal } as const;
      const { response, sentence } = await exchange({ name, type }, options);
      if (response === null) failure = { outcome: 'unresolved', text: `${name}: ${sentence}` };
      else if (response.rcode === 'NOERROR') {
        return response.answers.filter((record) => record.type === type).map(({ data }) => data);
      } else {
        const text = response.rcode === 'NXDOMAIN' ? `${name} does not exist` : `${name}: ${response.rcode}`;
        failure = { outcome: 'unresolved', text };
        if (response.rcode === 'NXDOMAIN') break;
      }
    }
    return failure;
  }

  #chosen(host: string, addresses: readonly string[], family: Family, ms: number): Resolved | Failure {
    const first = (wanted: 4 | 6) => addresses.find((address) => isIP(address) === wanted);
    const four = family === 'ipv6' ? undefined : first(4);
    const six = family === 'ipv4' ? undefined : first(6);
    if (six !== undefined && (this.#hasIpv6 || four === undefined || six === '::1')) {
      return { address: six, family: 6, ms };
    }
    if (four !== undefined) return { address: four, family: 4, ms };
    return { outcome: 'unresolved', text: `${host} has no ${familyText(family)} address` };
  }

  #bySystem(host: string, family: Family, began: number): Promise<Resolved | Failure> {
    return new Promise((resolve) => {
      lookup(host, { all: true, family: family === 'any' ? 0 : family === 'ipv4' ? 4 : 6 }, (error, addresses) => {
        if (error !== null)
          return resolve({ outcome: 'unresolved', text: `${host} cannot be resolved: ${error.code}` });
        const texts = addresses.map(({ address }) => address);
        resolve(this.#chosen(host, texts, family, performance.now() - began));
      });
    });
  }

  #refresh(): void {
    if (performance.now() - this.#read < REFRESH_MS) return;
    this.#read = performance.now();
    this.#hosts = hostsFile();
    this.#hasIpv6 = Object.values(networkInterfaces()).some((ends) =>
      ends?.some(({ family, internal, scopeid }) => family === 'IPv6' && !internal && (scopeid ?? 0) === 0),
    );
  }
}

function familyText(family: Family): string {
  return family === 'any' ? 'IP' : family === 'ipv4' ? 'IPv4' : 'IPv6';
}

/** Name servers of this machine; none where it says none that can be asked. */
function systemServers(): Server[] {
  return getServers().flatMap((text) => {
    try {
      return [serverOf(text)];
    } catch {
      return [];
    }
  });
}

function hostsFile(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let text = '';
  try {
    text = readFileSync(HOSTS, 'latin1');
  } catch {
    // Not every system has one.
    return found;
  }
  for (const line of text.slice(0, 4 << 20).split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      found.set(key, [...(found.get(key) ?? []), address]);
    }
  }
  return found;
}
