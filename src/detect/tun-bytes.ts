import { type Finding, type Measure, type Raise, type Severity } from '../core/alert.ts';
import { numberText, sizeText, spanText } from '../core/figures.ts';
import { isInAny, type Network } from '../core/network.ts';
import { group, size, type ValueOf, whole } from '../core/settings.ts';
import type { TableCount } from './bounded.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import type { Ahead, Host } from './entities.ts';
import type { Observation } from './observation.ts';
import { MOST_POINTS, type Shape, shapeOf, STRONG } from './tunnel/shape.ts';
import { leaveSubNames, subNamesOf } from './tunnel/shared-names.ts';
import type { Cell, SubNames, Traffic } from './tunnel/sub-names.ts';

const settings = group('How many bytes of names are too many.', {
  hour_bytes: size('Bytes of distinct names under a domain that one client may ask for within an hour.', {
    default: '1024B',
    least: 64,
  }),
  day_bytes: size('The same within a day: what leaks slowly.', { default: '4096B', least: 64 }),
  small_bytes: size('The hour’s limit where names also look like data and come like data.', {
    default: '400B',
    least: 64,
  }),
  block_bytes: size('Bytes within an hour from which blocking the domain is proposed.', {
    default: '4096B',
    least: 64,
  }),
  known_factor: whole('So many times the limits hold for popular domains, and for lists that answer in 127/8.', {
    default: 16,
    least: 1,
  }),
});
type Settings = ValueOf<typeof settings>;

/** Bytes between two looks at the same domain. */
const STRIDE = 1;
/** Clients from which a domain is one that many programs ask, and so many times the limits hold then. */
const WIDESPREAD_CLIENTS = 3;
const WIDESPREAD_FACTOR = 4;
/** Share of questions for new names below which a domain is one that is used, not written to. */
const USED_SHARE = 0.5;
const LISTED_SHARE = 0.9;
/** A resolver asks for many: so many times the limits hold for what it asks, unless the names tell enough. */
const RESOLVER_FACTOR = 8;

const FAILING_SHARE = 0.8;

function isFailing({ failedShare }: Traffic): boolean {
  return failedShare >= FAILING_SHARE;
}

function isAmong(networks: readonly Network[], host: Host | undefined): boolean {
  return host !== undefined && isInAny(networks, host.family, host.words);
}

/** Why and by how much a domain passed. */
interface Excess {
  traffic: Traffic;
  shape: Shape;
  bytes: number;
  limit: number;
  per: 'hour' | 'day';
}

/** Counts what names carry out of the network: the bytes of distinct names under a domain. */
class TunBytes implements Detector {
  readonly #settings: Settings;
  readonly #names: SubNames;
  readonly #services: DetectServices;

  constructor(settings: Settings, services: DetectServices) {
    this.#settings = settings;
    this.#services = services;
    this.#names = subNamesOf(services);
  }

