import type { ReportValue } from '../../../../src/report/value.ts';
import type { Problem } from '../../../../src/server/schema/common.ts';
import type { StatisticsRow } from '../../../../src/server/schema/statistics.ts';
import type { Packet, Transaction, TransactionDetail } from '../../../../src/server/schema/transactions.ts';

/** What the page asks its worker; `id` comes back with the answer. */
export type Request = { id: number } & (
  | { kind: 'open'; file: File }
  | { kind: 'page'; f: string; after: number; limit: number }
  | { kind: 'detail'; transaction: string }
  | { kind: 'packets'; transaction: string }
  | { kind: 'groups'; f: string; group: readonly string[]; of: string; limit: number }
);
export interface Opened {
  report: ReportValue;
  total: number;
  kept: number;
}
export interface CapturePage {
  rows: Transaction[];
  /** Rows that pass, in all. */
  found: number;
  /** Place of the next page; null at the end. */
  next: number | null;
}
/** What the worker says. */
export type Answer =
  | { kind: 'progress'; read: number; total: number; transactions: number }
  /** How far an answer has come, 0 … 1. */
  | { kind: 'share'; id: number; share: number }
  | { kind: 'opened'; id: number; opened: Opened }
  | { kind: 'page'; id: number; page: CapturePage }
  | { kind: 'detail'; id: number; detail: TransactionDetail }
  | { kind: 'packets'; id: number; packets: Packet[] }
  | { kind: 'groups'; id: number; rows: StatisticsRow[] }
  | { kind: 'problem'; id: number; problem: Problem };
