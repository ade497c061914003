import { type AddressKind, addressKind } from '../core/address-kind.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, list, span, text, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import type { Domain } from './entities.ts';
import { DomainSet } from './domain-set.ts';
import { Lately } from './lately.ts';

const MOST_NAMES = 16_384;
const MOST_DOMAINS = 8192;
const MOST_PORTALS = 1024;
const PORTAL_DOMAINS = 3;
/** Suffixes that are nobody's outside (RFC 6762 appendix G, RFC 8375, RFC 6761, ICANN's `internal`). */
const LOCAL = [
  'local',
  'lan',
  'home',
  'internal',
  'intranet',
  'private',
  'corp',
  'localdomain',
  'localhost',
  'test',
  'arpa',
];
const LOCAL_ADDRESS: readonly AddressKind[] = ['private', 'shared', 'loopback', 'link_local', 'unspecified'];
/** A name that was outside a moment ago and is inside now is the attack itself. */
const FLIP_SECONDS = 3600;

/** DNS rebinding: dnsmasq's stop-dns-rebind and Unbound's private-address, as an alert. */
export const rebind = detector({
  id: 'REBIND',
  title: 'DNS rebinding',
  summary:
    'A public name answers with an address of the inside: a page of that name can reach machines behind the firewall from the browser of its visitor.',
  attack: ['T1189'],
  needs: ['names'],
  rows: 'addresses',
  settings: group('Limits.', {
    ttl: whole('Seconds: answers that are kept no longer are more suspicious.', {
      default: 60,
      least: 0,
      most: 86_400,
    }),
    quiet: span('The same domain is spoken of again after this time.', { default: '30m', least: 1000 }),
    private: list('Domains that may have addresses of the inside (split horizon).', text('A domain.'), {
      example: ['corp.example.com'],
    }),
  }),
  create: ({ ttl: shortTtl, quiet, private: own }, { entities }) => {
    const local = new DomainSet([...LOCAL, ...own]);
    const outside = new Lately(MOST_NAMES);
    const told = entities.perDomain<{ until: number; isFlip: boolean }>(MOST_DOMAINS);
    const portals = new Bounded<number, Set<Domain>>(MOST_PORTALS);
    /** Whether one address of the inside is given for several domains: a portal, or what a blocker answers with. */
    const isPortal = (address: number, domain: Domain): boolean => {
      const domains = portals.take(address, () => new Set());
      if (domains.size < PORTAL_DOMAINS) domains.add(domain);
      return domains.size >= PORTAL_DOMAINS;
    };
    return {
      touch: (ahead) => outside.touch(ahead, keyOf),
      inspect(seen, raise) {
        const { domain, time, answers } = seen;
        if (domain === null || answers.count === 0) return;
        let inside = -1;
        let kind: AddressKind = 'public';
        let isOutside = false;
        for (let i = 0; i < answers.count; i++) {
          const at = i * 4;
          const { family, words } = answers;
          const one = addressKind(family[i], words[at], words[at + 1], words[at + 2], words[at + 3]);
          if (one === 'public') isOutside = true;
          else if (inside < 0 && LOCAL_ADDRESS.includes(one) && !isCode(family[i], words[at + 3], one)) {
            inside = i;
            kind = one;
          }
        }
        // Names that are kept for long are not rebound: only the others are remembered.
        const key = keyOf(seen.nameHash, seen.type);
        const before = inside < 0 ? Number.NaN : outside.timeOf(key);
        if (isOutside && answers.ttl <= FLIP_SECONDS / 4) outside.note(key, time);
        if (inside < 0 || local.has(seen.nameText)) return;
        const isFlip = time - before <= FLIP_SECONDS;
        // Blockers answer 0.0.0.0, 127.0.0.1 or one address of their own for all that they block.
        const isSinkhole = kind === 'unspecified' || kind === 'loopback' || isPortal(answers.key(inside), domain);
        if (isSinkhole && !isFlip) return;
        const last = told.take(domain, () => ({ until: 0, isFlip: false }));
        if (time < last.until && (last.isFlip || !isFlip)) return;
        last.until = time + quiet / 1000;
        last.isFlip = isFlip;
        const address = answers.text(inside);
        const isShort = answers.ttl <= shortTtl;
        const flip = isFlip ? ` It had an address of the outside ${spanText(time - before)} before.` : '';
        raise({
          detector: 'REBIND',
          key: domain.text,
          severity:
            // An inside address alone is split horizon more often than not; both at once are tried one after the other.
            isFlip && !isSinkhole ? 'high' : isOutside && isShort && !domain.isPopular ? 'medium' : 'low',
          score: isFlip ? 0.95 : isShort ? 0.7 : 0.4,
          confidence: isFlip ? 0.9 : 0.5,
          time,
          firstSeen: Number.isNaN(before) ? time : before,
          lastSeen: time,
          count: 1,
          subject: seen.nameText,
          domain: domain.text,
          client: seen.client.text,
          server: seen.server.text,
          title: `${seen.nameText} answers with ${address}, an address of the inside`,
          text: `The public name ${seen.nameText} has the ${kind.replace('_', '-')} address ${address} for ${numberText(answers.ttl)} s.${flip} A web page of that name could reach machines inside through its visitor's browser. Let the resolver strip such answers (stop-dns-rebind, private-address), or name the domain under \`private\` if it is your own.`,
          measures: [{ name: 'TTL', value: answers.ttl, unit: 's', threshold: shortTtl }],
          evidence: [seen.evidence(`answer ${address}`)],
          attack: rebind.attack,
          proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
        });
      },
    };
  },
});

function keyOf(nameHash: number, type: number): number {
  return (nameHash ^ Math.imul(type, 0x9e3779b1)) >>> 0;
}

/** Block lists answer with codes in 127/8 (RFC 5782): no address is meant. */
function isCode(family: number, address: number, kind: AddressKind): boolean {
  return family === 4 && kind === 'loopback' && address !== 0x7f000001;
}
