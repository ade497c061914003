import { binomialTail } from '../baseline/latency.ts';
import type { Evidence, Finding, Measure, Raise } from '../core/alert.ts';
import { numberText, percentText } from '../core/figures.ts';
import { group, whole, type ValueOf } from '../core/settings.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import type { Ahead, Entities, Host } from './entities.ts';
import type { BySlot, Records } from './generations.ts';
import { ERROR, isUnanswered, NXDOMAIN, type Observation } from './observation.ts';
import { SiteNames } from './site-names.ts';
import { Witnesses } from './witnesses.ts';

const HOUR = 3600;
const DAY = 86_400;
const WEEK_HOURS = 168;
const MOST_CLIENTS = 16_384;
/** An hour of fewer queries says nothing; so many hours have to be known of a client, and of all. */
const LEAST_QUERIES = 20;
const LEAST_HOURS = 24;
const LEAST_SCORES = 200;
/** Scores of hours that are remembered, a week of some 400 clients: what is told of is what hardly any of them reached. */
const MOST_SCORES = 65_536;
/** Share of the highest scores, whose fall is drawn out to what was never seen. */
const TOP = 0.05;
/** How much an hour counts for what is usual, once a hundred are known. */
const LEARNING = 0.01;
/** Queries of an hour depend on each other: no more than so many witnesses are heard. */
const MOST_WITNESSES = 60;
/** A part of the score is at most this; below the other one it is not worth words. */
const MOST_PART = 6;
const TOLD_PART = 1;
const LEAST_SCORE = 5;
const SHOWN = 9;
/** Names of an hour that are told apart, and those of a client that are looked at; below so many nothing is said of them. */
const NAME_SLOTS = 32_768;
const MOST_OWN_NAMES = 200;
const LEAST_NAMES = 10;
/** Letters that the model of names has to know. */
const LEAST_LETTERS = 5000;

/** What is counted, and what is known of it: mean and variance. */
const PARTS = ['volume', 'failed', 'fresh', 'spelling'] as const;
type Part = (typeof PARTS)[number];
const LEAST_SPREAD: Readonly<Record<Part, number>> = { volume: 0.35, failed: 0.02, fresh: 0.02, spelling: 0.15 };

/** A client's hour at hand, side by side (see `Records`); and how many transactions are kept to be shown. */
const QUERIES = 1;
const FAILED = 2;
const FRESH = 3;
const BITS = 4;
const OWN_NAMES = 5;
const FIRST_SEEN = 6;
const KEPT = 7;
const HOUR_NUMBERS = 8;

/** A client's usual hours: how many, then mean and variance of each part; and what shows the one at hand. */
interface Hours {
  readonly usual: Float64Array;
  readonly witnesses: Witnesses;
}

/** An hour that is over. */
interface Hour {
  queries: number;
  failed: number;
  fresh: number;
  bits: number;
  names: number;
  firstSeen: number;
  server: string;
}

const USUAL = 1 + 2 * PARTS.length;

const settings = group('How much is said.', {
  a_week: whole('Hours of clients that are told of in a week in which nothing is wrong: the most unusual ones.', {
    default: 1,
    least: 1,
    most: 10_000,
  }),
});

class Surprise implements Detector {
  readonly #settings: ValueOf<typeof settings>;
  readonly #entities: Entities;
  /** The hour at hand, by client; whom it asked first, by its slot; and its usual hours. */
  readonly #hours: Records<Host>;
  readonly #servers: Host[] = [];
  readonly #clients: BySlot<Host, Hours>;
  readonly #names = new SiteNames();
  /** Hashes of names of the hour, by their lower bits: one that gave way to another counts twice. */
  readonly #seen = new Int32Array(NAME_SLOTS);
  /** A ring, and how many were put into it. */
  readonly #scores = new Float32Array(MOST_SCORES);
  #kept = 0;
  /** Hours of clients that are judged in an hour, on average. */
  #rate = 0;
  #hour = Number.NaN;
  /** Of an earlier run, by address. */
  readonly #saved = new Map<string, Float64Array>();

