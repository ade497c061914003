import type { ComponentChildren, JSX } from 'preact';
import type { Shown } from '../format.ts';
import { type Level, Mark } from './icons.tsx';

interface TileProps {
  label: string;
  /** Null = not known. */
  shown: Shown | null;
  /** How it compares. */
  note?: ComponentChildren;
  /** Colours the note, and puts its shape before it. */
  level?: Level;
  /** Where the number leads. */
  href?: string | undefined;
  title?: string;
  children?: ComponentChildren;
}

/** A number of a page's head: what it is, how much, and how that compares. */
export function Tile({ label, shown, note, level = 'none', href, title, children }: TileProps): JSX.Element {
  const content = (
    <>
      <span class="label">{label}</span>
      <strong>
        {shown === null ? '–' : shown.text}
        {shown !== null && shown.unit !== '' && <small>{shown.unit}</small>}
      </strong>
      <em class={level}>
        {level !== 'none' && <Mark level={level} />}
        {note}
      </em>
      {children}
    </>
  );
  return href === undefined ? (
    <div class="tile" title={title}>
      {content}
    </div>
  ) : (
    <a class="tile" href={href} title={title}>
      {content}
    </a>
  );
}

/** Tiles side by side. */
export function Tiles({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="tiles" aria-label={label}>
      {children}
    </section>
  );
}
