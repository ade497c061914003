import type { JSX } from 'preact';
import type { ServerRow, Servers } from '../../../src/server/schema/pages.ts';
import type { Statistics, StatisticsRow } from '../../../src/server/schema/statistics.ts';
import { api, type Resource, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { filter, go, link, param, scope, update } from '../state.ts';
import { numeric } from '../statistics/columns.ts';
import { download, toCsv } from '../statistics/csv.ts';
import { FIGURES, measureOf, sorted } from '../statistics/figures.ts';
import { Answer } from '../statistics/list.tsx';
import { Num, Ratio } from '../statistics/number.tsx';
import { FigureNumber, figureTitle } from '../statistics/summary.tsx';
import { t } from '../text.ts';
import { Empty, IconButton, Panel } from '../ui/panel.tsx';
import { type Column, rowCount, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';

const DEFAULT_ORDER = '-transactions';

/** Every server: how many, how fast, how often not at all. */
export function ServersPanel({ answer }: { answer: Resource<Servers> }): JSX.Element {
  const order = param('sort') || DEFAULT_ORDER;
  const rows = sorted(answer.data?.rows ?? [], order);
  return (
    <Panel
      title={t('latency.servers')}
      note={rowCount(rows.length)}
      class="wide-table numbers"
      stale={answer.loading}
      actions={
        <IconButton
          icon="download"
          label={t('list.csv')}
          onClick={() => {
            download('nametap-servers.csv', serversCsv(rows), 'text/csv');
          }}
        />
      }
    >
      <Answer answer={answer}>
        <Table
          label={t('latency.servers')}
          rows={rows}
          columns={serverColumns()}
          rowKey={({ server }) => server}
          height={`${Math.min(420, 36 + Math.max(2, rows.length) * 28)}px`}
          order={order}
          onSort={(sort) => {
            update({ sort: sort === DEFAULT_ORDER ? null : sort }, { replace: true });
          }}
          onOpen={({ server }) => {
            go(link('/latency', { f: and(filter.value, term('server', server) ?? '') }));
          }}
          empty={<Empty title={t('latency.servers.none')} />}
        />
      </Answer>
    </Panel>
  );
}

function serverColumns(): Column<ServerRow>[] {
  const part = (key: 'unanswered' | 'nxdomain' | 'servfail' | 'refused', extra: string): Column<ServerRow> =>
    numeric(
      key,
      t(`list.${key}`),
      96,
      (row) => <Ratio part={row[key]} all={row.transactions} f={and(row.f, extra)} whole inRow />,
      key === 'refused' ? key : `${key}_ratio`,
    );
  return [
    {
      key: 'server',
      title: t('list.server'),
      width: '200px',
      render: ({ server, f }) => <Value kind="server" value={server} f={f} inRow />,
    },
    numeric(
      'transactions',
      t('list.transactions'),
      96,
      (row) => <Num value={row.transactions} f={row.f} whole inRow />,
      'transactions',
    ),
    part('unanswered', 'dns.response_missing'),
    part('nxdomain', 'dns.flags.rcode == 3'),
    part('servfail', 'dns.flags.rcode == 2'),
    part('refused', 'dns.flags.rcode == 5'),
    ...FIGURES.map(
      (name): Column<ServerRow> =>
        numeric(
          name,
          name === 'n' ? t('statistics.samples') : figureTitle(name),
          76,
          (row) => <FigureNumber distribution="latency" summary={row.latency} figure={name} f={row.f} whole />,
          `latency.${name}`,
        ),
    ),
  ];
}

function serversCsv(rows: readonly ServerRow[]): string {
  const keys = [
    'transactions',
    'unanswered',
    'nxdomain',
    'servfail',
    'refused',
    'truncated',
    'retransmissions',
    ...FIGURES.map((name) => `latency.${name}`),
    ...FIGURES.map((name) => `size.${name}`),
  ];
  return toCsv(
    ['server', ...keys],
    rows.map((row) => [row.server, ...keys.map((key) => measureOf(row, key))]),
  );
}

/** The same by transport: TCP and UDP differ by more than a round trip. */
export function TransportPanel(): JSX.Element {
  const answer = useApi<Statistics>(
    api.statistics({
      ...scope.value,
      group: ['transport'],
      measures: ['transactions', 'unanswered', 'truncated', 'retransmissions', 'latency'],
      limit: 10,
    }),
    { follow: true },
  );
  return (
    <Panel title={t('latency.transports')} class="wide-table numbers" stale={answer.loading}>
      <Answer answer={answer} height={96}>
        <Table
          label={t('latency.transports')}
          rows={answer.data?.rows ?? []}
          columns={transportColumns()}
          rowKey={(row) => row.transport ?? ''}
        />
      </Answer>
    </Panel>
  );
}

function transportColumns(): Column<StatisticsRow>[] {
  const filterOf = (row: StatisticsRow, extra?: string): string | null => {
    const f = term('transport', row.transport ?? '');
    return f === null || extra === undefined ? f : and(f, extra);
  };
  const part = (key: 'unanswered' | 'truncated', extra: string): Column<StatisticsRow> =>
    numeric(key, t(`list.${key}`), 96, (row) => (
      <Ratio part={row[key] ?? 0} all={row.transactions ?? 0} f={filterOf(row, extra)} inRow />
    ));
  return [
    {
      key: 'transport',
      title: t('latency.transport'),
      width: '200px',
      render: ({ transport }) => <Value kind="transport" value={transport ?? ''} inRow />,
    },
    numeric('transactions', t('list.transactions'), 96, (row) => (
      <Num value={row.transactions} f={filterOf(row)} inRow />
    )),
    part('unanswered', 'dns.response_missing'),
    part('truncated', 'dns.flags.truncated == 1'),
    numeric('retransmissions', t('list.retransmissions'), 192, (row) => (
      <Num value={row.retransmissions} f={filterOf(row, 'dns.retransmission')} inRow />
    )),
    ...FIGURES.map(
      (name): Column<StatisticsRow> =>
        numeric(name, name === 'n' ? t('statistics.samples') : figureTitle(name), 76, (row) => (
          <FigureNumber distribution="latency" summary={row.latency} figure={name} f={filterOf(row)} />
        )),
    ),
  ];
}
