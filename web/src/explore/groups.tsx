import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Statistics, StatisticsRow } from '../../../src/server/schema/statistics.ts';
import type { Dimension } from '../../../src/store/store.ts';
import { api, type Resource, useApi } from '../api.ts';
import { and, term, type ValueKind } from '../filter.ts';
import { count } from '../format.ts';
import { filter, go, here, param, scope, update } from '../state.ts';
import {
  DISTRIBUTIONS,
  type Distribution,
  FIGURES,
  figure,
  measureOf,
  sorted,
  storeOrder,
} from '../statistics/figures.ts';
import { Choice } from '../statistics/choice.tsx';
import { download, toCsv } from '../statistics/csv.ts';
import { t } from '../text.ts';
import { Empty, IconButton, Panel, Problem, Waiting } from '../ui/panel.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';
import { useAnswer } from './log/answer.ts';
import type { RowSource } from './log/source.ts';

/** As they are listed; the type holds every one of the store's. */
const GROUPS = Object.keys({
  domain: true,
  name: true,
  client: true,
  server: true,
  type: true,
  rcode: true,
  transport: true,
  outcome: true,
  answer_kind: true,
  role: true,
  leg: true,
  opcode: true,
  sensor: true,
  latency_bucket: true,
  hour_of_week: true,
} satisfies Record<Dimension, true>) as Dimension[];
const MOST = 500;
type Grouped = Pick<Statistics, 'rows' | 'complete'>;

/** The dimensions of the address's `group`. */
export function groupsOf(text: string): Dimension[] {
  return text
    .split(',')
    .flatMap((name) => GROUPS.find((known) => known === name) ?? [])
    .slice(0, 2);
}

interface Asked {
  groups: readonly Dimension[];
  shown: Distribution;
  order: string;
}

/** The groups of history, by the API. */
function useStored({ groups, shown, order }: Asked, isWanted: boolean): Resource<Grouped> {
  return useApi<Statistics>(
    isWanted
      ? api.statistics({
          ...scope.value,
          group: groups,
          measures: ['transactions', 'nxdomain', 'unanswered', shown],
          order: storeOrder(order) as '-transactions',
          limit: MOST,
        })
      : null,
    { follow: true },
  );
}

/** The groups of a capture in this page, and how far they have come while they are counted, 0 … 1. */
function useDropped(source: RowSource, { groups, shown }: Asked): Resource<Grouped> & { share: number } {
  const f = filter.value;
  const query = { f, group: groups, of: shown, limit: MOST };
  const [counted, count] = useState({ asked: '', share: 0 });
  const asked = [f, groups.join(), shown].join('\n');
  const tell = (share: number): void => count({ asked, share });
  const { data: rows, ...rest } = useAnswer(() => source.groups?.(query, tell), [source, asked]);
  const share = counted.asked === asked ? counted.share : 0;
  return { ...rest, data: rows && { rows, complete: true }, share, reload: () => undefined };
}

/** Statistics of what passes the filter, by one or two dimensions. A row leads to its transactions. */
export function Groups({ source, groups }: { source: RowSource; groups: readonly Dimension[] }): JSX.Element {
  const order = param('sort') || '-transactions';
  const shown = DISTRIBUTIONS.find((name) => name === param('of')) ?? 'latency';
  const asked = { groups, shown, order };
  const stored = useStored(asked, source.hasHistory);
  const dropped = useDropped(source, asked);
  const answer = source.hasHistory ? stored : dropped;
  const { data, error } = answer;
  const title = t('explore.group.title', { dimension: groups.map((name) => t(`explore.dim.${name}`)).join(' × ') });
  // The answer before this one may be of other groups.
  const known = data?.rows.every((row) => groups.every((name) => row[name] !== undefined)) === true;
  const isCounting = !source.hasHistory && answer.loading;
  const rows = sorted(known ? data.rows : [], order);
  return (
    <Panel
      title={title}
      class="groups"
      note={isCounting ? <Counting share={dropped.share} /> : known && <Note data={data} />}
      stale={answer.loading}
      actions={
        <>
          <Controls groups={groups} shown={shown} />
          <IconButton
            icon="download"
            label={t('explore.group.csv')}
            onClick={() => download(`nametap-${groups.join('-')}.csv`, groupsCsv(rows, groups, shown), 'text/csv')}
          />
        </>
      }
    >
      {error !== undefined && <Problem error={error} retry={answer.reload} />}
      {!known && error === undefined && <Waiting height={280} />}
      {known && (
        <Table<StatisticsRow>
          label={title}
          rows={rows}
          columns={columns(groups, shown)}
          rowKey={(row) => groups.map((name) => row[name] ?? '').join('\n')}
          height="max(320px, calc(100dvh - 250px - var(--banners, 0px)))"
          order={order}
          onSort={(sort) => update({ sort: sort === '-transactions' ? null : sort }, { replace: true })}
          onOpen={(row) => {
            const f = filterOf(row, groups);
            if (f !== null) go(here({ f: and(filter.value, f), group: null, sort: null }));
          }}
          empty={<Empty title={t('explore.found.none')}>{t('explore.found.hint')}</Empty>}
        />
      )}
    </Panel>
  );
}

