import type { Finding, Raise } from '../core/alert.ts';
import { DNS } from '../core/carrier.ts';
import { isInAny, type Network } from '../core/network.ts';
import { flag, group, span, type ValueOf } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import { DomainSet } from './domain-set.ts';
import type { Host } from './entities.ts';
import type { Observation } from './observation.ts';

const ATTACK = ['T1572'] as const;
const MOST_TOLD = 8192;
const TYPE_SVCB = 64;
/** QUERY, NOTIFY, UPDATE, DSO: what is in use (IANA, DNS OpCodes). */
const USUAL_OPCODES = new Set([0, 4, 5, 6]);
const RD = 0x0100;
const Z = 0x0040;

/** Public resolvers that take encrypted questions, by the names under which clients find them. */
const RESOLVERS = new DomainSet([
  'dns.google',
  'dns64.dns.google',
  'cloudflare-dns.com',
  'one.one.one.one',
  '1dot1dot1dot1.cloudflare-dns.com',
  'dns.quad9.net',
  'dns9.quad9.net',
  'dns10.quad9.net',
  'dns11.quad9.net',
  'doh.opendns.com',
  'dns.opendns.com',
  'doh.umbrella.com',
  'doh.familyshield.opendns.com',
  'dns.nextdns.io',
  'dns.adguard-dns.com',
  'dns.adguard.com',
  'unfiltered.adguard-dns.com',
  'family.adguard-dns.com',
  'dns.controld.com',
  'freedns.controld.com',
  'doh.cleanbrowsing.org',
  'dns.mullvad.net',
  'base.dns.mullvad.net',
  'doh.dns.sb',
  'dns.alidns.com',
  'doh.pub',
  'dns.twnic.tw',
  'doh.applied-privacy.net',
  'odvr.nic.cz',
  'doh.ffmuc.net',
  'doq.dns4all.eu',
  'dnscrypt-cert.opendns.com',
]);

const settings = group('What is told of.', {
  bypass: flag('Clients that ask servers other than the configured resolvers.', { default: true }),
  encrypted: flag('Look-ups of the names of encrypted resolvers.', { default: true }),
  odd: flag('Operations and header bits that are not in use.', { default: true }),
  again: span('The same is told of again after this.', { default: '1d', least: 60_000 }),
});

class Evade implements Detector {
  readonly #settings: ValueOf<typeof settings>;
  readonly #services: DetectServices;
  readonly #told = new Bounded<string, { time: number; first: number; count: number }>(MOST_TOLD);
  /** The server that a client asks as it should. */
  readonly #usual = new WeakMap<Host, Host>();

  constructor(values: ValueOf<typeof settings>, services: DetectServices) {
    this.#settings = values;
    this.#services = services;
  }

  inspect(seen: Observation, raise: Raise): void {
    if (seen.protocol !== DNS) return;
    const { bypass, encrypted, odd } = this.#settings;
    if (bypass && this.#services.resolvers.length > 0 && flagsOf(seen) & RD && this.#isStranger(seen)) {
      const [client, server] = [seen.client.text, seen.server.text];
      this.#tell(seen, raise, `bypass ${server}`, {
        title: `${client} asks ${server}, which is none of the site’s resolvers`,
        text: `${client} sends its questions to ${server}. What it looks up passes by the site's resolver, its filters and its log.`,
      });
    }
    if (encrypted && isEncrypted(seen)) {
      const name = seen.nameText;
      this.#tell(seen, raise, `encrypted ${name}`, {
        title: `${seen.client.text} looks for the encrypted resolver ${name}`,
        text: `${seen.client.text} asked for ${name}. What it looks up after that can be seen by nobody here. Browsers do this by themselves; malware does too.`,
      });
    }
    if (!odd) return;
    if (!USUAL_OPCODES.has(seen.opcode)) {
      this.#tell(seen, raise, `opcode ${seen.opcode}`, {
        title: `${seen.client.text} sends messages of operation ${seen.opcode}, which is not in use`,
        text: 'Resolvers send queries, notifications and updates. Other operations are old, or hide something that is no DNS.',
      });
    }
    if (flagsOf(seen) & Z) {
      this.#tell(seen, raise, `z ${seen.server.text}`, {
        title: `${seen.client.text} sets a header bit that has to be zero`,
        text: 'The bit Z of a query is reserved (RFC 1035 §4.1.1). Tools that carry data over DNS have used it.',
      });
    }
  }

  #isStranger({ client, server }: Observation): boolean {
    if (this.#usual.get(client) === server) return false;
    const { networks, resolvers } = this.#services;
    const isOwn = isIn(resolvers, server) || isIn(networks, server) || isIn(resolvers, client);
    const isInside = networks.length === 0 || isIn(networks, client);
    if (!isOwn && isInside) return true;
    this.#usual.set(client, server);
    return false;
  }

  #tell(seen: Observation, raise: Raise, what: string, words: Pick<Finding, 'title' | 'text'>): void {
    const client = seen.client.text;
    const key = `${what} ${client}`;
    const state = this.#told.take(key, () => ({ time: Number.NEGATIVE_INFINITY, first: seen.time, count: 0 }));
    state.count++;
    if (seen.closed - state.time < this.#settings.again / 1000) return;
    state.time = seen.closed;
    raise({
      detector: 'EVADE',
      key,
      severity: 'low',
      score: 0.5,
      confidence: 0.8,
      time: seen.closed,
      firstSeen: state.first,
      lastSeen: seen.time,
      count: state.count,
      subject: client,
      client,
      server: seen.server.text,
      ...(seen.domain !== null && { domain: seen.domain.text }),
      ...words,
      measures: [],
      evidence: [seen.evidence()],
      attack: ATTACK,
    });
  }
}

export const evade = detector({
  id: 'EVADE',
  title: 'Look-ups past the site’s resolver',
  summary:
    'Clients that ask resolvers of strangers, look for encrypted ones (DoH, DoT, DoQ, DNSCrypt) by name, or send messages that no resolver would.',
  attack: ATTACK,
  needs: ['clients'],
  rows: 'queries',
  settings,
  create: (values, services) => new Evade(values, services),
});

function isIn(networks: readonly Network[], { family, words }: Host): boolean {
  return isInAny(networks, family, words);
}

/** Header bits of the query; 0 without one. */
function flagsOf(seen: Observation): number {
  const { arena, col } = seen.batch;
  const at = col.queryAt[seen.row];
  return col.queryLength[seen.row] < 12 ? 0 : (arena[at + 2] << 8) | arena[at + 3];
}

function isEncrypted(seen: Observation): boolean {
  const { domain, type } = seen;
  if (domain === null) return false;
  // Discovery of designated resolvers (RFC 9462): `_dns.resolver.arpa`, or `_dns.` of a resolver.
  if (type === TYPE_SVCB && seen.name[0] === 4 && seen.nameText.startsWith('_dns.')) return true;
  return DOMAINS.has(domain.text) && RESOLVERS.has(seen.nameText);
}

/** Registrable domains of the list: most names are none of these. */
const DOMAINS = new Set(
  'dns.google cloudflare-dns.com one.one quad9.net opendns.com umbrella.com nextdns.io adguard-dns.com adguard.com controld.com cleanbrowsing.org mullvad.net dns.sb alidns.com doh.pub twnic.tw applied-privacy.net nic.cz ffmuc.net dns4all.eu'.split(
    ' ',
  ),
);
