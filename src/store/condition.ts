import type { SqlFilter, SqlValue } from '../filter/sql.ts';
import { type Needle, needlesOf } from '../filter/needles.ts';
import type { RowPredicate } from '../filter/row.ts';
import { rowFilter } from '../filter/row.ts';
import type { CapturedInterface } from '../core/frames.ts';
import type { StoredRows } from './rows.ts';
import { ns } from './rollups.ts';

/** A filter as it goes to the store's thread: what columns say, and the text for what they do not. */
export interface Condition {
  text: string;
  /** Holds for every row that may pass. */
  sql: string;
  params: readonly SqlValue[];
  /** Holds only for rows that pass; in between their messages decide. */
  sure: { sql: string; params: readonly SqlValue[] };
  isExact: boolean;
  /** Rows that pass have one of these values. */
  needles?: readonly Needle[];
}

/** A condition that columns alone decide. */
export function exactly(sql: string, params: readonly SqlValue[] = []): Condition {
  return { text: '', sql, params, sure: { sql, params }, isExact: true };
}

/** Everything. */
export const ALL: Condition = exactly('true');

export function conditionOf({ text, may, sure, isExact }: SqlFilter): Condition {
  const needles = needlesOf(text);
  return { text, sql: may.sql, params: may.params, sure, isExact, ...(needles && { needles }) };
}

/** [from, to) ms. */
export interface TimeRange {
  from: number;
  to: number;
}
/** Ranges of time that a statement names one by one. */
export const MOST_RANGES = 64;

/** A condition that also holds only within ranges, the latest first; where they are very many, from the first to the last. */
export function during(condition: Condition, ranges: readonly TimeRange[]): Condition {
  const [latest] = ranges;
  const earliest = ranges.at(-1);
  if (latest === undefined || earliest === undefined) return exactly('false');
  const within = ({ from, to }: TimeRange) => `time >= ${ns(from)} AND time < ${ns(to)}`;
  const each = ranges.map((one) => `(${within(one)})`).join(' OR ');
  const all = within({ from: earliest.from, to: latest.to });
  const where = ranges.length > 1 && ranges.length <= MOST_RANGES ? `${all} AND (${each})` : all;
  const { sql, sure } = condition;
  return { ...condition, sql: `${where} AND (${sql})`, sure: { ...sure, sql: `${where} AND (${sure.sql})` } };
}

/** `WHERE` of rows of [from, to) ms that may pass a condition, and its parameters. */
export function whereOf(condition: Condition, from: number, to: number): { sql: string; params: SqlValue[] } {
  return {
    sql: `time >= ${ns(from)} AND time < ${ns(to)}${condition.sql === 'true' ? '' : ` AND (${condition.sql})`}`,
    params: [...condition.params],
  };
}

/** Says which rows of a result pass for certain. */
export function rowTest({ isExact, text }: Condition): (rows: StoredRows, i: number) => boolean {
  if (isExact) return () => true;
  const interfaces: CapturedInterface[] = [];
  // One mark stands for whatever the row at hand was marked with.
  const marks = ['', ''];
  const test: RowPredicate = rowFilter(text, interfaces, { marks });
  return (rows, i) => {
    const { batch } = rows;
    interfaces[batch.col.interfaceId[i]] = { name: rows.interfaces[i], sensor: rows.sensors[i], link: 1, snaplen: 0 };
    marks[1] = rows.rules[i];
    return test(batch, i);
  };
}
