import type { JSX } from 'preact';
import { sparkPath } from './spark-path.ts';

/** A line as small as a word; says nothing to screen readers: the number beside it does. */
export function Sparkline({
  values,
  width = 64,
  height = 16,
  color = 'signal',
}: {
  values: readonly (number | null)[];
  width?: number;
  height?: number;
  color?: 'signal' | 'attn' | 'alarm' | 'mute';
}): JSX.Element {
  return (
    <svg class={`spark ${color}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={sparkPath(values, width, height)} />
    </svg>
  );
}
