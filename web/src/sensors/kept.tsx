import type { JSX } from 'preact';
import type { BlockingState, Sensors } from '../../../src/server/schema/sensors.ts';
import { count, exact, percent, plain } from '../format.ts';
import { link } from '../state.ts';
import { tableHeight } from '../statistics/columns.ts';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { Fact, Panel } from '../ui/panel.tsx';
import { Table } from '../ui/table.tsx';
import { causeText } from './causes.ts';

/** Tables of bounded size: how full they are, and what they had no room for. */
export function TablesPanel({ tables }: { tables: Sensors['tables'] }): JSX.Element {
  return (
    <Panel title={t('tables.title')} note={t('tables.note')}>
      <Table
        label={t('tables.title')}
        rows={tables}
        rowKey={({ name }) => name}
        height={`min(420px, ${tableHeight(tables.length, 0)})`}
        columns={[
          { key: 'name', title: t('store.table'), mono: true, render: ({ name }) => name },
          {
            key: 'used',
            title: t('tables.used'),
            align: 'end',
            width: '120px',
            render: ({ used, limit }) => (
              <data value={used} title={`${exact(used)} / ${exact(limit)}`}>
                {count(used)} <span class="faint">{plain(percent(limit === 0 ? 0 : used / limit))}</span>
              </data>
            ),
          },
          {
            key: 'evicted',
            title: t('tables.evicted'),
            align: 'end',
            width: '100px',
            render: ({ evicted }) => (
              <data value={evicted} title={exact(evicted)} class={evicted > 0 ? '' : 'faint'}>
                {count(evicted)}
              </data>
            ),
          },
        ]}
      />
    </Panel>
  );
}

/** The ways to block: what holds, what failed, and what each counts of its own. Nothing where none is set up. */
export function BlockingPanel({ blocking }: { blocking: BlockingState | null }): JSX.Element | null {
  if (blocking === null || blocking.actions.length === 0) return null;
  const left = [
    ['overflow', blocking.overflow],
    ['unwritten', blocking.unwritten],
  ] as const;
  return (
    <Panel
      title={t('blocking.title')}
      actions={
        <a class="more" href={link('/settings')}>
          {t('blocks.title')}
        </a>
      }
    >
      <dl class="facts">
        {blocking.actions.map(({ name, applied, wanted, failed, error, counts }) => (
          <Fact
            key={name}
            title={
              <>
                <Mark level={error === null ? 'good' : 'alarm'} /> {name}
              </>
            }
          >
            {t('blocking.applied', { applied: exact(applied), wanted: exact(wanted) })}
            {Object.entries({ failed, ...counts })
              .filter(([, n]) => n > 0)
              .map(([event, n]) => ` · ${causeText(event)} ${exact(n)}`)}
            {error !== null && <span class="alarm"> {error}</span>}
          </Fact>
        ))}
        {left.map(
          ([key, n]) =>
            n > 0 && (
              <Fact key={key} title={t(`blocking.${key}`)}>
                {exact(n)}
              </Fact>
            ),
        )}
      </dl>
    </Panel>
  );
}
