import type { Transaction } from '../../src/server/schema/transactions.ts';
import type { TextKey } from './text.ts';

/** What came of a question, short enough for a row. `level` colours it; `key` where it is words, else `text`. */
export interface Answer {
  text: string;
  key?: TextKey;
  /** The zone that a referral leads to. */
  zone?: string;
  level: 'none' | 'faint' | 'attention' | 'alarm';
}

/** The answer of a transaction in one line: final addresses, else the first data, else why there is none. */
export function answerOf({
  outcome,
  rcode,
  answer_kind,
  answers = [],
  addresses = [],
  cnames = [],
  authority = [],
}: Transaction): Answer {
  if (outcome === 'unanswered') return { text: '', key: 'answer.unanswered', level: 'alarm' };
  if (outcome === 'unreachable') return { text: '', key: 'answer.unreachable', level: 'alarm' };
  if (outcome === 'capture_ended' || outcome === 'evicted') return { text: '', key: 'answer.open', level: 'faint' };
  if (rcode !== undefined && rcode !== 'NOERROR') {
    return { text: rcode, level: rcode === 'NXDOMAIN' ? 'attention' : 'alarm' };
  }
  if (answer_kind === 'nodata') return { text: '', key: 'answer.nodata', level: 'faint' };
  if (answer_kind === 'referral')
    return { text: '', key: 'answer.referral', zone: authority[0]?.name ?? '', level: 'faint' };
  const data = addresses.length > 0 ? addresses : answers.filter(({ type }) => type !== 'RRSIG').map((one) => one.data);
  if (data.length === 0) return { text: '', key: 'answer.nodata', level: 'faint' };
  const more = data.length > 1 ? ` +${data.length - 1}` : '';
  const alias = cnames.at(-1);
  return {
    text: `${alias === undefined || addresses.length === 0 ? '' : `${alias} → `}${data[0]}${more}`,
    level: 'none',
  };
}
