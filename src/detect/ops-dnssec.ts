import { numberText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Failures, Told } from './failures.ts';

/** RFC 8914 §4, those that say that validation failed. */
const EDE: Readonly<Record<number, string>> = {
  1: 'unsupported DNSKEY algorithm',
  2: 'unsupported DS digest type',
  5: 'DNSSEC indeterminate',
  6: 'DNSSEC bogus',
  7: 'signature expired',
  8: 'signature not yet valid',
  9: 'DNSKEY missing',
  10: 'RRSIGs missing',
  11: 'no zone key bit set',
  12: 'NSEC missing',
};
const MANY_DOMAINS = 4;

/** Answers that a resolver refuses to believe. */
export const opsDnssec = detector({
  id: 'OPS-DNSSEC',
  title: 'DNSSEC validation fails',
  summary:
    'A resolver refuses answers because their signatures do not fit (extended DNS errors 1, 2, 5 to 12): the zone is broken, the resolver’s clock or trust anchor is, or somebody forges answers.',
  attack: [],
  rows: 'negative',
  settings: group('Limits.', {
    least: whole('Refused answers within about five minutes, for a domain or a resolver.', { default: 5, least: 1 }),
  }),
  create: ({ least }, { baseline }) => {
    const byDomain = new Failures();
    const byServer = new Failures();
    const told = new Told();
    return {
      inspect(seen, raise) {
        if (baseline.bogus < 0) return;
        const { domain, closed } = seen;
        const cause = EDE[baseline.bogus] ?? 'DNSSEC';
        const server = seen.server.text;
        const all = byServer.note(seen, cause);
        const isServer = all.domains.keys.length >= MANY_DOMAINS && all.domains.total >= 2 * least;
        const key = isServer ? server : (domain?.text ?? seen.nameText);
        const failing = isServer ? all : byDomain.note(seen, cause, key);
        const n = failing.clients.total;
        if (n < least || !told.isDue(key, n, closed)) return;
        // A zone that worked, and now does not, is another thing than one that never did.
        const worked = baseline.zone >= 0 && baseline.zones.usual(baseline.zone, 'data') >= 20;
        raise({
          detector: 'OPS-DNSSEC',
          key: isServer ? server : `${server} ${key}`,
          severity: isServer ? 'high' : worked ? 'medium' : 'low',
          score: Math.min(1, 0.4 + n / (10 * least)),
          confidence: 0.9,
          time: closed,
          firstSeen: failing.first,
          lastSeen: failing.last,
          count: Math.round(n),
          subject: key,
          server,
          ...(!isServer && domain !== null && { domain: domain.text }),
          title: isServer
            ? `${server} finds the signatures of ${numberText(all.domains.keys.length)} or more domains bad`
            : `The signatures of ${key} do not fit: ${cause}`,
          text: isServer
            ? `${server} answers SERVFAIL because of DNSSEC for many domains at once (${failing.domains
                .top(4)
                .map((one) => one.key)
                .join(', ')}). All of them are hardly broken: look at its clock and its trust anchor.`
            : `${server} refuses the answers for ${key} (${cause}), so its names do not resolve. ${worked ? 'They did before: a key was rolled wrongly, signatures ran out, or answers are forged.' : 'It has not resolved as long as nametap watches.'}`,
          measures: [{ name: 'answers refused in five minutes', value: n, unit: '', threshold: least }],
          evidence: failing.examples,
          attack: [],
        });
      },
    };
  },
});
