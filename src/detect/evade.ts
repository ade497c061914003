import type { Finding, Raise } from '../core/alert.ts';
import { addressText } from '../core/address.ts';
import { DNS, UDP } from '../core/carrier.ts';
import type { AddressWords, EncryptedFlow, EncryptedKind } from '../core/encrypted-flow.ts';
import { isInAny, type Network } from '../core/network.ts';
import { isResolverName, RESOLVER_DOMAINS } from '../core/public-resolvers.ts';
import { flag, group, span, type ValueOf } from '../core/settings.ts';
import { Bounded, type TableCount } from './bounded.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import { DomainSet } from './domain-set.ts';
import type { Host } from './entities.ts';
import type { Observation } from './observation.ts';

const ATTACK = ['T1572'] as const;
const MOST_TOLD = 8192;
const TYPE_SVCB = 64;
/** QUERY, NOTIFY, UPDATE, DSO: what is in use (IANA, DNS OpCodes). */
const USUAL_OPCODES = new Set([0, 4, 5, 6]);
const RESOLVERS = new DomainSet(RESOLVER_DOMAINS);
const RD = 0x0100;
const Z = 0x0040;

const settings = group('What is told of.', {
  bypass: flag('Clients that ask servers other than the configured resolvers.', { default: true }),
  encrypted: flag('Connections to encrypted resolvers, and look-ups of their names.', { default: true }),
  odd: flag('Operations and header bits that are not in use.', { default: true }),
  again: span('The same is told of again after this.', { default: '1d', least: 60_000 }),
});

class Evade implements Detector {
  readonly #settings: ValueOf<typeof settings>;
  readonly #services: DetectServices;
  readonly #knowsResolvers: boolean;
  readonly #told = new Bounded<string, { time: number; first: number; count: number }>(MOST_TOLD);
  /** Encrypted flows seen, and those that were too many. */
  readonly #flows = { flows: 0, missed: 0 };
  /** A client, and the server that it asks as it should, by the client's slot. */
  readonly #clients: Host[] = [];
  readonly #servers: Host[] = [];

  constructor(values: ValueOf<typeof settings>, services: DetectServices) {
    this.#settings = values;
    this.#services = services;
    this.#knowsResolvers = values.bypass && services.resolvers.length > 0;
  }

