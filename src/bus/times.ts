import type { ColumnWriter } from './columns.ts';
import { areNear, areTimes, isMicros } from './gather.ts';
import { FLAG, MOST_APART, zigzag } from './layout.ts';

type Seconds = Readonly<
  Record<'openSeconds' | 'lastSeconds' | 'answerSeconds' | 'closeSeconds' | 'setupNanos', Float64Array>
>;
type Nanos = Readonly<Record<'openNanos' | 'lastNanos' | 'answerNanos' | 'closeNanos', Uint32Array>>;

/**
 * Times of the first query (from row to row), of the last query and the response (from the first), of closing, and of
 * set-up. `wide` is room for `n` values. The flags of what could not be told as differences.
 */
export function writeTimes(out: ColumnWriter, doubles: Seconds, words: Nanos, wide: Float64Array, n: number): number {
  const { openSeconds, lastSeconds, answerSeconds, closeSeconds, setupNanos } = doubles;
  const { openNanos, lastNanos, answerNanos, closeNanos } = words;
  const unit = isMicros([openNanos, lastNanos, answerNanos, closeNanos], n) ? 1000 : 1;
  let flags: number = unit === 1000 ? FLAG.micros : 0;
  const isSound =
    areTimes(openSeconds, openNanos, n) &&
    areTimes(lastSeconds, lastNanos, n) &&
    areTimes(answerSeconds, answerNanos, n) &&
    areNear(openSeconds, openNanos, n, null) &&
    areNear(lastSeconds, lastNanos, n, openSeconds) &&
    areNear(answerSeconds, answerNanos, n, openSeconds);
  if (isSound) {
    out.doubles(openSeconds, Math.min(1, n));
    out.words(openNanos, Math.min(1, n));
    for (let i = 0; i < n; i++) {
      const before = i === 0 ? 0 : i - 1;
      wide[i] = zigzag(((openSeconds[i] - openSeconds[before]) * 1e9 + (openNanos[i] - openNanos[before])) / unit);
    }
    out.wide(wide, n);
    since(doubles, words, lastSeconds, lastNanos, wide, n, unit);
    out.wide(wide, n);
    since(doubles, words, answerSeconds, answerNanos, wide, n, unit);
    out.wide(wide, n);
  } else {
    flags |= FLAG.rawTimes;
    for (const [seconds, nanos] of [
      [openSeconds, openNanos],
      [lastSeconds, lastNanos],
      [answerSeconds, answerNanos],
    ] as const) {
      out.doubles(seconds, n);
      out.words(nanos, n);
    }
  }
  if (isSound && areTimes(closeSeconds, closeNanos, n) && closes(doubles, words, wide, n, unit)) out.wide(wide, n);
  else {
    flags |= FLAG.rawClose;
    out.doubles(closeSeconds, n);
    out.words(closeNanos, n);
  }
  out.doubles(setupNanos, n);
  return flags;
}

/** Times since the first query: 0 = there is none, else the difference + 1. */
function since(
  { openSeconds }: Seconds,
  { openNanos }: Nanos,
  seconds: Float64Array,
  nanos: Uint32Array,
  wide: Float64Array,
  n: number,
  unit: number,
): void {
  for (let i = 0; i < n; i++) {
    const isNone = seconds[i] === 0 && nanos[i] === 0;
    wide[i] = isNone ? 0 : zigzag(((seconds[i] - openSeconds[i]) * 1e9 + (nanos[i] - openNanos[i])) / unit) + 1;
  }
}

/** When rows were closed: since the response, else the last query, else the first; false where that is too far away. */
function closes(doubles: Seconds, words: Nanos, wide: Float64Array, n: number, unit: number): boolean {
  const { openSeconds, lastSeconds, answerSeconds, closeSeconds } = doubles;
  const { openNanos, lastNanos, answerNanos, closeNanos } = words;
  for (let i = 0; i < n; i++) {
    const hasAnswer = answerSeconds[i] !== 0 || answerNanos[i] !== 0;
    const hasLast = lastSeconds[i] !== 0 || lastNanos[i] !== 0;
    const base = hasAnswer ? answerSeconds[i] : hasLast ? lastSeconds[i] : openSeconds[i];
    const nanos = hasAnswer ? answerNanos[i] : hasLast ? lastNanos[i] : openNanos[i];
    const apart = closeSeconds[i] - base;
    if (Math.abs(apart) > MOST_APART) return false;
    wide[i] = zigzag((apart * 1e9 + (closeNanos[i] - nanos)) / unit);
  }
  return true;
}
