import type { JSX } from 'preact';
import type { Overview } from '../../../src/server/schema/overview.ts';
import { link } from '../state.ts';
import { type Level, Mark } from '../ui/icons.tsx';
import { tell } from '../said.ts';
import { t } from '../text.ts';
import { told } from './told.ts';

const LEVELS: Readonly<Record<Overview['state']['level'], Level>> = {
  normal: 'good',
  attention: 'attention',
  degraded: 'alarm',
};

/** How things are, in a sentence, and why: each reason leads to its page. Screen readers hear changes. */
export function StateSentence({ data: { state } }: { data: Overview }): JSX.Element {
  const { pieces, rest } = told(state);
  return (
    <section class={`state ${state.level}`} role="status" aria-live="polite">
      <Mark level={LEVELS[state.level]} label={t(`state.${state.level}`)} />
      <p>
        <b>
          {pieces.map((piece, index) => (
            <Linked key={index} {...piece} />
          ))}
        </b>
        {rest.map(({ key, text, said, link: to }) => (
          <span key={key} class="reason">
            <Linked text={tell(text, said)} link={to} />
          </span>
        ))}
      </p>
    </section>
  );
}

function Linked({ text, link: to }: { text: string; link: string | null }): JSX.Element {
  return to === null ? <>{text}</> : <a href={withScope(to)}>{text}</a>;
}

/** A path of the server's with what the page is at: its own values win. */
export function withScope(to: string): string {
  const url = new URL(to, location.origin);
  return link(url.pathname, Object.fromEntries(url.searchParams));
}
