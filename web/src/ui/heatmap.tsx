import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { axisTime, count, moment } from '../format.ts';
import { setRange } from '../state.ts';
import { t } from '../text.ts';
import { isDark, token } from '../theme.ts';
import { bucketSpan, type Span } from './brush.ts';
import { ChartTable, Twin } from './chart.tsx';
import { drawNoMore, drawSoon } from './draw-queue.ts';
import { fillTip } from './plot.ts';
import { quantileRow } from './quantile.ts';

export interface HeatmapProps {
  label: string;
  /** Starts of the columns, ms since 1970. */
  time: readonly number[];
  /** Length of a column in seconds. */
  step: number;
  /** Lower ends of the rows, ascending. */
  buckets: readonly number[];
  /** `counts[column][row]` */
  counts: readonly (readonly number[])[];
  height: number;
  /** Lower end of a row as text. */
  format: (bucket: number) => string;
  /** Rows that may have a label on the axis, where about every `every`th has one. */
  labelled: (bucket: number, every: number) => boolean;
  /** Shares (0 … 1) to draw as lines over the cells, such as 0.5 for the median. */
  quantiles?: readonly { share: number; label: string; color: 'ink' | 'attn' }[];
  /** A cell was chosen: its piece of time and its row's ends. */
  onOpen?: (span: Span, low: number, high: number) => void;
}

const AXIS_LEFT = 52;
const AXIS_BOTTOM = 22;
const LEVELS = 6;

/** Density over time and a log scale, on a canvas; a cell's colour goes by the square root of its count. */
export function Heatmap(props: HeatmapProps): JSX.Element {
  const [asTable, setAsTable] = useState(false);
  const { label, time, buckets, counts, height, format } = props;
  const rows = usedRows(props);
  return (
    <figure class="chart">
      <Twin asTable={asTable} onToggle={() => setAsTable(!asTable)} />
      {asTable ? (
        <ChartTable label={label} head={buckets.slice(rows.first, rows.last + 1).map(format)} height={height}>
          {time.map((at, column) => (
            <tr key={at}>
              <th scope="row">{moment(at)}</th>
              {counts[column].slice(rows.first, rows.last + 1).map((n, row) => (
                <td key={row}>{n === 0 ? '' : count(n)}</td>
              ))}
            </tr>
          ))}
        </ChartTable>
      ) : (
        <Cells {...props} />
      )}
    </figure>
  );
}

function Cells(props: HeatmapProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const brush = useRef<HTMLDivElement>(null);
  const press = useRef<number | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const dark = isDark.value;
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const paint = (): void => {
      if (canvas.current !== null) draw(canvas.current, element.clientWidth, latest.current);
    };
    // Calls at once with the first size, too.
    const resized = new ResizeObserver(() => {
      drawSoon(element, paint);
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawNoMore(element);
    };
  }, [props.time, props.counts, props.buckets, props.height, dark]);

  const place = (event: PointerEvent): Cell | null => {
    const area = canvas.current?.getBoundingClientRect();
    return area === undefined
      ? null
      : cellAt(latest.current, event.clientX - area.left, event.clientY - area.top, area.width);
  };
  const moved = (event: PointerEvent): void => {
    const cell = place(event);
    if (tip.current !== null) showTip(tip.current, cell, latest.current);
    const from = press.current;
    if (brush.current === null || cell === null || from === null) return;
    brush.current.hidden = Math.abs(cell.x - from) < 4;
    brush.current.style.left = `${Math.min(from, cell.x)}px`;
    brush.current.style.width = `${Math.abs(cell.x - from)}px`;
  };
  const released = (event: PointerEvent): void => {
    const cell = place(event);
    const from = press.current;
    press.current = null;
    if (brush.current !== null) brush.current.hidden = true;
    if (cell === null || from === null) return;
    finish(latest.current, cell, from);
  };
  return (
    <div
      ref={box}
      class="heatmap"
      style={{ height: `${props.height}px` }}
      onPointerMove={moved}
      onPointerDown={(event) => {
        press.current = place(event)?.x ?? null;
      }}
      onPointerUp={released}
      onPointerLeave={() => {
        press.current = null;
        if (tip.current !== null) tip.current.hidden = true;
        if (brush.current !== null) brush.current.hidden = true;
      }}
    >
      <canvas ref={canvas} role="img" aria-label={summarize(props)} />
      <div ref={brush} class="brush" hidden />
      <div ref={tip} class="tip" hidden />
    </div>
  );
}

interface Cell {
  x: number;
  y: number;
  column: number;
  row: number;
  width: number;
}

function cellAt(props: HeatmapProps, x: number, y: number, width: number): Cell | null {
  const { time, height } = props;
  const rows = usedRows(props);
  const column = Math.floor(((x - AXIS_LEFT) / (width - AXIS_LEFT)) * time.length);
  const from = rows.last - Math.floor((y / (height - AXIS_BOTTOM)) * (rows.last - rows.first + 1));
  if (column < 0 || column >= time.length || from < rows.first || from > rows.last) return null;
  return { x, y, column, row: from, width };
}

function finish(props: HeatmapProps, cell: Cell, from: number): void {
  const { time, step, buckets, onOpen } = props;
  const start = cellAt(props, from, cell.y, cell.width);
  if (Math.abs(cell.x - from) >= 4 && start !== null) {
    const [low, high] = [Math.min(start.column, cell.column), Math.max(start.column, cell.column)];
    setRange(time[low], bucketSpan(time, high, step).to);
    return;
  }
  onOpen?.(bucketSpan(time, cell.column, step), buckets[cell.row], buckets[cell.row + 1] ?? Number.POSITIVE_INFINITY);
}

