import type { Address, EncodedRecords } from '../rr/batch-writer.ts';
import { parseName } from '../wire/writer.ts';
import { Random, Zipf } from './random.ts';
import { ipv4, nothing, RecordList, TYPE, TYPE_HTTPS } from './records.ts';

/** A name of a zone, and what is answered for it: by type, several answers that take turns; none is NODATA. */
export interface HostName {
  readonly text: string;
  readonly wire: Uint8Array;
  readonly zone: Zone;
  /** Its place among all names. */
  readonly number: number;
  ttl: number;
  answers: Map<number, EncodedRecords[]>;
}

/** A registrable domain with its name servers. */
export interface Zone {
  readonly domain: string;
  readonly wire: Uint8Array;
  readonly hosts: HostName[];
  /** Its authority: names and addresses of its servers, and how long NS records live, in seconds. */
  servers: { name: string; address: Address }[];
  nsTtl: number;
  readonly nothing: EncodedRecords;
  /** Median milliseconds of an answer from its servers. */
  rttMs: number;
  /** Delegated as usual; the servers above domains themselves; or the resolver's own. */
  kind: 'delegated' | 'parent' | 'local';
  /** What its servers do now. */
  state: 'ok' | 'servfail' | 'silent' | 'lame';
}

const SYLLABLES =
  'ba be bi bo bu ca ce co da de di do fa fi fo ga go ha he hi ka ki ko la le li lo ma me mi mo na ne no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi wa we za zo er on in an or al en ar'.split(
    ' ',
  );
const WORDS =
  'blue green river stone market garden city north south design media soft data cloud home travel book music food sport news health auto bike kids photo film paper green light solar metal wood craft print mail shop store club team lab works studio group trade bank law tax doctor school college church hotel farm'.split(
    ' ',
  );
const TLDS = [
  'com',
  'com',
  'com',
  'com',
  'net',
  'org',
  'io',
  'de',
  'fr',
  'nl',
  'co.uk',
  'com.au',
  'info',
  'app',
  'dev',
];
const HOSTS = 'www www www api cdn static img assets login m mail media news shop app edge js fonts track events'.split(
  ' ',
);
const TTLS = [30, 60, 60, 300, 300, 300, 900, 3600, 3600, 14_400, 86_400];
/** First octets of addresses that look public. */
const PUBLIC = [13, 23, 31, 34, 45, 52, 63, 66, 77, 81, 93, 104, 130, 142, 151, 157, 173, 185, 199, 204];

/** A name that somebody could have chosen: syllables, or two words. */
export function inventedLabel(random: Random): string {
  if (random.chance(0.4)) {
    const joint = random.chance(0.2) ? '-' : '';
    return random.pick(WORDS) + joint + random.pick(WORDS);
  }
  let label = '';
  for (let n = 2 + random.int(3); n > 0; n--) label += random.pick(SYLLABLES);
  if (random.chance(0.12)) label += random.int(100);
  return label;
}

export function publicAddress(random: Random): Address {
  return ipv4(((random.pick(PUBLIC) << 24) | (random.bits() >>> 8)) >>> 0);
}

/** All names that can be asked for. */
export class World {
  /** What people visit, by popularity. */
  readonly sites: Zone[] = [];
  readonly names: HostName[] = [];
  readonly #ranks: Zipf;
  readonly #domains = new Set<string>();
  readonly #missing = new Map<string, EncodedRecords>();
  /** Stands for all servers above domains. */
  readonly parents: Zone;
  readonly #random: Random;
  readonly #cdns: Zone[];

  /** `popular`: domains that everybody knows, the most popular first. */
  constructor(random: Random, popular: readonly string[], zones = 4000) {
    this.#random = random;
    this.#cdns = ['edgekey-cdn.net', 'akamaiedge.net', 'cloudfront.net', 'fastly-edge.net'].map((cdn) =>
      this.addZone(cdn, 0),
    );
    // Content networks are there already; what is invented must not be one that is known.
    const known = popular.filter((domain) => !this.#domains.has(domain)).slice(0, Math.ceil(zones * 0.7));
    for (const domain of known) this.#domains.add(domain);
    for (let rank = 0, next = 0; rank < zones; rank++) {
      const isKnown = next < known.length && (rank < 40 || random.chance(0.7));
      this.sites.push(this.addZone(isKnown ? known[next++] : this.unknownDomain(random)));
    }
    this.parents = this.addZone('gtld-servers.net', 0);
    this.parents.kind = 'parent';
    this.#ranks = new Zipf(zones, 0.95);
  }