  constructor(values: ValueOf<typeof settings>, { entities }: DetectServices) {
    this.#settings = values;
    this.#entities = entities;
    this.#hours = entities.hostRecords(HOUR_NUMBERS);
    this.#clients = entities.perHost(MOST_CLIENTS);
  }

  inspect(seen: Observation): void {
    const { domain, client, kind, outcome } = seen;
    const { numbers } = this.#hours;
    const at = this.#hours.at(client);
    if (numbers[at + QUERIES]++ === 0) {
      numbers[at + FIRST_SEEN] = seen.time;
      this.#servers[client.slot] = seen.server;
    }
    const isFailed = kind === NXDOMAIN || kind === ERROR || isUnanswered(outcome);
    if (isFailed) numbers[at + FAILED]++;
    if (domain === null) return;
    const isFresh = seen.time - domain.firstSeen < DAY && !domain.isPopular;
    if (isFresh) numbers[at + FRESH]++;
    // Hours of fewer are not judged.
    if ((isFailed || isFresh) && numbers[at + QUERIES] >= LEAST_QUERIES && numbers[at + KEPT] < SHOWN) {
      numbers[at + KEPT]++;
      this.#show(seen);
    }
    this.#name(seen, at);
  }

  /** Keeps a transaction of a client of whom enough is known for its hour to be told of. */
  #show(seen: Observation): void {
    const { client } = seen;
    let hours = this.#clients.peek(client);
    if (hours === undefined && this.#saved.size > 0) hours = this.#clients.take(client, begin, this.#saved);
    if (hours !== undefined && hours.usual[0] >= LEAST_HOURS) hours.witnesses.note(seen);
  }

  /** Reads what the rows that come next will read. */
  touch(ahead: Ahead): void {
    const { hosts, hashes, count } = ahead;
    let sum = this.#hours.touch(hosts, count);
    for (let k = 0; k < count; k++) sum += this.#seen[hashes[k] & (NAME_SLOTS - 1)];
    ahead.sum += sum;
  }

  /** Each name counts once an hour. */
  #name(seen: Observation, at: number): void {
    const hash = seen.nameHash | 0;
    const slot = hash & (NAME_SLOTS - 1);
    const { numbers } = this.#hours;
    if (this.#seen[slot] === hash || numbers[at + OWN_NAMES] >= MOST_OWN_NAMES || seen.domainAt < 0) return;
    this.#seen[slot] = hash;
    const end = seen.domainAt + 1 + seen.name[seen.domainAt];
    const bits = this.#names.bits(seen.name, end);
    if (Number.isNaN(bits)) return;
    numbers[at + OWN_NAMES]++;
    numbers[at + BITS] += bits;
  }

  tick(time: number, raise: Raise): void {
    const hour = Math.floor(time / HOUR);
    if (Number.isNaN(this.#hour)) this.#hour = hour;
    if (hour <= this.#hour) return;
    this.#hour = hour;
    let judged = 0;
    const { numbers } = this.#hours;
    const hosts = [...this.#entities.hosts()].sort((a, b) => a.slot - b.slot);
    for (const host of hosts) {
      const at = this.#hours.at(host);
      if (numbers[at + QUERIES] >= LEAST_QUERIES && this.#judge(host, this.#hourAt(host, at), time, raise)) judged++;
      this.#hours.clear(host);
    }
    this.#rate += (judged - this.#rate) * (this.#rate === 0 ? 1 : 0.05);
    this.#seen.fill(0);
  }

  #hourAt({ slot }: Host, at: number): Hour {
    const { numbers } = this.#hours;
    return {
      queries: numbers[at + QUERIES],
      failed: numbers[at + FAILED],
      fresh: numbers[at + FRESH],
      bits: numbers[at + BITS],
      names: numbers[at + OWN_NAMES],
      firstSeen: numbers[at + FIRST_SEEN],
      server: this.#servers[slot].text,
    };
  }

  /** Judges an hour that is over, and learns from it unless it was told of; false where too little is known yet. */
  #judge(host: Host, hour: Hour, time: number, raise: Raise): boolean {
    const { usual, witnesses } = this.#clients.take(host, begin, this.#saved);
    const evidence = witnesses.with();
    witnesses.clear();
    const values = valuesOf(hour, this.#names.letters);
    const isKnown = usual[0] >= LEAST_HOURS;
    if (isKnown) {
      const parts = PARTS.map((part, i) => partOf(part, values[i], usual, i, hour.queries));
      const score = parts.reduce((sum, part) => sum + part, 0);
      const isTold = this.#isRare(score);
      this.#keep(score);
      if (isTold) {
        raise(findingOf(host, hour, { time, score, parts, values, usual, evidence }));
        return true;
      }
    }
    const share = Math.max(LEARNING, 1 / ++usual[0]);
    values.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      const off = value - usual[1 + 2 * i];
      usual[1 + 2 * i] += share * off;
      usual[2 + 2 * i] = (1 - share) * (usual[2 + 2 * i] + share * off * off);
    });
    return isKnown;
  }

  #keep(score: number): void {
    this.#scores[this.#kept++ % MOST_SCORES] = score;
  }

  /** Those remembered, the lowest first. */
  #sorted(): Float32Array {
    return this.#scores.slice(0, Math.min(this.#kept, MOST_SCORES)).sort();
  }

