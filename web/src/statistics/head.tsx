import type { ComponentChildren, JSX } from 'preact';
import type { ValueKind } from '../filter.ts';
import { duration, exact, moment } from '../format.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import { openMenu } from '../ui/menu.tsx';
import { IconButton } from '../ui/panel.tsx';
import { valueActions } from '../ui/value.tsx';

/** What one thing's page begins with: the way back, its name with its menu, and a sentence. */
export function PageHead({
  kind,
  value,
  back,
  f,
  children,
}: {
  kind: ValueKind;
  value: string;
  back: { path: string; title: string };
  /** Filter of what the page is about. */
  f: string | undefined;
  /** The sentence. */
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <header class="page-head">
      <p class="crumb">
        <a href={link(back.path)}>{back.title}</a> <span aria-hidden="true">›</span>
      </p>
      <h1>
        <bdi class="mono">{value}</bdi>
        <IconButton
          icon="more"
          label={t('value.actions', { value })}
          onClick={(event) => {
            openMenu(event.currentTarget as Element, value, valueActions(kind, value, f));
          }}
        />
      </h1>
      {children !== undefined && <p class="sentence">{children}</p>}
    </header>
  );
}

/** "first seen 3 Nov, 14:36; last seen 12 s ago" */
export function Seen({ first, last }: { first: string | null; last: string | null }): JSX.Element {
  if (first === null || last === null) return <>{t('head.never')}</>;
  return (
    <>
      {t('head.first')} <Moment at={first} />, {t('head.last')} <Moment at={last} ago />.
    </>
  );
}

/** A moment; its exact time, with the year, is the tooltip. `ago`: how long since, when that is short. */
export function Moment({ at, ago = false }: { at: string | number; ago?: boolean }): JSX.Element {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  const since = (Date.now() - ms) / 1000;
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={iso}>
      {ago && since >= 0 && since < 86_400 ? t('head.ago', { span: duration(Math.round(since)) }) : moment(ms)}
    </time>
  );
}

/** A count with its noun, the count exact: "1,204 names". */
export function counted(n: number, key: 'head.clients' | 'head.names'): string {
  return t(key, { n, count: exact(n) });
}
