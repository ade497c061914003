import type { ComponentChildren, JSX } from 'preact';

export interface Bar {
  key: string;
  /** Default: the key. */
  label?: ComponentChildren;
  /** Length of the bar. */
  value: number;
  /** Number at its end. */
  text: ComponentChildren;
  level?: 'attention' | 'alarm' | 'none';
  /** Something small between label and bar, such as a sparkline. */
  aside?: ComponentChildren;
}

/** Amounts side by side, the longest bar as wide as there is room. */
export function Bars({ label, bars }: { label: string; bars: readonly Bar[] }): JSX.Element {
  const most = bars.reduce((max, { value }) => Math.max(max, value), 0) || 1;
  return (
    <ul class="bars" aria-label={label}>
      {bars.map(({ key, label: name, value, text, level = 'none', aside }) => (
        <li key={key} class={level}>
          <span class="bar-label">{name ?? key}</span>
          {aside !== undefined && <span class="bar-aside">{aside}</span>}
          <span class="bar-track">
            <i style={{ width: `${Math.max(0.5, (value / most) * 100)}%` }} />
          </span>
          <span class="bar-text">{text}</span>
        </li>
      ))}
    </ul>
  );
}
