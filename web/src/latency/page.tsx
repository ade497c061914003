import '../statistics/pages.css';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Servers } from '../../../src/server/schema/pages.ts';
import type { Statistics, StatisticsRow } from '../../../src/server/schema/statistics.ts';
import { api, type Resource, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { count, exact, percent, plain } from '../format.ts';
import { filter, link, resolvedRange, scope } from '../state.ts';
import { latencyText } from '../statistics/figures.ts';
import { Answer } from '../statistics/list.tsx';
import { Legend, openLog } from '../statistics/series.tsx';
import { SummaryTable } from '../statistics/summary.tsx';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Heatmap } from '../ui/heatmap.tsx';
import { Panel } from '../ui/panel.tsx';
import { latencyMatrix, type Matrix, stepFor } from './matrix.ts';
import { ServersPanel, TransportPanel } from './servers.tsx';

const COLUMNS = 90;

/** How long answers take: when, from whom, over what; and what was not answered at all. */
export function Page(): JSX.Element {
  const { from, to } = resolvedRange();
  const step = stepFor(to - from, COLUMNS);
  const cells = useApi<Statistics>(
    api.statistics({ ...scope.value, group: ['latency_bucket'], step, measures: ['transactions'], limit: 1000 }),
    { follow: true },
  );
  const series = useApi<Statistics>(
    api.statistics({ ...scope.value, step, measures: ['transactions', 'unanswered', 'latency'], limit: 1000 }),
    { follow: true },
  );
  const all = useApi<Statistics>(
    api.statistics({ ...scope.value, measures: ['transactions', 'unanswered', 'latency', 'size', 'ttl', 'answers'] }),
    { follow: true },
  );
  const servers = useApi<Servers>(api.servers({ ...scope.value, limit: 200 }), { follow: true });
  const matrix = useMemo(() => toMatrix(cells.data, step), [cells.data, step]);
  const total = all.data?.rows[0];
  return (
    <div class="page">
      <h1 class="hidden">{t('latency.title')}</h1>
      {total !== undefined && <Sentence total={total} servers={servers.data} />}
      <div class="grid-3">
        <HeatPanel matrix={matrix} step={step} answer={cells} />
        <div class="stack">
          <PercentilePanel answer={series} step={step} />
          <UnansweredPanel answer={series} step={step} />
        </div>
      </div>
      <Panel title={t('statistics.title')} note={t('statistics.note')} stale={all.loading}>
        <Answer answer={all} height={150}>
          {total !== undefined && isWhole(total) && (
            <SummaryTable statistics={total} f={filter.value} label={t('statistics.title')} />
          )}
        </Answer>
      </Panel>
      <ServersPanel answer={servers} />
      <TransportPanel />
    </div>
  );
}

function isWhole(
  row: StatisticsRow,
): row is StatisticsRow & Required<Pick<StatisticsRow, 'latency' | 'size' | 'ttl' | 'answers'>> {
  return row.latency !== undefined && row.size !== undefined && row.ttl !== undefined && row.answers !== undefined;
}

function Sentence({ total, servers }: { total: StatisticsRow; servers: Servers | undefined }): JSX.Element {
  const latency = total.latency;
  const all = total.transactions ?? 0;
  const slowest = [...(servers?.rows ?? [])]
    .filter((row) => row.latency.n >= 20 && row.latency.p95 !== null)
    .sort((a, b) => (b.latency.p95 ?? 0) - (a.latency.p95 ?? 0))[0];
  if (latency === undefined || latency.n === 0 || latency.p50 === null || latency.p99 === null) {
    return <p class="sentence">{t('latency.none')}</p>;
  }
  return (
    <p class="sentence">
      <strong>{t('latency.half', { p50: latencyText(latency.p50), p99: latencyText(latency.p99) })}</strong>{' '}
      {t('latency.of', {
        n: exact(latency.n),
        unanswered: exact(total.unanswered ?? 0),
        percent: plain(percent(all === 0 ? 0 : (total.unanswered ?? 0) / all)),
      })}{' '}
      {slowest !== undefined && servers !== undefined && servers.rows.length > 1 && (
        <>
          {t('latency.slowest')} <a href={link('/latency', { f: term('server', slowest.server) })}>{slowest.server}</a>{' '}
          {t('latency.slowest.p95', { p95: latencyText(slowest.latency.p95 ?? 0) })}
        </>
      )}
    </p>
  );
}

