import type { ComponentChildren, JSX } from 'preact';
import type { ApiError } from '../api.ts';
import { t } from '../text.ts';
import { Icon } from './icons.tsx';

interface PanelProps {
  title: ComponentChildren;
  /** Small words behind the title. */
  note?: ComponentChildren;
  /** Controls at the end of the heading. */
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
  /** What is shown is older than what was asked for. */
  stale?: boolean;
}

/** A titled part of a page. */
export function Panel({ title, note, actions, children, class: name = '', stale = false }: PanelProps): JSX.Element {
  return (
    <section class={`panel ${name}`} aria-busy={stale}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        {actions !== undefined && <span class="actions">{actions}</span>}
      </header>
      {children}
    </section>
  );
}

/** Nothing to show, and why or what to do. */
export function Empty({
  title,
  children,
  action,
}: {
  title: ComponentChildren;
  children?: ComponentChildren;
  action?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  );
}

/** What went wrong, what helps, and a way to try again. */
export function Problem({ error, retry }: { error: ApiError; retry?: () => void }): JSX.Element {
  const { title, detail, suggestion, request } = error.problem;
  return (
    <div class="problem" role="alert">
      <i class="mark alarm" />
      <div>
        <strong>{title}</strong>
        {detail !== undefined && detail !== title && <p>{detail}</p>}
        {suggestion !== undefined && <p class="mute">{suggestion}</p>}
        {request !== undefined && <p class="faint small mono">{request}</p>}
      </div>
      {retry !== undefined && (
        <button type="button" class="button" onClick={retry}>
          {t('shell.retry')}
        </button>
      )}
    </div>
  );
}

/** Room for what is on its way, of the height it will have. */
export function Waiting({ height }: { height: number }): JSX.Element {
  return (
    <div class="waiting" style={{ height: `${height}px` }}>
      <span class="hidden">{t('shell.loading')}</span>
    </div>
  );
}

/** A key of the keyboard. */
export function Kbd({ children }: { children: ComponentChildren }): JSX.Element {
  return <kbd>{children}</kbd>;
}

/** A button that shows only an icon; `label` is its name and tooltip. */
export function IconButton({
  icon,
  label,
  onClick,
  pressed,
}: {
  icon: Parameters<typeof Icon>[0]['name'];
  label: string;
  onClick: (event: MouseEvent) => void;
  pressed?: boolean;
}): JSX.Element {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} aria-pressed={pressed} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** One line of a list of facts (`dl.facts`). */
export function Fact({ title, children }: Record<'title' | 'children', ComponentChildren>): JSX.Element {
  return (
    <>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </>
  );
}
