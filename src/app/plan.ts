import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { CapturedInterface, Damage, SourceLoss } from '../core/frames.ts';
import { FATE, Ledger } from '../core/ledger.ts';
import type { Network } from '../core/network.ts';
import { type Compat, compileFilter, type Filter } from '../filter/compile.ts';
import { isOfFlow } from '../filter/fields/flow.ts';
import type { MatchOptions } from '../correlate/matcher.ts';
import type { DissectOptions } from '../net/dissect.ts';
import type { PacketRingCounts, PacketRingPlan } from '../sinks/packet-ring.ts';
import type { Input } from './input.ts';

/** What to run, as plain data (it also goes to workers). */
export interface RunPlan {
  input: Input;
  /** Display filter; absent = everything passes. */
  filter?: string;
  compat?: Compat;
  dissect?: DissectOptions;
  match?: Omit<MatchOptions, 'closed' | 'reader'>;
  /** Worker threads; 0 = in this thread. */
  threads: number;
  /** Ends after so many frames. */
  frameLimit?: number;
  /** Messages are shown with their query's fate: they wait until it is known. */
  hold?: boolean;
  /** False: what is shown does not say how messages relate. Then only rows and the filter can ask for pairs. */
  pairs?: boolean;
  /** Links what a resolver asks to the client's query that caused it (`leg`, `parent`), where rows are what comes out. */
  paths?: boolean;
  /** Own resolvers; others are learned from the traffic. */
  resolvers?: readonly Network[];
  /** Where packets are kept as captured; only where no privacy level forbids it. */
  packets?: PacketRingPlan;
  /** Only one in so many clients; frames of the others are counted. */
  sample?: number;
  /** Live: fewer clients while the ring stays nearly full; on unless told. */
  sampleWhenFull?: boolean;
  /** Looks for encrypted DNS too (`RunHooks.encrypted`). */
  encrypted?: boolean;
}

export interface RunHooks {
  signal: AbortSignal;
  /** Called when the input is open (sockets are there: rights can be dropped). The list may grow. */
  opened?(source: { interfaces: readonly CapturedInterface[] }): void;
  /** Called once: `counts` gives what the run has counted so far, at any time. */
  counting?(counts: () => Ledger): void;
  /** Called once: `state` gives how the run is at this moment. */
  watching?(state: () => RunState): void;
  /** Called once where packets are kept: `counts` gives what was written so far, at any time. */
  keeping?(counts: () => PacketRingCounts): void;
  /** Called for clients that speak encrypted DNS, among the rows in order; only where the plan looks for them. */
  encrypted?(flow: EncryptedFlow): void;
  /** Called now and then while reading files. */
  progress?(readBytes: number, totalBytes: number, frames: number): void;
  /** Called after every batch of frames (or when time passed without) that was worked on in this thread. */
  batchDone?(): void;
  /** Called after every batch: what has to happen before more is read, where whoever takes the rows is behind. */
  ready?(): Promise<void> | undefined;
}

/** How a run is at a moment. */
export interface RunState {
  /** Transactions that wait for their response. */
  open: number;
  /** Fill of the fullest capture ring, 0 to 1; null where nothing is captured. */
  ring: number | null;
  /** One in so many clients is looked at; 1 = all. */
  oneIn: number;
}

/** The state of a run on several threads. */
export function stateSum(states: readonly RunState[]): RunState {
  const rings = states.flatMap(({ ring }) => (ring === null ? [] : [ring]));
  return {
    open: states.reduce((sum, { open }) => sum + open, 0),
    ring: rings.length === 0 ? null : Math.max(...rings),
    oneIn: Math.max(1, ...states.map(({ oneIn }) => oneIn)),
  };
}

export interface RunResult {
  ledger: Ledger;
  damage: Damage[];
  /** dnstap: payloads that held no readable message. */
  unreadable: number;
  /** dnstap: senders that were turned away. */
  refused?: number;
  interfaces: readonly CapturedInterface[];
}

/** The display filter of a plan. Throws FilterError. */
export function planFilter(plan: RunPlan): Filter | null {
  return plan.filter ? compileFilter(plan.filter, { compat: plan.compat }) : null;
}

/** Frames of a file that one thread takes: `taken` of `shards` shards, from `shard` on. */
export interface Share {
  shard: number;
  shards: number;
  taken?: number;
}

/**
 * The share of thread `thread` of a report on files. The main thread is the first and at work before a worker has
 * started: of two it takes nine sixteenths, so that both end at the same time on files of some seconds.
 */
export function reportShare(thread: number, threads: number): Share {
  if (threads !== 2) return { shard: thread, shards: threads };
  return thread === 0 ? { shard: 0, shards: 16, taken: 9 } : { shard: 9, shards: 16, taken: 7 };
}

/** True when a field of the list is of a flow: flows are followed only then, which costs a look-up per packet. */
export function needsFlows(fields: readonly string[]): boolean {
  return fields.some(isOfFlow);
}

/** A copy of a ledger with the frames that were lost before they reached us. */
export function withLoss(ledger: Ledger, loss: SourceLoss): Ledger {
  const sum = new Ledger();
  sum.add(ledger);
  addLoss(sum, loss);
  return sum;
}

/** Adds frames that were lost before they reached us: once, at the end. */
export function addLoss(ledger: Ledger, loss: SourceLoss): void {
  ledger.frames[FATE.kernel] += loss.kernel;
  ledger.frames[FATE.interface] += loss.interface;
  ledger.received += loss.kernel + loss.interface;
}
