import type { Finding } from '../core/alert.ts';

/** Spans in seconds. */
export interface BookRules {
  /** An incident is over after so long without a finding. */
  quiet: number;
  /** Outputs are told of one that goes on so often. */
  repeat: number;
  /** New incidents an hour of one detector and severity; beyond, one summary stands for all. */
  perDetector: number;
  /** New incidents a day of one key; beyond, the last one goes on. */
  perKey: number;
  /** Incidents held in memory; all are kept in the store. */
  most: number;
  /** Detectors (`OPS-*`) whose incidents close themselves when they are over. */
  closeResolved: readonly string[];
  /** Weight of what a finding is about; 1 for an ordinary host. */
  weight(finding: Finding): number;
}

export const BOOK_RULES: BookRules = {
  quiet: 1800,
  repeat: 1800,
  perDetector: 60,
  perKey: 6,
  most: 10_000,
  closeResolved: ['OPS-*'],
  weight: () => 1,
};
