import type { ComponentChildren, JSX } from 'preact';
import { and } from '../filter.ts';
import { count, exact, percent, plain } from '../format.ts';
import { filter, link } from '../state.ts';

interface NumberProps {
  value: number | null | undefined;
  /** The transactions it counts, within the filter of the page; null = none can be named. */
  f?: string | null;
  /** In rows of a table the keyboard comes here by the arrow keys, not by Tab. */
  inRow?: boolean;
  /** What is shown; default: the number, short. */
  children?: ComponentChildren;
  /** `whole`: `f` is the whole filter, the page's own is not added. */
  whole?: boolean;
  class?: string;
}

/** A number that leads to the log of what it counts. Its exact value is in the document and in its tooltip. */
export function Num({ value, f, inRow = false, children, whole = false, class: name = '' }: NumberProps): JSX.Element {
  if (value === null || value === undefined) return <span class="faint">–</span>;
  const shown = (
    <data value={value} title={Number.isInteger(value) ? exact(value) : String(value)}>
      {children ?? count(value)}
    </data>
  );
  if (f === null || f === undefined) return <span class={name}>{shown}</span>;
  const href = link('/explore', { f: whole ? f : and(filter.value, f), live: null });
  return (
    <a class={`num ${name}`} href={href} tabIndex={inRow ? -1 : undefined}>
      {shown}
    </a>
  );
}

/** A part of all, in percent, that leads to the log of the part. */
export function Ratio({
  part,
  all,
  ...rest
}: { part: number; all: number } & Omit<NumberProps, 'value' | 'children'>): JSX.Element {
  if (all === 0) return <span class="faint">–</span>;
  const ratio = part / all;
  return (
    <Num value={ratio} {...(part === 0 ? { ...rest, f: null, class: 'faint' } : rest)}>
      {plain(percent(ratio))}
    </Num>
  );
}
