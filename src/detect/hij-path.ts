import { FIRST, LAST } from '../baseline/model-table.ts';
import type { Finding, Severity } from '../core/alert.ts';
import { isInAny } from '../core/network.ts';
import { DNS } from '../core/carrier.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { Bounded } from './bounded.ts';
import { detector, type DetectServices } from './detector.ts';
import type { Domain, Host } from './entities.ts';
import { Failures, Told } from './failures.ts';
import { Lately } from './lately.ts';
import { ANSWERED, DATA, NXDOMAIN, type Observation } from './observation.ts';

const TYPE_A = 1;
const DAY = 86_400;
const MOST_MISSING = 32_768;
const FIRSTS = 4096;

/** What an answer's path is judged as: how bad, and in which words. */
interface Judgement {
  key: string;
  severity: Severity;
  confidence: number;
  title: string;
  text: string;
  subject: string;
}

/** Whether answers still come the way they always came. */
export const hijPath = detector({
  id: 'HIJ-PATH',
  title: 'Answers come another way',
  summary:
    'The name servers of a domain are all others, an answer comes from a server that the domain is not delegated to, a referral from one that never gave any, an answer from one that only refers, validation is lost, clients have moved to a resolver that was never seen here, or names that did not exist have one address. Judged against what was usual, so it says nothing in the first day.',
  attack: ['T1584.002', 'T1557'],
  needs: ['names'],
  rows: 'answered',
  settings: group('Limits.', {
    sightings: whole('So often something new is seen before it is spoken of.', { default: 2, least: 1 }),
    validation: whole('Answers in a row without the validation they usually have.', { default: 8, least: 2 }),
    names: whole('Names that did not exist and now have the same address, within ten minutes.', {
      default: 5,
      least: 2,
    }),
    queries: whole('Answered queries of a client to a resolver never seen here.', { default: 20, least: 1 }),
  }),
  create: (limits, services) => {
    const { baseline } = services;
    const failures = new Failures();
    const told = new Told();
    /** Names that did not exist, by hash: the second time they may resolve. */
    const missing = new Lately(MOST_MISSING);
    const rewriting = rewritingOf(missing, limits.names);
    const moving = movingOf(limits.queries, services);
    return {
      touch: (ahead) => missing.touch(ahead, (hash) => hash),
      inspect(seen, raise) {
        if (seen.protocol !== DNS || seen.outcome !== ANSWERED) return;
        const { verdict } = baseline.zones;
        let judgement: Judgement | null = null;
        if (verdict.kind !== '') {
          const least =
            verdict.kind === 'validation' ? limits.validation : verdict.kind === 'longer' ? 1 : limits.sightings;
          if (verdict.strange >= least) judgement = judgePath(seen, verdict);
        } else if (baseline.hop !== null) judgement = judgeHop(seen, baseline.hop);
        judgement ??= rewriting(seen) ?? moving(seen);
        if (judgement === null) return;
        const failing = failures.note(seen, undefined, judgement.key);
        const n = failing.clients.total;
        if (told.isDue(judgement.key, n, seen.closed)) raise(finding(seen, judgement, failing.examples, n));
      },
    };
  },
});

function finding(seen: Observation, what: Judgement, evidence: Finding['evidence'], n: number): Finding {
  const { key, severity, confidence, subject, title, text } = what;
  return {
    detector: 'HIJ-PATH',
    key,
    severity,
    score: severity === 'high' ? 0.9 : severity === 'medium' ? 0.7 : 0.4,
    confidence,
    time: seen.closed,
    firstSeen: seen.time,
    lastSeen: seen.closed,
    count: Math.max(1, Math.round(n)),
    subject,
    client: seen.client.text,
    server: seen.server.text,
    ...(seen.domain !== null && { domain: seen.domain.text }),
    title,
    text,
    measures: [],
    evidence,
    attack: hijPath.attack,
  };
}

