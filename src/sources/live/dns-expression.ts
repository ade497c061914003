import { DNS_TCP_PORTS, DNS_UDP_PORTS, dnsPorts } from './bpf/dns.ts';
import type { LiveOptions } from './options.ts';

/**
 * The capture filter in tcpdump's language, for libpcap: the given one, or what the built-in program takes as far as
 * the language can say it.
 */
export function dnsExpression(options: LiveOptions): string {
  const family = options.family === undefined ? '' : options.family === 4 ? 'ip' : 'ip6';
  if (options.filter !== undefined)
    return family && options.filter ? `${family} and (${options.filter})` : options.filter || family;
  if (options.defaultFilter === 'none') return family;
  const { extraUdpPorts = [], extraTcpPorts = [], encrypted = 'off' } = options;
  const { udp = [], tcp = [], to = [] } = dnsPorts(extraUdpPorts, extraTcpPorts, encrypted);
  const ports = [
    ...[...DNS_UDP_PORTS, ...udp].map((port) => `udp port ${port}`),
    ...[...DNS_TCP_PORTS, ...tcp].map((port) => `tcp port ${port}`),
    ...to.map((port) => `dst port ${port}`),
    '(ip[6:2] & 0x1fff != 0 and (udp or tcp))',
    'ip6 proto 44',
    '(icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 5 or icmp[0] = 11 or icmp[0] = 12))',
    '(icmp6 and ip6[40] < 128)',
  ].join(' or ');
  const plain = family ? `${family} and (${ports})` : `(${ports})`;
  // `vlan` moves the offsets of all that follows.
  return `${plain} or (vlan and ${plain})`;
}
