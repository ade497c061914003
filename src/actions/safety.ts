import type { Finding } from '../core/alert.ts';
import type { BlockTarget, DecisionOutcome } from '../core/block.ts';
import { Latest } from './latest.ts';
import type { NeverBlock } from './never-block.ts';
import { commonUse, type PolicyFacts } from './prevalence.ts';
import type { BlockConfig } from './settings.ts';
import { targetKey, targetOf } from './target.ts';

const DAY_MS = 86_400_000;
/** Independent detectors that have to agree, unless the protocol itself proves it. */
export const SIGNALS = 2;
const MOST_TARGETS = 10_000;
const MOST_MANAGING = 1000;

/** What these detectors are about need not have done anything: they say nothing against it, and block nothing. */
export const ABOUT_VICTIMS = /^(?:AMP|EVADE|FLOOD|HIJ|OPS|POIS|RECON)(?:-|$)/;
/** What this one is about is attacked itself. */
const OF_VICTIMS = 'FLOOD-RSD';

export interface SafetyOptions {
  config: Pick<BlockConfig, 'most_clients' | 'most_domains'>;
  /** Clients are whom they seem to be: no privacy hides them. */
  knowsClients: boolean;
  never: NeverBlock;
  facts: PolicyFacts;
  now(): number;
}

/** What a rule has to say: why not; undefined where it lets it pass. `clients`: those that used it in the last week. */
export interface Opinion {
  rule: DecisionOutcome;
  why: string | undefined;
  clients?: number;
}

/** The rules that keep something from being blocked, and what they remember. */
export class Safety {
  readonly #options: SafetyOptions;
  /** Domains that are attacked, and since when that was last said. */
  readonly #victims = new Latest<number>(MOST_TARGETS);
  /** Addresses that nametap is managed from, and when last. */
  readonly #managing = new Latest<number>(MOST_MANAGING);
  /** Targets whose block somebody ended, and when. */
  readonly #lifted = new Latest<number>(MOST_TARGETS);

  constructor(options: SafetyOptions) {
    this.#options = options;
  }

  /** True for a finding about victims: it speaks against nobody. */
  isAboutVictims({ detector, domain }: Finding): boolean {
    if (!ABOUT_VICTIMS.test(detector)) return false;
    if (detector === OF_VICTIMS && domain !== undefined) this.#victims.set(domain.toLowerCase(), this.#options.now());
    return true;
  }

  managedFrom(address: string): void {
    const target = targetOf('client', address);
    if (target !== undefined) this.#managing.set(target.value, this.#options.now());
  }

  /** Somebody ended its block at that time (ms since 1970). */
  lifted(key: string, time: number): void {
    this.#lifted.set(key, time);
  }

  /** Why nobody may block it; undefined when people may. */
  async refusal(target: BlockTarget): Promise<string | undefined> {
    return this.#never(target, false) ?? (await this.#answers(target));
  }

  /** What each rule says of its being blocked by a detector, in their order, looked up as far as the caller goes on. */
  async *opinions(
    target: BlockTarget,
    isProof: boolean,
    detectors: readonly string[],
  ): AsyncGenerator<Opinion, void, undefined> {
    const { now, facts, config } = this.#options;
    yield { rule: 'never', why: this.#never(target, true) };
    yield { rule: 'never', why: await this.#answers(target) };
    const victim = target.kind === 'domain' ? this.#victims.get(target.value) : undefined;
    const isAttacked = victim !== undefined && now() - victim < DAY_MS;
    yield { rule: 'never', why: isAttacked ? `It is attacked itself (${OF_VICTIMS}).` : undefined };
    yield { rule: 'one_signal', why: isProof ? undefined : fewSignals(detectors) };
    const lifted = this.#lifted.get(targetKey(target));
    const isLifted = lifted !== undefined && now() - lifted < DAY_MS;
    yield { rule: 'lifted', why: isLifted ? 'Somebody ended its block in the last 24 hours.' : undefined };
    const { why, clients } = target.kind === 'client' ? {} : await commonUse(target, facts, config);
    yield { rule: 'common', why, ...(clients !== undefined && { clients }) };
  }

  #never(target: BlockTarget, isAutomatic: boolean): string | undefined {
    const { never, knowsClients, now } = this.#options;
    if (target.kind === 'client' && !knowsClients) return 'The privacy level hides who the clients are.';
    const managed = target.kind === 'domain' ? undefined : this.#managing.get(target.value);
    if (managed !== undefined && now() - managed < 7 * DAY_MS) return 'Somebody manages nametap from there.';
    return never.reason(target, isAutomatic);
  }

  async #answers({ kind, value }: BlockTarget): Promise<string | undefined> {
    const isServer = kind === 'client' && (await this.#options.facts.answers(value));
    return isServer ? 'It answers lookups of others.' : undefined;
  }
}

function fewSignals(detectors: readonly string[]): string | undefined {
  if (detectors.length >= SIGNALS) return undefined;
  return detectors.length === 0
    ? 'No detector speaks against it.'
    : `Only ${detectors[0]} speaks against it: two have to.`;
}