function judgePath(seen: Observation, verdict: DetectServices['baseline']['zones']['verdict']): Judgement {
  const domain = seen.domain?.text ?? seen.nameText;
  const { kind, before, now, sightings, since, isOutside } = verdict;
  const known = `${numberText(Math.round(sightings))} times within ${spanText(Math.max(1, seen.closed - since))}`;
  const was = before.join(', ');
  const is = now.join(', ');
  const all = { subject: domain, key: `${domain} ${kind}` };
  if (kind === 'name_servers') {
    return {
      ...all,
      severity: 'medium',
      confidence: 0.6,
      title: `All name servers of ${domain} are new: ${is}`,
      text: `${domain} was served by ${was}, seen ${known}. Now it is delegated to ${is}, and none of the former is among them. If its owner has not moved it, its registration was taken over.`,
    };
  }
  if (kind === 'server') {
    const how = isOutside
      ? 'none of the addresses that its name servers are known to have'
      : 'the addresses of its name servers are not known here';
    return {
      ...all,
      severity: isOutside ? 'high' : 'low',
      confidence: isOutside ? 0.8 : 0.4,
      title: `${is} answers for ${domain}, which never did`,
      text: `${domain} was answered for by ${was}, seen ${known}. ${is} is another one (${how}), and claims authority. A route may have been taken over, or a delegation; a move of its servers looks the same.`,
    };
  }
  if (kind === 'validation') {
    return {
      ...all,
      severity: 'medium',
      confidence: 0.6,
      title: `Answers for ${domain} are no longer validated by ${seen.server.text}`,
      text: `${seen.server.text} had vouched for ${domain} with DNSSEC (AD) ${known}. The last ${numberText(verdict.strange)} answers came without. The domain may have been unsigned by its owner, or by somebody in between.`,
    };
  }
  return {
    ...all,
    severity: 'low',
    confidence: 0.3,
    title: `Resolving ${domain} took ${is.split(' → ').length} servers; before, ${was}`,
    text: `Of resolutions of ${domain}, seen ${known}, none asked that many servers: ${is}. A delegation was put in between, or several servers did not answer.`,
  };
}

function judgeHop(seen: Observation, hop: NonNullable<DetectServices['baseline']['hop']>): Judgement {
  const level = hop.level === '.' ? 'the root' : hop.level;
  const isRoot = hop.level === '.';
  const common = {
    subject: hop.server,
    severity: isRoot ? 'high' : 'medium',
    confidence: isRoot ? 0.8 : 0.5,
  } as const;
  if (hop.kind === 'skipped') {
    return {
      ...common,
      key: `${hop.level} ${hop.server} skipped`,
      title: `${hop.server}, a server of ${level}, answers for ${seen.nameText} itself`,
      text: `On the way to ${seen.nameText} ${hop.server} gave its data, and the domain's own servers were not asked. ${numberText(Math.round(hop.sightings))} times before, the ${numberText(hop.servers)} known servers of ${level} referred to the domains' servers. Somebody may be answering in its name, or ${seen.domain?.text ?? 'the domain'} is no longer delegated.`,
    };
  }
  return {
    ...common,
    key: `${hop.level} ${hop.server}`,
    title: `${hop.server} gives referrals for ${level}, which it never did`,
    text: `On the way to ${seen.nameText} a referral of ${level} came from ${hop.server}. ${numberText(Math.round(hop.sightings))} referrals of ${level} were seen before, all from ${numberText(hop.servers)} other servers. A resolver that is led to another root believes whatever that says.`,
  };
}

/** Names that did not exist and now all have one address: somebody rewrites NXDOMAIN. */
function rewritingOf(missing: Lately, least: number): (seen: Observation) => Judgement | null {
  const found = new Bounded<string, { began: number; domains: Set<string> }>(1024);
  const firsts = new Firsts();
  return (seen) => {
    if (seen.kind === NXDOMAIN) {
      missing.note(seen.nameHash, seen.closed);
      return null;
    }
    if (seen.kind !== DATA || seen.type !== TYPE_A || seen.domain === null) return null;
    if (Number.isNaN(missing.timeOf(seen.nameHash)) || seen.answers.count === 0) return null;
    const first = firsts.before(seen, seen.domain);
    if (first === undefined) return null;
    const state = found.take(`${seen.server.text} ${seen.answers.key(0)}`, rewritingState, seen);
    if (seen.closed - state.began > 600) {
      state.began = seen.closed;
      state.domains.clear();
    }
    if (state.domains.size === 0) state.domains.add(first.text);
    if (state.domains.size < 4 * least) state.domains.add(seen.domain.text);
    if (state.domains.size < least) return null;
    return {
      key: `${seen.server.text} rewriting`,
      subject: seen.server.text,
      severity: 'medium',
      confidence: 0.8,
      title: `${seen.server.text} gives names that do not exist an address`,
      text: `${numberText(state.domains.size)} domains that did not exist before now have one and the same address: ${[...state.domains].slice(0, 5).join(', ')}. Some providers lead typing mistakes to advertising; it breaks what relies on NXDOMAIN, and may be somebody else's doing.`,
    };
  };
}

