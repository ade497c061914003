import type { Overview } from '../../../src/server/schema/overview.ts';
import { t } from '../text.ts';
import type { ChartProps, ChartSeries } from '../ui/chart.tsx';

export interface Rates {
  time: number[];
  step: number;
  rate: ChartSeries[];
  band: NonNullable<ChartProps['band']> | null;
  anomalies: { time: number; value: number }[];
  nxdomain: ChartSeries[];
  nxdomainAnomalies: { time: number; value: number }[];
}

/** Less than this part of the last bucket says nothing of it yet. */
const LEAST_PART = 0.2;

/** Counts of buckets as rates. The last bucket ends at `to`: its count is of that part, and too small a part is left out. */
export function perSecond(
  { time, step, transactions, nxdomain_ratio, expected, anomalies }: Overview['series'],
  to: number,
): Rates {
  const starts = time.map(Date.parse);
  const last = starts.length - 1;
  const part = last < 0 ? 1 : Math.min(1, Math.max(0, (to - starts[last]) / (step * 1000)));
  const whole = (value: number | null): number | null => (value === null ? null : value / step);
  const rates = transactions.map((n, index): number | null => {
    if (index < last) return n / step;
    return part < LEAST_PART ? null : n / (step * part);
  });
  const band = expected.transactions;
  const of = (name: 'transactions' | 'nxdomain_ratio', by: number): { time: number; value: number }[] =>
    anomalies
      .filter(({ series }) => series === name)
      .map((one) => ({ time: Date.parse(one.time), value: one.value / by }));
  return {
    time: starts,
    step,
    rate: [{ label: t('overview.qps.series'), values: rates, color: 'signal', area: true }],
    band: band && { low: band.low.map(whole), high: band.high.map(whole) },
    anomalies: of('transactions', step),
    nxdomain: [{ label: t('overview.nxdomain'), values: nxdomain_ratio, color: 'attn', area: true }],
    nxdomainAnomalies: of('nxdomain_ratio', 1),
  };
}
