import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { clock, moment } from '../format.ts';
import { setRange } from '../state.ts';
import { t } from '../text.ts';
import { isDark } from '../theme.ts';
import { type Caret, moveCaret, type Span } from './brush.ts';
import { IconButton } from './panel.tsx';
import { Plot } from './plot.ts';

export interface ChartSeries {
  label: string;
  values: readonly (number | null)[];
  /** A colour of the design system. */
  color: 'signal' | 'attn' | 'alarm' | 'info' | 'mute';
  /** Filled below the line. */
  area?: boolean;
  /** Dashes tell lines apart without colour. */
  dash?: readonly number[];
}
export interface ChartProps {
  /** What is drawn, in words: screen readers hear it with lowest, highest and last value. */
  label: string;
  /** Starts of the buckets, ms since 1970, ascending. */
  time: readonly number[];
  /** Length of a bucket in seconds. */
  step: number;
  series: readonly ChartSeries[];
  /** What is usual. */
  band?: { low: readonly (number | null)[]; high: readonly (number | null)[] } | null;
  anomalies?: readonly { time: number; value: number }[];
  /** px */
  height: number;
  /** A value as text, on the axis and in the tip. */
  format: (value: number) => string;
  /** Click or Enter on a bucket: opens its log. */
  onOpen?: (span: Span) => void;
  /** A brushed piece of time; default: it becomes the page's range. */
  onRange?: (span: Span) => void;
}

/** Lines over time with what is expected of them, brush and keyboard; its twin is a table. */
export function Chart(props: ChartProps): JSX.Element {
  const { label, time, series, format } = props;
  const [asTable, setAsTable] = useState(false);
  const summary = summarize(props);
  return (
    <figure class="chart">
      <Twin asTable={asTable} onToggle={() => setAsTable(!asTable)} />
      {asTable ? (
        <ChartTable label={label} head={series.map((one) => one.label)} height={props.height}>
          {time.map((at, index) => (
            <tr key={at}>
              <th scope="row">{moment(at, props.step < 60)}</th>
              {series.map((one) => {
                const value = one.values[index];
                return <td key={one.label}>{value === null || value === undefined ? '–' : format(value)}</td>;
              })}
            </tr>
          ))}
        </ChartTable>
      ) : (
        <Canvas {...props} summary={summary} />
      )}
    </figure>
  );
}

function Canvas(props: ChartProps & { summary: string }): JSX.Element {
  const { time, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const caret = useRef<Caret | null>(null);
  const [spoken, setSpoken] = useState('');
  const latest = useRef(props);
  latest.current = props;
  const dark = isDark.value;
  const shape = props.series.map((one) => `${one.label} ${one.color}`).join() + (props.band ? ' band' : '');
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new Plot(element, () => latest.current, {
      range: (span) => (latest.current.onRange ?? toPageRange)(span),
      open: (span) => latest.current.onOpen?.(span),
    });
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [shape, dark, height]);
  // The plot draws what it is made with; from then on what changes.
  const drawn = useRef(props);
  useEffect(() => {
    if (drawn.current.time !== time || drawn.current.series !== props.series) plot.current?.update();
    drawn.current = props;
  }, [time, props.series, props.band, props.anomalies]);
  const onKey = (event: KeyboardEvent): void => {
    const next = moveCaret(caret.current, event, time.length);
    if (next === undefined) return;
    event.preventDefault();
    if (next === 'open') plot.current?.act(caret.current);
    caret.current = typeof next === 'object' ? next : null;
    plot.current?.mark(caret.current);
    if (typeof next === 'object') setSpoken(pointText(latest.current, next.at));
  };
  return (
    <>
      {/* biome-ignore lint: the chart is a widget of its own; keys move along its points */}
      <div
        ref={box}
        class="plot"
        role="application"
        aria-roledescription={t('chart.chart')}
        aria-label={props.summary}
        title={t('chart.hint')}
        tabIndex={0}
        style={{ height: `${height}px` }}
        onKeyDown={onKey}
        onBlur={() => {
          caret.current = null;
          plot.current?.mark(null);
        }}
      />
      {props.series.every(({ values }) => values.every((value) => value === null || value === 0)) && (
        <span class="plot-none" aria-hidden="true">
          {t('chart.none')}
        </span>
      )}
      <span class="hidden" aria-live="polite">
        {spoken}
      </span>
    </>
  );
}

/** The button between a chart and its table. */
export function Twin({ asTable, onToggle }: { asTable: boolean; onToggle: () => void }): JSX.Element {
  return (
    <span class="twin">
      <IconButton
        icon={asTable ? 'chart' : 'table'}
        label={t(asTable ? 'chart.chart' : 'chart.table')}
        pressed={asTable}
        onClick={onToggle}
      />
    </span>
  );
}

/** The table that says what a chart draws. */
export function ChartTable(props: {
  label: string;
  head: readonly string[];
  height: number;
  children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint: what scrolls has to be reachable by the keyboard
    <div
      class="chart-table"
      style={{ height: `${props.height}px` }}
      tabIndex={0}
      role="region"
      aria-label={props.label}
    >
      <table>
        <caption class="hidden">{props.label}</caption>
        <thead>
          <tr>
            <th scope="col">{t('chart.time')}</th>
            {props.head.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

function toPageRange({ from, to }: Span): void {
  setRange(from, to);
}

/** A bucket in words. */
export function pointText({ time, series, step, format }: ChartProps, index: number): string {
  const values = series.map(({ label, values }) => {
    const value = values[index];
    return `${label} ${value === null || value === undefined ? '–' : format(value)}`;
  });
  return `${clock(time[index], step < 60)}, ${values.join(', ')}`;
}

function summarize({ label, time, series, anomalies, format }: ChartProps): string {
  const known = (series[0]?.values ?? []).filter((value) => value !== null);
  if (known.length === 0 || time.length === 0) return `${label}: ${t('chart.none')}`;
  const text = t('chart.summary', {
    label,
    points: time.length,
    from: moment(time[0]),
    to: moment(time[time.length - 1]),
    min: format(Math.min(...known)),
    max: format(Math.max(...known)),
    last: format(known[known.length - 1]),
  });
  const outside = anomalies?.length ?? 0;
  return outside === 0 ? text : `${text} ${t('chart.summary.anomalies', { n: outside })}`;
}
