import type { CapturedInterface } from '../../src/core/frames.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { RowSubject } from '../../src/filter/row.ts';
import { Subject } from '../../src/filter/value.ts';

/** Calls back with the query and the response of a row, as filters see them. */
export function eachMessage(
  batch: TransactionBatch,
  i: number,
  interfaces: readonly CapturedInterface[],
  each: (subject: Subject) => void,
): void {
  const row = new RowSubject(interfaces);
  const subject = new Subject();
  subject.carrier = row.carrier;
  subject.view = row.view;
  subject.join = row.join;
  if (row.query(batch, i)) each(subject);
  if (row.response(batch, i)) each(subject);
}
