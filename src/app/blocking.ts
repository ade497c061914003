import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Enforcer } from '../actions/enforcer.ts';
import type { Action, ActionContext } from '../actions/action.ts';
import { ACTIONS } from '../actions/index.ts';
import { Journal } from '../actions/journal.ts';
import { NeverBlock } from '../actions/never-block.ts';
import { Policy, type PolicyOptions } from '../actions/policy.ts';
import type { PolicyFacts } from '../actions/prevalence.ts';
import { ABOUT_VICTIMS } from '../actions/safety.ts';
import type { AlertBook, Change } from '../alerts/book.ts';
import type { BlockTarget } from '../core/block.ts';
import { reasonOf } from '../core/errors.ts';
import { addressWords, type Network } from '../core/network.ts';
import { DETECTORS } from '../detect/index.ts';
import { settingsKey, settingsOf } from '../detect/settings.ts';
import { hostingSuffix, registrable } from '../enrich/public-suffix.ts';
import type { ServerLog } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import { popularDomains } from './judging.ts';
import type { Config } from './settings.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 86_400_000;
/** A question about a week of history may take so long; what is not known by then is not blocked. */
const PATIENCE_MS = 30_000;

export interface BlockingOptions {
  config: Config;
  store: Store;
  /** File of the journal. */
  path: string;
  version: string;
  log: ServerLog;
}

/**
 * Opens the ways to block and what decides: before rights are given up. Throws UserError where one cannot be had. `follow`
 * makes it listen to alerts.
 */
export async function openBlocking({ config, store, path, version, log }: BlockingOptions): Promise<Blocking> {
  const journal = new Journal(path);
  const enforcers: Enforcer[] = [];
  const blocking: Blocking = new Blocking(
    new Policy({
      ...limitsOf(config, log),
      // Addresses that were cut, hashed or made up are nobody's.
      knowsClients: config.privacy.level === 0,
      facts: factsOf(store, config.privacy.level),
      journal,
      enforcers,
      version,
      now: Date.now,
      raise: (finding) => blocking.raise(finding),
      failed: (message) => log.error({}, message),
    }),
    log,
  );
  try {
    for (const [name, settings] of Object.entries(config.block.actions)) {
      const notice = (level: 'info' | 'warn', message: string) =>
        log[level]({ action: name }, `Blocking by ${name}: ${message}`);
      // A definition takes the settings that its own declaration gave.
      const definition: { open(settings: never, context: ActionContext): Action | Promise<Action> } =
        ACTIONS[settings.type];
      const action = await definition.open(settings as never, { name, now: Date.now, notice });
      enforcers.push(new Enforcer(name, settings.type, action, notice));
    }
  } catch (error) {
    await blocking.policy.close();
    throw error;
  }
  blocking.policy.start();
  return blocking;
}

/** What of the policy a configuration that is read again may change. Throws UserError. */
function limitsOf(config: Config, log: ServerLog): Pick<PolicyOptions, 'config' | 'never' | 'enforces' | 'enforcing'> {
  const wanted = DETECTORS.map(({ id }) => id).filter((id) => mayBlock(config, id));
  const enforcing = wanted.filter((id) => !ABOUT_VICTIMS.test(id));
  for (const detector of wanted.filter((id) => !enforcing.includes(id))) {
    log.warn({ detector }, 'This detector blocks nothing, whatever enforce says: what it proposes is for people to do');
  }
  return {
    config: config.block,
    never: neverBlock(config),
    enforces: (id) => enforcing.includes(id),
    enforcing: () => enforcing,
  };
}

/** The policy, and what connects it with alerts. */
export class Blocking {
  readonly policy: Policy;
  readonly #log: ServerLog;
  #book: AlertBook | undefined;

  constructor(policy: Policy, log: ServerLog) {
    this.policy = policy;
    this.#log = log;
  }

