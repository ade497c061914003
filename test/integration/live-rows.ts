import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { addressText } from '../../src/core/address.ts';
import { NO_VLAN, OUTCOMES, type TransactionBatch } from '../../src/core/transactions.ts';

/** A row as one line: all of it but frame numbers, which differ between captures with different filters. */
export function rowText({ col, arena }: TransactionBatch, i: number): string {
  const address = (words: readonly number[]) => addressText(col.family[i], words[0], words[1], words[2], words[3]);
  const bytes = (at: number, length: number) => {
    const digest = createHash('sha1')
      .update(arena.subarray(at, at + length))
      .digest('hex')
      .slice(0, 12);
    return `${length}:${digest}`;
  };
  return [
    `${col.openSeconds[i]}.${String(col.openNanos[i]).padStart(9, '0')}`,
    `${col.answerSeconds[i]}.${String(col.answerNanos[i]).padStart(9, '0')}`,
    `${address([col.client0[i], col.client1[i], col.client2[i], col.client3[i]])}#${col.clientPort[i]}`,
    `${address([col.server0[i], col.server1[i], col.server2[i], col.server3[i]])}#${col.serverPort[i]}`,
    `protocol=${col.transport[i]}`,
    `vlan=${col.vlan[i] === NO_VLAN ? '-' : col.vlan[i]}`,
    OUTCOMES[col.outcome[i]],
    `queries=${col.queries[i]} responses=${col.responses[i]} duplicates=${col.duplicates[i]} late=${col.late[i]}`,
    bytes(col.queryAt[i], col.queryLength[i]),
    bytes(col.responseAt[i], col.responseLength[i]),
  ].join(' ');
}

/** Query copies in rows. */
export function queriesIn(rows: readonly string[]): number {
  return rows.reduce((sum, row) => sum + Number(/queries=(\d+)/.exec(row)?.[1]), 0);
}

/** Fails at the first row that differs. */
export function sameRows(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((row, i) => row !== actual[i]);
  if (at >= 0) assert.equal(actual[at], expected[at], `row ${at} of ${actual.length} and ${expected.length}`);
  assert.equal(actual.length, expected.length);
}