  inspect(seen: Observation, raise: Raise): void {
    if (seen.protocol !== DNS) return;
    const { encrypted, odd } = this.#settings;
    if (this.#knowsResolvers && (seen.queryFlags & RD) !== 0 && this.#isStranger(seen)) {
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
    if ((seen.queryFlags & Z) !== 0) {
      this.#tell(seen, raise, `z ${seen.server.text}`, {
        title: `${seen.client.text} sets a header bit that has to be zero`,
        text: 'The bit Z of a query is reserved (RFC 1035 §4.1.1). Tools that carry data over DNS have used it.',
      });
    }
  }

  /** Flows that were too many to be told of are missing where flows are counted. */
  counts(): TableCount[] {
    const { flows, missed } = this.#flows;
    return [{ name: 'EVADE encrypted flows', used: flows, limit: flows + missed, evicted: missed }].filter(
      ({ limit }) => limit > 0,
    );
  }

  encrypted(flow: EncryptedFlow, raise: Raise): void {
    this.#flows.flows++;
    this.#flows.missed += flow.missed ?? 0;
    const { networks, resolvers } = this.#services;
    const is = (list: readonly Network[], words: AddressWords) => isInAny(list, flow.family, words);
    // What a resolver of the site asks, and what it is asked, is as it should be.
    if (!this.#settings.encrypted || is(resolvers, flow.client) || is(resolvers, flow.server)) return;
    // A stub on the client itself is none of a stranger's.
    if (flow.server.every((word, i) => word === flow.client[i])) return;
    if (is(networks, flow.server) || (networks.length > 0 && !is(networks, flow.client))) return;
    const { kind, time, family, serverName, transport, serverPort } = flow;
    const client = addressText(family, ...flow.client);
    const server = addressText(family, ...flow.server);
    const told = this.#note(`${kind} ${serverName ?? server} ${client}`, time, time);
    if (told === null) return;
    const over = transport === UDP ? 'UDP' : 'TCP';
    const saying = serverName === undefined ? '' : ` It calls the server ${serverName}.`;
    raise({
      ...COMMON,
      ...told,
      time,
      lastSeen: time,
      measures: [],
      subject: client,
      client,
      server,
      title: `${client} asks ${serverName ?? server} by ${KINDS[kind]}`,
      text: `${client} speaks ${KINDS[kind]} with ${server}, ${over} port ${serverPort} (frame ${flow.closeNumber}).${saying} What it looks up there can be seen by nobody here. Browsers and phones do this by themselves; malware does too.`,
      evidence: [],
    });
  }

  #isStranger({ client, server }: Observation): boolean {
    const { slot } = client;
    if (this.#clients[slot] === client && this.#servers[slot] === server) return false;
    const { networks, resolvers } = this.#services;
    const isOwn = isIn(resolvers, server) || isIn(networks, server) || isIn(resolvers, client);
    const isInside = networks.length === 0 || isIn(networks, client);
    if (!isOwn && isInside) return true;
    this.#clients[slot] = client;
    this.#servers[slot] = server;
    return false;
  }

  #tell(seen: Observation, raise: Raise, what: string, words: Pick<Finding, 'title' | 'text'>): void {
    const client = seen.client.text;
    const told = this.#note(`${what} ${client}`, seen.closed, seen.time);
    if (told === null) return;
    raise({
      ...COMMON,
      ...told,
      time: seen.closed,
      lastSeen: seen.time,
      measures: [],
      subject: client,
      client,
      server: seen.server.text,
      ...(seen.domain !== null && { domain: seen.domain.text }),
      ...words,
      evidence: [seen.evidence()],
    });
  }

  /** Counts one more of a kind; what to say of them, null where that was said lately. */
  #note(key: string, now: number, seen: number): Pick<Finding, 'key' | 'firstSeen' | 'count'> | null {
    const state = this.#told.take(key, () => ({ time: Number.NEGATIVE_INFINITY, first: seen, count: 0 }));
    state.count++;
    if (now - state.time < this.#settings.again / 1000) return null;
    state.time = now;
    return { key, firstSeen: state.first, count: state.count };
  }
}

const COMMON = {
  detector: 'EVADE',
  severity: 'low',
  score: 0.5,
  confidence: 0.8,
  attack: ATTACK,
} as const satisfies Partial<Finding>;

const KINDS: Readonly<Record<EncryptedKind, string>> = {
  dot: 'DNS over TLS',
  doh: 'DNS over HTTPS',
  doq: 'DNS over QUIC',
  dnscrypt: 'DNSCrypt',
};

export const evade = detector({
  id: 'EVADE',
  title: 'Look-ups past the site’s resolver',
  summary:
    'Clients that ask resolvers of strangers, use encrypted ones (DoH, DoT, DoQ, DNSCrypt) or look for them by name, or send messages that no resolver would.',
  attack: ATTACK,
  needs: ['clients'],
  rows: 'queries',
  settings,
  create: (values, services) => new Evade(values, services),
});

function isIn(networks: readonly Network[], { family, words }: Host): boolean {
  return isInAny(networks, family, words);
}

function isEncrypted(seen: Observation): boolean {
  const { domain, type } = seen;
  if (domain === null) return false;
  // Discovery of designated resolvers (RFC 9462): `_dns.resolver.arpa`, or `_dns.` of a resolver.
  if (type === TYPE_SVCB && seen.name[0] === 4 && seen.nameText.startsWith('_dns.')) return true;
  domain.isResolver ??= RESOLVERS.mayHave(seen.name, seen.domainAt) && RESOLVERS.has(domain.text);
  return domain.isResolver && isResolverName(seen.nameText);
}
