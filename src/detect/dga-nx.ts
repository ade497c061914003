import { DNS } from '../core/carrier.ts';
import { numberText, spanText } from '../core/figures.ts';
import { isInAny } from '../core/network.ts';
import { group, whole } from '../core/settings.ts';
import { ROLES } from '../core/transactions.ts';
import { AUTHORITY } from '../wire/message.ts';
import { nameText } from '../wire/name.ts';
import { TYPE_A, TYPE_AAAA } from '../baseline/answers.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';
import { nameScore } from './dga/name-score.ts';
import type { Host } from './entities.ts';
import { NXDOMAIN, type Observation } from './observation.ts';
import { Witnesses } from './witnesses.ts';

const TYPE_SOA = 6;
const TYPE_HTTPS = 65;
const ITERATIVE = ROLES.indexOf('iterative');
const WINDOW = 1800;
/** Few names an hour are looked at for so long. */
const LONG = 7200;
const MOST_CLIENTS = 8192;
/** Names of a client that are remembered. */
const KEPT = 64;
/** Names that never exist outside: reverse names, and what networks call themselves (RFC 6761, RFC 6762, RFC 8375 …). */
const LOCAL = new Set(
  'arpa local localhost lan home corp internal intranet localdomain domain private test invalid'.split(' '),
);

/** The names that a client asked for in vain, the latest of them. */
class Vain {
  readonly #names: string[] = [];
  readonly #times: number[] = [];
  readonly #scores: number[] = [];
  raised = 0;
  firstSeen = 0;
  readonly witnesses = new Witnesses(6);

