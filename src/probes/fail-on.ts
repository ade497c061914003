import { UserError } from '../core/errors.ts';
import { spanOf } from '../core/settings.ts';
import type { Tally } from './tally.ts';

/** A bound that fails a run when it is crossed: `p95>200ms`. */
export interface Bound {
  text: string;
  /** What there is; null where nothing can be said. */
  value(tally: Tally): number | null;
  isCrossed(tally: Tally): boolean;
  /** The value as people read it. */
  show(value: number): string;
}

const TIMES = ['min', 'mean', 'max', 'p50', 'p90', 'p95', 'p99', 'stddev'] as const;
const MEASURES = `${TIMES.join(', ')}, jitter, loss, failed`;

/** Reads `p95>200ms,loss>1%`. Throws `UserError`. */
export function readBounds(text: string): Bound[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(readBound);
}

function readBound(text: string): Bound {
  const parts = /^([a-z]\w*)\s*(>=|>|<=|<)\s*(\S(?:.*\S)?)$/.exec(text);
  const [, measure, operator, limitText] = parts ?? [];
  const value = measure === undefined ? undefined : measureOf(measure);
  const limit = value === undefined ? undefined : limitOf(limitText, measure);
  if (value === undefined || limit === undefined) {
    throw new UserError(
      `--fail-on does not understand "${text}". Write a measure (${MEASURES}), > or <, and a limit: p95>200ms, loss>1%.`,
    );
  }
  const isShare = measure === 'loss' || (measure === 'failed' && limitText.endsWith('%'));
  const read = measure === 'failed' && isShare ? (tally: Tally) => tally.failed / Math.max(1, tally.checks) : value;
  return {
    text: text.replaceAll(' ', ''),
    value: read,
    isCrossed(tally) {
      const is = read(tally);
      // Where nothing came back, no time is good enough.
      if (is === null) return TIMES.some((name) => name === measure);
      if (operator === '>') return is > limit;
      if (operator === '>=') return is >= limit;
      return operator === '<' ? is < limit : is <= limit;
    },
    show: (is) =>
      isShare ? `${Number((is * 100).toFixed(2))}%` : measure === 'failed' ? String(is) : `${Number(is.toFixed(2))}ms`,
  };
}

function measureOf(name: string): ((tally: Tally) => number | null) | undefined {
  const time = TIMES.find((one) => one === name);
  if (time !== undefined) return (tally) => tally.times[time];
  if (name === 'jitter') return (tally) => tally.jitter;
  if (name === 'loss') return (tally) => tally.loss;
  return name === 'failed' ? (tally) => tally.failed : undefined;
}

function limitOf(text: string, measure: string): number | undefined {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (measure === 'loss' || (measure === 'failed' && percent !== undefined)) {
    return percent === undefined ? undefined : Number(percent) / 100;
  }
  if (measure === 'failed') return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  return spanOf(text);
}
