import type { JSX } from 'preact';
import type { SinkState, StoreState } from '../../../src/server/schema/sensors.ts';
import { bytes, count, duration, exact, plain } from '../format.ts';
import { storeText } from '../said.ts';
import { Moment } from '../statistics/head.tsx';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { Empty, Fact, Panel } from '../ui/panel.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { causeText } from './causes.ts';

/** Where history is kept, how much there is of it, and how far behind it is. */
export function StorePanel({ store }: { store: StoreState }): JSX.Element {
  const dropped = Object.entries(store.dropped).filter(([, n]) => n > 0);
  return (
    <Panel
      title={
        <>
          <Mark level={store.degraded === null ? 'good' : 'alarm'} /> {t('store.title')}
        </>
      }
      note={t('store.note', { engine: store.engine, schema: store.schema })}
    >
      {store.degraded !== null && (
        <p class="alarm" role="alert">
          {storeText(store.degraded)}
        </p>
      )}
      <dl class="facts">
        <Fact title={t('store.path')}>
          <span class="mono">{store.path ?? t('store.memory')}</span>
        </Fact>
        <Fact title={t('store.oldest')}>{store.oldest === null ? '–' : <Moment at={store.oldest} />}</Fact>
        <Fact title={t('store.newest')}>{store.newest === null ? '–' : <Moment at={store.newest} ago />}</Fact>
        <Fact title={t('store.lag')}>{store.lag_s === null ? '–' : duration(store.lag_s)}</Fact>
        <Fact title={t('store.dropped')}>
          {dropped.length === 0 ? '0' : dropped.map(([cause, n]) => `${causeText(cause)} ${exact(n)}`).join(', ')}
        </Fact>
      </dl>
      <Table
        label={t('store.tables')}
        rows={store.tables}
        rowKey={({ name }) => name}
        columns={[
          { key: 'name', title: t('store.table'), mono: true, render: ({ name }) => name },
          {
            key: 'rows',
            title: t('store.rows'),
            align: 'end',
            width: '120px',
            render: ({ rows }) => (
              <data value={rows} title={exact(rows)}>
                {count(rows)}
              </data>
            ),
          },
          {
            key: 'bytes',
            title: t('store.bytes'),
            align: 'end',
            width: '100px',
            render: (table) => (table.bytes === null ? <span class="faint">–</span> : plain(bytes(table.bytes))),
          },
        ]}
      />
    </Panel>
  );
}

function number(value: number, bad = false): JSX.Element {
  return (
    <data value={value} title={exact(value)} class={bad && value > 0 ? 'alarm' : value === 0 ? 'faint' : ''}>
      {count(value)}
    </data>
  );
}

/** Columns of the sinks: made anew when the language changes. */
const SINK_COLUMNS = (): Column<SinkState>[] => [
  {
    key: 'name',
    title: t('sinks.name'),
    render: ({ name, error, circuit }) => (
      <span title={error ?? undefined}>
        <Mark level={error ? 'alarm' : 'good'} /> {name}
        {error ? <span class="alarm"> {error}</span> : null}
        {circuit === 'closed' ? null : <span class="faint"> · {t(`sinks.circuit.${circuit}`)}</span>}
      </span>
    ),
  },
  {
    key: 'written',
    title: t('sinks.written'),
    align: 'end',
    width: '92px',
    render: ({ written, repeated }) => <span title={t('sinks.repeated', { n: repeated })}>{number(written)}</span>,
  },
  {
    key: 'queue',
    title: t('sinks.queue'),
    align: 'end',
    width: '112px',
    render: ({ queue, spool }) => (
      <span>
        {number(queue)}
        {spool === null ? null : <span class="faint"> · {plain(bytes(spool.bytes))}</span>}
      </span>
    ),
  },
  {
    key: 'failed',
    title: t('sinks.failed'),
    align: 'end',
    width: '76px',
    render: ({ failed }) => number(failed, true),
  },
  {
    key: 'dropped',
    title: t('sinks.dropped'),
    align: 'end',
    width: '84px',
    render: ({ dropped, causes }) => <span title={causesText(causes)}>{number(dropped, true)}</span>,
  },
  {
    key: 'refused',
    title: t('sinks.refused'),
    align: 'end',
    width: '84px',
    render: ({ refused }) => number(refused, true),
  },
];

/** Where rows go besides the store. */
export function SinksPanel({ sinks }: { sinks: readonly SinkState[] }): JSX.Element {
  return (
    <Panel
      title={t('sinks.title')}
      class="wide-table few"
      note={sinks.length === 0 ? undefined : t('sinks.note', { n: sinks.length })}
    >
      {sinks.length === 0 ? (
        <Empty title={t('sinks.none')}>{t('sinks.none.text')}</Empty>
      ) : (
        <Table label={t('sinks.title')} rows={sinks} rowKey={({ name }) => name} columns={SINK_COLUMNS()} />
      )}
    </Panel>
  );
}

function causesText(causes: Readonly<Record<string, number>>): string | undefined {
  const some = Object.entries(causes).filter(([, rows]) => rows > 0);
  return some.length === 0 ? undefined : some.map(([cause, rows]) => `${cause} ${exact(rows)}`).join(', ');
}