  /** False for one that is known. */
  add(name: string, time: number, score: number): boolean {
    this.#forget(time - LONG);
    if (this.#names.includes(name)) return false;
    if (this.#names.length === KEPT) this.#drop(1);
    if (this.#names.length === 0) {
      this.witnesses.clear();
      this.raised = 0;
      this.firstSeen = time;
    }
    this.#names.push(name);
    this.#times.push(time);
    this.#scores.push(score);
    return true;
  }

  /** Names since a time, and the sum of their scores. */
  since(time: number): { count: number; sum: number } {
    let sum = 0;
    let i = this.#times.length;
    while (i > 0 && this.#times[i - 1] >= time) sum += this.#scores[--i];
    return { count: this.#times.length - i, sum };
  }

  #forget(before: number): void {
    let n = 0;
    while (n < this.#times.length && this.#times[n] < before) n++;
    if (n > 0) this.#drop(n);
  }

  #drop(n: number): void {
    this.#names.splice(0, n);
    this.#times.splice(0, n);
    this.#scores.splice(0, n);
  }
}

/** A client that looks for its master (Antonakakis et al. 2012, Schüppen et al. 2018: the unit is the client). */
export const dgaNx = detector({
  id: 'DGA-NX',
  title: 'Generated names that do not exist',
  summary:
    'A client asks for one registrable domain after another that does not exist: malware looks for its master under names that it computes.',
  attack: ['T1568.002'],
  vantages: ['client', 'resolver'],
  needs: ['names', 'clients'],
  rows: 'nonexistent',
  settings: group('Limits.', {
    domains: whole('Different domains that do not exist, of a client in half an hour.', {
      default: 10,
      least: 3,
      most: 64,
    }),
    score: whole('Fewer are enough where their scores add up to this: how generated each looks, 0 to 1.', {
      default: 6,
      least: 1,
      most: 64,
    }),
    least: whole('Domains that are needed in any case.', { default: 5, least: 2, most: 64 }),
    slow: whole('Different domains of a client in two hours.', { default: 14, least: 3, most: 64 }),
  }),
  create: ({ domains, score, least, slow }, { hostingSuffix, resolvers }) => {
    const clients = new Bounded<Host, Vain>(MOST_CLIENTS);
    return {
      inspect(seen, raise) {
        const { client, domain: asked } = seen;
        if (seen.kind !== NXDOMAIN || !isAsking(seen) || asked === null) return;
        if (isInAny(resolvers, client.family, client.words)) return;
        const name = registeredUnder(seen, hostingSuffix);
        // A hoster is popular, what its customers register is not.
        if (name === null || (asked.isPopular && name.domain === asked.text)) return;
        const state = clients.take(client, () => new Vain());
        const { time } = seen;
        const own = nameScore(name.label, name.suffix);
        if (!state.add(name.domain, time, own)) return;
        state.witnesses.note(seen, `score ${own.toFixed(2)}`);
        const short = state.since(time - WINDOW);
        const long = state.since(time - LONG);
        const isMany = short.count >= domains || (short.count >= least && short.sum >= score);
        const isSlow = long.count >= slow || (long.count >= Math.min(slow, least * 2) && long.sum >= score);
        if ((!isMany && !isSlow) || long.count < state.raised * 2) return;
        state.raised = long.count;
        const { count, sum } = isMany ? short : long;
        const mean = sum / count;
        raise({
          detector: 'DGA-NX',
          key: client.text,
          severity: mean >= 0.5 ? 'high' : 'medium',
          score: Math.min(1, 0.5 + count / 60 + mean / 4),
          confidence: Math.min(0.95, 0.4 + mean / 2 + count / 200),
          time,
          firstSeen: state.firstSeen,
          lastSeen: time,
          count: long.count,
          subject: client.text,
          client: client.text,
          server: seen.server.text,
          title: `${client.text} asked for ${numberText(count)} different domains that do not exist within ${spanText(isMany ? WINDOW : LONG)}`,
          text: `${client.text} tried ${numberText(long.count)} domains that nobody has registered, the last one ${name.domain}; people mistype a few a day. As names they look ${mean >= 0.5 ? 'computed' : 'like words put together'} (score ${mean.toFixed(2)} of 1 on average). Malware searches its control server that way: look at what runs on ${client.text}.`,
          measures: [
            {
              name: 'domains that do not exist, in half an hour',
              value: short.count,
              unit: 'domains',
              threshold: domains,
            },
            { name: 'sum of name scores (DGA-NAME)', value: sum, unit: '', threshold: score },
            { name: 'domains that do not exist, in two hours', value: long.count, unit: 'domains', threshold: slow },
          ],
          evidence: state.witnesses.with(seen, `score ${own.toFixed(2)}`),
          attack: dgaNx.attack,
          proposal: { kind: 'client', value: client.text, text: `Keep ${client.text} from resolving for an hour` },
        });
      },
    };
  },
});

/** A client's question for addresses, not a resolver's. */
function isAsking({ protocol, type, batch, row }: Observation): boolean {
  if (protocol !== DNS || batch.col.role[row] === ITERATIVE) return false;
  return type === TYPE_A || type === TYPE_AAAA || type === TYPE_HTTPS;
}

/** What somebody would have registered, a hoster's customer too; null where the name lies in a domain that exists. */
function registeredUnder(
  seen: Observation,
  hostingSuffix: (name: string) => string | null,
): { domain: string; label: string; suffix: string } | null {
  const name = seen.nameText;
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (LOCAL.has(last) || isReversed(name)) return null;
  const suffix = hostingSuffix(name);
  if (suffix === null || suffix.length >= name.length) return null;
  const label = name.slice(0, -suffix.length - 1).slice(name.slice(0, -suffix.length - 1).lastIndexOf('.') + 1);
  const domain = `${label}.${suffix}`;
  return label === '' || isWithin(seen, domain) ? null : { domain, label, suffix };
}

/** An address in front: a block list. */
function isReversed(name: string): boolean {
  return /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\./.test(name);
}

/** Whether the zone that denies the name is the domain, or lies within: then the domain exists (RFC 2308 §2.1). */
function isWithin(seen: Observation, domain: string): boolean {
  const { response } = seen;
  if (response === null) return false;
  for (let i = 0; i < response.records; i++) {
    if (response.section[i] !== AUTHORITY || response.type[i] !== TYPE_SOA) continue;
    const zone = nameText(response.bytes, response.owner[i], response.start).toLowerCase();
    return zone === domain || zone.endsWith(`.${domain}`);
  }
  return false;
}
