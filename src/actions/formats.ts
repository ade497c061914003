import type { Block, BlockKind } from '../core/block.ts';
import { RpzZone } from './rpz-zone.ts';

/** What a list of blocks looks like to the program that reads it. */
export interface ListFormat {
  name: string;
  summary: string;
  kinds: readonly BlockKind[];
  text(blocks: readonly Block[], context: { zone: string; serial: number }): string;
}

const HEAD = 'Written by nametap: what is changed here is lost with the next block.';

/** Formats of the action `file`: one entry each. */
export const LIST_FORMATS: readonly ListFormat[] = [
  {
    name: 'rpz',
    summary: 'a response policy zone, for BIND, Unbound, Knot Resolver, PowerDNS Recursor',
    kinds: ['domain', 'client', 'address'],
    text: (blocks, { zone, serial }) => `; ${HEAD}\n${new RpzZone(zone, { answer: 'nxdomain' }).text(blocks, serial)}`,
  },
  lines('domains', 'one domain a line', (name) => name),
  lines('hosts', 'a hosts file (these names only, not those below)', (name) => `0.0.0.0 ${name}`),
  lines('adguard', 'rules of AdGuard Home and Pi-hole', (name) => `||${name}^`, '!'),
  lines('unbound', 'local zones of Unbound, to be included', (name) => `local-zone: "${name}." always_nxdomain`),
  lines('dnsmasq', 'dnsmasq, as conf-file', (name) => `address=/${name}/`),
  {
    name: 'dnsdist',
    summary: 'for deploy/dnsdist/nametap.lua: seconds since 1970 of the end, and the domain',
    kinds: ['domain'],
    text: (blocks) =>
      `# ${HEAD}\n${blocks.map(({ until, value }) => `${Math.ceil(until / 1000)} ${value}\n`).join('')}`,
  },
];

function lines(name: string, summary: string, line: (domain: string) => string, comment = '#'): ListFormat {
  return {
    name,
    summary,
    kinds: ['domain'],
    text: (blocks) => `${comment} ${HEAD}\n${blocks.map(({ value }) => `${line(value)}\n`).join('')}`,
  };
}
