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

/** Less than this part of a bucket says nothing of it yet. */
const LEAST_PART = 0.2;
/** Data that is older than this is not just on its way: then nothing was asked. */
const ON_ITS_WAY_MS = 60_000;

/**
 * Counts of buckets as rates. What came last is still on its way into the store: a bucket counts for the part of it up to
 * the `newest` transaction, and too small a part is left out.
 */
export function perSecond(
  { time, step, transactions, nxdomain_ratio, expected, anomalies }: Overview['series'],
  to: number,
  newest: number | null,
): Rates {
  const starts = time.map(Date.parse);
  const end = newest !== null && to - newest < ON_ITS_WAY_MS ? Math.min(to, newest) : to;
  const parts = starts.map((start) => Math.min(1, Math.max(0, (end - start) / (step * 1000))));
  const whole = (value: number | null): number | null => (value === null ? null : value / step);
  const known = (value: number | null, index: number): number | null => (parts[index] < LEAST_PART ? null : value);
  const rates = transactions.map((n, index) => known(n / (step * parts[index]), index));
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
    nxdomain: [{ label: t('overview.nxdomain'), values: nxdomain_ratio.map(known), color: 'attn', area: true }],
    nxdomainAnomalies: of('nxdomain_ratio', 1),
  };
}
