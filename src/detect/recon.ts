import type { Finding, Raise } from '../core/alert.ts';
import { DNS } from '../core/carrier.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, span, type ValueOf, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import type { Domain, Host } from './entities.ts';
import type { BySlot } from './generations.ts';
import { DATA, NXDOMAIN, type Observation } from './observation.ts';
import { spellingBits } from './tunnel/spelling.ts';
import { Witnesses } from './witnesses.ts';

const ATTACK = ['T1590.002', 'T1018'] as const;
const TYPE_PTR = 12;
const TYPE_IXFR = 251;
const TYPE_AXFR = 252;
const MOST_CLIENTS = 8192;
/** Guessed names are words; generated ones are not. */
const WORD_BITS = 6;
const REST = 1800;
/** Guessed names are short. */
const LONGEST = 24;

/** Different questions of a client in a row, no longer apart than the time. */
class Sweep {
  #first: number;
  /** All of them, where there is more than one. */
  #hashes: Set<number> | undefined;
  readonly witnesses = new Witnesses();
  began: number;
  told = Number.NEGATIVE_INFINITY;

  constructor({ closed, nameHash }: Observation) {
    this.began = closed;
    this.#first = nameHash;
  }

  took(seen: Observation): string {
    return spanText(Math.max(0.001, seen.closed - this.began));
  }

  /** Adds a question; how many different ones there were within the time, of which `limit` are too many. */
  add(seen: Observation, seconds: number, limit: number): number {
    const time = seen.closed;
    if (time - this.began > seconds) {
      this.#hashes = undefined;
      this.#first = seen.nameHash;
      this.witnesses.clear();
      this.began = time;
    }
    if (this.#hashes === undefined) {
      if (seen.nameHash === this.#first) return 1;
      this.#hashes = new Set([this.#first]);
    }
    const hashes = this.#hashes;
    if (hashes.size < 1000) hashes.add(seen.nameHash);
    if (hashes.size > limit / 4) this.witnesses.note(seen);
    return hashes.size;
  }
}

const settings = group('Limits.', {
  reverse: whole('Different reverse names of neighbours that a client may ask for.', {
    default: 20,
    least: 3,
    most: 900,
  }),
  reverse_within: span('Within this.', { default: '10s', least: 1000 }),
  guesses: whole('Different names of one zone that do not exist.', { default: 50, least: 5, most: 900 }),
  guesses_within: span('Within this.', { default: '1m', least: 1000 }),
});

class Recon implements Detector {
  readonly #settings: ValueOf<typeof settings>;
  readonly #reverse: BySlot<Host, Sweeps>;
  readonly #guesses: BySlot<Host, Sweeps>;
  /** Client and zone of transfers that were told of. */
  readonly #transfers = new Bounded<string, true>(MOST_CLIENTS);

  constructor(values: ValueOf<typeof settings>, { entities }: DetectServices) {
    this.#settings = values;
    this.#reverse = entities.perHost(MOST_CLIENTS);
    this.#guesses = entities.perHost(MOST_CLIENTS);
  }

  inspect(seen: Observation, raise: Raise): void {
    if (seen.protocol !== DNS) return;
    const { type, domain } = seen;
    if (type === TYPE_AXFR || type === TYPE_IXFR) this.#transfer(seen, raise);
    else if (domain === null) return;
    else if (type === TYPE_PTR && domain.text.endsWith('.arpa')) this.#neighbour(seen, domain, raise);
    else if (seen.kind === NXDOMAIN && seen.subLength > 0 && seen.subLength <= LONGEST)
      this.#guess(seen, domain, raise);
  }

