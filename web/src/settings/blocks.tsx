import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Block, BlockReport, Blocks } from '../../../src/server/schema/blocks.ts';
import { api, send, session, toApiError, useApi } from '../api.ts';
import { tableHeight } from '../statistics/columns.ts';
import { Moment } from '../statistics/head.tsx';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { notify } from '../ui/notice.tsx';
import { Empty, IconButton, Panel } from '../ui/panel.tsx';
import { type Column, Table } from '../ui/table.tsx';

/** What is blocked, with undo; and what detectors would have blocked. Nothing where nobody serves. */
export function BlocksPanels(): JSX.Element | null {
  const blocks = useApi<Blocks>(api.blocks(), { follow: true });
  const report = useApi<BlockReport>(api.blockReport(), { follow: true });
  const [isAsking, setAsking] = useState(false);
  if (blocks.error?.problem.status === 503) return null;
  const change = async (path: string, said: string): Promise<void> => {
    try {
      await send('DELETE', `/blocks${path}`);
      notify(said);
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
    blocks.reload();
  };
  const rows = blocks.data?.rows ?? [];
  const isOperator = session.value?.role === 'operator';
  return (
    <div class="grid-2">
      <Panel
        title={t('blocks.title')}
        note={stateText(report.data)}
        actions={
          rows.length > 0 &&
          isOperator && (
            <button type="button" class="button" onClick={() => setAsking(true)}>
              {t('blocks.flush')}
            </button>
          )
        }
      >
        <Answer answer={blocks} height={120}>
          <Table
            label={t('blocks.title')}
            rows={rows}
            rowKey={({ id }) => id}
            height={`min(320px, ${tableHeight(rows.length, 0)})`}
            empty={<Empty title={t('blocks.none')} />}
            columns={columns((block) => void change(`/${block.id}`, t('blocks.undone', { value: block.value })))}
          />
        </Answer>
      </Panel>
      <DecisionsPanel answer={report} />
      {isAsking && (
        <FlushDialog onFlush={() => void change('', t('blocks.flushed'))} onClose={() => setAsking(false)} />
      )}
    </div>
  );
}

function columns(undo: (block: Block) => void): Column<Block>[] {
  return [
    { key: 'value', title: t('blocks.what'), mono: true, render: ({ value }) => <span title={value}>{value}</span> },
    { key: 'kind', title: t('blocks.kind'), width: '64px', render: ({ kind }) => t(`blocks.kind.${kind}`) },
    { key: 'until', title: t('blocks.until'), width: '116px', render: ({ until }) => <Moment at={until} /> },
    {
      key: 'why',
      title: t('blocks.why'),
      render: ({ reason, by }) => <span title={`${by}: ${reason}`}>{reason}</span>,
    },
    {
      key: 'undo',
      title: <span class="hidden">{t('blocks.undo', { value: '' })}</span>,
      width: '40px',
      render: (block) =>
        session.value?.role === 'operator' && (
          <IconButton
            icon="close"
            label={t('blocks.undo', { value: block.value })}
            onClick={() => {
              undo(block);
            }}
          />
        ),
    },
  ];
}

/** Asks once more before all of them end. */
function FlushDialog({ onFlush, onClose }: { onFlush: () => void; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t('blocks.flush')} onClose={onClose}>
      <p>{t('blocks.flush.ask')}</p>
      <p class="buttons">
        <button
          type="button"
          class="button primary"
          onClick={() => {
            onClose();
            onFlush();
          }}
        >
          {t('blocks.flush')}
        </button>
      </p>
    </Dialog>
  );
}

function DecisionsPanel({ answer }: { answer: ReturnType<typeof useApi<BlockReport>> }): JSX.Element {
  const rows = answer.data?.decisions ?? [];
  return (
    <Panel title={t('blocks.report')} note={t('blocks.report.note')}>
      <Answer answer={answer} height={120}>
        <Table
          label={t('blocks.report')}
          rows={rows}
          rowKey={({ kind, value }) => `${kind} ${value}`}
          height={`min(320px, ${tableHeight(rows.length, 0)})`}
          empty={<Empty title={t('blocks.report.none')} />}
          columns={[
            {
              key: 'value',
              title: t('blocks.what'),
              mono: true,
              render: ({ value }) => <span title={value}>{value}</span>,
            },
            {
              key: 'outcome',
              title: t('blocks.outcome'),
              width: '168px',
              render: ({ outcome, why }) => <span title={why}>{t(`blocks.outcome.${outcome}`)}</span>,
            },
            {
              key: 'detectors',
              title: t('blocks.detectors'),
              render: ({ detectors }) => <span title={detectors.join(', ')}>{detectors.join(', ')}</span>,
            },
            { key: 'last', title: t('blocks.last'), width: '116px', render: ({ last }) => <Moment at={last} /> },
          ]}
        />
      </Answer>
    </Panel>
  );
}

/** What keeps blocking from being done, the worst first. */
function stateText(report: BlockReport | undefined): string | undefined {
  if (report === undefined) return undefined;
  const { actions, breaker, enforcing } = report;
  if (actions.length === 0) return t('blocks.no_way');
  const failing = actions.find(({ error }) => error !== null);
  if (failing !== undefined) return `${failing.name}: ${failing.error}`;
  if (breaker !== null) return t('blocks.breaker');
  return enforcing.length === 0 ? t('blocks.shadow') : t('blocks.enforcing', { detectors: enforcing.join(', ') });
}