/** The domain that came first with an address of a server: nearly every address has one alone. */
class Firsts {
  readonly #keys = new Float64Array(FIRSTS);
  readonly #servers: (Host | undefined)[] = new Array<undefined>(FIRSTS).fill(undefined);
  readonly #domains: (Domain | undefined)[] = new Array<undefined>(FIRSTS).fill(undefined);

  /** Another domain that had the same first address from the same server before; undefined while there is none. */
  before({ server, answers }: Observation, domain: Domain): Domain | undefined {
    const key = answers.key(0);
    const at = (Math.imul(answers.words[3] ^ server.w3, 0x9e3779b1) >>> 16) & (FIRSTS - 1);
    if (this.#keys[at] === key && this.#servers[at] === server) {
      const first = this.#domains[at];
      return first === domain ? undefined : first;
    }
    this.#keys[at] = key;
    this.#servers[at] = server;
    this.#domains[at] = domain;
    return undefined;
  }
}

function rewritingState(_: string, { closed }: Observation): { began: number; domains: Set<string> } {
  return { began: closed, domains: new Set() };
}

/** Clients that have moved to a resolver which was never seen here. */
function movingOf(least: number, { baseline, resolvers }: DetectServices): (seen: Observation) => Judgement | null {
  const moved = new Bounded<string, Map<string, number>>(256);
  const RA = 0x80;
  return (seen) => {
    const { server } = baseline;
    if (server < 0 || baseline.client < 0 || !baseline.isEstablished) return null;
    const { servers, clients } = baseline;
    if (seen.closed - servers.table.double(server, FIRST) > DAY / 4) return null;
    const { arena, col } = seen.batch;
    const i = seen.row;
    const isResolver = col.responseLength[i] >= 12 && (arena[col.responseAt[i] + 3] & RA) !== 0;
    if (!isResolver || (arena[col.queryAt[i] + 2] & 1) === 0) return null;
    const { client } = seen;
    const before = clients.servers(baseline.client).top(1)[0];
    if (before === undefined || before.count < least || before.key === servers.table.idOf(server)) return null;
    if (isInAny(resolvers, seen.server.family, seen.server.words)) return null;
    const counts = moved.take(seen.server.text, () => new Map());
    const count = (counts.get(client.text) ?? 0) + 1;
    if (counts.size < 64 || counts.has(client.text)) counts.set(client.text, count);
    if (count < least) return null;
    const former = servers.table.keyOf(before.key) ?? 'another';
    const place = servers.table.find(former);
    // Where the former does not answer, another one is what is to be expected.
    // Its last queries were in vain: then somebody else is to be asked.
    const isFailover = place < 0 || servers.table.double(place, LAST) > servers.answeredAt(place) + 3;
    const several = [...counts.values()].filter((n) => n >= least).length;
    return {
      key: `resolver ${seen.server.text}`,
      subject: seen.server.text,
      severity: several >= 3 && !isFailover ? 'high' : several >= 3 ? 'medium' : 'low',
      confidence: isFailover ? 0.4 : 0.7,
      title: `${numberText(several)} ${several === 1 ? 'client asks' : 'clients ask'} ${seen.server.text}, a resolver never seen here before`,
      text: `${client.text} used to ask ${former}, and has sent ${numberText(count)} queries to ${seen.server.text}. ${isFailover ? `${former} does not answer, so this may be its stand-in.` : `${former} still answers.`} A DHCP server that nobody set up, or a program on the client, may have changed its setting. Name your resolvers in the configuration to have none of this said of them.`,
    };
  };
}
