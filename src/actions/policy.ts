import { randomBytes } from 'node:crypto';
import type { Finding } from '../core/alert.ts';
import type { Block, BlockOrder, BlockPreview, BlockReport, Blocks, BlockTarget, Decision } from '../core/block.ts';
import { reasonOf, UserError } from '../core/errors.ts';
import { spanText } from '../core/figures.ts';
import { breakerFinding, Budget } from './budget.ts';
import { DecisionBook } from './decision-book.ts';
import type { Enforcer } from './enforcer.ts';
import { History } from './history.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { Latest } from './latest.ts';
import { type Opinion, Safety, type SafetyOptions, SIGNALS } from './safety.ts';
import { type BlockConfig, LONGEST_MS } from './settings.ts';
import { Signals } from './signals.ts';
import { blockTarget, targetKey, targetOf, targetsOf } from './target.ts';

const MONTH_MS = 30 * 86_400_000;
/** Proposals that wait to be judged. */
const MOST_WAITING = 1000;
const MOST_BLOCKS = 10_000;
/** A target that is proposed again and again is judged so often. */
const JUDGE_AGAIN_MS = 60_000;
const TICK_MS = 250;
/** Who asks what would happen waits so long for what the history says. */
const PATIENCE_MS = 3000;

export interface PolicyOptions extends SafetyOptions {
  config: Omit<BlockConfig, 'actions'>;
  /** Whether a detector may block by itself. */
  enforces(detector: string): boolean;
  /** Detectors that may. */
  enforcing(): readonly string[];
  journal: Journal;
  enforcers: readonly Enforcer[];
  /** Behind the name of a detector, in the journal. */
  version: string;
  /** Takes what the policy itself has to say, such as that its breaker tripped. */
  raise(finding: Finding): void;
  failed(message: string): void;
}

/** Decides what is blocked: detectors propose, people order, and the rules of `docs/guide/blocking.md` hold for both. */
export class Policy implements Blocks {
  /** Safety looks at the same object: what is read again is put into it. */
  readonly #options: PolicyOptions;
  readonly #blocks = new Map<string, Block>();
  readonly #history = new History();
  readonly #decisions = new DecisionBook();
  readonly #signals = new Signals();
  readonly #budget: Budget;
  readonly #safety: Safety;
  #timer: NodeJS.Timeout | undefined;
  /** Targets that were proposed: by which finding, when they were judged, and what spoke against them then. */
  readonly #judged = new Latest<{ finding: Finding; time: number; signals: number }>(MOST_BLOCKS);
  #waiting = 0;
  #overflow = 0;
  #queue: Promise<void> = Promise.resolve();
  #breaker: string | null = null;
  #isClosed = false;

  constructor(options: PolicyOptions) {
    this.#options = { ...options };
    this.#budget = new Budget(() => this.#options.config);
    this.#safety = new Safety(this.#options);
    this.#restore();
  }

