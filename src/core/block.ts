/** What is blocked, for how long and why: one vocabulary for policy, actions, API and page. */

/**
 * `domain`: the name and everything below it; `client`: lookups of an address; `address`: servers that must not be asked,
 * and answers that point there.
 */
export const BLOCK_KINDS = ['domain', 'client', 'address'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** Domains as folded text without a last dot, addresses as their shortest text. */
export interface BlockTarget {
  kind: BlockKind;
  value: string;
}

/** Times are milliseconds since 1970. */
export interface Block extends BlockTarget {
  id: string;
  since: number;
  until: number;
  /** A detector with the version it came with, or a person. */
  by: string;
  isAutomatic: boolean;
  reason: string;
  /** Ids of transactions that show it. */
  evidence: readonly string[];
  /** How often the same has been blocked before: each time for twice as long. */
  repeat: number;
}

/**
 * What became of a proposal. `would_block`: its detector may not; `one_signal`: nothing else speaks against it; `common`:
 * too many use it; `budget`: too many blocks at once; `never`: on the list of what is never blocked; `failed`: it could not
 * be written down, or judged; `lifted`: somebody ended its block lately; `false_positive`: somebody said that it is none.
 */
export const DECISIONS = [
  'blocked',
  'would_block',
  'one_signal',
  'common',
  'budget',
  'lifted',
  'false_positive',
  'never',
  'failed',
] as const;
export type DecisionOutcome = (typeof DECISIONS)[number];

/** The last word on a target that was proposed. */
export interface Decision extends BlockTarget {
  outcome: DecisionOutcome;
  /** A sentence that says why. */
  why: string;
  /** Detectors that speak against it. */
  detectors: readonly string[];
  /** ms since 1970, of the first and the last proposal. */
  first: number;
  last: number;
  /** Proposals. */
  count: number;
  /** Clients that used it in the week before; null where that is not known. */
  clients: number | null;
}

/** How an action is. */
export interface ActionState {
  name: string;
  type: string;
  /** Blocks it carries out, and those it should. */
  applied: number;
  wanted: number;
  /** Attempts that failed. */
  failed: number;
  /** Why it does not do what it should; null = it does. */
  error: string | null;
  /** What it counts besides, by names. */
  counts: Readonly<Record<string, number>>;
}

export interface BlockReport {
  /** Detectors that may block by themselves. */
  enforcing: readonly string[];
  /** Why nothing is blocked automatically at the moment; null = the budget holds. */
  breaker: string | null;
  decisions: readonly Decision[];
  actions: readonly ActionState[];
  /** Proposals that were not looked at, because too many waited. */
  overflow: number;
  /** Decisions that the journal has no room for. */
  unwritten: number;
}

/** What would come of an order, were it given now. */
export interface BlockPreview extends BlockTarget {
  forMs: number;
  /** What blocks it already. */
  block: Block | null;
  /** The ways that would carry it out; `error`: why one does not work at the moment. */
  actions: readonly Pick<ActionState, 'name' | 'type' | 'error'>[];
  /** Why nobody may block it; null = people may. */
  refused: string | null;
  /** The rules that would keep a detector from it. */
  doubts: { rule: DecisionOutcome; why: string }[];
  /** Clients that used it in the week before; null where that is not known. */
  clients: number | null;
}

/** What the API and commands do with blocks. What cannot be done is thrown as UserError. */
export interface Blocks {
  list(): readonly Block[];
  report(): BlockReport;
  /** Blocks by hand, `by` a person at `from` (an address), for `forMs`; the default without. */
  add(target: { kind: string; value: string }, order: BlockOrder): Promise<Block>;
  /** What `add` would do, without doing it. */
  preview(target: { kind: string; value: string }, order: Pick<BlockOrder, 'from' | 'forMs'>): Promise<BlockPreview>;
  /** Ends one by its id, or by its value; those that ended. */
  undo(what: string, by: string): Block[];
  /** Ends all; how many. */
  flush(by: string): number;
  /** Somebody who may change things asks from there: it is not blocked for a week. */
  managedFrom(address: string): void;
  /** Lets detectors block again after the breaker tripped. */
  resume(by: string): void;
}

export interface BlockOrder {
  by: string;
  from: string;
  reason: string;
  forMs?: number | undefined;
}
