import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NamePage } from '../../../src/server/schema/pages.ts';
import type { PdnsRow } from '../../../src/server/schema/pdns.ts';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { term } from '../filter.ts';
import { axisTime, count, duration, moment } from '../format.ts';
import { link, range } from '../state.ts';
import { Moment } from '../statistics/head.tsx';
import { Num } from '../statistics/number.tsx';
import { openLog } from '../statistics/series.tsx';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Mark } from '../ui/icons.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { type Column, rowCount, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';
import { changes, churn, type Lane, lanes, type Seen } from './timeline.ts';

/** Passive DNS of a name and of what is below it. */
export interface KnownRecords {
  rows: readonly PdnsRow[];
  /** There are more. */
  isBounded: boolean;
}

const DAY_MS = 86_400_000;
/** Lanes drawn: of the records seen most. */
const MOST_LANES = 300;

/** What the name resolved to over all that is kept, when that changed, and how its TTL moved. */
export function HistoryPanel({ page, known }: { page: NamePage; known: KnownRecords }): JSX.Element {
  const seen = useMemo(
    () =>
      [...known.rows]
        .sort((a, b) => b.count - a.count)
        .slice(0, MOST_LANES)
        .map(
          (row): Seen => ({
            name: row.rrname,
            type: row.rrtype,
            data: row.rdata,
            first: Date.parse(row.time_first),
            last: Date.parse(row.time_last),
            count: row.count,
          }),
        ),
    [known.rows],
  );
  const line = useMemo(() => lanes(seen), [seen]);
  const changed = line.lanes.filter(({ appeared, vanished }) => appeared || vanished).length;
  return (
    <div class="grid-3 names">
      <Panel
        title={t('domains.records')}
        note={changed === 0 ? rowCount(line.lanes.length) : t('domains.records.changed', { n: changed })}
        class="span-2 wide-table"
      >
        {line.lanes.length === 0 ? (
          <Empty title={t('domains.records.none')}>{t('domains.records.none.text')}</Empty>
        ) : (
          <Table
            label={t('domains.records')}
            rows={line.lanes}
            columns={laneColumns(line, page.name)}
            rowKey={({ name, type, data }) => `${name} ${type} ${data}`}
            height={`${Math.min(368, 34 + line.lanes.length * 28)}px`}
          />
        )}
      </Panel>
      <div class="stack">
        <TtlPanel page={page} />
        <ChurnPanel seen={seen} from={line.from} to={line.to} f={page.f} />
      </div>
    </div>
  );
}

function laneColumns({ lanes: all, from, to }: ReturnType<typeof lanes>, page: string): Column<Lane>[] {
  const name: Column<Lane> = {
    key: 'name',
    title: t('pdns.name'),
    width: '180px',
    mono: true,
    render: (lane) => <Value kind="name" value={lane.name} inRow />,
  };
  // Longer than a day or two only the days count.
  const scale = to - from > 1.5 * DAY_MS ? 10 * DAY_MS : to - from;
  return [
    ...(all.some((lane) => lane.name !== page) ? [name] : []),
    {
      key: 'type',
      title: t('pdns.type'),
      width: '64px',
      render: ({ type }) => <Value kind="type" value={type} inRow />,
    },
    {
      key: 'data',
      title: t('pdns.data'),
      width: '220px',
      mono: true,
      render: ({ type, data }) => <Value kind={dataKind(type)} value={data} inRow />,
    },
    {
      key: 'line',
      title: (
        <span class="lane-axis">
          <span>{axisTime(from, scale)}</span>
          <span>{axisTime(to, scale)}</span>
        </span>
      ),
      render: (lane) => (
        <span class="lane" title={`${moment(lane.first)} – ${moment(lane.last)}`}>
          <i
            class={lane.vanished ? 'gone' : ''}
            style={{ left: `${lane.start * 100}%`, width: `${Math.max(0.6, (lane.end - lane.start) * 100)}%` }}
          />
        </span>
      ),
    },
    {
      key: 'mark',
      title: <span class="hidden">{t('domains.lane')}</span>,
      width: '76px',
      render: ({ appeared, vanished }) =>
        vanished ? (
          <span class="mute">{t('domains.lane.gone')}</span>
        ) : appeared ? (
          <span class="attn">
            <Mark level="attention" /> {t('domains.lane.new')}
          </span>
        ) : null,
    },
    {
      key: 'last',
      title: t('pdns.last'),
      width: '116px',
      align: 'end',
      render: ({ last }) => <Moment at={last} ago />,
    },
    { key: 'count', title: t('pdns.count'), width: '72px', align: 'end', render: ({ count: n }) => <Num value={n} /> },
  ];
}