function toMatrix(answer: Statistics | undefined, step: number): Matrix | null {
  if (answer === undefined) return null;
  const cells = answer.rows.map((row) => ({
    time: Date.parse(row.time ?? answer.from),
    bucket: row.latency_bucket === null || row.latency_bucket === undefined ? null : Number(row.latency_bucket),
    count: row.transactions ?? 0,
  }));
  return latencyMatrix(cells, Date.parse(answer.from), Date.parse(answer.to), step * 1000);
}

function HeatPanel({
  matrix,
  step,
  answer,
}: {
  matrix: Matrix | null;
  step: number;
  answer: Resource<Statistics>;
}): JSX.Element {
  return (
    <Panel title={t('latency.heat')} note={t('latency.heat.note')} class="span-2" stale={answer.loading}>
      <Answer answer={answer} height={324}>
        {matrix !== null && (
          <Heatmap
            label={t('latency.heat')}
            time={matrix.time}
            step={step}
            buckets={matrix.bucketMs}
            counts={matrix.counts}
            height={324}
            format={latencyText}
            labelled={(bucket) => Math.round(Math.log2(bucket)) % 2 === 0}
            quantiles={[
              { share: 0.5, label: 'p50', color: 'ink' },
              { share: 0.95, label: 'p95', color: 'attn' },
            ]}
            onOpen={(span, low, high) => {
              const above = `dns.time >= ${low / 1000}`;
              const f = Number.isFinite(high) ? `${above} and dns.time < ${high / 1000}` : above;
              openLog(span, and(filter.value, f));
            }}
          />
        )}
      </Answer>
      <Legend
        items={[
          ['ink', 'p50', 'solid'],
          ['attn', 'p95', 'solid'],
        ]}
      />
    </Panel>
  );
}

interface SeriesProps {
  answer: Resource<Statistics>;
  step: number;
}

/** Percentiles over time, with the number of answers they come from. */
function PercentilePanel({ answer, step }: SeriesProps): JSX.Element {
  const rows = answer.data?.rows ?? [];
  const samples = rows.reduce((sum, row) => sum + (row.latency?.n ?? 0), 0);
  return (
    <Panel title={t('latency.percentiles')} note={t('tiles.samples', { n: count(samples) })} stale={answer.loading}>
      <Answer answer={answer} height={148}>
        <Chart
          label={t('latency.percentiles')}
          time={rows.map((row) => Date.parse(row.time ?? ''))}
          step={step}
          height={148}
          format={latencyText}
          onOpen={(span) => {
            openLog(span, and(filter.value, 'dns.time'));
          }}
          series={[
            { label: 'p99', values: rows.map((row) => row.latency?.p99 ?? null), color: 'alarm', dash: [2, 3] },
            { label: 'p95', values: rows.map((row) => row.latency?.p95 ?? null), color: 'attn', dash: [5, 3] },
            { label: 'p50', values: rows.map((row) => row.latency?.p50 ?? null), color: 'signal' },
          ]}
        />
        <Legend
          items={[
            ['signal', 'p50', 'solid'],
            ['attn', 'p95', 'dashed'],
            ['alarm', 'p99', 'dotted'],
          ]}
        />
      </Answer>
    </Panel>
  );
}

/** What no answer came to: never dropped from the picture of latency. */
function UnansweredPanel({ answer, step }: SeriesProps): JSX.Element {
  const rows = answer.data?.rows ?? [];
  const n = rows.reduce((sum, row) => sum + (row.unanswered ?? 0), 0);
  return (
    <Panel
      title={t('latency.unanswered')}
      note={t('latency.unanswered.note', { n })}
      stale={answer.loading}
      actions={
        <a class="more" href={link('/explore', { f: and(filter.value, 'dns.response_missing') })}>
          {t('latency.log')}
        </a>
      }
    >
      <Answer answer={answer} height={88}>
        <Chart
          label={t('latency.unanswered')}
          time={rows.map((row) => Date.parse(row.time ?? ''))}
          step={step}
          height={88}
          format={count}
          onOpen={(span) => {
            openLog(span, and(filter.value, 'dns.response_missing'));
          }}
          series={[
            { label: t('list.unanswered'), values: rows.map((row) => row.unanswered ?? 0), color: 'alarm', area: true },
          ]}
        />
      </Answer>
    </Panel>
  );
}