  /**
   * Whether a score is reached no oftener than is wanted: by rank among those remembered, and by how the highest of them
   * fall. What is remembered of less than a week has no rank for it, and of a longer time the fall is drawn too steep.
   */
  #isRare(score: number): boolean {
    if (this.#kept < LEAST_SCORES || score < LEAST_SCORE) return false;
    const sorted = this.#sorted();
    const n = sorted.length;
    const hoursAWeek = Math.max(1, this.#rate) * WEEK_HOURS;
    const wanted = Math.max(1, Math.floor((this.#settings.a_week * n) / hoursAWeek));
    if (sorted[n - wanted] >= score) return false;
    const top = sorted.subarray(n - Math.ceil(n * TOP));
    const [edge] = top;
    if (score <= edge) return false;
    const excess = Math.max(0.3, top.reduce((sum, one) => sum + one - edge, 0) / top.length);
    const chance = TOP * Math.exp(-(score - edge) / excess);
    return chance * hoursAWeek <= this.#settings.a_week;
  }

  /** Those remembered, the oldest first. */
  #remembered(): Float32Array {
    const n = Math.min(this.#kept, MOST_SCORES);
    return Float32Array.from({ length: n }, (_, i) => this.#scores[(this.#kept - n + i) % MOST_SCORES]);
  }

  save(): unknown {
    const clients = [...this.#clients.entries()].map(([host, { usual }]) => [host.text, usual]);
    return { clients, names: this.#names.save(), scores: this.#remembered(), rate: this.#rate };
  }

  load(state: unknown): void {
    if (typeof state !== 'object' || state === null) return;
    const { clients, names, scores, rate } = state as Record<string, unknown>;
    this.#names.load(names);
    if (scores instanceof Float32Array) {
      const last = scores.filter(Number.isFinite).slice(-MOST_SCORES);
      this.#scores.set(last);
      this.#kept = last.length;
    }
    if (typeof rate === 'number' && rate >= 0) this.#rate = rate;
    if (!Array.isArray(clients)) return;
    for (const row of clients.slice(0, MOST_CLIENTS) as unknown[]) {
      const [address, usual] = Array.isArray(row) ? (row as unknown[]) : [];
      if (typeof address !== 'string' || !(usual instanceof Float64Array) || usual.length !== USUAL) continue;
      this.#saved.set(address, usual);
    }
  }
}

/** A client that was not known, with what an earlier run knew of it. */
function begin(host: Host, saved: Map<string, Float64Array>): Hours {
  const usual = saved.size === 0 ? undefined : saved.get(host.text);
  if (usual !== undefined) saved.delete(host.text);
  return { usual: usual ?? new Float64Array(USUAL), witnesses: new Witnesses(SHOWN) };
}

/** What an hour was, part by part; NaN where too little was seen of it. */
function valuesOf({ queries, failed, fresh, bits, names }: Hour, letters: number): number[] {
  const spelling = names < LEAST_NAMES || letters < LEAST_LETTERS ? Number.NaN : bits / names;
  return [Math.log(1 + queries), failed / queries, fresh / queries, spelling];
}

/** −log10 of the chance of as much or more. */
function partOf(part: Part, value: number, usual: Float64Array, i: number, queries: number): number {
  const mean = usual[1 + 2 * i];
  if (Number.isNaN(value) || value <= mean) return 0;
  const spread = Math.max(LEAST_SPREAD[part], Math.sqrt(usual[2 + 2 * i]));
  let chance = normalTail((value - mean) / spread);
  if (part === 'failed' || part === 'fresh') {
    const n = Math.min(queries, MOST_WITNESSES);
    // As unlikely as it is for a share, and for one that goes up and down as much as this one does.
    chance = Math.max(chance, binomialTail(value * n, n, Math.max(0.01, mean)));
  }
  return Math.min(MOST_PART, -Math.log10(chance));
}

/** Chance of a normal variable beyond `z` spreads: an upper bound (Chernoff). */
function normalTail(z: number): number {
  return Math.exp((-z * z) / 2);
}

const WORDS: Readonly<Record<Part, string>> = {
  volume: 'queries in an hour',
  failed: 'share of failed queries',
  fresh: 'share of queries for domains not known a day ago',
  spelling: 'bits a letter of names, as they are spelled here',
};

interface Judged {
  time: number;
  score: number;
  parts: readonly number[];
  values: readonly number[];
  usual: Float64Array;
  evidence: Evidence[];
}

function findingOf(host: Host, hour: Hour, { time, score, parts, values, usual, evidence }: Judged): Finding {
  const { queries, firstSeen, server } = hour;
  const measures = PARTS.flatMap((part, i): Measure[] => {
    if (parts[i] < TOLD_PART) return [];
    const isVolume = part === 'volume';
    const shown = (value: number) => Number((isVolume ? Math.exp(value) - 1 : value).toFixed(isVolume ? 0 : 3));
    const [mean, spread] = [usual[1 + 2 * i], Math.max(LEAST_SPREAD[part], Math.sqrt(usual[2 + 2 * i]))];
    const centre = shown(mean);
    return [
      {
        name: WORDS[part],
        value: shown(values[i]),
        unit: isVolume ? 'queries' : part === 'spelling' ? 'bit' : '',
        usual: { centre, spread: isVolume ? shown(mean + spread) - centre : spread, n: usual[0] },
        rank: 1 - 10 ** -parts[i],
      },
    ];
  });
  const said = measures.map(({ name, value, unit, usual: before }) => {
    const text = (one: number) =>
      unit === '' ? percentText(one) : `${numberText(one)}${unit === 'bit' ? ' bit' : ''}`;
    return `${name}: ${text(value)}, usually ${text(before?.centre ?? 0)}`;
  });
  return {
    detector: 'SURPRISE',
    key: host.text,
    severity: 'low',
    score: Math.min(1, score / (MOST_PART * PARTS.length)),
    confidence: 0.3,
    time,
    firstSeen,
    lastSeen: time,
    count: queries,
    subject: host.text,
    client: host.text,
    server,
    title: `An unusual hour of ${host.text}: ${said[0] ?? 'several things together'}`,
    text: `Of ${numberText(usual[0])} hours of ${host.text} none was like the last one. ${said.join('; ')}. Each may be chance; together they are rarer than what is told of once a week. Look at what it asked for.`,
    measures: [
      {
        name: 'surprise (sum of −log10 of chances)',
        value: Number(score.toFixed(1)),
        unit: '',
        threshold: LEAST_SCORE,
      },
      ...measures,
    ],
    evidence,
    attack: [],
  };
}

export const surprise = detector({
  id: 'SURPRISE',
  title: 'An unusual hour of a client',
  summary:
    'Adds up how unlikely an hour of a client is by its own earlier ones: queries, failures, domains that nobody here knew, and names that are spelled unlike those of this network. What is rare is calibrated on all hours seen, so that so many are told of in a week as is wanted. A hint of low severity.',
  attack: [],
  vantages: ['client', 'resolver'],
  needs: ['names', 'clients'],
  rows: 'queries',
  settings,
  create: (values, services) => new Surprise(values, services),
});
