import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Overview } from '../../../src/server/schema/overview.ts';
import { percent, plain, rateFormat } from '../format.ts';
import { and } from '../filter.ts';
import { filter, go, link } from '../state.ts';
import { t } from '../text.ts';
import type { Span } from '../ui/brush.ts';
import { Chart } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';
import { perSecond } from './per-second.ts';

/** How much is asked, and how much of it does not exist; both with what is usual. */
export function Rates({ data }: { data: Overview }): JSX.Element {
  const { series, to, freshness } = data;
  const newest = freshness.newest === null ? null : Date.parse(freshness.newest);
  const shown = useMemo(() => perSecond(series, Date.parse(to), newest), [series, to, newest]);
  const { time, step } = shown;
  const inUnit = rateFormat(Math.max(0, ...shown.rate[0].values.map((value) => value ?? 0)));
  return (
    <Panel
      class="rates"
      title={t('overview.qps')}
      note={t(shown.band === null ? 'overview.band.none' : 'overview.band')}
      actions={<a href={link('/explore')}>{t('overview.open')}</a>}
    >
      <Chart
        label={t('overview.qps')}
        time={time}
        step={step}
        height={236}
        format={inUnit}
        series={shown.rate}
        band={shown.band}
        anomalies={shown.anomalies}
        onOpen={openLog()}
      />
      <h3>
        {t('overview.nxdomain')} <span class="note">{t('overview.nxdomain.note')}</span>
      </h3>
      <Chart
        label={t('overview.nxdomain')}
        time={time}
        step={step}
        height={116}
        format={(value) => plain(percent(value))}
        series={shown.nxdomain}
        band={series.expected.nxdomain_ratio}
        anomalies={shown.nxdomainAnomalies}
        onOpen={openLog('dns.flags.rcode == 3')}
      />
    </Panel>
  );
}

/** Opens the log of a piece of time. */
function openLog(f = ''): (span: Span) => void {
  return ({ from, to }) => {
    const patch = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), live: null };
    go(link('/explore', f === '' ? patch : { ...patch, f: and(filter.value, f) }));
  };
}
