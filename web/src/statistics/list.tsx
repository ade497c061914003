import type { ComponentChildren, JSX } from 'preact';
import type { Statistics, StatisticsRow } from '../../../src/server/schema/statistics.ts';
import { call, type Resource, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { go, link, param, scope, update } from '../state.ts';
import { t, type TextKey } from '../text.ts';
import { IconButton, Panel, Problem, Waiting } from '../ui/panel.tsx';
import { type Column, rowCount, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';
import { Choice } from './choice.tsx';
import { numeric, tableHeight } from './columns.ts';
import { download, toCsv } from './csv.ts';
import { DISTRIBUTIONS, type Distribution, FIGURES, measureOf, sorted, storeOrder } from './figures.ts';
import { Num, Ratio } from './number.tsx';
import { FigureNumber, figureTitle } from './summary.tsx';

/** Groups a list is made of: what it shows and where a row leads. */
interface ListProps {
  dimension: 'domain' | 'client';
  /** Counts that stand before the statistics. */
  counts: readonly ('clients' | 'domains' | 'names' | 'servers')[];
  title: string;
  empty: ComponentChildren;
}

const MOST = 300;
const DEFAULT_ORDER = '-transactions';

/** All numbers of each domain or client of the range: sortable by every one of them, the distribution shown is chosen. */
export function StatisticsList({ dimension, counts, title, empty }: ListProps): JSX.Element {
  const shown = shownDistribution();
  const order = param('sort') || DEFAULT_ORDER;
  const answer = useApi<Statistics>(
    call('/statistics', {
      ...scope.value,
      group: [dimension],
      measures: ['transactions', ...counts, 'nxdomain', 'servfail', 'unanswered', shown],
      order: storeOrder(order),
      limit: MOST,
    }),
    { follow: true },
  );
  const rows = sorted(matching(answer.data?.rows ?? [], dimension), order);
  return (
    <Panel
      title={title}
      note={answer.data === undefined ? undefined : <Note answer={answer.data} shown={shown} />}
      class="wide-table numbers"
      stale={answer.loading}
      actions={
        <>
          <Find />
          <DistributionChoice value={shown} />
          <IconButton
            icon="download"
            label={t('list.csv')}
            onClick={() => {
              download(`nametap-${dimension}s.csv`, listCsv(rows, dimension, counts, shown), 'text/csv');
            }}
          />
        </>
      }
    >
      <Answer answer={answer}>
        <Table
          label={title}
          rows={rows}
          columns={listColumns(dimension, counts, shown)}
          rowKey={(row) => row[dimension] ?? ''}
          height={tableHeight(rows.length, 260)}
          order={order}
          onSort={(sort) => {
            update({ sort: sort === DEFAULT_ORDER ? null : sort }, { replace: true });
          }}
          onOpen={(row) => {
            const key = row[dimension];
            if (typeof key === 'string') go(link(`/${dimension}s/${encodeURIComponent(key)}`, { f: null }));
          }}
          empty={empty}
        />
      </Answer>
    </Panel>
  );
}

/** What is known, room for it, or what went wrong. */
export function Answer<T>({
  answer,
  height = 240,
  children,
}: {
  answer: Resource<T>;
  height?: number;
  children: ComponentChildren;
}): JSX.Element {
  if (answer.error !== undefined && answer.data === undefined)
    return <Problem error={answer.error} retry={answer.reload} />;
  if (answer.data === undefined) return <Waiting height={height} />;
  return (
    <>
      {answer.error !== undefined && <Problem error={answer.error} retry={answer.reload} />}
      {children}
    </>
  );
}

/** The distribution whose numbers are shown, in the address as `cols`. */
export function shownDistribution(): Distribution {
  return DISTRIBUTIONS.find((name) => name === param('cols')) ?? 'latency';
}

export function DistributionChoice({ value }: { value: Distribution }): JSX.Element {
  return (
    <Choice
      label={t('list.distribution')}
      value={value}
      options={DISTRIBUTIONS.map((name) => ({ value: name, title: t(`statistics.${name}`) }))}
      onChange={(next) => {
        const order = param('sort');
        const sort = order.includes('.') ? order.replace(/\w+\./, `${next}.`) : order;
        update({ cols: next === 'latency' ? null : next, sort }, { replace: true });
      }}
    />
  );
}

/** Narrows the list as it is typed, without asking again. */
function Find(): JSX.Element {
  return (
    <input
      type="search"
      class="find"
      aria-label={t('list.find')}
      placeholder={t('list.find')}
      value={param('q')}
      onInput={(event) => {
        update({ q: event.currentTarget.value }, { replace: true });
      }}
    />
  );
}

function Note({ answer, shown }: { answer: Statistics; shown: Distribution }): JSX.Element {
  const unit = answer.rows[0]?.[shown]?.unit ?? '';
  return (
    <>
      {answer.rows.length < MOST ? rowCount(answer.rows.length) : t('list.first', { n: MOST })}
      {!answer.complete && <> · {t('list.incomplete')}</>}
      {unit !== '' && <> · {t('list.unit', { what: t(`statistics.${shown}`), unit })}</>}
    </>
  );
}

function matching(rows: readonly StatisticsRow[], dimension: 'domain' | 'client'): StatisticsRow[] {
  const wanted = param('q').toLowerCase();
  return rows.filter((row) => wanted === '' || (row[dimension] ?? '').toLowerCase().includes(wanted));
}

function listColumns(
  dimension: 'domain' | 'client',
  counts: ListProps['counts'],
  shown: Distribution,
): Column<StatisticsRow>[] {
  const filterOf = (row: StatisticsRow): string | null => {
    const key = row[dimension];
    return key === null || key === undefined ? null : term(dimension, key);
  };
  const part = (row: StatisticsRow, extra: string): string | null => {
    const f = filterOf(row);
    return f === null ? null : and(f, extra);
  };
  const number = (key: string, title: TextKey, render: Column<StatisticsRow>['render']): Column<StatisticsRow> =>
    numeric(key, t(title), 88, render, key);
  return [
    {
      key: dimension,
      title: t(`list.${dimension}`),
      width: '218px',
      render: (row) => {
        const key = row[dimension];
        return key ? (
          <Value kind={dimension} value={key} inRow />
        ) : (
          <span class="mute">{t(`list.${dimension}.none`)}</span>
        );
      },
    },
    number('transactions', 'list.transactions', (row) => <Num value={row.transactions} f={filterOf(row)} inRow />),
    ...counts.map((name) => number(name, `list.${name}`, (row) => <Num value={row[name]} f={filterOf(row)} inRow />)),
    number('nxdomain_ratio', 'list.nxdomain', (row) => (
      <Ratio part={row.nxdomain ?? 0} all={row.transactions ?? 0} f={part(row, 'dns.flags.rcode == 3')} inRow />
    )),
    number('unanswered_ratio', 'list.unanswered', (row) => (
      <Ratio part={row.unanswered ?? 0} all={row.transactions ?? 0} f={part(row, 'dns.response_missing')} inRow />
    )),
    ...FIGURES.map(
      (name): Column<StatisticsRow> =>
        numeric(
          `${shown}.${name}`,
          figureTitle(name),
          name === 'variance' ? 84 : 74,
          (row) => <FigureNumber distribution={shown} summary={row[shown]} figure={name} f={filterOf(row)} />,
          `${shown}.${name}`,
        ),
    ),
  ];
}

function listCsv(
  rows: readonly StatisticsRow[],
  dimension: 'domain' | 'client',
  counts: ListProps['counts'],
  shown: Distribution,
): string {
  const keys = [
    'transactions',
    ...counts,
    'nxdomain',
    'servfail',
    'unanswered',
    ...FIGURES.map((number) => `${shown}.${number}`),
  ];
  return toCsv(
    [dimension, ...keys],
    rows.map((row) => [row[dimension] ?? '', ...keys.map((key) => measureOf(row as Record<string, unknown>, key))]),
  );
}
