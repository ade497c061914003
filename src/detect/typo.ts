import type { Severity } from '../core/alert.ts';
import { group, list, text, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import { isBitFlip, isOneChange, skeleton, unicodeLabel } from './look-alike.ts';
import { DATA, type Observation } from './observation.ts';

const ATTACK = ['T1583.001'] as const;
const MOST_KNOWN = 16_384;
/** Words that are put beside a brand to make it look official. */
const WORDS =
  'account accounts auth bank billing check client cloud confirm customer email help home info invoice login mail my official online pay payment portal pro secure security service services shop sign signin sso store support team update user validate verify wallet web'.split(
    ' ',
  );

interface Brand {
  domain: string;
  /** Its first label, and what is behind it. */
  label: string;
  suffix: string;
  skeleton: string;
}

interface Likeness {
  kind: string;
  brand: Brand;
  severity: Severity;
  confidence: number;
}

export const typo = detector({
  id: 'TYPO',
  title: 'Look-alike domains',
  summary:
    'Domains that pass for those of a brand: letters of other scripts (homographs), one letter wrong, a bit turned over, another ending, a word added. Brands are named in the configuration; without any it says nothing.',
  attack: ATTACK,
  needs: ['names'],
  rows: 'names',
  settings: group('What is protected.', {
    brands: list('Domains that others may pass for.', text('A domain: example-bank.com.'), {
      example: ['example-bank.com'],
    }),
    own: list('Look-alikes that belong to the brand.', text('A domain.'), { example: ['example-bank.net'] }),
    shortest: whole('Shorter labels are compared by looks only: one letter makes another word of them.', {
      default: 6,
      least: 3,
      most: 63,
    }),
  }),
  create: ({ brands: named, own, shortest }, { isPopular }) => {
    const brands = named.map(brandOf);
    const fine = new Set([...brands.map(({ domain }) => domain), ...own.map(plain)]);
    /** Domains that were looked at: what they are like, if anything. */
    const known = new Bounded<string, Likeness | null>(MOST_KNOWN);
    const told = new Bounded<string, { first: number; count: number }>(MOST_KNOWN);
    const likenessOf = (domain: string): Likeness | null => {
      if (fine.has(domain) || isPopular(domain)) return null;
      for (const brand of brands) {
        const found = compare(domain, brand, shortest);
        if (found !== null) return found;
      }
      return null;
    };
    if (brands.length === 0) return {};
    return {
      inspect(seen, raise) {
        const { domain } = seen;
        if (domain === null) return;
        const likeness = known.take(domain.text, likenessOf) ?? inFront(seen, brands);
        if (likeness === null) return;
        const client = seen.client.text;
        const key = `${domain.text} ${client}`;
        const state = told.take(key, () => ({ first: seen.time, count: 0 }));
        // Told once of each client.
        if (++state.count > 1) return;
        const { kind, brand, severity, confidence } = likeness;
        raise({
          detector: 'TYPO',
          key,
          severity: seen.kind === DATA ? severity : 'low',
          score: confidence,
          confidence,
          time: seen.closed,
          firstSeen: state.first,
          lastSeen: seen.time,
          count: state.count,
          subject: domain.text,
          client,
          server: seen.server.text,
          domain: domain.text,
          title: `${shown(domain.text)} passes for ${brand.domain}: ${kind}`,
          text:
            `${client} asked for ${seen.nameText}. Its domain ${shown(domain.text)} looks like ${brand.domain} (${kind}) and is not ` +
            `known to belong to it. Such names stand in mails that ask for passwords.`,
          measures: [],
          evidence: [seen.evidence(kind)],
          attack: ATTACK,
          ...(severity === 'high' && {
            proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
          }),
        });
      },
    };
  },
});

/** Questions of a domain in which a brand is looked for: what is asked more often is used for something else. */
const LOOKED_AT = 8;

/** A brand's whole domain in front of a stranger's: `example-bank.com.login.example`. */
function inFront(seen: Observation, brands: readonly Brand[]): Likeness | null {
  const { domain, subLength } = seen;
  if (domain === null || domain.queries > LOOKED_AT || domain.isPopular) return null;
  for (const brand of brands) {
    if (subLength < brand.domain.length || domain.text === brand.domain) continue;
    const at = `.${seen.nameText}`.indexOf(`.${brand.domain}.`);
    if (at < 0) continue;
    return { kind: 'the brand stands in front of the domain', brand, severity: 'medium', confidence: 0.7 };
  }
  return null;
}

function plain(domain: string): string {
  return domain.trim().toLowerCase().replace(/\.$/, '');
}

function brandOf(written: string): Brand {
  const domain = plain(written);
  const dot = domain.indexOf('.');
  const label = dot < 0 ? domain : domain.slice(0, dot);
  return { domain, label, suffix: dot < 0 ? '' : domain.slice(dot + 1), skeleton: skeleton(unicodeLabel(label)) };
}

/** The domain with the letters it stands for. */
function shown(domain: string): string {
  return domain
    .split('.')
    .map((label) => (label.startsWith('xn--') ? `${unicodeLabel(label)} (${label})` : label))
    .join('.');
}

function compare(domain: string, brand: Brand, shortest: number): Likeness | null {
  const dot = domain.indexOf('.');
  const label = dot < 0 ? domain : domain.slice(0, dot);
  const suffix = dot < 0 ? '' : domain.slice(dot + 1);
  const like = (kind: string, severity: Severity, confidence: number) => ({ kind, brand, severity, confidence });
  if (label === brand.label) {
    return suffix === brand.suffix ? null : like(`the ending .${suffix} in place of .${brand.suffix}`, 'low', 0.3);
  }
  const letters = unicodeLabel(label);
  if (skeleton(letters) === brand.skeleton) {
    return letters === label
      ? like('letters that look alike', 'medium', 0.8)
      : like('letters of other scripts that look alike', 'high', 0.95);
  }
  if (brand.label.length < shortest) return null;
  if (isBitFlip(brand.label, label)) return like('one bit turned over', 'low', 0.5);
  if (isOneChange(brand.label, label)) return like('one letter is different', 'low', 0.5);
  const rest = label.startsWith(brand.label)
    ? label.slice(brand.label.length)
    : label.endsWith(brand.label)
      ? label.slice(0, -brand.label.length)
      : '';
  if (rest !== '' && WORDS.includes(rest.replace(/^-|-$/g, '')))
    return like(`the word ${rest.replace(/^-|-$/g, '')} added`, 'low', 0.5);
  return null;
}
