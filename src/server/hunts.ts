import type { View } from './schema/meta.ts';

/** A view of Explore with a filter. */
function hunt(name: string, title: string, summary: string, f: string): View {
  return { name, title, summary, url: `/explore?from=-24h&to=now&f=${encodeURIComponent(f)}`, builtin: true };
}

/** Views that nametap brings: where to begin to look. */
export const HUNTS: readonly View[] = [
  hunt(
    'malware-keyword',
    'Malware keyword in a name',
    'Names that contain a word of malicious infrastructure, in any letter case.',
    'dns.qry.name contains "malware" or dns.qry.name contains "botnet" or dns.qry.name contains "phish"',
  ),
  hunt(
    'long-labels',
    'Long names and labels',
    'Names over 60 characters with a long label: tunnels carry their data here.',
    'len(dns.qry.name) > 60 and dns.qry.name matches r"(^|\\.)[^.]{32,}"',
  ),
  hunt(
    'txt-volume',
    'TXT volume',
    'TXT answers above 200 octets: data coming in.',
    'dns.qry.type == TXT and dns.resp.len > 200',
  ),
  hunt('slow-a', 'Slow A', 'Addresses that took longer than 200 ms.', 'dns.qry.type == A and dns.time > 0.2'),
  hunt(
    'nxdomain',
    'Names that do not exist',
    'Generated names and typing mistakes end here.',
    'dns.flags.rcode == NXDOMAIN',
  ),
  hunt('failures', 'SERVFAIL and REFUSED', 'Servers that could not or would not answer.', 'dns.flags.rcode in {2, 5}'),
  hunt('unanswered', 'Without an answer', 'Queries that nobody answered.', 'dns.response_missing'),
  hunt('any-queries', 'ANY queries', 'Asked for by amplification attacks and old tools.', 'dns.qry.type == 255'),
  hunt(
    'null-queries',
    'NULL and private types',
    'Types that carry data of tunnels.',
    'dns.qry.type in {10, 65280 .. 65534}',
  ),
  hunt(
    'private-answers',
    'Private addresses for outside names',
    'Answers that point into your own network: DNS rebinding.',
    'dns.a == 10.0.0.0/8 or dns.a == 172.16.0.0/12 or dns.a == 192.168.0.0/16',
  ),
  hunt('zone-transfers', 'Zone transfers', 'AXFR and IXFR.', 'dns.qry.type in {251, 252}'),
  hunt(
    'large-answers',
    'Large answers',
    'Answers truncated: the client comes back over TCP.',
    'dns.flags.truncated == 1',
  ),
];
