/**
 * A little internet: root, top level, leaves. Everything is below `test` and `other`; each leaf shows one thing that is
 * right or wrong with names, servers or signatures.
 */

/** Where the servers are; `dead` is nobody. All on port 53. */
export const AT = {
  root: '127.53.0.1',
  tld: '127.53.0.2',
  nsd: '127.53.0.3',
  knot: '127.53.0.4',
  powerdns: '127.53.0.5',
  dead: '127.53.0.6',
  /** A resolver: what `delv` asks, and a name server that answers from its cache. */
  resolver: '127.53.0.9',
} as const;

export type Place = keyof typeof AT;

/** How a zone is signed, if it is. `denial`: arguments of dnssec-signzone. */
interface Signing {
  algorithm: 'ECDSAP256SHA256' | 'RSASHA256' | 'ED25519';
  denial: readonly string[];
  /** Its signatures are over. */
  isExpired?: boolean;
  /** A character of the signature over this name's A is changed. */
  broken?: string;
  /** What the parent has in the place of its DS. */
  ds?: string;
}

export interface ZoneSource {
  name: string;
  /** Without SOA and NS of its own. */
  records: string;
  /** The zone's servers, in its own NS set; the first is the primary of the SOA. */
  servers: readonly Place[];
  /** Who has it in truth, if others than its servers. */
  served?: readonly Place[];
  /** What its parent says of it, if something else than `servers` with glue. */
  delegation?: string;
  signing?: Signing;
}

const NSEC: readonly string[] = [];
/** RFC 9276: no salt, no extra iterations. */
const NSEC3 = ['-3', '-', '-H', '0'];
const OPT_OUT = [...NSEC3, '-A'];
const WRONG_DIGEST = 'A1'.repeat(32);
const WWW = 'www A 192.0.2.80\nwww AAAA 2001:db8::80\n';
const P256 = { algorithm: 'ECDSAP256SHA256', denial: NSEC } as const;

/** Leaves first: a parent needs the DS of its children. */
export const ZONES: readonly ZoneSource[] = [
  {
    name: 'sub.secure.test',
    records: WWW,
    servers: ['nsd', 'knot'],
    signing: { algorithm: 'ED25519', denial: NSEC3 },
  },
  {
    name: 'secure.test',
    records: `${WWW}alias CNAME www
chain CNAME alias
far CNAME www.rsa.test.
plainly CNAME www.plain.test.
round CNAME about
about CNAME round
dangling CNAME nowhere
tree DNAME rsa.test.
*.wild A 192.0.2.99
*.wild TXT "wild"
a.b.deep A 192.0.2.7
${Array.from({ length: 5 }, (_, i) => `big TXT "${String.fromCharCode(97 + i).repeat(250)}" "${String.fromCharCode(107 + i).repeat(250)}"`).join('\n')}
huge TXT ${Array.from({ length: 120 }, (_, i) => `"${String(i).padStart(3, '0').repeat(80)}"`).join(' ')}
_sip._tcp SRV 10 60 5060 www
_sip._tcp SRV 20 0 5060 alias
svc HTTPS 1 . alpn=h2 ipv4hint=192.0.2.80
`,
    servers: ['nsd', 'knot'],
    signing: P256,
  },
  {
    name: 'rsa.test',
    records: `${WWW}*.wild A 192.0.2.98\n`,
    servers: ['nsd'],
    signing: { algorithm: 'RSASHA256', denial: NSEC3 },
  },
  { name: 'free.optout.test', records: WWW, servers: ['nsd'] },
  { name: 'optout.test', records: WWW, servers: ['knot'], signing: { algorithm: 'ED25519', denial: OPT_OUT } },
  {
    name: 'rounds.test',
    records: WWW,
    servers: ['nsd'],
    signing: { algorithm: 'ECDSAP256SHA256', denial: ['-3', 'AB', '-H', '100'] },
  },
  { name: 'plain.test', records: WWW, servers: ['nsd', 'knot'] },
  { name: 'broken.test', records: WWW, servers: ['nsd'], signing: { ...P256, broken: 'www' } },
  { name: 'expired.test', records: WWW, servers: ['nsd'], signing: { ...P256, isExpired: true } },
  { name: 'mismatch.test', records: WWW, servers: ['nsd'], signing: { ...P256, ds: `4711 13 2 ${WRONG_DIGEST}` } },
  // The parent says that it is signed, and it is not.
  { name: 'stripped.test', records: WWW, servers: ['nsd'], delegation: `stripped DS 4711 13 2 ${WRONG_DIGEST}` },
  { name: 'unknown.test', records: WWW, servers: ['nsd'], delegation: `unknown DS 4711 200 2 ${WRONG_DIGEST}` },
  // One of two servers does not know the zone, or no server does.
  { name: 'lame.test', records: WWW, servers: ['knot', 'nsd'], served: ['nsd'] },
  { name: 'forsaken.test', records: WWW, servers: ['knot'], served: [] },
  { name: 'silent.test', records: WWW, servers: ['dead', 'nsd'], served: ['nsd'] },
  // Its name server is a resolver, which answers from its cache.
  { name: 'lazy.test', records: WWW, servers: ['resolver'], served: ['nsd'] },
  // The parent names two servers, the zone itself only one of them.
  {
    name: 'skewed.test',
    records: WWW,
    servers: ['nsd'],
    served: ['nsd', 'knot'],
    delegation: 'skewed NS ns-nsd.skewed\nskewed NS ns-knot.skewed\nns-knot.skewed A 127.53.0.4',
  },
  // Its server has a name below another top level.
  { name: 'outside.test', records: WWW, servers: [], served: ['nsd'], delegation: 'outside NS ns.help.other.' },
  { name: 'help.other', records: `ns A ${AT.nsd}\n`, servers: ['nsd'] },
  // Each has its server in the other.
  { name: 'hen.test', records: WWW, servers: [], served: [], delegation: 'hen NS ns.egg' },
  { name: 'egg.test', records: WWW, servers: [], served: [], delegation: 'egg NS ns.hen' },
  {
    name: 'ecs.test',
    records: `www LUA A "; if ecswho and ecswho:toString():match('^198.51.100.') then return '192.0.2.1' end return '192.0.2.2'"\n`,
    servers: ['powerdns'],
  },
  { name: 'other', records: '', servers: ['tld'] },
  { name: 'test', records: '', servers: ['tld'], signing: { algorithm: 'RSASHA256', denial: OPT_OUT } },
  { name: '.', records: '', servers: ['root'], signing: P256 },
];

