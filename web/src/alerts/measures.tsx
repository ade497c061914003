import type { JSX } from 'preact';
import type { Measure } from '../../../src/server/schema/alerts.ts';
import { bytes, count, exact, milliseconds, plain } from '../format.ts';
import { t } from '../text.ts';

/** Values further apart than this are drawn on a logarithmic scale. */
const FAR = 25;

function shown(value: number, unit: string): string {
  if (unit === 'B') return plain(bytes(value));
  if (unit === 'ms') return plain(milliseconds(value));
  return unit === '' ? count(value) : `${count(value)} ${unit}`;
}

/** What moved: the value, the limit it passed, and what is usual, on one scale each. */
export function Measures({ of }: { of: readonly Measure[] }): JSX.Element {
  return (
    <ul class="measures">
      {of.map((measure) => (
        <li key={measure.name}>
          <p>
            <span>{measure.name}</span> <strong class="mono">{shown(measure.value, measure.unit)}</strong>
          </p>
          <Scale of={measure} />
          <p class="mute small">{inWords(measure)}</p>
        </li>
      ))}
    </ul>
  );
}

/** A bar for the value, a tick for the limit, a band for what is usual. What it says stands in words below. */
function Scale({ of: { value, threshold, usual } }: { of: Measure }): JSX.Element {
  const low = usual === undefined ? null : Math.max(0, usual.centre - usual.spread);
  const high = usual === undefined ? null : usual.centre + usual.spread;
  const marks = [value, threshold, high].filter((one) => one !== undefined && one !== null && one > 0) as number[];
  const most = Math.max(...marks, Number.MIN_VALUE);
  const isFar = most / Math.min(...marks, most) > FAR;
  const end = Math.log1p(most * 1.15);
  const at = (x: number): string =>
    `${100 * Math.min(1, isFar ? Math.log1p(Math.max(0, x)) / end : x / (most * 1.15))}%`;
  const isOver = threshold === undefined || value >= threshold;
  return (
    <div class="scale" aria-hidden="true">
      {low !== null && high !== null && (
        <i class="usual" style={{ left: at(low), right: `calc(100% - ${at(high)})` }} />
      )}
      <i class={`bar ${isOver ? 'alarm' : ''}`} style={{ width: at(value) }} />
      {threshold !== undefined && <i class="limit" style={{ left: at(threshold) }} />}
    </div>
  );
}

function inWords({ value, unit, threshold, usual, rank }: Measure): string {
  const parts: string[] = [];
  if (threshold !== undefined) {
    const limit = shown(threshold, unit);
    const times = threshold > 0 ? value / threshold : 0;
    parts.push(
      times >= 1.05
        ? t('alerts.measure.times', { limit, times: times.toFixed(1) })
        : t('alerts.measure.limit', { limit }),
    );
  }
  if (usual !== undefined) {
    const { centre, spread, n } = usual;
    parts.push(t('alerts.measure.usual', { centre: shown(centre, unit), spread: shown(spread, unit), n: exact(n) }));
  }
  if (rank !== undefined) parts.push(t('alerts.measure.rank', { rank: (100 * rank).toFixed(2).replace(/\.?0+$/, '') }));
  return parts.join(' · ');
}