  /** Takes what a configuration that was read again says of blocking; the ways to block stay. */
  async configure(config: Config): Promise<void> {
    try {
      await this.policy.configure(limitsOf(config, this.#log));
    } catch (error) {
      this.#log.error({ error: reasonOf(error) }, 'Blocking goes on with the limits it had');
    }
  }

  /** Proposals of alerts are judged from now on; what people say of an alert holds for its block too. */
  follow(book: AlertBook): void {
    this.#book = book;
    book.subscribe((change) => this.#heard(change));
  }

  readonly raise: AlertBook['raise'] = (finding) => this.#book?.raise(finding);

  #heard({ cause, incident }: Change): void {
    const { state, proposal, inhibitedBy, updated } = incident;
    if (cause === 'changed' && state === 'false_positive' && proposal !== undefined) {
      const last = incident.journal.at(-1);
      // A note on what was none already is no new word on it: somebody may have blocked it by hand since.
      if (last?.before?.state !== 'false_positive') this.policy.dismiss(proposal, last?.by ?? 'somebody');
      return;
    }
    const isSilent = state === 'false_positive' || state === 'muted' || inhibitedBy !== null;
    if (isSilent || cause === 'resolved' || cause === 'changed') return;
    this.policy.finding({ ...incident, time: updated });
  }
}

function mayBlock(config: Config, id: string): boolean {
  const definition = DETECTORS.find((one) => one.id === id);
  return (
    definition !== undefined &&
    settingsKey(id) in config.detect.detectors &&
    settingsOf(config.detect, definition).enforce
  );
}

function neverBlock({ block, detect, resolvers }: Config): NeverBlock {
  const system = systemResolvers();
  const peers = Object.values(block.actions).flatMap((action) =>
    action.type === 'rpz' ? Object.values(action.peers).map(({ address }) => address) : [],
  );
  return new NeverBlock({
    registrable: (name) => registrable(name).domain,
    isHosting: (name) => hostingSuffix(name) === name,
    domains: [...detect.allow, ...block.never, ...system.search],
    popular: popularDomains(detect),
    networks: [...resolvers, ...block.keep, ...peers, ...ownAddresses(), ...system.servers],
  });
}

/** Resolvers of this machine, and domains that it looks names up in. */
function systemResolvers(): { servers: Network[]; search: string[] } {
  let text = '';
  try {
    text = readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    // Systems without one have none to protect.
  }
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  return {
    servers: words.flatMap(([key, address = '']) => (key === 'nameserver' ? networksOf([address]) : [])),
    search: words.flatMap(([key, ...domains]) => (key === 'search' || key === 'domain' ? domains : [])),
  };
}

function ownAddresses(): Network[] {
  return networksOf(Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)));
}

function networksOf(addresses: readonly string[]): Network[] {
  return addresses.flatMap((address) => {
    const family = isIP(address);
    if (family !== 4 && family !== 6) return [];
    return [{ family, words: addressWords(family, address), bits: family === 4 ? 32 : 128 }];
  });
}

/** What the history says. Clients cut to their network, or without an address, cannot be counted. */
function factsOf(store: Store, privacyLevel: number): PolicyFacts {
  const countsClients = privacyLevel === 0 || privacyLevel === 2 || privacyLevel === 3;
  const ask = async (filter: string | undefined, sinceMs: number) => {
    const to = Date.now() + 1;
    const scope = { from: to - sinceMs, to, ...(filter !== undefined && { filter }) };
    const measures = ['clients', 'domains', 'responses'] as const;
    const { rows } = await store.statistics({ ...scope, measures }, AbortSignal.timeout(PATIENCE_MS));
    const { clients = 0, domains = 0, responses = 0 } = rows[0] ?? {};
    return { clients, domains, responses };
  };
  return {
    async use(target) {
      if (!countsClients) return null;
      const [used, all] = await Promise.all([ask(filterOf(target), WEEK_MS), ask(undefined, WEEK_MS)]);
      return { clients: used.clients, of: all.clients };
    },
    async domainsAt(address) {
      const match = { kind: 'addresses', low: address, high: address } as const;
      const { rows } = await store.passive({ match, limit: 1000 }, AbortSignal.timeout(PATIENCE_MS));
      return new Set(rows.map(({ rrname }) => registrable(rrname).domain)).size;
    },
    async answers(address) {
      const { responses } = await ask(filterOf({ kind: 'address', value: address }), WEEK_MS);
      return responses > 0;
    },
    async active(kind) {
      const { clients, domains } = await ask(undefined, HOUR_MS);
      return kind === 'client' ? clients : domains;
    },
  };
}

/** Transactions about a target; values are letters, digits and `.:_-` only. */
function filterOf({ kind, value }: BlockTarget): string {
  if (kind === 'domain') return `dns.qry.name matches r"(^|\\.)${value.replaceAll('.', '\\.')}$"`;
  return `${isIP(value) === 4 ? 'ip' : 'ipv6'}.${kind === 'client' ? 'src' : 'dst'} == ${value} and dns.flags.response == 0`;
}