  /** What the servers above say of a domain that nobody registered: the SOA of its last label, or of the suffix given. */
  missing(domain: string, suffix: string = domain.slice(domain.lastIndexOf('.') + 1)): EncodedRecords {
    let records = this.#missing.get(suffix);
    if (records === undefined) {
      // Of a name of one label the root says it.
      records = nothing(parseName(suffix === domain ? '.' : suffix), 900);
      this.#missing.set(suffix, records);
    }
    return records;
  }

  /** A domain that nobody has yet. */
  unknownDomain(random: Random): string {
    for (;;) {
      const domain = `${inventedLabel(random)}.${random.pick(TLDS)}`;
      if (!this.#domains.has(domain)) return domain;
    }
  }

  /** A site that somebody visits: the popular ones more often. */
  visited(random: Random): Zone {
    return this.sites[this.#ranks.draw(random)];
  }

  /** A site of ranks [from, to), or of those that there are. */
  site(random: Random, from: number, to: number): Zone {
    return this.sites[(from + random.int(to - from)) % this.sites.length];
  }

  /** A zone with some names; `hosts` limits them. */
  addZone(domain: string, hosts?: number): Zone {
    const random = this.#random;
    this.#domains.add(domain);
    const wire = parseName(domain);
    const isHosted = random.chance(0.7);
    const base = isHosted ? `dns-host${random.int(40)}.net` : domain;
    const zone: Zone = {
      domain,
      wire,
      hosts: [],
      servers: [1, 2].map((n) => ({ name: `ns${n}.${base}`, address: publicAddress(random) })),
      nsTtl: random.pick([3600, 21_600, 86_400, 172_800]),
      nothing: nothing(wire, random.pick([60, 300, 900, 3600])),
      rttMs: random.logNormal(28, 0.6),
      kind: 'delegated',
      state: 'ok',
    };
    const home = publicAddress(random);
    const count = hosts ?? 1 + random.int(4);
    for (let i = 0; i < count; i++) {
      const label = i === 0 && random.chance(0.7) ? 'www' : random.pick(HOSTS);
      const name = random.chance(0.15) ? domain : `${label}.${domain}`;
      if (!zone.hosts.some(({ text }) => text === name)) this.addName(zone, name, home);
    }
    return zone;
  }

  /** A name with addresses near `home`, or behind a CDN. */
  addName(zone: Zone, text: string, home: Address = publicAddress(this.#random)): HostName {
    const random = this.#random;
    const ttl = random.pick(TTLS);
    const name: HostName = { text, wire: parseName(text), zone, number: this.names.length, ttl, answers: new Map() };
    const hasV6 = random.chance(0.55);
    const isBehindCdn = this.#cdns.length > 0 && text !== zone.domain && random.chance(0.3);
    const answers: EncodedRecords[] = [];
    const six: EncodedRecords[] = [];
    const first = home.words[3];
    if (isBehindCdn) {
      const cdn = random.pick(this.#cdns);
      const edge = parseName(`e${random.int(40_000)}.${random.pick('abcd'.split(''))}.${cdn.domain}`);
      for (let k = 0; k < 4; k++) {
        const at = ipv4(((first & 0xff00_0000) | ((first + k * 0x10203) & 0xff_ffff)) >>> 0);
        answers.push(new RecordList().add('answers', TYPE.CNAME, ttl, edge).address('answers', 20, at, edge).done());
        six.push(new RecordList().add('answers', TYPE.CNAME, ttl, edge).address('answers', 20, v6(at), edge).done());
      }
      name.ttl = 20;
    } else {
      const list = new RecordList();
      for (let k = random.int(3); k >= 0; k--) list.address('answers', ttl, ipv4(first + k));
      answers.push(list.done());
      six.push(new RecordList().address('answers', ttl, v6(home)).done());
    }
    name.answers.set(TYPE.A, answers);
    if (hasV6) name.answers.set(TYPE.AAAA, six);
    if (random.chance(0.3)) {
      const alpn = [0, 1, 0, 0, 1, 0, 6, 2, 0x68, 0x32, 2, 0x68, 0x33];
      name.answers.set(TYPE_HTTPS, [new RecordList().add('answers', TYPE_HTTPS, ttl, new Uint8Array(alpn)).done()]);
    }
    zone.hosts.push(name);
    this.names.push(name);
    return name;
  }
}

function v6({ words }: Address): Address {
  return { family: 6, words: [0x2606_4700, 0, words[3] >>> 8, words[3]] };
}

/** NS records of a zone's authority, with glue. */
export function delegation({ wire, servers, nsTtl }: Zone, section: 'answers' | 'authority'): EncodedRecords {
  const list = new RecordList();
  for (const { name } of servers) list.add(section, TYPE.NS, nsTtl, parseName(name), wire);
  for (const { name, address } of servers) list.address('additional', nsTtl, address, parseName(name));
  return list.done();
}
