import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';

export type TransportName = 'udp' | 'tcp' | 'tls' | 'https';

/** Where to ask. */
export interface Server {
  /** IPv4 or IPv6 text, an IPv6 zone (`%eth0`) may stand behind. */
  address: string;
  port: number;
  /** The name that its certificate has to hold and that HTTP asks for; the address unless told. */
  name?: string;
  /** Of DoH; `/dns-query` unless told (RFC 8484). */
  path?: string;
}

/** Standard port of each transport (RFC 1035, RFC 7858, RFC 8484). */
export const PORTS: Readonly<Record<TransportName, number>> = { udp: 53, tcp: 53, tls: 853, https: 443 };

/** A server as it was written: its host may still be a name. */
export interface ServerText {
  host: string;
  port?: number;
  transport?: TransportName;
  path?: string;
}

/**
 * Reads `192.0.2.1`, `192.0.2.1:53`, `192.0.2.1#53`, `[2001:db8::1]:53`, `2001:db8::1`, `dns.example:53`,
 * `udp://`, `tcp://`, `tls://HOST[:PORT]`, `https://HOST[:PORT][/PATH]`. Throws `UserError` for anything else.
 */
export function parseServer(text: string): ServerText {
  const scheme = /^([a-z]+):\/\/(.*)$/i.exec(text);
  const transport = scheme?.[1].toLowerCase();
  if (transport !== undefined && !(transport in PORTS)) {
    throw new UserError(`'${text}' is not a DNS server: udp://, tcp://, tls:// and https:// are understood.`);
  }
  const rest = scheme === null ? text : scheme[2];
  const slash = transport === 'https' ? rest.indexOf('/') : -1;
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const { host, port } = hostAndPort(authority, text);
  return {
    host,
    ...(port !== undefined && { port }),
    ...(transport !== undefined && { transport: transport as TransportName }),
    ...(slash >= 0 && { path: rest.slice(slash) }),
  };
}

function hostAndPort(text: string, whole: string): { host: string; port?: number } {
  // A bare IPv6 address has colons of its own.
  if (isIP(text) !== 0) return { host: text };
  const parts = /^\[([^\]]+)\](?:[:#](\d{1,5}))?$|^([^[\]#]+?)(?:[:#](\d{1,5}))?$/.exec(text);
  const bracketed = parts?.[1];
  const host = bracketed ?? parts?.[3];
  const digits = parts?.[2] ?? parts?.[4];
  const port = digits === undefined ? undefined : Number(digits);
  const isWrong = bracketed !== undefined && isIP(bracketed) !== 6;
  // An IPv6 address with dig's `#53` behind it has colons in its host; nothing else may.
  const hasColons = host !== undefined && host.includes(':') && isIP(host) !== 6;
  if (host === undefined || isWrong || hasColons || port === 0 || (port ?? 0) > 65_535 || /[\s/@]/.test(host)) {
    throw new UserError(`'${whole}' is not a DNS server. Write an address or a name, with :PORT where it is not 53.`);
  }
  return { host, ...(port !== undefined && { port }) };
}

/** A server given by address, over a transport. Throws `UserError` when the host is a name. */
export function serverOf(text: string, transport: TransportName = 'udp'): Server & { transport: TransportName } {
  const { host, port, transport: given, path } = parseServer(text);
  if (isIP(host) === 0) throw new UserError(`'${text}' is a name: give the server's address, such as 192.0.2.53:53.`);
  const over = given ?? transport;
  return { address: host, port: port ?? PORTS[over], transport: over, ...(path !== undefined && { path }) };
}

/** As dig writes it: `192.0.2.1#53`. */
export function serverText({ address, port }: Server): string {
  return `${address}#${port}`;
}
