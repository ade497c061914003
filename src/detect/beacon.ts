import { numberText, percentText, spanText } from '../core/figures.ts';
import { group, span, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import type { Domain, Host } from './entities.ts';
import { Told } from './failures.ts';
import type { Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const MOST_DOMAINS = 8192;
const MOST_CLIENTS = 2;
const GAPS = 32;
/** Questions this close belong together: A and AAAA, retries, search suffixes. */
const SAME_SECONDS = 2;
const LEAST_GAP = 5;
const DAY = 86_400;
const NO_GAPS = new Float64Array(0);

/** When one client asked for a domain. */
interface Rhythm {
  client: Host;
  first: number;
  last: number;
  /** A ring of gaps in seconds, and how many there were. */
  gaps: Float64Array;
  n: number;
  witnesses: Witnesses;
}

interface State {
  rhythms: Rhythm[];
  /** Largest TTL of its answers, seconds. */
  ttl: number;
}

function newRhythm(client: Host, time: number): Rhythm {
  return { client, first: time, last: time, gaps: NO_GAPS, n: 0, witnesses: new Witnesses() };
}

/** What is known of a domain that is not known here: the first question of each of its two clients. */
function stateOf(domain: Domain): State {
  const rhythms: Rhythm[] = [];
  const { client, second, askedAt, secondAskedAt, hasRhythm } = domain;
  if (!hasRhythm && client !== undefined) rhythms.push(newRhythm(client, askedAt));
  if (!hasRhythm && second !== undefined) rhythms.push(newRhythm(second, secondAskedAt));
  domain.hasRhythm = true;
  return { rhythms, ttl: 0 };
}

/** Whether the domain's client at hand asked for it just before, at first: until it comes back later there is no rhythm. */
function isFirst({ client, askedAt, secondAskedAt }: Domain, seen: Observation): boolean {
  return seen.time - (seen.client === client ? askedAt : secondAskedAt) < SAME_SECONDS;
}

function rhythmOf({ rhythms }: State, client: Host): Rhythm | undefined {
  for (let i = 0; i < rhythms.length; i++) if (rhythms[i].client === client) return rhythms[i];
  return undefined;
}

/** How regular a rhythm is. */
interface Regularity {
  score: number;
  median: number;
  mad: number;
}

/** Periodic, rare and young: only all three together. */
export const beacon = detector({
  id: 'BEACON',
  title: 'A client asks for a rare domain like clockwork',
  summary:
    'One or two clients ask for a domain that nobody else asks for, at regular intervals that are not those of its TTL: a program reports home. Most regular questions are harmless, so only those for rare and young domains are spoken of.',
  attack: ['T1071.004', 'T1029'],
  needs: ['names', 'clients', 'rhythm'],
  vantages: ['client', 'resolver'],
  rows: 'rare_names',
  settings: group('Limits.', {
    gaps: whole('Gaps between questions that have to be known.', { default: 12, least: 6, most: GAPS }),
    percent: whole('Regularity from which it is spoken of: 100 is a clock.', { default: 90, least: 50, most: 100 }),
    young: span('Domains that were first asked for within this time are young.', { default: '14d', least: 3_600_000 }),
  }),
  create: (limits, { baseline, entities, isAllowed }) => {
    const states = entities.perDomain<State>(MOST_DOMAINS);
    const told = new Told();
    /** When watching began: what was asked for in the first day is not new, it was there before. */
    let began = Number.POSITIVE_INFINITY;
    return {
      inspect(seen, raise) {
        const { domain } = seen;
        if (seen.time < began) began = seen.time;
        if (domain === null || domain.clientCount > MOST_CLIENTS || domain.queries < 2) return;
        let state = states.peek(domain);
        // Until somebody comes back the domain itself knows who asked, and when.
        if (state === undefined && !domain.hasRhythm && isFirst(domain, seen)) return;
        if (domain.isPopular) return;
        state = states.take(domain, stateOf);
        if (baseline.hasTtl && baseline.ttls.verdict.ttl > state.ttl) state.ttl = baseline.ttls.verdict.ttl;
        const { client, time } = seen;
        const rhythm = rhythmOf(state, client);
        if (rhythm === undefined) {
          if (state.rhythms.length >= MOST_CLIENTS) return;
          state.rhythms.push(newRhythm(client, time));
          return;
        }
        const gap = time - rhythm.last;
        if (gap < SAME_SECONDS) return;
        rhythm.last = time;
        // Many are asked for twice; few go on.
        if (rhythm.gaps.length === 0) rhythm.gaps = new Float64Array(GAPS);
        rhythm.gaps[rhythm.n++ % GAPS] = gap;
        if (rhythm.n < limits.gaps || rhythm.n % 4 !== 0) return;
        const regularity = regularityOf(rhythm.gaps.subarray(0, Math.min(GAPS, rhythm.n)));
        const { score, median, mad } = regularity;
        if (score < limits.percent / 100 || median < LEAST_GAP || isByTtl(median, state.ttl)) return;
        if (isAllowed(domain.text)) return;
        rhythm.witnesses.note(seen);
        const key = `${client.text} ${domain.text}`;
        if (!told.isDue(key, rhythm.n, time)) return;
        const age = time - domain.firstSeen;
        // Without knowing what was asked for before, everything is young.
        const isNew = domain.firstSeen >= began + DAY;
        const isYoung = isNew && age * 1000 < limits.young && baseline.isEstablished && age < DAY * 14;
        const isPlain = isYoung && rhythm.n >= 2 * limits.gaps && baseline.clients.table.size >= 20;
        raise({
          detector: 'BEACON',
          key,
          severity: isPlain ? 'medium' : 'low',
          score: isPlain ? score * 0.8 : score * 0.4,
          confidence: isPlain ? 0.6 : 0.3,
          time,
          firstSeen: rhythm.first,
          lastSeen: time,
          count: rhythm.n + 1,
          subject: client.text,
          client: client.text,
          server: seen.server.text,
          domain: domain.text,
          title: `${client.text} asks for ${domain.text} every ${spanText(median)}, give or take ${spanText(mad)}`,
          text: `${client.text} has asked for names under ${domain.text} ${numberText(rhythm.n + 1)} times in ${spanText(time - rhythm.first)}, at intervals of ${spanText(median)} (regularity ${percentText(score)}). ${state.rhythms.length === 1 ? 'No other client asks for it' : 'Only one other client asks for it'}, and it was first asked for ${spanText(Math.max(1, age))} ago. ${state.ttl > 0 ? `Its answers live for ${spanText(state.ttl)}, so it is not the cache that sets the pace. ` : ''}Find out which program asks.`,
          measures: [
            { name: 'regularity', value: score, unit: '', threshold: limits.percent / 100 },
            { name: 'interval', value: median, unit: 's', usual: { centre: median, spread: mad, n: rhythm.n } },
          ],
          evidence: rhythm.witnesses.with(seen),
          attack: beacon.attack,
          proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
        });
      },
    };
  },
});

/** Symmetry (Bowley's skewness) and tightness (median distance) of the gaps, half each. */
function regularityOf(gaps: Float64Array): Regularity {
  const sorted = gaps.toSorted();
  const q = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const median = q(0.5);
  const width = q(0.75) - q(0.25);
  // Of few gaps the skewness is little known: what chance makes of it does not count.
  const skewed = width === 0 ? 0 : Math.abs(q(0.75) + q(0.25) - 2 * median) / width;
  const skew = Math.max(0, skewed - 1 / Math.sqrt(sorted.length));
  const distances = sorted.map((gap) => Math.abs(gap - median)).toSorted();
  const mad = distances[distances.length >> 1];
  return { score: (1 - skew + Math.max(0, 1 - mad / median)) / 2, median, mad };
}

/** A client that asks again as soon as the answer has run out keeps the pace of the TTL, or of a multiple of it. */
function isByTtl(median: number, ttl: number): boolean {
  if (ttl < LEAST_GAP) return false;
  const times = Math.max(1, Math.round(median / ttl));
  return times <= 3 && Math.abs(median - times * ttl) <= 0.1 * ttl + SAME_SECONDS;
}
