import type { JSX } from 'preact';
import type { ClientPage } from '../../../src/server/schema/pages.ts';
import type { Statistics, StatisticsRow } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { bytes, plain } from '../format.ts';
import { numeric } from '../statistics/columns.ts';
import { Answer } from '../statistics/list.tsx';
import { Num, Ratio } from '../statistics/number.tsx';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';

const SHOWN = 8;

/** What a tunnel shows in: many distinct names below one domain, each asked once, and bytes that go out in them. */
export function UniquePanel({ page }: { page: ClientPage }): JSX.Element {
  const answer = useApi<Statistics>(
    api.statistics({
      from: page.from,
      to: page.to,
      f: page.f,
      group: ['domain'],
      measures: ['transactions', 'names', 'query_bytes'],
      order: '-names',
      limit: SHOWN,
    }),
  );
  const filterOf = ({ domain }: StatisticsRow): string | null =>
    typeof domain === 'string' ? and(page.f, term('domain', domain) ?? '') : null;
  return (
    <Panel title={t('clients.unique')} note={t('clients.unique.note')} stale={answer.loading}>
      <Answer answer={answer}>
        <Table
          label={t('clients.unique')}
          rows={answer.data?.rows ?? []}
          rowKey={({ domain }) => domain ?? ''}
          empty={<Empty title={t('chart.none')} />}
          columns={[
            {
              key: 'domain',
              title: t('list.domain'),
              render: ({ domain }) =>
                typeof domain === 'string' ? (
                  <Value kind="domain" value={domain} inRow />
                ) : (
                  <span class="mute">{t('list.domain.none')}</span>
                ),
            },
            numeric<StatisticsRow>('names', t('list.names'), 56, (row) => (
              <Num value={row.names} f={filterOf(row)} whole inRow />
            )),
            numeric<StatisticsRow>('once', t('clients.unique.part'), 72, (row) => (
              <Ratio part={row.names ?? 0} all={row.transactions ?? 0} f={filterOf(row)} whole inRow />
            )),
            numeric<StatisticsRow>('out', t('clients.unique.out'), 72, (row) => (
              <Num value={row.query_bytes} f={filterOf(row)} whole inRow>
                {plain(bytes(row.query_bytes ?? 0))}
              </Num>
            )),
          ]}
        />
      </Answer>
    </Panel>
  );
}
