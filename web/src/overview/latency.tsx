import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Overview } from '../../../src/server/schema/overview.ts';
import type { ServerRow } from '../../../src/server/schema/pages.ts';
import { api, useApi } from '../api.ts';
import { count, milliseconds, plain } from '../format.ts';
import { and } from '../filter.ts';
import { filter, go, link, scope } from '../state.ts';
import { t } from '../text.ts';
import { Heatmap } from '../ui/heatmap.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { everyDoubling } from './doublings.ts';
import { Value } from '../ui/value.tsx';

const SERVERS = 4;

/** How long answers take: density over time, and the percentiles of the busiest servers. */
export function Latency({ heatmap: sent }: { heatmap: Overview['latency_heatmap'] }): JSX.Element {
  const { data } = useApi(api.servers({ ...scope.value, limit: SERVERS }), { follow: true });
  const heatmap = useMemo(() => everyDoubling(sent), [sent]);
  const time = useMemo(() => heatmap.time.map(Date.parse), [heatmap]);
  const step = time.length > 1 ? (time[1] - time[0]) / 1000 : 60;
  return (
    <Panel
      class="latency"
      title={t('overview.latency')}
      note={t('overview.latency.note')}
      actions={<a href={link('/latency')}>{t('overview.latency.all')}</a>}
    >
      {heatmap.bucket_ms.length === 0 ? (
        <Empty title={t('chart.none')} />
      ) : (
        <Heatmap
          label={t('overview.latency')}
          time={time}
          step={step}
          buckets={heatmap.bucket_ms}
          counts={heatmap.counts}
          height={196}
          format={(ms) => plain(milliseconds(ms))}
          labelled={isLabelled}
          quantiles={QUANTILES}
          onOpen={({ from, to }, low, high) => {
            const f = `dns.time >= ${low / 1000}${Number.isFinite(high) ? ` and dns.time < ${high / 1000}` : ''}`;
            const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
            go(link('/explore', { ...span, f: and(filter.value, f) }));
          }}
        />
      )}
      {data !== undefined && data.rows.length > 0 && <ServerTable rows={data.rows.slice(0, SERVERS)} />}
    </Panel>
  );
}

const QUANTILES = [
  { share: 0.5, label: 'p50', color: 'ink' },
  { share: 0.99, label: 'p99', color: 'attn' },
] as const;

/** Whole powers: 1, 4, 16 ms at every second row. */
function isLabelled(ms: number, every: number): boolean {
  return Math.abs(Math.log2(ms) % every) < 0.01;
}

function ServerTable({ rows }: { rows: readonly ServerRow[] }): JSX.Element {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">{t('overview.latency.server')}</th>
          {(['p50', 'p95', 'p99'] as const).map((name) => (
            <th key={name} scope="col" class="end">
              {name}
            </th>
          ))}
          <th scope="col" class="end">
            {t('overview.latency.samples')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ server, latency, f }) => (
          <tr key={server}>
            <td>
              <Value kind="server" value={server} f={f} class="mono" />
            </td>
            {[latency.p50, latency.p95, latency.p99].map((value, index) => (
              <td key={index} class="end">
                {value === null ? '–' : plain(milliseconds(value))}
              </td>
            ))}
            <td class="end mute">{count(latency.n)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
