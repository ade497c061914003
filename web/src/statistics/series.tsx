import type { JSX } from 'preact';
import type { NamePage } from '../../../src/server/schema/pages.ts';
import { and } from '../filter.ts';
import { count, duration } from '../format.ts';
import { go, link } from '../state.ts';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';
import { latencyText } from './figures.ts';

type PageSeries = NamePage['series'];

/** Opens the log of a piece of time. */
export function openLog({ from, to }: { from: number; to: number }, f: string): void {
  go(link('/explore', { from: new Date(from).toISOString(), to: new Date(to).toISOString(), f, live: null }));
}

/** Volume, who asks, and how long it takes, over the range. `who`: the distinct count that belongs to the page. */
export function SeriesPanels({
  series,
  f,
  who,
}: {
  series: PageSeries;
  f: string;
  who: 'clients' | 'names';
}): JSX.Element {
  const time = series.time.map((at) => Date.parse(at));
  const shared = { time, step: series.step, onOpen: (span: { from: number; to: number }) => openLog(span, f) };
  return (
    <>
      <Panel title={t('series.volume')} note={t('series.volume.note', { span: duration(series.step) })} class="span-2">
        <Chart
          {...shared}
          label={t('series.volume')}
          height={168}
          format={count}
          series={[
            { label: t('list.transactions'), values: series.transactions, color: 'signal', area: true },
            { label: t('list.nxdomain'), values: series.nxdomain, color: 'attn', dash: [5, 3] },
            { label: t('list.unanswered'), values: series.unanswered, color: 'alarm', dash: [2, 3] },
          ]}
        />
        <Legend
          items={[
            ['signal', t('list.transactions'), 'solid'],
            ['attn', t('list.nxdomain'), 'dashed'],
            ['alarm', t('list.unanswered'), 'dotted'],
          ]}
        />
      </Panel>
      <Panel title={t(`series.${who}`)} note={t('series.distinct')}>
        <Chart
          {...shared}
          label={t(`series.${who}`)}
          height={168}
          format={count}
          series={[{ label: t(`list.${who}`), values: series[who], color: 'info' }]}
        />
      </Panel>
      <Panel title={t('series.latency')} note="p50 · p95">
        <Chart
          {...shared}
          label={t('series.latency')}
          height={168}
          format={latencyText}
          series={[
            { label: 'p95', values: series.latency_p95, color: 'attn', dash: [5, 3] },
            { label: 'p50', values: series.latency_p50, color: 'signal' },
          ]}
          onOpen={(span) => openLog(span, and(f, 'dns.time'))}
        />
        <Legend
          items={[
            ['signal', 'p50', 'solid'],
            ['attn', 'p95', 'dashed'],
          ]}
        />
      </Panel>
    </>
  );
}

/** Which line is which, by colour and by dash. */
export function Legend({ items }: { items: readonly [color: string, label: string, stroke: string][] }): JSX.Element {
  return (
    <ul class="legend">
      {items.map(([color, label, stroke]) => (
        <li key={label}>
          <i class={`${color} ${stroke}`} /> {label}
        </li>
      ))}
    </ul>
  );
}
