import type { JSX } from 'preact';

/** The mark: a tap on a line, waves of answers. */
export function Logo({ size = 20 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo-mark" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <circle cx="9" cy="11" r="2.2" />
      <path d="M9 5.6a5.4 5.4 0 0 1 5.4 5.4M9 2.2a8.8 8.8 0 0 1 8.8 8.8" />
      <path class="wire" d="M3.6 11A5.4 5.4 0 0 0 9 16.4" />
    </svg>
  );
}
