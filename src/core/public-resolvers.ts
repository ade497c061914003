/** Public resolvers that take encrypted questions, as their operators publish them: names and addresses. */

const NAMES: ReadonlySet<string> = new Set([
  'dns.google',
  'dns64.dns.google',
  'cloudflare-dns.com',
  'one.one.one.one',
  'cloudflare-gateway.com',
  'dns.quad9.net',
  'dns9.quad9.net',
  'dns10.quad9.net',
  'dns11.quad9.net',
  'doh.opendns.com',
  'dns.opendns.com',
  'doh.umbrella.com',
  'dns.umbrella.com',
  'doh.familyshield.opendns.com',
  'familyshield.opendns.com',
  'doh.sandbox.opendns.com',
  'dns.nextdns.io',
  'dns.adguard-dns.com',
  'dns.adguard.com',
  'd.adguard-dns.com',
  'unfiltered.adguard-dns.com',
  'family.adguard-dns.com',
  'dns.controld.com',
  'freedns.controld.com',
  'doh.cleanbrowsing.org',
  'security-filter-dns.cleanbrowsing.org',
  'family-filter-dns.cleanbrowsing.org',
  'adult-filter-dns.cleanbrowsing.org',
  'dns.mullvad.net',
  'base.dns.mullvad.net',
  'doh.dns.sb',
  'dot.sb',
  'doh.sb',
  'dns.alidns.com',
  'doh.pub',
  'dot.pub',
  'dns.twnic.tw',
  'doh.applied-privacy.net',
  'dot1.applied-privacy.net',
  'odvr.nic.cz',
  'doh.ffmuc.net',
  'dot.ffmuc.net',
  'dns4all.eu',
  'doh.dns4all.eu',
  'doq.dns4all.eu',
  'unfiltered.joindns4.eu',
  'dns0.eu',
  'dns.digitale-gesellschaft.ch',
  'dns.switch.ch',
  'doh.libredns.gr',
  'dot.libredns.gr',
  'dns.njal.la',
  'doh.xfinity.com',
  'dnscrypt-cert.opendns.com',
]);

/** Registrable domains of the names: most names are none of these. */
export const RESOLVER_DOMAINS: ReadonlySet<string> = new Set(
  [...NAMES].map((name) => name.split('.').slice(-2).join('.')),
);

/** Whether a name (folded text, without a last dot) is a public resolver's, or below one: `abc123.dns.nextdns.io`. */
export function isResolverName(name: string): boolean {
  for (let at = 0; ; ) {
    if (NAMES.has(at === 0 ? name : name.slice(at))) return true;
    const dot = name.indexOf('.', at);
    if (dot < 0) return false;
    at = dot + 1;
  }
}

/** Whether an address is a public resolver's that answers on the web's port: DNS over HTTPS, and over HTTP/3. */
export function isResolverAddress(family: number, w0: number, w1: number, w3: number): boolean {
  return family === 4 ? ADDRESSES.has(w3 | 0) : isResolver6(w0, w1);
}

/** 2606:4700:4700::/48, 2001:4860:4860::/48, 2620:fe::/48, 2620:119:35::/48, 2620:119:53::/48, 2a10:50c0::/32. */
function isResolver6(w0: number, w1: number): boolean {
  const high = w0 >>> 0;
  const next = w1 >>> 16;
  return (
    (high === 0x26064700 && next === 0x4700) ||
    (high === 0x20014860 && next === 0x4860) ||
    (high === 0x262000fe && next === 0) ||
    (high === 0x26200119 && (next === 0x35 || next === 0x53)) ||
    high === 0x2a1050c0
  );
}

const ADDRESSES: ReadonlySet<number> = new Set(
  [
    // Cloudflare
    '1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 104.16.248.249 104.16.249.249 162.159.61.4 172.64.41.4',
    '8.8.8.8 8.8.4.4', // Google
    '9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11 149.112.112.11', // Quad9
    '208.67.222.222 208.67.220.220 146.112.41.2', // OpenDNS
    '94.140.14.14 94.140.15.15 94.140.14.140 94.140.14.141', // AdGuard
    '185.228.168.168 185.228.169.168 185.228.168.9 185.228.168.10', // CleanBrowsing
    '45.90.28.0 45.90.30.0', // NextDNS
    '194.242.2.2 194.242.2.3 194.242.2.4', // Mullvad
    '185.222.222.222 45.11.45.11', // DNS.SB
    '223.5.5.5 223.6.6.6', // AliDNS
  ]
    .join(' ')
    .split(' ')
    .map((text) => text.split('.').reduce((value, octet) => (value << 8) | Number(octet), 0)),
);