  counts(): TableCount[] {
    return [this.#names.count()];
  }

  close(): void {
    leaveSubNames(this.#services);
  }

  touch(ahead: Ahead): void {
    this.#names.touch(ahead);
  }

  inspect(seen: Observation, raise: Raise): void {
    const cell = this.#names.note(seen);
    if (cell === null) return;
    const { hourBytes, dayBytes } = cell;
    if (hourBytes < cell.raisedBytes / 4) cell.raisedBytes = cell.lookAt = 0;
    const { small_bytes, day_bytes } = this.#settings;
    if (hourBytes < cell.lookAt || (hourBytes < small_bytes && dayBytes < day_bytes)) return;
    cell.lookAt = hourBytes + STRIDE;
    const excess = this.#judge(cell, seen.closed);
    if (excess === null) return;
    // Told again when it has doubled.
    cell.raisedBytes = hourBytes;
    cell.lookAt = Math.max(hourBytes * 2, small_bytes);
    raise(this.#finding(cell, excess, seen));
  }

  #judge(cell: Cell, now: number): Excess | null {
    const { hour_bytes, day_bytes, small_bytes, known_factor } = this.#settings;
    const traffic = cell.traffic();
    const shape = shapeOf(traffic, cell.domain, now);
    // Names that do not exist, from many: a flood of the domain's servers, which others tell of.
    if (isFailing(traffic) && traffic.clients >= WIDESPREAD_CLIENTS) return null;
    let factor = cell.domain.isPopular ? known_factor : 1;
    if (traffic.localShare >= LISTED_SHARE) factor *= known_factor;
    if (traffic.clients >= WIDESPREAD_CLIENTS) factor *= WIDESPREAD_FACTOR;
    if (traffic.uniqueShare < USED_SHARE) factor *= 2;
    const isStrong = shape.points >= STRONG;
    const isForOthers = traffic.isResolver || isAmong(this.#services.resolvers, traffic.client);
    if (isForOthers && !isStrong) factor *= RESOLVER_FACTOR;
    const { hourBytes, dayBytes } = traffic;
    const limit = factor === 1 && isStrong && !isForOthers ? small_bytes : hour_bytes * factor;
    if (hourBytes >= limit) return { traffic, shape, bytes: hourBytes, limit, per: 'hour' };
    const dayLimit = day_bytes * factor;
    return dayBytes >= dayLimit ? { traffic, shape, bytes: dayBytes, limit: dayLimit, per: 'day' } : null;
  }

  #finding(cell: Cell, { traffic, shape, bytes, limit, per }: Excess, seen: Observation): Finding {
    const { domain, firstSeen, lastSeen } = cell;
    const isLarge = bytes >= this.#settings.block_bytes;
    // Nothing answers: names that are guessed, or meant to keep servers busy, look the same, and the domain is the victim.
    const isOneWay = isFailing(traffic);
    const isStrong = shape.points >= STRONG;
    const severity: Severity = !isOneWay && isStrong && bytes >= this.#settings.hour_bytes ? 'high' : 'medium';
    const client = (traffic.client ?? seen.client).text;
    const took = spanText(Math.max(0.001, lastSeen - firstSeen));
    return {
      detector: 'TUN-BYTES',
      key: domain.text,
      severity: isLarge && !isOneWay && shape.points >= STRONG + 2 ? 'critical' : severity,
      score: Math.min(1, 0.5 + (shape.points / MOST_POINTS) * 0.5),
      confidence: Math.min(0.99, 0.6 + shape.points * 0.05 + (isLarge ? 0.1 : 0)),
      time: seen.closed,
      firstSeen,
      lastSeen,
      count: Math.round(cell.count),
      subject: domain.text,
      client,
      server: seen.server.text,
      domain: domain.text,
      title: `${sizeText(bytes)} of names under ${domain.text} in ${took}; ${sizeText(limit)} ${per === 'hour' ? 'an hour' : 'a day'} is the limit`,
      text:
        `${client} has asked for ${numberText(Math.round(traffic.names))} names under ${domain.text} that were new, ` +
        `${sizeText(bytes)} of text. Every name reaches the domain's server, so data can leave the network in them.` +
        (isOneWay ? ' Hardly any of them exists, so it may also be names that are guessed or generated.' : '') +
        (shape.reasons.length > 0 ? ` What speaks for that: ${shape.reasons.join('; ')}.` : ''),
      measures: measuresOf(bytes, limit, per, traffic),
      evidence: cell.evidence,
      attack: ATTACK,
      ...(!isOneWay &&
        (isLarge || isStrong) && {
          proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
        }),
    };
  }
}

function measuresOf(bytes: number, threshold: number, per: string, traffic: Traffic): Measure[] {
  return [
    { name: `distinct sub-name bytes per ${per}`, value: Math.round(bytes), unit: 'B', threshold },
    { name: 'new names', value: Math.round(traffic.names), unit: 'names' },
    { name: 'share of questions for new names', value: Number(traffic.uniqueShare.toFixed(3)), unit: '' },
    { name: 'bits per letter', value: Number(traffic.bitsPerLetter.toFixed(2)), unit: 'bit', threshold: 6 },
    { name: 'mean length of names', value: Number(traffic.meanLength.toFixed(1)), unit: 'B' },
  ];
}

const ATTACK = ['T1048.003', 'T1572'] as const;

export const tunBytes = detector({
  id: 'TUN-BYTES',
  title: 'Data leaves in names',
  summary:
    'Counts the bytes of distinct names under each registrable domain: a tunnel needs a new name for every piece of data.',
  attack: ATTACK,
  needs: ['names'],
  rows: 'new_sub_names',
  settings,
  create: (values, services) => new TunBytes(values, services),
});
