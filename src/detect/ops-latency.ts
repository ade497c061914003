import { binomialTail, BUCKETS, bucketOf, quantile, rankOf, tailOf, valleyOf, weightOf } from '../baseline/latency.ts';
import { FIRST } from '../baseline/model-table.ts';
import type { ServerModels } from '../baseline/servers.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Beat, Failures, Told } from './failures.ts';
import { ANSWERED } from './observation.ts';

const EVERY_SECONDS = 10;
const SURE = 1e-6;
/** Answers of five minutes from which a percentile means something. */
const LEAST = 50;
const LEAST_LEARNT = 200;
/** Without anything learnt this is slow anywhere. */
const COLD_P95 = 1500;
const COLD_MEDIAN = 300;

/** Answers that have become slow. */
export const opsLatency = detector({
  id: 'OPS-LATENCY',
  title: 'A server has become slow',
  summary:
    'The 95th percentile of a server’s response time over five minutes is far above what is usual for it. Answers from a cache and those that take other servers are told apart, so that a resolver that begins anew, with an empty cache, is not slow.',
  attack: [],
  rows: 'answered',
  settings: group('Limits.', {
    factor: whole('So many times the usual 95th percentile is slow …', { default: 3, least: 2 }),
    more: whole('… and at least so many milliseconds more.', { default: 50, least: 1 }),
  }),
  create: ({ factor, more }, { baseline }) => {
    const slow = new Failures();
    const told = new Told();
    const beat = new Beat(EVERY_SECONDS);
    const { servers } = baseline;
    return {
      inspect(seen) {
        // Only slow ones are worth a second look.
        if (seen.outcome !== ANSWERED || !(seen.latencyMs > more) || baseline.server < 0) return;
        const { centre } = servers.p95(baseline.server);
        if (seen.latencyMs > (centre > 0 ? centre * factor : COLD_P95))
          slow.note(seen, slowness(servers, baseline.server, seen.latencyMs));
      },
      tick(time, raise) {
        if (!beat.isDue(time)) return;
        const { floats } = servers.table;
        for (const place of servers.active) {
          const recent = servers.latencies(place, 'recent');
          const n = weightOf(floats, recent);
          if (n < LEAST) continue;
          const usual = servers.latencies(place, 'slow');
          const learnt = weightOf(floats, usual);
          const now = quantile(floats, recent, 0.95);
          const isKnown = learnt >= LEAST_LEARNT;
          const was = isKnown ? quantile(floats, usual, 0.95) : Number.NaN;
          const limit = isKnown ? Math.max(was * factor, was + more) : COLD_P95;
          if (now < limit) continue;
          if (isKnown ? !isSlower(floats, recent, usual, was) : quantile(floats, recent, 0.5) < COLD_MEDIAN) continue;
          const server = servers.table.keys[place];
          const examples = slow.get(server);
          if (examples === undefined || !told.isDue(server, now, time)) continue;
          const [client] = examples.clients.top(1);
          const who = client !== undefined && client.share > 0.8 ? `${client.key} → ${server}` : server;
          const { spread } = servers.p95(place);
          const rank = isKnown ? rankOf(floats, usual, now) : Number.NaN;
          const days = Math.max(0, time - servers.table.double(place, FIRST));
          const known = isKnown
            ? `was ${ms(was)} ± ${numberText(Math.max(1, Math.round(spread)))}, is ${ms(now)} for 5 min; p${rankText(rank)} of ${spanText(days)}`
            : `is ${ms(now)} for 5 min`;
          raise({
            detector: 'OPS-LATENCY',
            key: server,
            severity: now >= 1000 && now >= 5 * limit ? 'high' : 'medium',
            score: Math.min(1, now / limit / 4),
            confidence: isKnown ? (baseline.isWarm(servers, place) ? 0.95 : 0.8) : 0.6,
            time,
            firstSeen: examples.first,
            lastSeen: examples.last,
            count: Math.round(n),
            subject: server,
            server,
            ...(client !== undefined && client.share > 0.8 && { client: client.key }),
            title: `p95 of ${who} ${known}`,
            text: `Of ${numberText(Math.round(n))} answers of ${server} in the last 5 minutes one in twenty took ${ms(now)} or longer. ${isKnown ? `It usually takes ${ms(was)}, with half of all answers within ${ms(quantile(floats, usual, 0.5))}.` : 'Nothing is known yet of what is usual for it, but this is slow anywhere.'} The server, its upstream, or the way to it is overloaded.`,
            measures: [
              {
                name: 'p95 of response time',
                value: now,
                unit: 'ms',
                threshold: limit,
                ...(isKnown && { usual: { centre: was, spread, n: Math.round(learnt) }, rank }),
              },
            ],
            evidence: examples.examples,
            attack: [],
          });
        }
      },
    };
  },
});

/** A slow answer in words, with how rare that is where it is known. */
function slowness(servers: ServerModels, place: number, latencyMs: number): string {
  const { floats } = servers.table;
  const usual = servers.latencies(place, 'slow');
  if (weightOf(floats, usual) < LEAST_LEARNT) return ms(latencyMs);
  const chance = tailOf(floats, usual, latencyMs);
  return `${ms(latencyMs)}; usually ${numberText(Number((chance * 1000).toPrecision(2)))} of 1,000 take that long`;
}

function ms(value: number): string {
  return `${numberText(Number(value.toPrecision(3)))} ms`;
}

function rankText(rank: number): string {
  return String(Number((Math.min(rank, 0.9999) * 100).toFixed(2)));
}

/** Median of those answers that took longer than `from`. */
function aboveMedian(floats: Float32Array, at: number, from: number): number {
  const first = bucketOf(from) + 1;
  const rest = Float64Array.from(floats.subarray(at, at + BUCKETS), (weight, i) => (i < first ? 0 : weight));
  return quantile(rest, 0, 0.5);
}

/** Whether answers of the last minutes are slower than usual beyond chance, and not only from another place. */
function isSlower(floats: Float32Array, recent: number, usual: number, p95: number): boolean {
  // An empty cache moves answers from one hill to the other; it does not move the hills.
  const valley = valleyOf(floats, usual);
  if (valley !== null && aboveMedian(floats, recent, valley.at) < 2 * valley.slow) return false;
  return binomialTail(above95(floats, recent, p95), weightOf(floats, recent), 0.06) <= SURE;
}

/** Weight of the answers that took longer than a usual p95. */
function above95(floats: Float32Array, at: number, p95: number): number {
  let above = 0;
  for (let i = bucketOf(p95) + 1; i < BUCKETS; i++) above += floats[at + i];
  return above;
}
