import { isIPv4 } from 'node:net';
import { addressWords } from '../core/network.ts';
import type { ProbeFacts, ProbeMetric, ProbeResult } from '../core/probe.ts';

/** A fact as a number; 0 where there is none. */
export function numberOf(fact: ProbeFacts[string]): number {
  return typeof fact === 'number' ? fact : 0;
}

/** What all probes show (blackbox_exporter's names), `seconds` in all. */
export function commonMetrics(result: ProbeResult, seconds: number): ProbeMetric[] {
  const { address, phases, outcome } = result;
  const list: ProbeMetric[] = [
    {
      name: 'probe_dns_lookup_time_seconds',
      help: 'Returns the time taken for probe dns lookup in seconds',
      value: (phases.resolve ?? 0) / 1000,
    },
    {
      name: 'probe_duration_seconds',
      help: 'Returns how long the probe took to complete in seconds',
      value: seconds,
    },
    {
      name: 'probe_success',
      help: 'Displays whether or not the probe was a success',
      value: outcome === 'ok' ? 1 : 0,
    },
  ];
  if (address === undefined) return list;
  list.push(
    {
      name: 'probe_ip_addr_hash',
      help: 'Specifies the hash of IP address. It is useful to detect if the IP address changes.',
      value: addressHash(address),
    },
    {
      name: 'probe_ip_protocol',
      help: 'Specifies whether probe ip protocol is IP4 or IP6',
      value: isIPv4(address) ? 4 : 6,
    },
  );
  return list;
}

/** FNV-1a of the octets, 32 bits. */
function addressHash(address: string): number {
  const family = isIPv4(address) ? 4 : 6;
  const words = addressWords(family, address).slice(family === 4 ? 3 : 0);
  let hash = 0x811c9dc5;
  for (const word of words) {
    for (const shift of [24, 16, 8, 0]) hash = Math.imul(hash ^ ((word >>> shift) & 255), 0x01000193) >>> 0;
  }
  return hash;
}
