/** A piece of time in ms since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** The bucket's piece of time, of the bucket that starts at `time[index]`; `step` in seconds. */
export function bucketSpan(time: readonly number[], index: number, step: number): Span {
  return { from: time[index], to: time[index] + step * 1000 };
}

/** Index of the bucket that a moment lies in, the nearest where it lies in none. `time` ascends. */
export function bucketAt(time: readonly number[], moment: number): number {
  let low = 0;
  let high = time.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (time[middle] <= moment) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** What the keyboard marks on a chart: where it stands and, with Shift, from where on. */
export interface Caret {
  at: number;
  anchor: number;
}

/** The caret after a key, or what Enter means; undefined = not a key of charts. */
export function moveCaret(
  caret: Caret | null,
  event: { key: string; shiftKey: boolean },
  length: number,
): Caret | 'open' | 'leave' | undefined {
  const last = length - 1;
  const from = caret ?? { at: last, anchor: last };
  let at: number;
  if (event.key === 'ArrowLeft') at = caret === null ? last : from.at - 1;
  else if (event.key === 'ArrowRight') at = from.at + 1;
  else if (event.key === 'Home') at = 0;
  else if (event.key === 'End') at = last;
  else if (event.key === 'Enter') return caret === null ? undefined : 'open';
  else if (event.key === 'Escape') return caret === null ? undefined : 'leave';
  else return undefined;
  at = Math.max(0, Math.min(last, at));
  return { at, anchor: event.shiftKey ? from.anchor : at };
}

/** The piece of time from one end of a caret to the other, whole buckets. */
export function boundaries(time: readonly number[], { at, anchor }: Caret, step: number): Span {
  return { from: time[Math.min(at, anchor)], to: bucketSpan(time, Math.max(at, anchor), step).to };
}
