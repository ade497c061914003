import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';
import { addressWords, isInAny } from '../core/network.ts';
import { networkOf } from '../enrich/client-names.ts';
import type { Traces } from '../server/services.ts';
import { TYPES } from '../wire/iana.ts';
import type { TraceConfig } from './trace-settings.ts';

/**
 * Addresses that are of no name server on the Internet: this machine, private and local networks, multicast, what is set
 * apart for other uses (IANA special-purpose registries), IPv4 in IPv6.
 */
const NOT_PUBLIC =
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/8 64:ff9b::/96 64:ff9b:1::/48
  100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`
    .split(/\s+/)
    .map(networkOf);

/**
 * Traces for others: a zone's owner chooses which addresses are asked, so only public ones are, and those that the
 * configuration names.
 */
export function traceService(config: TraceConfig): Traces | null {
  if (!config.enabled) return null;
  return {
    async trace({ name, type, all }, signal) {
      const number = TYPES.number(type);
      if (number < 0) throw new UserError(`'${type}' is not an RR type. Write a mnemonic such as AAAA, or TYPE65280.`);
      const { trace } = await import('../client/trace/trace.ts');
      return trace(name, TYPES.name(number), {
        all,
        allows: (address) => config.root.includes(address) || mayAsk(address, config),
        mostQueries: config.queries_most,
        timeoutMs: 1500,
        signal: AbortSignal.any([signal, AbortSignal.timeout(config.timeout)]),
        ...(config.root.length > 0 && { root: config.root }),
        ...(config.anchors.length > 0 && { anchors: config.anchors }),
      });
    },
  };
}

/** Whether a server at this address may be asked. */
export function mayAsk(address: string, { allow }: Pick<TraceConfig, 'allow'>): boolean {
  const plain = address.split('%')[0];
  // What is written as IPv6 may be an IPv4 address all the same.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  const family = isIP(mapped);
  if (family !== 4 && family !== 6) return false;
  const words = addressWords(family, mapped);
  return isInAny(allow, family, words) || !isInAny(NOT_PUBLIC, family, words);
}
