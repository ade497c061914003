import type { TransactionBatch } from '../core/transactions.ts';
import type { MessageView } from '../wire/message.ts';
import type { AnswerAddresses } from './answers.ts';

/** A host with the places of its models, kept by it so that they need not be searched for (−1: not known). */
export interface SeenHost {
  readonly text: string;
  readonly queries: number;
  asClient: number;
  asServer: number;
}

/** A registrable domain with the place of its model. */
export interface SeenDomain {
  readonly text: string;
  readonly queries: number;
  asZone: number;
}

/** Transactions that come next, and what they are probably about. */
export interface SeenAhead {
  readonly hosts: readonly (SeenHost | null)[];
  readonly domains: readonly (SeenDomain | null)[];
  readonly hashes: Int32Array;
  readonly types: Uint16Array;
  readonly count: number;
  sum: number;
}

/** A transaction as far as the baseline looks at it. */
export interface Seen {
  readonly batch: TransactionBatch;
  readonly row: number;
  /** Seconds since 1970: of the query, and of the packet that closed the row. */
  readonly time: number;
  readonly closed: number;
  readonly client: SeenHost;
  readonly server: SeenHost;
  readonly domain: SeenDomain | null;
  /** The folded name in wire form, its labels, and where the registrable domain begins (−1 without). */
  readonly name: Uint8Array;
  readonly nameLength: number;
  readonly nameHash: number;
  readonly domainAt: number;
  readonly type: number;
  readonly protocol: number;
  readonly transport: number;
  readonly rcode: number;
  readonly outcome: number;
  readonly kind: number;
  /** NaN without. */
  readonly latencyMs: number;
  readonly response: MessageView | null;
  /** Of the response; none without. */
  readonly answers: AnswerAddresses;
}