/** A name and what `delv` must say of it; the tests check both against `delv`. */
export interface Case {
  name: string;
  type: string;
  security: 'secure' | 'insecure' | 'bogus';
  rcode: string;
  /** Where `delv` says something else, and why it may. */
  delv?: { says: 'secure'; because: string };
}

const good = (name: string, type = 'A', rcode = 'NOERROR'): Case => ({ name, type, security: 'secure', rcode });
const free = (name: string, type = 'A', rcode = 'NOERROR'): Case => ({ name, type, security: 'insecure', rcode });
const bad = (name: string, type = 'A', rcode = 'NOERROR'): Case => ({ name, type, security: 'bogus', rcode });

const OUT = {
  says: 'secure',
  because: 'it calls proofs with opt-out validated; RFC 5155 §9.2 wants them without AD',
} as const;
const ROUNDS = {
  says: 'secure',
  because: 'this version takes up to 150 iterations; newer ones, as RFC 9276 advises, 50',
} as const;

/** Names that resolve, with the verdict of validation; of a chain of aliases that of its weakest part. */
export const CASES: readonly Case[] = [
  good('www.secure.test'),
  good('www.secure.test', 'AAAA'),
  good('www.secure.test', 'MX'),
  good('nowhere.secure.test', 'A', 'NXDOMAIN'),
  good('alias.secure.test'),
  good('chain.secure.test'),
  good('far.secure.test'),
  free('plainly.secure.test'),
  good('dangling.secure.test', 'A', 'NXDOMAIN'),
  good('www.tree.secure.test'),
  good('x.wild.secure.test'),
  good('x.y.wild.secure.test', 'TXT'),
  good('x.wild.secure.test', 'MX'),
  good('b.deep.secure.test'),
  good('a.b.deep.secure.test'),
  good('big.secure.test', 'TXT'),
  good('huge.secure.test', 'TXT'),
  good('secure.test', 'SOA'),
  good('secure.test', 'DS'),
  good('secure.test', 'DNSKEY'),
  good('www.sub.secure.test'),
  good('none.sub.secure.test', 'A', 'NXDOMAIN'),
  good('www.rsa.test'),
  good('www.rsa.test', 'TXT'),
  good('none.rsa.test', 'A', 'NXDOMAIN'),
  good('x.wild.rsa.test'),
  good('x.wild.rsa.test', 'TXT'),
  good('www.optout.test'),
  free('www.free.optout.test'),
  { ...free('none.optout.test', 'A', 'NXDOMAIN'), delv: OUT },
  { ...free('none.test', 'A', 'NXDOMAIN'), delv: OUT },
  { ...free('none.rounds.test', 'A', 'NXDOMAIN'), delv: ROUNDS },
  free('www.plain.test'),
  free('none.plain.test', 'A', 'NXDOMAIN'),
  bad('www.broken.test'),
  good('www.broken.test', 'AAAA'),
  bad('www.expired.test'),
  bad('www.mismatch.test'),
  bad('www.stripped.test'),
  free('www.unknown.test'),
  free('www.lame.test'),
  free('www.silent.test'),
  free('www.lazy.test'),
  free('www.skewed.test'),
  free('www.outside.test'),
  free('www.ecs.test'),
];

/** Names that nobody can resolve. */
export const UNRESOLVABLE: readonly string[] = ['www.forsaken.test', 'www.hen.test', 'round.secure.test'];
