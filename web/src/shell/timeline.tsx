import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { api, useApi } from '../api.ts';
import { rateFormat } from '../format.ts';
import { filter, resolvedRange, setRange } from '../state.ts';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';

/** How much time is shown: so many times the present range, around it. */
const TIMES = 6;
const POINTS = 72;

/** What came around the present range, to brush another one out of it. */
export function Timeline({ onDone }: { onDone: () => void }): JSX.Element | null {
  const around = useMemo(() => {
    const { from, to } = resolvedRange();
    const end = Math.min(Date.now(), to + ((TIMES - 1) / 2) * (to - from));
    return { from: end - TIMES * (to - from), to: end };
  }, []);
  const step = Math.max(60, Math.ceil((around.to - around.from) / POINTS / 60_000) * 60);
  const { data } = useApi(
    api.statistics({
      from: new Date(around.from).toISOString(),
      to: new Date(around.to).toISOString(),
      f: filter.value || undefined,
      step,
      measures: ['transactions'],
      limit: 1000,
    }),
  );
  const rows = useMemo(() => {
    const found = (data?.rows ?? []).map((row) => ({ at: Date.parse(row.time ?? ''), n: row.transactions ?? 0 }));
    return found.filter(({ at }) => !Number.isNaN(at)).sort((a, b) => a.at - b.at);
  }, [data]);
  const time = useMemo(() => rows.map(({ at }) => at), [rows]);
  const series = useMemo(
    () => [
      { label: t('overview.qps.series'), values: rows.map(({ n }) => n / step), color: 'signal' as const, area: true },
    ],
    [rows],
  );
  if (rows.length < 2) return null;
  return (
    <div class="timeline">
      <Chart
        label={t('range.around')}
        time={time}
        step={step}
        height={96}
        format={rateFormat(Math.max(...rows.map(({ n }) => n / step)))}
        series={series}
        onRange={({ from, to }) => {
          setRange(from, to);
          onDone();
        }}
      />
    </div>
  );
}
