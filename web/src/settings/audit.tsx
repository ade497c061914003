import type { JSX } from 'preact';
import type { Audit } from '../../../src/server/schema/meta.ts';
import { api, useApi } from '../api.ts';
import { tableHeight } from '../statistics/columns.ts';
import { Moment } from '../statistics/head.tsx';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Table } from '../ui/table.tsx';

/** Who looked at which client, and who changed what; for operators. */
export function AuditPanel(): JSX.Element {
  const answer = useApi<Audit>(api.audit({ limit: 200 }));
  return (
    <Panel title={t('audit.title')} note={t('audit.note')} stale={answer.loading}>
      <Answer answer={answer}>
        <Table
          label={t('audit.title')}
          rows={answer.data?.rows ?? []}
          rowKey={(row) => `${row.time} ${row.action} ${row.subject}`}
          height={`min(400px, ${tableHeight(answer.data?.rows.length ?? 0, 0)})`}
          empty={<Empty title={t('audit.none')} />}
          columns={[
            { key: 'time', title: t('chart.time'), width: '116px', render: ({ time }) => <Moment at={time} /> },
            {
              key: 'user',
              title: t('audit.user'),
              width: '96px',
              render: ({ user, address }) => <span title={address}>{user}</span>,
            },
            { key: 'action', title: t('audit.action'), width: '112px', mono: true, render: ({ action }) => action },
            {
              key: 'subject',
              title: t('audit.subject'),
              mono: true,
              render: ({ subject, detail }) => <span title={detail}>{subject}</span>,
            },
          ]}
        />
      </Answer>
    </Panel>
  );
}
