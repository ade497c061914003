import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { axisTime, clock, moment } from '../format.ts';
import { zone } from '../state.ts';
import { t } from '../text.ts';
import { token } from '../theme.ts';
import { boundaries, bucketAt, bucketSpan, type Caret, type Span } from './brush.ts';
import type { ChartProps } from './chart.tsx';
import { drawNoMore, drawSoon } from './draw-queue.ts';

/** Distance in px from where a press becomes a drag. */
const DRAG_PX = 4;
const FONT = '11px "Inter Variable", system-ui, sans-serif';

/** Room for the values of the vertical axis, right of the last point, and of half a sign of the horizontal axis. */
const VALUES_PX = 52;
const RIGHT_PX = 4;
const HALF_SIGN_PX = 3.2;

interface Actions {
  range(span: Span): void;
  open(span: Span): void;
}

/** uPlot, drawn in the design system: band, anomaly ticks, tip, brush. `props` gives the newest data. */
export class Plot {
  private readonly plot: uPlot;
  private readonly tip = document.createElement('div');
  private readonly resized: ResizeObserver;
  private readonly props: () => ChartProps;
  private readonly actions: Actions;
  private readonly attn = token('attn');

  constructor(box: HTMLElement, props: () => ChartProps, actions: Actions) {
    this.props = props;
    this.actions = actions;
    this.tip.className = 'tip';
    this.tip.hidden = true;
    this.plot = new uPlot(this.options(box.clientWidth), this.data(), box);
    box.append(this.tip);
    this.resized = new ResizeObserver(() => {
      if (box.clientWidth > 0) this.plot.setSize({ width: box.clientWidth, height: this.props().height });
    });
    this.resized.observe(box);
  }

  /** New data: drawn in one of the next frames. */
  update(): void {
    drawSoon(this, () => {
      this.plot.setData(this.data());
    });
  }

  destroy(): void {
    drawNoMore(this);
    this.resized.disconnect();
    this.plot.destroy();
    this.tip.remove();
  }

  /** Shows where the keyboard stands, and what it selects. */
  mark(caret: Caret | null): void {
    const { plot } = this;
    const { time, step } = this.props();
    if (caret === null) {
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      plot.setCursor({ left: -10, top: -10 });
      return;
    }
    const left = (index: number): number => plot.valToPos(time[index] / 1000, 'x');
    plot.setCursor({ left: left(caret.at), top: plot.over.clientHeight / 2 });
    const [low, high] = [Math.min(caret.at, caret.anchor), Math.max(caret.at, caret.anchor)];
    const width = low === high ? 0 : plot.valToPos(time[high] / 1000 + step, 'x') - left(low);
    plot.setSelect({ left: left(low), top: 0, width, height: plot.over.clientHeight }, false);
  }

  /** Enter: a selection becomes the range, a point opens. */
  act(caret: Caret | null): void {
    const { time, step } = this.props();
    if (caret === null || time.length === 0) return;
    const span = boundaries(time, caret, step);
    if (caret.at === caret.anchor) this.actions.open(span);
    else this.actions.range(span);
  }

  private data(): uPlot.AlignedData {
    const { time, series, band } = this.props();
    const columns = series.map((one) => one.values as (number | null)[]);
    if (band) columns.unshift(band.high as (number | null)[], band.low as (number | null)[]);
    return [time.map((ms) => ms / 1000), ...columns];
  }

