import { numberText } from '../core/figures.ts';

/** Text made safe for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
}

const WIDTH = 720;
const HEIGHT = 210;
const LEFT = 46;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;

/** About four round steps from 0 to at least `max`. */
export function ticks(max: number): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / 4;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * magnitude).find((s) => s >= rough) as number;
  const list: number[] = [];
  for (let i = 0; i * step < max + step; i++) list.push(Number((i * step).toPrecision(12)));
  return list;
}

/** A short axis label: 1500 → 1.5k. */
export function axisText(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function frame(label: string, steps: readonly number[], body: string, xTicks: readonly [number, string][]): string {
  const max = steps[steps.length - 1];
  const y = (value: number) => TOP + INNER_HEIGHT * (1 - value / max);
  const grid = steps
    .map(
      (step) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(step))}" y2="${fixed(y(step))}"/>` +
        `<text x="${LEFT - 8}" y="${fixed(y(step) + 4)}" text-anchor="end">${axisText(step)}</text>`,
    )
    .join('');
  const labels = xTicks
    .map(([x, text]) => {
      const anchor = x < LEFT + 24 ? 'start' : x > WIDTH - RIGHT - 24 ? 'end' : 'middle';
      return `<text x="${fixed(x)}" y="${HEIGHT - 6}" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
    })
    .join('');
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${grid}${body}${labels}</svg>`;
}

/** Values over time as a filled line. `times` label the first, middle and last point. */
export function areaChart(label: string, values: readonly number[], times: readonly string[], unit: string): string {
  const steps = ticks(Math.max(...values));
  const max = steps[steps.length - 1];
  const x = (i: number) => LEFT + (values.length === 1 ? INNER_WIDTH / 2 : (INNER_WIDTH * i) / (values.length - 1));
  const y = (value: number) => TOP + INNER_HEIGHT * (1 - value / max);
  const points = values.map((value, i) => `${fixed(x(i))},${fixed(y(value))}`);
  const base = fixed(TOP + INNER_HEIGHT);
  const line =
    values.length === 1
      ? `<circle class="dot" cx="${fixed(x(0))}" cy="${fixed(y(values[0]))}" r="3"/>`
      : `<polygon class="area" points="${fixed(x(0))},${base} ${points.join(' ')} ${fixed(x(values.length - 1))},${base}"/>` +
        `<polyline class="line" points="${points.join(' ')}"/>`;
  // Invisible columns, so that a pointer finds each value.
  const step = INNER_WIDTH / values.length;
  const hits = values
    .map(
      (value, i) =>
        `<rect class="hit" x="${fixed(LEFT + i * step)}" y="${TOP}" width="${fixed(step)}" height="${INNER_HEIGHT}">` +
        `<title>${escapeHtml(times[i])}: ${numberText(value)} ${escapeHtml(unit)}</title></rect>`,
    )
    .join('');
  const marks = spread(values.length, 5).map((i): [number, string] => [x(i), times[i]]);
  return frame(label, steps, line + hits, marks);
}

/** Bars over buckets [from, to, count] on a logarithmic axis, with marked positions. */
export function logHistogram(
  label: string,
  buckets: readonly (readonly [number, number, number])[],
  marks: readonly (readonly [string, number])[],
): string {
  const low = Math.max(buckets[0][0], buckets[0][1] / 2);
  const high = buckets[buckets.length - 1][1];
  const steps = ticks(Math.max(...buckets.map(([, , n]) => n)));
  const max = steps[steps.length - 1];
  const scale = INNER_WIDTH / Math.log(high / low);
  const x = (value: number) => LEFT + Math.log(Math.max(value, low) / low) * scale;
  const y = (value: number) => TOP + INNER_HEIGHT * (1 - value / max);
  const bars = buckets
    .map(([from, to, n]) => {
      const left = x(from);
      const width = Math.max(1, x(to) - left - 1);
      return (
        `<rect class="bar" x="${fixed(left)}" y="${fixed(y(n))}" width="${fixed(width)}" height="${fixed(TOP + INNER_HEIGHT - y(n))}" rx="1">` +
        `<title>${numberText(from)} to ${numberText(to)} ms: ${numberText(n)}</title></rect>`
      );
    })
    .join('');
  const lines = marks
    .map(([name, value], i) => {
      const at = fixed(x(value));
      const anchor = x(value) > WIDTH - 60 ? 'end' : 'start';
      return (
        `<line class="mark" x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + INNER_HEIGHT}"/>` +
        `<text class="marked" x="${fixed(x(value) + (anchor === 'end' ? -4 : 4))}" y="${TOP + 10 + i * 14}" text-anchor="${anchor}">${escapeHtml(name)}</text>`
      );
    })
    .join('');
  const decades: [number, string][] = [];
  for (let e = Math.ceil(Math.log10(low)); 10 ** e <= high; e++) {
    decades.push([
      x(10 ** e),
      e < 0 ? `${numberText(10 ** (e + 3))} µs` : e < 3 ? `${10 ** e} ms` : `${10 ** (e - 3)} s`,
    ]);
  }
  return frame(label, steps, bars + lines, decades);
}

/** Which of `n` points get a label. */
function spread(n: number, most: number): number[] {
  if (n <= 1) return n === 1 ? [0] : [];
  const count = Math.min(n, most);
  return Array.from({ length: count }, (_, i) => Math.round((i * (n - 1)) / (count - 1)));
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}
