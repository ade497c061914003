import type { JSX } from 'preact';
import type { View } from '../../../src/server/schema/meta.ts';
import { viewText } from '../said.ts';

/** A saved view as a card: its title, and what it looks for. */
export function ViewLink({ view }: { view: View }): JSX.Element {
  const { title, summary = view.name } = viewText(view);
  return (
    <a href={view.url}>
      <strong>{title}</strong>
      <span>{summary}</span>
    </a>
  );
}