  #transfer(seen: Observation, raise: Raise): void {
    const [client, server, zone] = [seen.client.text, seen.server.text, seen.nameText];
    const key = `transfer ${zone} ${client}`;
    if (this.#transfers.peek(key) === true) return;
    this.#transfers.take(key, () => true);
    const isGiven = seen.kind === DATA;
    raise({
      ...findingOf(seen, key, 1, 1),
      severity: isGiven ? 'medium' : 'low',
      title: `${client} asks ${server} for all of the zone ${zone}${isGiven ? ', and gets it' : ''}`,
      text: `Zone transfers are for secondary servers. ${isGiven ? 'The server gave the zone: everything in it is known now.' : 'The server did not give it.'}`,
    });
  }

  #neighbour(seen: Observation, domain: Domain, raise: Raise): void {
    const { reverse, reverse_within } = this.#settings;
    const sweep = sweepOf(this.#reverse, seen, domain);
    const count = sweep.add(seen, reverse_within / 1000, reverse);
    if (count < reverse || seen.closed - sweep.told < REST) return;
    sweep.told = seen.closed;
    const client = seen.client.text;
    raise({
      ...findingOf(seen, `reverse ${client}`, count, reverse, sweep),
      title: `${client} asked for the names of ${numberText(count)} addresses under ${domain.text} in ${sweep.took(seen)}`,
      text: 'Asking for the names of addresses one after the other is how a network is explored. Mail and log servers ask for many, of other networks.',
    });
  }

  #guess(seen: Observation, domain: Domain, raise: Raise): void {
    if (spellingBits(seen.name, seen.domainAt) / seen.subLength > WORD_BITS) return;
    const { guesses, guesses_within } = this.#settings;
    const sweep = sweepOf(this.#guesses, seen, domain);
    const count = sweep.add(seen, guesses_within / 1000, guesses);
    if (count < guesses || seen.closed - sweep.told < REST) return;
    sweep.told = seen.closed;
    const client = seen.client.text;
    raise({
      ...findingOf(seen, `guess ${domain.text} ${client}`, count, guesses, sweep),
      title: `${client} guessed ${numberText(count)} names of ${domain.text} in ${sweep.took(seen)}; none of them exists`,
      text: 'Trying names of a zone one after the other finds hosts that nobody told of.',
    });
  }
}

function findingOf(
  seen: Observation,
  key: string,
  count: number,
  threshold: number,
  sweep?: Sweep,
): Omit<Finding, 'title' | 'text'> {
  const client = seen.client.text;
  return {
    detector: 'RECON',
    key,
    severity: 'low',
    score: 0.6,
    confidence: 0.6,
    time: seen.closed,
    firstSeen: sweep?.began ?? seen.time,
    lastSeen: seen.time,
    count,
    subject: client,
    client,
    server: seen.server.text,
    ...(seen.domain !== null && { domain: seen.domain.text }),
    measures: [{ name: 'different questions', value: count, unit: 'questions', threshold }],
    evidence: sweep === undefined ? [seen.evidence()] : sweep.witnesses.with(seen),
    attack: ATTACK,
  };
}

export const recon = detector({
  id: 'RECON',
  title: 'Somebody looks around',
  summary:
    'Sweeps of reverse names, zone transfers by hosts that are no resolver, and names of one zone guessed in a row.',
  attack: ATTACK,
  needs: ['names', 'clients'],
  rows: ['transfers', 'reverse', 'nonexistent'],
  settings,
  create: (values, services) => new Recon(values, services),
});

/** Domains of a client that are watched at a time. */
const MOST_DOMAINS = 8;

type Sweeps = Map<Domain, Sweep>;

function sweepOf(clients: BySlot<Host, Sweeps>, seen: Observation, domain: Domain): Sweep {
  const sweeps = clients.take(seen.client, () => new Map<Domain, Sweep>());
  let sweep = sweeps.get(domain);
  if (sweep !== undefined) return sweep;
  if (sweeps.size >= MOST_DOMAINS) {
    for (const oldest of sweeps.keys()) {
      sweeps.delete(oldest);
      break;
    }
  }
  sweep = new Sweep(seen);
  sweeps.set(domain, sweep);
  return sweep;
}
