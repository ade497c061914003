import { DNS } from '../core/carrier.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, span, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import type { Host } from './entities.ts';
import type { Kept } from './observation.ts';

const ATTACK = ['T1048.003'] as const;
const MOST_CLIENTS = 4096;
const MOST_EVIDENCE = 10;
/** Questions up to which a parent counts as used once: a question may be seen on two legs, for two types. */
const USED_ONCE = 4;

/** The single-use names of a client: when each of the last few came. */
class Client {
  readonly times: number[] = [];
  evidence: Kept[] = [];
  lastHash = 0;
  raised = Number.NEGATIVE_INFINITY;
  count = 0;
}

export const tunNoparent = detector({
  id: 'TUN-NOPARENT',
  title: 'Data in names without a common parent',
  summary:
    'Counts long names of a client each of which stands alone: data that leaves in whole names, which no sum over a domain shows.',
  attack: ATTACK,
  needs: ['names', 'clients'],
  rows: 'long_names',
  settings: group('How many are too many.', {
    names: whole('Names within the time.', { default: 20, least: 3, most: 1000 }),
    label: whole('Letters of the longest label, at least.', { default: 50, least: 20, most: 63 }),
    within: span('The time.', { default: '5m', least: 1000 }),
  }),
  create: ({ names, label, within }) => {
    const clients = new Bounded<Host, Client>(MOST_CLIENTS);
    const seconds = within / 1000;
    return {
      inspect(seen, raise) {
        if (seen.nameLength < label + 2 || seen.protocol !== DNS) return;
        const { domain } = seen;
        if (domain !== null && (domain.queries > USED_ONCE || domain.isPopular)) return;
        if (!hasLongLabel(seen.name, label)) return;
        const now = seen.closed;
        const state = clients.take(seen.client, () => new Client());
        if (seen.nameHash === state.lastHash) return;
        state.lastHash = seen.nameHash;
        const { times } = state;
        if (times.length > 0 && now - times[times.length - 1] > seconds) {
          times.length = 0;
          state.evidence = [];
          state.count = 0;
        }
        times.push(now);
        state.count++;
        if (times.length > names) times.shift();
        if (state.evidence.length === MOST_EVIDENCE) state.evidence.splice(MOST_EVIDENCE / 2, 1);
        state.evidence.push(seen.keep());
        const took = now - times[0];
        if (times.length < names || took > seconds || now - state.raised < seconds) return;
        state.raised = now;
        const client = seen.client.text;
        raise({
          detector: 'TUN-NOPARENT',
          key: client,
          severity: 'medium',
          score: 0.8,
          confidence: 0.7,
          time: now,
          firstSeen: times[0],
          lastSeen: seen.time,
          count: state.count,
          subject: client,
          client,
          server: seen.server.text,
          title: `${numberText(times.length)} long names without a common parent from ${client} in ${spanText(Math.max(0.001, took))}`,
          text:
            `${client} asked for ${numberText(times.length)} names with a label of ${label} letters or more, each under a domain ` +
            'that was not asked for otherwise. Data can leave in the names themselves where every question is routed to one server.',
          measures: [
            { name: 'long names used once', value: times.length, unit: 'names', threshold: names },
            { name: 'time they took', value: Number(took.toFixed(3)), unit: 's', threshold: seconds },
          ],
          evidence: state.evidence.map((one) => one.evidence()),
          attack: ATTACK,
          proposal: { kind: 'client', value: client, text: `Look at ${client}, or keep it off the resolver` },
        });
      },
    };
  },
});

function hasLongLabel(name: Uint8Array, least: number): boolean {
  for (let at = 0; name[at] !== 0; at += name[at] + 1) if (name[at] >= least) return true;
  return false;
}
