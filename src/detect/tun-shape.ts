import type { Severity } from '../core/alert.ts';
import { numberText, sizeText } from '../core/figures.ts';
import { group, size, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import type { Domain } from './entities.ts';
import { ageWeight } from './new-dom.ts';
import { MOST_POINTS, shapeOf } from './tunnel/shape.ts';
import { leaveSubNames, subNamesOf } from './tunnel/shared-names.ts';
import type { Traffic } from './tunnel/sub-names.ts';

const ATTACK = ['T1071.004', 'T1132.001'] as const;
const MOST_TOLD = 2048;
const HOUR = 3600;
/** Names of a shape are looked at again after so many bytes more. */
const STRIDE = 64;
/** Names of which so many fail are guessed, and their domain may be the victim. */
const FAILING_SHARE = 0.8;

interface Told {
  /** When a domain was told of, and how. */
  time: number;
  severity: Severity | null;
  /** Bytes at which it is looked at next. */
  next: number;
}

export const tunShape = detector({
  id: 'TUN-SHAPE',
  title: 'Names that look like data',
  summary:
    'Judges how names under a domain look and come: spelling, length, types asked for, how many are new. Before they are many it is a hint of low severity; with many, from one client, under a domain that was not known a day ago, it is a witness of its own beside what TUN-BYTES counts.',
  attack: ATTACK,
  needs: ['names'],
  rows: 'new_sub_names',
  settings: group('When names look like data.', {
    points: whole('Signs that have to come together: unusual types count 3, spelling 2, each other one 1.', {
      default: 6,
      least: 1,
      most: MOST_POINTS,
    }),
    bytes: size('Bytes of distinct names that have to be there.', { default: '160B', least: 32 }),
    sure_bytes: size('Bytes of an hour from which one client’s names under a new domain are no mere hint.', {
      default: '1024B',
      least: 64,
    }),
  }),
  create: ({ points, bytes, sure_bytes }, services) => {
    const names = subNamesOf(services);
    const told = new Bounded<Domain, Told>(MOST_TOLD);
    // Names are judged by how they look, and how many there are of it is another witness's business: so this one needs
    // more than its look to be one, namely that nobody here knew the domain, and that one client alone asks.
    const severityOf = (traffic: Traffic, domain: Domain, now: number): Severity => {
      const isNews = traffic.clients === 1 && ageWeight(domain, now) > 1;
      return isNews && traffic.hourBytes >= sure_bytes && traffic.failedShare < FAILING_SHARE ? 'medium' : 'low';
    };
    return {
      close: () => leaveSubNames(services),
      inspect(seen, raise) {
        const cell = names.note(seen);
        if (cell === null || cell.hourBytes < bytes || cell.domain.isPopular) return;
        const now = seen.closed;
        const state = told.take(cell.domain, () => ({ time: Number.NEGATIVE_INFINITY, severity: null, next: 0 }));
        const isToldOf = now - state.time < HOUR && (state.severity === 'medium' || cell.hourBytes < sure_bytes);
        if (isToldOf || (cell.hourBytes < state.next && now - state.time < 2 * HOUR)) return;
        state.next = cell.hourBytes + STRIDE;
        const traffic = cell.traffic();
        const shape = shapeOf(traffic, cell.domain, now);
        if (shape.points < points || traffic.localShare > 0.5) return;
        const { domain } = cell;
        const severity = severityOf(traffic, domain, now);
        if (severity === state.severity && now - state.time < HOUR) return;
        state.time = now;
        state.severity = severity;
        const client = (traffic.client ?? seen.client).text;
        raise({
          detector: 'TUN-SHAPE',
          key: domain.text,
          severity,
          score: shape.points / MOST_POINTS,
          confidence: Math.min(0.8, shape.points / MOST_POINTS),
          time: now,
          firstSeen: cell.firstSeen,
          lastSeen: cell.lastSeen,
          count: Math.round(cell.count),
          subject: domain.text,
          client,
          server: seen.server.text,
          domain: domain.text,
          title: `${numberText(Math.round(traffic.names))} names under ${domain.text} look like data (${sizeText(traffic.hourBytes)})`,
          text: `${client} asks for names under ${domain.text} that look like encoded data: ${shape.reasons.join('; ')}.`,
          measures: [
            { name: 'signs of data in names', value: shape.points, unit: '', threshold: points },
            { name: 'bits per letter', value: Number(traffic.bitsPerLetter.toFixed(2)), unit: 'bit' },
            { name: 'mean length of names', value: Number(traffic.meanLength.toFixed(1)), unit: 'B' },
          ],
          evidence: cell.evidence,
          attack: ATTACK,
        });
      },
    };
  },
});
