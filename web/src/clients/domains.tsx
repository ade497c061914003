import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ClientPage } from '../../../src/server/schema/pages.ts';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { duration, exact } from '../format.ts';
import { Num } from '../statistics/number.tsx';
import { Answer } from '../statistics/list.tsx';
import { Shares } from '../statistics/shares.tsx';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { UniquePanel } from './unique.tsx';

const DAY = 86_400_000;
const MOST = 1000;
const SHOWN = 10;

/** Domains that a client asks most, names that it asks most, and domains that it did not ask for before. */
export function DomainsPanels({ page }: { page: ClientPage }): JSX.Element {
  return (
    <div class="grid-4">
      <Panel title={t('clients.domains')}>
        <Shares label={t('clients.domains')} kind="domain" shares={page.top.domains} most={SHOWN} />
      </Panel>
      <Panel title={t('clients.names')}>
        <Shares label={t('clients.names')} kind="name" shares={page.top.names} most={SHOWN} />
      </Panel>
      <NewDomains page={page} />
      <UniquePanel page={page} />
    </div>
  );
}

function NewDomains({ page }: { page: ClientPage }): JSX.Element {
  const from = Date.parse(page.from);
  const before = Math.max(DAY, Date.parse(page.to) - from);
  const ask = { f: page.f, group: ['domain'] as const, measures: ['transactions'] as const, limit: MOST };
  const now = useApi<Statistics>(api.statistics({ ...ask, from: page.from, to: page.to, order: '-transactions' }));
  // Whole minutes: the question stays the same while the page follows the clock.
  const begin = new Date(Math.floor((from - before) / 60_000) * 60_000).toISOString();
  const end = new Date(Math.floor(from / 60_000) * 60_000).toISOString();
  const known = useApi<Statistics>(api.statistics({ ...ask, from: begin, to: end, order: '-transactions' }));
  const fresh = useMemo(() => {
    const had = new Set((known.data?.rows ?? []).map(({ domain }) => domain));
    return (now.data?.rows ?? []).filter(({ domain }) => typeof domain === 'string' && !had.has(domain));
  }, [now.data, known.data]);
  const first = known.data !== undefined && known.data.rows.length === 0;
  return (
    <Panel
      title={t('clients.new')}
      note={
        first || known.data === undefined
          ? undefined
          : t('clients.new.note', { n: exact(fresh.length), span: duration(before / 1000) })
      }
      stale={now.loading || known.loading}
    >
      <Answer answer={known}>
        {first ? (
          <Empty title={t('clients.new.first')}>{t('clients.new.first.text', { span: duration(before / 1000) })}</Empty>
        ) : fresh.length === 0 ? (
          <Empty title={t('clients.new.none')} />
        ) : (
          <ul class="lines">
            {fresh.slice(0, SHOWN).map(({ domain, transactions }) => (
              <li key={domain}>
                <Value kind="domain" value={domain ?? ''} class="clip" />
                <Num value={transactions} f={and(page.f, term('domain', domain ?? '') ?? '')} whole class="end" />
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
