import type { JSX } from 'preact';
import type { PostgresState } from '../../../src/server/schema/sensors.ts';
import { count, duration, exact } from '../format.ts';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { Fact, Panel } from '../ui/panel.tsx';
import { Table } from '../ui/table.tsx';

const LEVELS = { up: 'good', behind: 'attention', down: 'alarm' } as const;

/** Servers of PostgreSQL, what leaked, and what took too long, with its plan. */
export function PostgresPanel({ postgres: { servers, leaks, slow } }: { postgres: PostgresState }): JSX.Element {
  return (
    <Panel title={t('postgres.title')} class="wide-table few">
      <Table
        label={t('postgres.title')}
        rows={servers}
        rowKey={({ name }) => name}
        columns={[
          {
            key: 'name',
            title: t('postgres.server'),
            render: ({ name, role, state }) => (
              <span>
                <Mark level={LEVELS[state]} /> <span class="mono">{name}</span>{' '}
                <span class="faint">
                  {t(`postgres.${role}`)} · {t(`postgres.state.${state}`)}
                </span>
              </span>
            ),
          },
          {
            key: 'lag',
            title: t('postgres.behind'),
            align: 'end',
            width: '92px',
            render: ({ lag_ms: lag }) => (lag === null ? <span class="faint">–</span> : duration(lag / 1000)),
          },
          {
            key: 'connections',
            title: t('postgres.open'),
            align: 'end',
            width: '112px',
            render: ({ connections: { open, most } }) => `${exact(open)} / ${exact(most)}`,
          },
          {
            key: 'asked',
            title: t('postgres.asked'),
            align: 'end',
            width: '92px',
            render: ({ asked }) => count(asked),
          },
        ]}
      />
      <dl class="facts">
        <Fact title={t('postgres.leaks')}>
          <span class={leaks.count > 0 ? 'alarm' : ''} title={leaks.last[0]?.stack}>
            {exact(leaks.count)}
          </span>
        </Fact>
        <Fact title={t('postgres.slow')}>{exact(slow.count)}</Fact>
      </dl>
      {slow.last.slice(0, 5).map((statement) => (
        <details key={`${statement.time} ${statement.sql}`}>
          <summary>
            {duration(statement.ms / 1000)} <span class="mono">{statement.sql.slice(0, 120)}</span>
          </summary>
          <pre class="mono">{statement.plan ?? t('postgres.noplan')}</pre>
        </details>
      ))}
    </Panel>
  );
}