function showTip(tip: HTMLElement, cell: Cell | null, props: HeatmapProps): void {
  tip.hidden = cell === null;
  if (cell === null) return;
  const { time, buckets, counts, format } = props;
  const high = buckets[cell.row + 1];
  const span =
    high === undefined
      ? t('chart.and.above', { value: format(buckets[cell.row]) })
      : `${format(buckets[cell.row])} – ${format(high)}`;
  fillTip(tip, moment(time[cell.column], props.step < 60), [
    [t('chart.ms'), span, 'none'],
    [t('chart.count'), count(counts[cell.column][cell.row]), 'none'],
  ]);
  const left = cell.x + 14 + tip.offsetWidth > cell.width ? cell.x - 14 - tip.offsetWidth : cell.x + 14;
  tip.style.transform = `translate(${left}px, ${Math.max(0, cell.y - 20)}px)`;
}

/** Fewer rows would be blocks. */
const LEAST_ROWS = 9;

/** From the first to the last row that holds anything, with a row more at each end, and enough to look like a scale. */
function usedRows({ buckets, counts }: HeatmapProps): { first: number; last: number } {
  let first = buckets.length - 1;
  let last = 0;
  for (const column of counts) {
    for (let row = 0; row < column.length; row++) {
      if (column[row] === 0) continue;
      if (row < first) first = row;
      if (row > last) last = row;
    }
  }
  const top = buckets.length - 1;
  if (first > last) return { first: 0, last: top };
  const more = Math.max(1, Math.ceil((LEAST_ROWS - (last - first + 1)) / 2));
  return { first: Math.max(0, first - more), last: Math.min(top, last + more) };
}

function draw(canvas: HTMLCanvasElement, width: number, props: HeatmapProps): void {
  const { time, buckets, counts, height } = props;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext('2d');
  if (ctx === null || time.length === 0) return;
  ctx.scale(ratio, ratio);
  const colors = Array.from({ length: LEVELS + 1 }, (_, level) => token(`h${level}`));
  const rows = usedRows(props);
  const shown = rows.last - rows.first + 1;
  const cellWidth = (width - AXIS_LEFT) / time.length;
  const cellHeight = (height - AXIS_BOTTOM) / shown;
  const gap = cellWidth > 4 ? 1 : 0;
  const most = counts.reduce((max, column) => Math.max(max, ...column), 1);
  for (let column = 0; column < time.length; column++) {
    for (let row = rows.first; row <= rows.last; row++) {
      const n = counts[column][row] ?? 0;
      ctx.fillStyle = colors[n === 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(n / most) * LEVELS))];
      // On whole pixels: edges between them would be stripes.
      const x = AXIS_LEFT + Math.round(column * cellWidth);
      const y = Math.round((rows.last - row) * cellHeight);
      const right = AXIS_LEFT + Math.round((column + 1) * cellWidth);
      ctx.fillRect(x, y, right - x - gap, Math.round((rows.last - row + 1) * cellHeight) - y - 1);
    }
  }
  drawQuantiles(ctx, props, rows, cellWidth, cellHeight);
  ctx.font = '11px "Inter Variable", system-ui, sans-serif';
  ctx.fillStyle = token('faint');
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  const every = shown > 12 ? 4 : shown > 6 ? 2 : 1;
  for (let row = rows.first; row <= rows.last; row++) {
    if (!props.labelled(buckets[row], every)) continue;
    ctx.fillText(props.format(buckets[row]), AXIS_LEFT - 8, Math.max(6, (rows.last - row + 1) * cellHeight - 1));
  }
  drawTimes(ctx, props, width);
}

function drawTimes(ctx: CanvasRenderingContext2D, { time, step, height }: HeatmapProps, width: number): void {
  const from = time[0];
  const to = time[time.length - 1] + step * 1000;
  const ticks = Math.max(2, Math.min(5, Math.floor((width - AXIS_LEFT) / 90)));
  ctx.textBaseline = 'alphabetic';
  for (let tick = 0; tick < ticks; tick++) {
    const part = tick / (ticks - 1);
    ctx.textAlign = tick === 0 ? 'left' : tick === ticks - 1 ? 'right' : 'center';
    ctx.fillText(axisTime(from + part * (to - from), to - from), AXIS_LEFT + part * (width - AXIS_LEFT), height - 5);
  }
}

/** Lines through the row in which a share of the column's transactions is reached; columns without any break them. */
function drawQuantiles(
  ctx: CanvasRenderingContext2D,
  { quantiles = [], counts }: HeatmapProps,
  rows: { first: number; last: number },
  cellWidth: number,
  cellHeight: number,
): void {
  for (const { share, color } of quantiles) {
    ctx.beginPath();
    let drawing = false;
    for (const [column, cells] of counts.entries()) {
      const at = quantileRow(cells, share);
      if (at === null) {
        drawing = false;
        continue;
      }
      const x = AXIS_LEFT + (column + 0.5) * cellWidth;
      const y = (rows.last + 1 - at) * cellHeight;
      if (drawing) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
      drawing = true;
    }
    ctx.strokeStyle = token('panel');
    ctx.lineWidth = 3.5;
    ctx.lineJoin = 'round';
    ctx.stroke();
    ctx.strokeStyle = token(color);
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

function summarize({ label, time, counts, buckets, format }: HeatmapProps): string {
  const rows = new Array<number>(buckets.length).fill(0);
  for (const column of counts) for (const [row, n] of column.entries()) rows[row] += n;
  const all = rows.reduce((sum, n) => sum + n, 0);
  if (all === 0 || time.length === 0) return `${label}: ${t('chart.none')}`;
  const at = (share: number): string =>
    format(buckets[Math.min(buckets.length - 1, Math.floor(quantileRow(rows, share) ?? 0))]);
  return `${label}: ${count(all)}, p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}
