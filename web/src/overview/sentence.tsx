import type { JSX } from 'preact';
import type { Overview } from '../../../src/server/schema/overview.ts';
import { link } from '../state.ts';
import { type Level, Mark } from '../ui/icons.tsx';

const LEVELS: Readonly<Record<Overview['state']['level'], Level>> = {
  normal: 'good',
  attention: 'attention',
  degraded: 'alarm',
};

/** How things are, in a sentence; then why, each reason with its page. Screen readers hear changes. */
export function StateSentence({ data: { state } }: { data: Overview }): JSX.Element {
  return (
    <section class={`state ${state.level}`} role="status" aria-live="polite">
      <Mark level={LEVELS[state.level]} label={state.level} />
      <p>
        <b>{state.sentence}</b>
        {state.reasons.map(({ key, text, link: to }) => (
          <span key={key} class="reason">
            {to === null ? text : <a href={withScope(to)}>{text}</a>}
          </span>
        ))}
      </p>
    </section>
  );
}

/** A path of the server's with what the page is at: its own values win. */
export function withScope(to: string): string {
  const url = new URL(to, location.origin);
  return link(url.pathname, Object.fromEntries(url.searchParams));
}
