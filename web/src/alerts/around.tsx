import type { JSX } from 'preact';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { count, duration } from '../format.ts';
import { openLog } from '../statistics/series.tsx';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Waiting } from '../ui/panel.tsx';

const MINUTE = 60_000;
/** Steps of a bar, in seconds. */
const STEPS = [10, 60, 300, 900, 3600, 10_800, 86_400];
const POINTS = 90;
const HEIGHT = 104;

/** How much of it there was, before, while and after it was noticed: the marked points belong to the alert. */
export function Around({ f, from, to }: { f: string; from: number; to: number }): JSX.Element {
  const span = Math.max(10 * MINUTE, to - from);
  const step = STEPS.find((one) => (6 * span) / 1000 / one <= POINTS) ?? 86_400;
  const align = (ms: number): number => Math.floor(ms / 1000 / step) * step * 1000;
  const begin = align(from - 4 * span);
  const end = align(to + span) + step * 1000;
  const answer = useApi<Statistics>(
    api.statistics({
      from: new Date(begin).toISOString(),
      to: new Date(end).toISOString(),
      f,
      step,
      measures: ['transactions'],
    }),
  );
  if (answer.data === undefined) return <Waiting height={HEIGHT} />;
  const counted = new Map(answer.data.rows.map((row) => [Date.parse(row.time ?? ''), row.transactions ?? 0]));
  const time = Array.from({ length: Math.round((end - begin) / 1000 / step) }, (_, i) => begin + i * step * 1000);
  const values = time.map((at) => counted.get(at) ?? 0);
  const belongs = time.flatMap((at, i) => {
    const isIn = at + step * 1000 > from && at <= to && values[i] > 0;
    return isIn ? [{ time: at, value: values[i] }] : [];
  });
  return (
    <figure class="around">
      <figcaption class="mute small">{t('alerts.around.note', { span: duration(step) })}</figcaption>
      <Chart
        label={t('alerts.around')}
        time={time}
        step={step}
        height={HEIGHT}
        format={count}
        series={[{ label: t('list.transactions'), values, color: 'signal', area: true }]}
        anomalies={belongs}
        onOpen={(range) => openLog(range, f)}
      />
    </figure>
  );
}
