import type { TransactionColumn } from '../core/transactions.ts';

/** Version of the layout below. Another order or form of columns is another version; readers know all of them. */
export const VERSION = 1;

/** Columns that travel as they are, in this order, behind what is told relative to something (see `TransactionWriter`). */
export const PLAIN = [
  'clientPort',
  'serverPort',
  'interfaceId',
  'vlan',
  'id',
  'type',
  'class',
  'rcode',
  'transport',
  'protocol',
  'opcode',
  'outcome',
  'answerKind',
  'role',
  'leg',
  'fault',
  'faultIn',
  'faultSide',
  'mark',
  'fragmented',
  'queries',
  'responses',
  'duplicates',
  'late',
  'faultAt',
  'queryFrames',
  'responseFrames',
  'retryHigh',
  'retryLow',
  'parentHigh',
  'parentLow',
] as const satisfies readonly TransactionColumn[];

/** What is true of a whole batch. */
export const FLAG = {
  /** Nanoseconds are whole microseconds, and told in these. */
  micros: 1,
  /** Times, close times, frame numbers: as they are, because they are too far apart to be told as differences. */
  rawTimes: 2,
  rawClose: 4,
  rawFrames: 8,
  /** Ids and hashes of names do not follow from the other columns (clients are pseudonyms): they are there. */
  rawIds: 16,
  rawHashes: 32,
} as const;

/** Differences up to so many seconds are exact in nanoseconds. */
export const MOST_APART = 4_000_000;

/** Most octets of messages and frame numbers of a batch when it is a TransactionBatch again. */
export const MOST_ARENA = 16 << 20;

/** A difference as a number that is not negative, small where it is small. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  const half = Math.floor(value / 2);
  return value - 2 * half === 1 ? -half - 1 : half;
}