  /** Goes on with other limits. What may not be blocked any more is let go of. */
  async configure(next: Pick<PolicyOptions, 'config' | 'never' | 'enforces' | 'enforcing'>): Promise<void> {
    Object.assign(this.#options, next);
    for (const { id, kind, value } of this.list()) {
      if ((await this.#safety.refusal({ kind, value })) !== undefined) this.undo(id, 'configuration');
    }
  }

  /** What an earlier run left, and still lasts, is blocked from now on. */
  start(): void {
    this.#timer = setInterval(() => this.#expire(), TICK_MS).unref();
    this.#publish();
  }

  /** Takes a finding: what it proposes, or makes more certain, is judged in turn, in the background. */
  finding(finding: Finding): void {
    if (this.#safety.isAboutVictims(finding)) return;
    const now = this.#options.now();
    const { proposal } = finding;
    const wanted = proposal === undefined ? undefined : targetOf(proposal.kind, proposal.value);
    const targets = targetsOf(finding, wanted);
    this.#signals.add(finding, [...targets.keys()], now);
    for (const [key, target] of targets) {
      const proposed = target === wanted ? finding : this.#judged.get(key)?.finding;
      if (proposed !== undefined && !this.#blocks.has(key)) this.#consider(target, proposed, now);
    }
  }

  /** What was proposed until now has been judged, and actions were told. */
  async settled(): Promise<void> {
    await this.#queue;
    await Promise.all(this.#options.enforcers.map((one) => one.settled()));
  }

  list(): readonly Block[] {
    return [...this.#blocks.values()].sort((a, b) => b.since - a.since);
  }

  report(): BlockReport {
    return {
      enforcing: this.#options.enforcing(),
      breaker: this.#breaker,
      decisions: this.#decisions.list(this.#options.now()),
      actions: this.#options.enforcers.map((one) => one.state()),
      overflow: this.#overflow,
      unwritten: this.#options.journal.skipped,
    };
  }

  async add(wanted: { kind: string; value: string }, order: BlockOrder): Promise<Block> {
    const target = blockTarget(wanted);
    const { by, from, reason } = order;
    const forMs = this.#span(order.forMs);
    this.managedFrom(from);
    const why = await this.#safety.refusal(target);
    if (why !== undefined) throw new UserError(`${target.value} is never blocked: ${why}`);
    const block = this.#block(target, { by, isAutomatic: false, reason, evidence: [], forMs });
    this.#publish();
    return block;
  }

  async preview(
    wanted: { kind: string; value: string },
    { from, forMs }: Pick<BlockOrder, 'from' | 'forMs'>,
  ): Promise<BlockPreview> {
    const target = blockTarget(wanted);
    this.managedFrom(from);
    const actions = this.#options.enforcers.filter((one) => one.takes(target.kind)).map((one) => one.state());
    const refused = (await this.#safety.refusal(target)) ?? null;
    const preview: BlockPreview = {
      ...target,
      forMs: this.#span(forMs),
      block: this.#blocks.get(targetKey(target)) ?? null,
      actions: actions.map(({ name, type, error }) => ({ name, type, error })),
      refused,
      doubts: [],
      clients: null,
    };
    if (refused === null) await this.#doubt(target, preview);
    return preview;
  }

  undo(what: string, by: string): Block[] {
    const wanted = what.trim().toLowerCase().replace(/\.$/, '');
    const ended = [...this.#blocks.values()].filter(({ id, value }) => id === what || value === wanted);
    const time = this.#options.now();
    for (const block of ended) {
      this.#lift(targetKey(block), time);
      this.#note({ op: 'undo', time, id: block.id, by });
    }
    if (ended.length > 0) this.#publish();
    return ended;
  }

  /** Somebody says that an alert was none: its block ends, and the report says so. */
  dismiss(wanted: { kind: string; value: string }, by: string): void {
    const target = targetOf(wanted.kind, wanted.value);
    if (target === undefined) return;
    const time = this.#options.now();
    this.undo(target.value, by);
    this.#safety.lifted(targetKey(target), time);
    const decision = this.#decisions.dismiss(target, `${by} says that it is a false positive.`, time);
    if (decision !== undefined) this.#note({ op: 'decision', time, decision });
  }

  flush(by: string): number {
    const time = this.#options.now();
    const keys = [...this.#blocks.keys()];
    for (const key of keys) this.#lift(key, time);
    this.#publish();
    this.#note({ op: 'flush', time, by });
    return keys.length;
  }

  managedFrom(address: string): void {
    this.#safety.managedFrom(address);
  }

  resume(by: string): void {
    this.#breaker = null;
    this.#note({ op: 'breaker', time: this.#options.now(), why: null, by });
  }

  /** Actions let go of everything (fail open); what was blocked is blocked again by the next start, while it lasts. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#queue;
    await Promise.all(this.#options.enforcers.map((one) => one.close()));
    this.#options.journal.close();
  }

  async #judge(target: BlockTarget, finding: Finding): Promise<void> {
    const { now, failed } = this.#options;
    // The one before it in the queue was about the same.
    if (this.#blocks.has(targetKey(target))) return;
    const detectors = this.#signals.of(targetKey(target), now());
    const decision: Decision = {
      ...target,
      outcome: 'failed',
      why: '',
      detectors,
      first: now(),
      last: now(),
      count: 1,
      clients: null,
    };
    try {
      Object.assign(decision, await this.#verdict(target, finding, detectors));
    } catch (error) {
      decision.why = `It could not be judged: ${reasonOf(error)}.`;
      failed(`A proposal to block ${target.value} could not be judged: ${reasonOf(error)}`);
    }
    const kept = this.#decisions.take(decision);
    if (kept !== undefined) this.#note({ op: 'decision', time: now(), decision: kept });
  }

  /** The rules, in order; the last one blocks. */
  async #verdict(
    target: BlockTarget,
    finding: Finding,
    detectors: readonly string[],
  ): Promise<Pick<Decision, 'outcome' | 'why'> & Partial<Decision>> {
    const { enforces } = this.#options;
    let clients: number | null = null;
    for await (const opinion of this.#safety.opinions(target, finding.isProof === true, detectors)) {
      clients = opinion.clients ?? clients;
      if (opinion.why !== undefined) return { outcome: opinion.rule, why: opinion.why, clients };
    }
    const by = [finding.detector, ...detectors].find(enforces);
    if (by === undefined) {
      return { outcome: 'would_block', why: `${finding.detector} may not block (enforce is off).`, clients };
    }
    const excess = this.#breaker ?? (await this.#excess(target));
    if (excess !== undefined) {
      this.#trip(excess, finding.time);
      return { outcome: 'budget', why: excess, clients };
    }
    const span = this.#automatic(target, finding, by);
    this.#publish();
    return { outcome: 'blocked', why: `Blocked for ${spanText(span / 1000)}.`, clients };
  }

  async #excess(target: BlockTarget): Promise<string | undefined> {
    const used = await this.#options.facts.active(target.kind);
    const blocked = [...this.#blocks.values()].filter(({ kind, isAutomatic }) => isAutomatic && kind === target.kind);
    return this.#budget.excess(target.kind, { blocked: blocked.length, used }, this.#options.now());
  }

  #automatic(target: BlockTarget, { title, evidence }: Finding, detector: string): number {
    const { config, now, version } = this.#options;
    const repeat = this.#history.times(targetKey(target), now());
    const forMs = Math.min(config.for * 2 ** Math.min(repeat, 16), config.most);
    this.#block(target, {
      by: `${detector}/${version}`,
      isAutomatic: true,
      reason: title,
      evidence: evidence.map(({ transaction }) => transaction),
      forMs,
    });
    this.#budget.spend(now());
    return forMs;
  }

  /** Writes a block down, then lets it hold. A target has one block: a new one takes the place of the old. */
  #block(
    target: BlockTarget,
    { forMs, ...rest }: Omit<Block, 'id' | 'since' | 'until' | 'repeat' | 'kind' | 'value'> & { forMs: number },
  ): Block {
    const key = targetKey(target);
    if (!this.#blocks.has(key) && this.#blocks.size >= MOST_BLOCKS) {
      throw new UserError(`${MOST_BLOCKS} blocks hold already. End some of them first.`);
    }
    const since = this.#options.now();
    const id = randomBytes(5).toString('hex');
    const repeat = this.#history.times(key, since);
    const block: Block = { id, ...target, since, until: since + forMs, ...rest, repeat };
    this.#options.journal.write({ op: 'block', time: since, block }, true);
    this.#blocks.set(key, block);
    this.#history.add(key, since);
    return block;
  }

  /** What a detector would not overrule, but people may: as much of it as is found out in time. */
  async #doubt(target: BlockTarget, preview: BlockPreview): Promise<void> {
    const key = targetKey(target);
    const isProof = this.#judged.get(key)?.finding.isProof === true;
    const opinions = this.#safety.opinions(target, isProof, this.#signals.of(key, this.#options.now()));
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, PATIENCE_MS, 'late').unref());
    for (;;) {
      const next: IteratorResult<Opinion, void> | 'late' = await Promise.race([opinions.next(), late]);
      if (next === 'late') {
        preview.doubts.push({ rule: 'common', why: 'How many use it could not be found out in time.' });
        return;
      }
      if (next.done === true) return;
      const { rule, why, clients } = next.value;
      preview.clients = clients ?? preview.clients;
      if (why !== undefined) preview.doubts.push({ rule, why });
    }
  }

  #span(forMs = this.#options.config.for): number {
    if (forMs >= 1000 && forMs <= LONGEST_MS) return forMs;
    throw new UserError('Something is blocked for at least a second and at most seven days.');
  }

  /** Queues a proposal, unless it has just been judged and nothing has changed. */
  #consider(target: BlockTarget, finding: Finding, now: number): void {
    const key = targetKey(target);
    const signals = this.#signals.of(key, now).length + (finding.isProof === true ? SIGNALS : 0);
    const before = this.#judged.get(key);
    if (before !== undefined && now - before.time < JUDGE_AGAIN_MS && before.signals >= signals) {
      this.#decisions.repeat(target, now);
      return;
    }
    if (this.#waiting >= MOST_WAITING) {
      this.#overflow++;
      return;
    }
    this.#judged.set(key, { finding, time: now, signals });
    this.#waiting++;
    this.#queue = this.#queue.then(() => this.#judge(target, finding)).finally(() => this.#waiting--);
  }

