import { binomialTail } from '../baseline/latency.ts';
import { numberText, percentText, spanText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Beat, Failures, Told } from './failures.ts';
import { isUnanswered } from './observation.ts';

const EVERY_SECONDS = 5;
const SURE = 1e-6;

/** Queries that stay without an answer. */
export const opsUnanswered = detector({
  id: 'OPS-UNANSWERED',
  title: 'Queries without an answer',
  summary:
    'A server does not answer a large part of its queries any more. Measured over five minutes, against what is usual for that server.',
  attack: [],
  rows: 'negative',
  settings: group('Limits.', {
    least: whole('Unanswered queries within five minutes, at least.', { default: 20, least: 1 }),
    percent: whole('Part of the queries from which it is too much where nothing is known yet.', {
      default: 20,
      least: 1,
      most: 100,
    }),
    factor: whole('So many times the usual part is too much.', { default: 4, least: 1 }),
  }),
  create: ({ least, percent, factor }, { baseline }) => {
    const failures = new Failures();
    const told = new Told();
    const beat = new Beat(EVERY_SECONDS);
    const { servers } = baseline;
    return {
      inspect(seen) {
        if (isUnanswered(seen.outcome) && baseline.server >= 0) failures.note(seen);
      },
      tick(time, raise) {
        if (!beat.isDue(time)) return;
        for (const place of servers.active) {
          const lost = servers.recent(place, 'unanswered') + servers.recent(place, 'unreachable');
          if (lost < least) continue;
          const queries = servers.recent(place, 'queries');
          const ratio = lost / queries;
          const n = servers.usual(place, 'queries');
          const isWarm = n >= 500;
          const before = servers.usual(place, 'unanswered') + servers.usual(place, 'unreachable');
          const usual = isWarm ? (before + 1) / (n + 20) : Number.NaN;
          const limit = isWarm ? Math.max(0.05, Math.min(0.9, usual * factor)) : percent / 100;
          if (ratio < limit || (isWarm && binomialTail(lost, queries, Math.min(0.99, usual * 2)) > SURE)) continue;
          const server = servers.table.keys[place];
          const failing = failures.get(server);
          if (failing === undefined || !told.isDue(server, lost, time)) continue;
          const isDead = ratio > 0.99;
          // One that never answered is nobody's resolver: a forgotten setting, or a port that is filtered.
          const neverAnswered = servers.usual(place, 'answers') < 1 && servers.recent(place, 'answers') < 1;
          const part = percentText(ratio);
          const was = isWarm ? ` (usual: ${percentText(usual)})` : '';
          const since = spanText(Math.max(0, time - servers.answeredAt(place)));
          const clients = failing.clients.keys.length;
          raise({
            detector: 'OPS-UNANSWERED',
            key: server,
            severity: neverAnswered || clients < 2 ? 'low' : isDead && lost >= 2 * least ? 'high' : 'medium',
            score: Math.min(1, 0.4 + ratio / 2),
            confidence: isWarm ? 0.95 : 0.8,
            time,
            firstSeen: failing.first,
            lastSeen: failing.last,
            count: Math.round(lost),
            subject: server,
            server,
            title: isDead
              ? `${server} does not answer${neverAnswered ? '' : `, since ${since}`}`
              : `${server} leaves ${part} of queries without an answer${was}`,
            text: `${numberText(Math.round(lost))} of ${numberText(Math.round(queries))} queries to ${server} in the last 5 minutes got no answer, ${part}${was}; they came from ${numberText(clients)} ${clients === 1 ? 'client' : clients >= 12 ? 'or more clients' : 'clients'}. ${neverAnswered ? 'It has never answered as long as nametap watches: a setting points to it that should not, or a filter stands in between.' : 'It is down, overloaded, or packets are lost on the way.'}`,
            measures: [
              {
                name: 'share without an answer',
                value: ratio,
                unit: '',
                threshold: limit,
                ...(isWarm && { usual: { centre: usual, spread: 0, n: Math.round(n) } }),
              },
            ],
            evidence: failing.examples,
            attack: [],
          });
        }
      },
    };
  },
});
