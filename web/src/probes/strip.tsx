import type { JSX } from 'preact';
import type { Beat } from '../../../src/server/schema/probes.ts';
import { moment, percent, plain } from '../format.ts';
import { latencyText } from '../statistics/figures.ts';
import { t } from '../text.ts';
import { lossLevel } from './series.ts';

const MOST = 60;
const STEP = 5;
const HEIGHT = 18;

/** The last results, oldest first: what failed is tall and full, what passed low; a shape besides the colour. */
export function Heartbeat({ beats }: { beats: readonly Beat[] }): JSX.Element {
  const failed = beats.filter((beat) => beat.failed > 0).length;
  const label = t('probes.beats', { n: beats.length, failed });
  const shown = beats.slice(-MOST);
  return (
    <svg class="heartbeat" width={MOST * STEP} height={HEIGHT} role="img" aria-label={label}>
      {shown.map((beat, i) => {
        const isOk = beat.failed === 0;
        const height = isOk ? HEIGHT * 0.55 : HEIGHT;
        const x = (MOST - shown.length + i) * STEP;
        return (
          <rect key={beat.time} class={isOk ? 'ok' : 'fail'} x={x} y={HEIGHT - height} width={STEP - 1} height={height}>
            <title lang="en">{beatText(beat)}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function beatText(beat: Beat): string {
  const at = moment(Date.parse(beat.time), true);
  return `${at} ${beat.p50 === null ? '' : latencyText(beat.p50)} ${beat.text ?? ''}`.trim();
}

/** Loss over time as a band below the chart, one cell a bucket. */
export function LossBand({ time, loss }: { time: readonly number[]; loss: readonly (number | null)[] }): JSX.Element {
  const known = loss.filter((one) => one !== null);
  const mean = known.length === 0 ? 0 : known.reduce((sum, one) => sum + one, 0) / known.length;
  const worst = Math.max(0, ...known);
  const label = t('probes.loss.said', { mean: plain(percent(mean)), worst: plain(percent(worst)) });
  return (
    <svg class="loss-band" viewBox={`0 0 ${loss.length} 10`} preserveAspectRatio="none" role="img" aria-label={label}>
      {loss.map((one, i) => {
        const level = lossLevel(one);
        if (level === 'none') return null;
        const height = level === 'ok' ? 2 : 3 + 7 * (one ?? 0);
        return (
          <rect key={time[i]} class={level} x={i} y={10 - height} width={0.9} height={height}>
            <title>{`${moment(time[i])} ${plain(percent(one ?? 0))}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
