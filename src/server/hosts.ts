import { isIP } from 'node:net';

/** The name in a Host header or an origin, without port, lower case; undefined where it is none. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:/?#@[\]\s]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a request for this Host is meant for us. A page of another site that points its own name at this machine (DNS
 * rebinding) names itself here; addresses and localhost cannot be pointed anywhere.
 */
export function isOwnHost(host: string, names: readonly string[]): boolean {
  const name = hostName(host);
  if (name === undefined) return false;
  return isIP(name) !== 0 || name === 'localhost' || names.some((own) => own.toLowerCase() === name);
}

/**
 * Whether an origin is that of the request's own address. A configured name may be served over TLS by a proxy before us:
 * what the browser calls https then comes here without.
 */
export function isSameOrigin(origin: string, host: string, isTls: boolean, names: readonly string[] = []): boolean {
  const [scheme, rest] = origin.toLowerCase().split('://', 2);
  if (rest !== host.toLowerCase()) return false;
  if (scheme === (isTls ? 'https' : 'http')) return true;
  const name = hostName(host);
  return scheme === 'https' && name !== undefined && names.some((own) => own.toLowerCase() === name);
}

/** Whether an address belongs to this machine alone. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}
