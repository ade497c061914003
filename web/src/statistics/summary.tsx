import type { JSX } from 'preact';
import type { Summary } from '../../../src/server/schema/common.ts';
import { and } from '../filter.ts';
import { t } from '../text.ts';
import { type Column, Table } from '../ui/table.tsx';
import { atLeast, DISTRIBUTIONS, type Distribution, FIGURES, type Figure, figure } from './figures.ts';
import { Num } from './number.tsx';

interface Row {
  key: Distribution;
  summary: Summary;
}

/** Latency, size, TTL and answers: count, mean, variance, smallest, largest and percentiles, as the API gives them. */
export function SummaryTable({
  statistics,
  f,
  label,
}: {
  statistics: Readonly<Record<Distribution, Summary>>;
  /** Filter of what it is about, within the page's. */
  f: string;
  label: string;
}): JSX.Element {
  const rows = DISTRIBUTIONS.map((key): Row => ({ key, summary: statistics[key] }));
  const columns: Column<Row>[] = [
    {
      key: 'what',
      title: t('statistics.what'),
      width: '132px',
      render: ({ key, summary }) => <Measure of={key} unit={summary.unit} />,
    },
    ...FIGURES.map(
      (name): Column<Row> => ({
        key: name,
        title: figureTitle(name),
        align: 'end',
        render: ({ key, summary }) => <FigureNumber distribution={key} summary={summary} figure={name} f={f} whole />,
      }),
    ),
  ];
  const bounds = rows.flatMap(({ summary }) => (summary.n > 0 && summary.error !== undefined ? [summary.error] : []));
  return (
    <div class="scroll-x">
      <Table label={label} rows={rows} columns={columns} rowKey={({ key }) => key} />
      {bounds.length > 0 && <p class="note">{t('statistics.error', { percent: figure(Math.max(...bounds) * 100) })}</p>}
    </div>
  );
}

function Measure({ of, unit }: { of: Distribution; unit: string }): JSX.Element {
  return (
    <>
      {t(`statistics.${of}`)} <span class="faint">{unit}</span>
    </>
  );
}

/** A number of a statistic; percentiles and the largest lead to the transactions at or above them. */
export function FigureNumber({
  distribution,
  summary,
  figure: name,
  f,
  inRow = true,
  whole = false,
}: {
  distribution: Distribution;
  summary: Summary | undefined;
  figure: Figure;
  f: string | null;
  inRow?: boolean;
  /** `f` is the whole filter. */
  whole?: boolean;
}): JSX.Element {
  const value = summary?.n === 0 && name !== 'n' ? null : summary?.[name];
  const leads = name === 'n' || name === 'max' || name.startsWith('p');
  const above = leads && typeof value === 'number' && name !== 'n' ? atLeast(distribution, value) : null;
  const to = f !== null && leads && summary !== undefined && summary.n > 0;
  return (
    <Num value={value} f={to ? (above === null ? f : and(f, above)) : null} inRow={inRow} whole={whole}>
      {figure(value)}
    </Num>
  );
}

export function figureTitle(name: Figure): string {
  return t(`statistics.${name}`);
}