  private options(width: number): uPlot.Options {
    const { series, band, height, format } = this.props();
    const faint = token('faint');
    const line = token('line');
    const lines: uPlot.Series[] = series.map(({ label, color, area, dash }) => ({
      label,
      stroke: token(color),
      width: 1.5,
      points: { show: false },
      ...(dash === undefined ? {} : { dash: [...dash] }),
      ...(area ? { fill: (plot: uPlot) => fade(plot, token(color)) } : {}),
    }));
    const edge: uPlot.Series = { label: '', points: { show: false }, stroke: 'transparent', width: 0 };
    return {
      width,
      height,
      padding: [12, RIGHT_PX, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone.value),
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 7, width: 2, fill: token('panel') },
        drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
        sync: { key: 'page', setSeries: false },
        bind: { click: (_plot, _target, handler) => (event) => this.click(event, handler), dblclick: () => null },
      },
      scales: { y: { range: (_plot, low, high) => [Math.min(0, low ?? 0), roomAbove(high)] } },
      series: [{}, ...(band ? [edge, edge] : []), ...lines],
      ...(band
        ? { bands: [{ series: [1, 2], fill: token(series[0].color === 'attn' ? 'attn-soft' : 'signal-soft') }] }
        : {}),
      axes: [
        {
          stroke: faint,
          font: FONT,
          grid: { show: false },
          ticks: { show: false },
          gap: 4,
          size: 24,
          space: 72,
          values: (plot, splits) => splits.map((at) => timeThatFits(plot, at)),
        },
        {
          stroke: faint,
          font: FONT,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          gap: 8,
          size: VALUES_PX,
          space: 32,
          values: (_plot, splits) => splits.map((value) => format(value)),
        },
      ],
      hooks: {
        draw: [() => this.drawAnomalies()],
        setCursor: [() => this.showTip()],
        setSelect: [() => this.brushed()],
      },
    };
  }

  private click(event: MouseEvent, handler: (event: MouseEvent) => unknown): null {
    handler(event);
    const { time, step } = this.props();
    if (time.length === 0 || this.plot.select.width > DRAG_PX) return null;
    const left = event.clientX - this.plot.over.getBoundingClientRect().left;
    this.actions.open(bucketSpan(time, bucketAt(time, this.plot.posToVal(left, 'x') * 1000), step));
    return null;
  }

  private brushed(): void {
    const { left, width } = this.plot.select;
    if (width <= DRAG_PX) return;
    const from = this.plot.posToVal(left, 'x') * 1000;
    const to = this.plot.posToVal(left + width, 'x') * 1000;
    this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.actions.range({ from: Math.floor(from), to: Math.ceil(to) });
  }

  /** A dashed line and a diamond above each value that is outside of what is expected. */
  private drawAnomalies(): void {
    const { plot } = this;
    const { anomalies = [] } = this.props();
    const { ctx } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = this.attn;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    for (const { time, value } of anomalies) {
      const x = plot.valToPos(time / 1000, 'x', true);
      if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
      const y = Math.max(plot.bbox.top, plot.valToPos(value, 'y', true) - 10 * ratio);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
      ctx.stroke();
      const size = 4 * ratio;
      ctx.beginPath();
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.fill();
    }
    ctx.restore();
  }

  private showTip(): void {
    const { plot, tip } = this;
    const { idx, left = -1 } = plot.cursor;
    tip.hidden = idx === null || idx === undefined || left < 0;
    if (tip.hidden || idx === null || idx === undefined) return;
    const { time, series, band, step, format } = this.props();
    const at = time[idx];
    const rows: [string, string, string][] = series.map(({ label, values, color }) => {
      const value = values[idx];
      return [label, value === null || value === undefined ? '–' : format(value), color];
    });
    const low = band?.low[idx];
    const high = band?.high[idx];
    if (typeof low === 'number' && typeof high === 'number') {
      rows.push([t('chart.expected'), `${format(low)} – ${format(high)}`, 'band']);
    }
    const title = spanOf(plot) > 86_400 ? moment(at) : clock(at, step < 60);
    fillTip(tip, title, rows);
    const right = left + plot.over.offsetLeft + 12;
    const flips = right + tip.offsetWidth > plot.width;
    tip.style.transform = `translate(${flips ? right - tip.offsetWidth - 24 : right}px, 8px)`;
  }
}

/** Writes a tip: a title and rows of label, value and colour. */
export function fillTip(tip: HTMLElement, title: string, rows: readonly [string, string, string][]): void {
  const head = document.createElement('b');
  head.textContent = title;
  tip.replaceChildren(
    head,
    ...rows.map(([label, value, color]) => {
      const row = document.createElement('div');
      const key = document.createElement('i');
      key.className = `key ${color}`;
      const name = document.createElement('span');
      name.textContent = label;
      const number = document.createElement('b');
      number.textContent = value;
      row.append(key, name, number);
      return row;
    }),
  );
}

function spanOf(plot: uPlot): number {
  const { min = 0, max = 0 } = plot.scales.x;
  return max - min;
}

/** A time on the horizontal axis; nothing where it would be cut at the edge. */
function timeThatFits(plot: uPlot, at: number): string {
  const text = axisTime(at * 1000, spanOf(plot) * 1000);
  const { max = 0 } = plot.scales.x;
  const left = ((max - at) / (spanOf(plot) || 1)) * (plot.width - VALUES_PX - RIGHT_PX);
  return text.length * HALF_SIGN_PX > left + RIGHT_PX ? '' : text;
}

/** A round upper end with some room above the highest value. */
function roomAbove(high: number | null): number {
  return high === null || high <= 0 ? 1 : high * 1.12;
}

function fade(plot: uPlot, color: string): CanvasGradient | string {
  const { top, height } = plot.bbox;
  if (!Number.isFinite(top) || height === 0) return 'transparent';
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, `${color}33`);
  gradient.addColorStop(1, `${color}05`);
  return gradient;
}