  #trip(why: string, time: number): void {
    if (this.#breaker !== null) return;
    this.#breaker = why;
    this.#note({ op: 'breaker', time: this.#options.now(), why, by: 'budget' });
    this.#options.raise(breakerFinding(why, time));
  }

  #expire(): void {
    const now = this.#options.now();
    let ended = 0;
    for (const [key, { until }] of this.#blocks) if (until <= now && this.#blocks.delete(key)) ended++;
    if (ended > 0) this.#publish();
  }

  /** Tells every action what holds now: what is never blocked is left out whichever way it came here. */
  #publish(): void {
    const blocks = this.#options.never
      .passed([...this.#blocks.values()])
      .filter(({ kind }) => kind !== 'client' || this.#options.knowsClients);
    for (const one of this.#options.enforcers) one.want(blocks);
  }

  /** People end blocks whatever the disk says; detectors do not begin them again for a day. */
  #lift(key: string, time: number): void {
    this.#blocks.delete(key);
    this.#safety.lifted(key, time);
  }

  #note(entry: JournalEntry): void {
    try {
      this.#options.journal.write(entry, entry.op !== 'decision');
    } catch (error) {
      const after = entry.op === 'decision' ? '' : ': it will not be remembered by the next start';
      this.#options.failed(`The journal of blocks could not be written${after}: ${reasonOf(error)}`);
    }
  }

  /** What an earlier run left: blocks that still last, how often what was blocked, and what was decided. */
  #restore(): void {
    const { journal, now, failed } = this.#options;
    if (journal.damaged > 0) failed(`${journal.damaged} lines of the journal of blocks could not be read`);
    const entries = journal.take();
    for (const entry of entries) this.#replay(entry);
    for (const [key, { until }] of this.#blocks) if (until <= now()) this.#blocks.delete(key);
    // A breaker that tripped holds until somebody resumes, however long that takes.
    const breaker = entries.findLast(({ op }) => op === 'breaker');
    const kept = entries.filter((entry) => entry === breaker || now() - entry.time < MONTH_MS);
    if (entries.length > 0) journal.replace(kept);
  }

  #replay(entry: JournalEntry): void {
    if (entry.op === 'block') {
      const { block } = entry;
      const until = Math.min(block.until, block.since + LONGEST_MS);
      this.#blocks.set(targetKey(block), { ...block, until });
      this.#history.add(targetKey(block), block.since);
    } else if (entry.op === 'undo') {
      for (const [key, { id }] of this.#blocks) if (id === entry.id) this.#lift(key, entry.time);
    } else if (entry.op === 'flush') for (const key of this.#blocks.keys()) this.#lift(key, entry.time);
    else if (entry.op === 'breaker') this.#breaker = entry.why;
    else {
      this.#decisions.restore(entry.decision);
      if (entry.decision.outcome === 'false_positive') this.#safety.lifted(targetKey(entry.decision), entry.time);
    }
  }
}
