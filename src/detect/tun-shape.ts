import { numberText, sizeText } from '../core/figures.ts';
import { group, size, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import type { Domain } from './entities.ts';
import { MOST_POINTS, shapeOf } from './tunnel/shape.ts';
import { subNamesOf } from './tunnel/sub-names.ts';

const ATTACK = ['T1071.004', 'T1132.001'] as const;
const MOST_TOLD = 2048;
const HOUR = 3600;
/** Names of a shape are looked at again after so many bytes more. */
const STRIDE = 64;

export const tunShape = detector({
  id: 'TUN-SHAPE',
  title: 'Names that look like data',
  summary:
    'Judges how names under a domain look and come: spelling, length, types asked for, how many are new. Before they are many it is a hint of low severity; with many it raises the severity of TUN-BYTES.',
  attack: ATTACK,
  needs: ['names'],
  rows: 'queries',
  settings: group('When names look like data.', {
    points: whole('Signs that have to come together: unusual types count 3, spelling 2, each other one 1.', {
      default: 6,
      least: 1,
      most: MOST_POINTS,
    }),
    bytes: size('Bytes of distinct names that have to be there.', { default: '160B', least: 32 }),
  }),
  create: ({ points, bytes }, services) => {
    const names = subNamesOf(services);
    /** When a domain was told of, and at how many bytes it is looked at next. */
    const told = new Bounded<Domain, { time: number; next: number }>(MOST_TOLD);
    return {
      inspect(seen, raise) {
        const cell = names.note(seen);
        if (cell === null || cell.hourBytes < bytes || cell.domain.isPopular) return;
        const now = seen.closed;
        const state = told.take(cell.domain, () => ({ time: Number.NEGATIVE_INFINITY, next: 0 }));
        if (now - state.time < HOUR || (cell.hourBytes < state.next && now - state.time < 2 * HOUR)) return;
        state.next = cell.hourBytes + STRIDE;
        const traffic = cell.traffic();
        const shape = shapeOf(traffic, cell.domain, now);
        if (shape.points < points || traffic.localShare > 0.5) return;
        state.time = now;
        const { domain } = cell;
        const client = (traffic.client ?? seen.client).text;
        raise({
          detector: 'TUN-SHAPE',
          key: domain.text,
          severity: 'low',
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
