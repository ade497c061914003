import { percentText, numberText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { binomialTail } from '../baseline/latency.ts';
import { detector } from './detector.ts';
import { Beat, Failures, Told } from './failures.ts';

const SERVFAIL = 2;
const EVERY_SECONDS = 5;
/** With fewer domains it is they that are broken, not the server. */
const MANY_DOMAINS = 4;
const SURE = 1e-6;

/** Servers that say that they cannot: more than usual, and more than a few. */
export const opsServfail = detector({
  id: 'OPS-SERVFAIL',
  title: 'A server fails',
  summary:
    'A resolver answers many queries with SERVFAIL: it cannot reach authorities, validation fails, or one domain is broken. Measured over five minutes, against what is usual for that server.',
  attack: [],
  rows: 'negative',
  settings: group('Limits.', {
    least: whole('SERVFAIL answers within five minutes, at least.', { default: 20, least: 1 }),
    percent: whole('Part of the answers from which it is too much where nothing is known yet.', {
      default: 25,
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
        if (seen.rcode === SERVFAIL && baseline.server >= 0) failures.note(seen);
      },
      tick(time, raise) {
        if (!beat.isDue(time)) return;
        for (const place of servers.active) {
          const failed = servers.recent(place, 'servfail');
          if (failed < least) continue;
          const answers = servers.recent(place, 'answers');
          const ratio = failed / answers;
          const isWarm = servers.usual(place, 'answers') >= 500;
          const usual = isWarm
            ? (servers.usual(place, 'servfail') + 1) / (servers.usual(place, 'answers') + 20)
            : Number.NaN;
          const limit = isWarm ? Math.max(0.05, usual * factor) : percent / 100;
          if (ratio < limit || (isWarm && binomialTail(failed, answers, Math.min(0.99, usual * 2)) > SURE)) continue;
          const server = servers.table.keys[place];
          const failing = failures.get(server);
          if (failing === undefined || !told.isDue(server, failed, time)) continue;
          const domains = failing.domains.top(3);
          const isFew = failing.domains.keys.length < MANY_DOMAINS || (domains[0]?.share ?? 0) > 0.8;
          const part = percentText(ratio);
          const was = isWarm ? ` (usual: ${percentText(usual)})` : '';
          const about = domains.map(({ key, share }) => `${key} (${percentText(share)})`).join(', ');
          const what = isFew
            ? `${server} cannot resolve ${domains[0]?.key ?? 'a name'}: ${numberText(Math.round(failed))} SERVFAIL in 5 min`
            : `${server} answers ${part} of queries with SERVFAIL${was}`;
          raise({
            detector: 'OPS-SERVFAIL',
            key: isFew ? `${server} ${domains[0]?.key ?? ''}` : server,
            severity: isFew ? 'low' : ratio >= 0.5 && failed >= 5 * least ? 'high' : 'medium',
            score: Math.min(1, ratio / Math.max(limit, 0.01) / 4),
            confidence: isWarm ? 0.95 : 0.8,
            time,
            firstSeen: failing.first,
            lastSeen: failing.last,
            count: Math.round(failed),
            subject: server,
            server,
            ...(isFew && domains.length > 0 && { domain: domains[0].key }),
            title: what,
            text: `${numberText(Math.round(failed))} of ${numberText(Math.round(answers))} answers of ${server} in the last 5 minutes are SERVFAIL, ${part}${was}. Most of them: ${about}. ${isFew ? 'The domain’s own servers may be down, or its DNSSEC broken: other domains resolve.' : 'Look whether it reaches the Internet, its clock is right and its load is normal.'}`,
            measures: [
              {
                name: 'share of SERVFAIL',
                value: ratio,
                unit: '',
                threshold: limit,
                ...(isWarm && { usual: { centre: usual, spread: 0, n: Math.round(servers.usual(place, 'answers')) } }),
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
