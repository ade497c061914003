import type { Baseline } from '../baseline/baseline.ts';
import type { Raise } from '../core/alert.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { Network } from '../core/network.ts';
import type { Setting, ValueOf } from '../core/settings.ts';
import type { Vantage } from '../core/transactions.ts';
import type { TableCount } from './bounded.ts';
import type { Ahead, Entities } from './entities.ts';
import type { Observation } from './observation.ts';
import type { Rows } from './rows.ts';

/** What a detector cannot work without, and why it may be missing: names and clients by privacy, rhythm in a demo. */
export type Need = 'names' | 'clients' | 'rhythm';

/** A detector at work. Time is the packets': `inspect` in order of closing time, `tick` at every whole second of it. */
export interface Detector {
  inspect?(seen: Observation, raise: Raise): void;
  tick?(time: number, raise: Raise): void;
  /** Reads what it will read for the rows that come next, see `Entities.touch`. */
  touch?(ahead: Ahead): void;
  /** Clients that speak encrypted DNS, in order among the rows. */
  encrypted?(flow: EncryptedFlow, raise: Raise): void;
  /** Tables of its own that are no `Bounded`: those are counted anyway. */
  counts?(): readonly TableCount[];
  /** It is gone: switched off, or replaced. What it shares with others it gives up. */
  close?(): void;
  /** Why it does not work as it should for now, in a sentence; null while all is well. */
  problem?(): string | null;
  /** What it has learnt, for a restart; plain data. */
  save?(): unknown;
  /** Takes what an earlier run saved; what it does not understand it ignores. */
  load?(state: unknown): void;
}

/** What detectors share. */
export interface DetectServices {
  entities: Entities;
  /** What is usual here. It has seen a transaction, and judged it, before any detector sees it. */
  baseline: Baseline;
  /** Own networks and resolvers, as far as they are configured. */
  networks: readonly Network[];
  resolvers: readonly Network[];
  vantage: Vantage | undefined;
  /** Reads a file of the operator's (lists); throws UserError when it cannot. Detectors do no I/O. */
  readList(path: string): readonly string[];
  /** A number that is another one when the file has changed; NaN while there is none. */
  listVersion(path: string): number;
  /** Known domains of great popularity, and those the operator allows. */
  isPopular(domain: string): boolean;
  isAllowed(domain: string): boolean;
  /** The suffix of a name (text) under which others register, a hoster's or of dynamic DNS too; null without. */
  hostingSuffix(name: string): string | null;
}

/** A detector as data: configuration, reference page and settings form derive from it. */
export interface DetectorDefinition<S extends Setting = Setting> {
  /** `TUN-BYTES`; the configuration's key is the same in lower case with `_`. */
  id: string;
  /** A few words, and a sentence or two for who has not read about it. */
  title: string;
  summary: string;
  /** ATT&CK techniques. */
  attack: readonly string[];
  /** Where it works; elsewhere it is off, and says so. All when absent. */
  vantages?: readonly Vantage[];
  needs?: readonly Need[];
  /** Which rows it is shown. */
  rows: Rows | readonly Rows[];
  /** A `group(…)` with a default for every key. */
  settings: S;
  create(settings: ValueOf<S>, services: DetectServices): Detector;
}

/** Keeps the types of a definition together; the list holds them without. */
export function detector<const S extends Setting>(definition: DetectorDefinition<S>): DetectorDefinition {
  return definition;
}