/** What the data of a record of a type is, for its menu. */
export function dataKind(type: string): 'address' | 'name' | 'data' {
  if (type === 'A' || type === 'AAAA') return 'address';
  return /^(CNAME|DNAME|NS|PTR)$/.test(type) ? 'name' : 'data';
}

/** The largest TTL seen in each bucket: what the zone says, where caches count down. */
function TtlPanel({ page }: { page: NamePage }): JSX.Element {
  const answer = useApi<Statistics>(
    api.statistics({ ...range.value, f: page.f, step: page.series.step, measures: ['ttl'], limit: 1000 }),
  );
  const rows = (answer.data?.rows ?? []).filter((row) => row.time !== undefined);
  const time = rows.map((row) => Date.parse(row.time ?? ''));
  const max = rows.map((row) => row.ttl?.max ?? null);
  const moved = changes(max);
  const last = moved.at(-1);
  return (
    <Panel
      title={t('domains.ttl')}
      note={
        page.totals.names > 1
          ? t('domains.ttl.mixed', { n: page.totals.names })
          : last === undefined
            ? t('domains.ttl.still')
            : t('domains.ttl.moved', { n: moved.length, before: duration(last.before), after: duration(last.after) })
      }
      stale={answer.loading}
    >
      <Chart
        label={t('domains.ttl')}
        time={time}
        step={page.series.step}
        height={116}
        format={duration}
        onOpen={(span) => {
          openLog(span, page.f);
        }}
        series={[
          { label: t('domains.ttl.max'), values: max, color: 'signal' },
          { label: t('domains.ttl.min'), values: rows.map((row) => row.ttl?.min ?? null), color: 'mute', dash: [2, 3] },
        ]}
      />
    </Panel>
  );
}

const BUCKETS = 48;

/** How many addresses the name had at a time, and how many of them were new. */
function ChurnPanel({
  seen,
  from,
  to,
  f,
}: {
  seen: readonly Seen[];
  from: number;
  to: number;
  f: string;
}): JSX.Element {
  const addresses = seen.filter(({ type }) => type === 'A' || type === 'AAAA');
  const step = Math.max(1000, Math.ceil((to - from + 1) / BUCKETS / 1000) * 1000);
  const starts = addresses.length === 0 ? [] : Array.from({ length: BUCKETS }, (_, i) => from + i * step);
  const { alive, fresh } = churn(addresses, starts, step);
  return (
    <Panel title={t('domains.churn')} note={t('domains.churn.note', { n: addresses.length })}>
      {addresses.length === 0 ? (
        <Empty title={t('domains.records.none')} />
      ) : (
        <Chart
          label={t('domains.churn')}
          time={starts}
          step={step / 1000}
          height={116}
          format={count}
          onOpen={(span) => {
            openLog(span, f);
          }}
          series={[
            { label: t('domains.churn.alive'), values: alive, color: 'signal', area: true },
            { label: t('domains.churn.fresh'), values: fresh, color: 'attn', dash: [5, 3] },
          ]}
        />
      )}
    </Panel>
  );
}

/** When the name was asked for in vain. */
export function MissesPanel({ page }: { page: NamePage }): JSX.Element {
  return (
    <Panel title={t('domains.misses')} note={t('domains.misses.note')}>
      {page.misses.length === 0 ? (
        <Empty title={t('domains.misses.none')} />
      ) : (
        <Table
          label={t('domains.misses')}
          rows={page.misses}
          rowKey={(miss) => `${miss.kind} ${miss.time_first}`}
          columns={[
            { key: 'kind', title: t('domains.misses.kind'), render: ({ kind }) => <MissKind kind={kind} /> },
            {
              key: 'first',
              title: t('pdns.first'),
              width: '118px',
              render: ({ time_first }) => <Moment at={time_first} ago />,
            },
            {
              key: 'last',
              title: t('pdns.last'),
              width: '118px',
              render: ({ time_last }) => <Moment at={time_last} ago />,
            },
            {
              key: 'count',
              title: t('pdns.count'),
              align: 'end',
              width: '64px',
              render: (miss) => (
                <a
                  class="num"
                  tabIndex={-1}
                  href={link('/explore', {
                    from: miss.time_first,
                    to: null,
                    f: `${term('name', page.name)} and ${missFilter(miss.kind)}`,
                  })}
                >
                  {count(miss.count)}
                </a>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}

function MissKind({ kind }: { kind: string }): JSX.Element {
  return (
    <>
      <Mark level={kind === 'unanswered' ? 'alarm' : 'attention'} /> {kind}
    </>
  );
}

function missFilter(kind: string): string {
  return kind === 'unanswered' ? 'dns.response_missing' : 'dns.flags.rcode == 3';
}