function Counting({ share }: { share: number }): JSX.Element {
  return (
    <span class="group-counting" role="status">
      <progress max={1} value={share} aria-label={t('explore.counting')} />
      {t('explore.counting')}
    </span>
  );
}

function Note({ data }: { data: Grouped }): JSX.Element {
  return (
    <>
      {data.rows.length < MOST ? t('table.rows', { n: data.rows.length }) : t('explore.group.first', { n: MOST })}
      {!data.complete && <> · {t('explore.group.incomplete')}</>}
    </>
  );
}

function Controls({ groups, shown }: { groups: readonly Dimension[]; shown: Distribution }): JSX.Element {
  const choose = (index: number, value: string): void => {
    const next = [...groups];
    if (value === '') next.splice(index, 1);
    else next[index] = value as Dimension;
    update({ group: [...new Set(next)].join(','), sort: null }, { replace: true });
  };
  return (
    <>
      <Select label={t('explore.group.by')} value={groups[0]} onChange={(value) => choose(0, value)} />
      <Select label={t('explore.group.and')} value={groups[1] ?? ''} onChange={(value) => choose(1, value)} none />
      <Choice
        label={t('explore.group.of')}
        value={shown}
        options={DISTRIBUTIONS.map((name) => ({ value: name, title: t(`explore.dist.${name}`) }))}
        onChange={(next) => {
          const sort = param('sort');
          update(
            {
              of: next === 'latency' ? null : next,
              sort: sort.includes('.') ? sort.replace(/\w+\./, `${next}.`) : sort,
            },
            { replace: true },
          );
        }}
      />
    </>
  );
}

function Select({
  label,
  value,
  onChange,
  none = false,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  none?: boolean;
}): JSX.Element {
  return (
    <label class="select">
      <span>{label}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {none && <option value="">{t('explore.group.nothing')}</option>}
        {GROUPS.map((name) => (
          <option key={name} value={name} selected={name === value}>
            {t(`explore.dim.${name}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

function columns(groups: readonly Dimension[], shown: Distribution): Column<StatisticsRow>[] {
  const ratio = (row: StatisticsRow, part: 'nxdomain' | 'unanswered'): string => {
    const all = row.transactions ?? 0;
    return all === 0 ? '–' : `${figure(((row[part] ?? 0) / all) * 100)} %`;
  };
  return [
    ...groups.map(
      (name): Column<StatisticsRow> => ({
        key: name,
        title: t(`explore.dim.${name}`),
        width: groups.length > 1 ? '200px' : '300px',
        mono: true,
        render: (row) => <Key dimension={name} value={row[name] ?? null} />,
      }),
    ),
    {
      key: 'transactions',
      title: t('explore.stat.transactions'),
      align: 'end',
      sort: 'transactions',
      width: '104px',
      render: (row) => {
        const f = filterOf(row, groups);
        const text = count(row.transactions ?? 0);
        return f === null ? (
          text
        ) : (
          <a href={here({ f: and(filter.value, f), group: null, sort: null })} tabIndex={-1}>
            {text}
          </a>
        );
      },
    },
    {
      key: 'nxdomain',
      title: t('explore.stat.nxdomain'),
      align: 'end',
      sort: 'nxdomain_ratio',
      width: '96px',
      render: (row) => ratio(row, 'nxdomain'),
    },
    {
      key: 'unanswered',
      title: t('explore.stat.unanswered'),
      align: 'end',
      sort: 'unanswered_ratio',
      width: '100px',
      render: (row) => ratio(row, 'unanswered'),
    },
    ...FIGURES.map(
      (name): Column<StatisticsRow> => ({
        key: `${shown}.${name}`,
        title: t(`explore.stat.${name}`),
        align: 'end',
        sort: `${shown}.${name}`,
        width: '80px',
        render: (row) => {
          const summary = row[shown];
          return figure(summary?.n === 0 && name !== 'n' ? null : summary?.[name]);
        },
      }),
    ),
  ];
}

function groupsCsv(rows: readonly StatisticsRow[], groups: readonly Dimension[], shown: Distribution): string {
  const keys = ['transactions', 'nxdomain', 'unanswered', ...FIGURES.map((name) => `${shown}.${name}`)];
  return toCsv(
    [...groups, ...keys],
    rows.map((row) => [
      ...groups.map((name) => row[name] ?? ''),
      ...keys.map((key) => measureOf(row as Record<string, unknown>, key)),
    ]),
  );
}

const KINDS: Partial<Record<Dimension, ValueKind>> = {
  domain: 'domain',
  name: 'name',
  client: 'client',
  server: 'server',
  type: 'type',
  rcode: 'rcode',
  transport: 'transport',
};

function Key({ dimension, value }: { dimension: Dimension; value: string | null }): JSX.Element {
  if (value === null || value === '') return <span class="faint">{t('explore.group.none')}</span>;
  const kind = KINDS[dimension];
  return kind === undefined ? <span>{value}</span> : <Value kind={kind} value={value} inRow />;
}

/** The filter of a row; null where the language has no word for one of its keys. */
function filterOf(row: StatisticsRow, groups: readonly Dimension[]): string | null {
  const parts = groups.map((name) => {
    const kind = KINDS[name];
    const value = row[name];
    return kind === undefined || value === null || value === undefined ? null : term(kind, value);
  });
  return parts.some((part) => part === null) ? null : parts.join(' and ');
}
