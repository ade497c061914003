import './page.css';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Overview } from '../../../src/server/schema/overview.ts';
import { api, useApi } from '../api.ts';
import { learn } from '../shell/status.ts';
import { scope } from '../state.ts';
import { t } from '../text.ts';
import { Problem, Waiting } from '../ui/panel.tsx';
import { AlertInbox } from './alerts.tsx';
import { Answers } from './answers.tsx';
import { Latency } from './latency.tsx';
import { LiveStrip } from './live-strip.tsx';
import { Movers } from './movers.tsx';
import { Rates } from './rates.tsx';
import { StateSentence } from './sentence.tsx';
import { OverviewTiles } from './tiles.tsx';

/** The first screen: is all well, what is unusual, what moved, and what comes in right now. */
export function Page(): JSX.Element {
  const { data, error, loading, reload } = useApi(api.overview(scope.value), { follow: true });
  useEffect(() => {
    if (data !== undefined) learn(data);
  }, [data]);
  return (
    <div class={`overview ${loading && data !== undefined ? 'stale' : ''}`} aria-busy={loading}>
      <h1 class="hidden">{t('overview.title')}</h1>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {data === undefined ? error === undefined && <Skeleton /> : <Content data={data} />}
      <LiveStrip slow={data?.tiles.find(({ key }) => key === 'latency_p99')?.value ?? null} />
    </div>
  );
}

const TABS = ['latency', 'movers', 'answers'] as const;

function Content({ data }: { data: Overview }): JSX.Element {
  const [tab, setTab] = useState<(typeof TABS)[number]>('latency');
  return (
    <>
      <StateSentence data={data} />
      <OverviewTiles tiles={data.tiles} />
      <div class="grid lead">
        <Rates data={data} />
        <AlertInbox data={data} />
      </div>
      <div class="tabs" role="group" aria-label={t('overview.title')}>
        {TABS.map((name) => (
          <button key={name} type="button" class="button" aria-pressed={name === tab} onClick={() => setTab(name)}>
            {t(`overview.${name}`)}
          </button>
        ))}
      </div>
      <div class="grid three" data-tab={tab}>
        <Latency heatmap={data.latency_heatmap} />
        <Movers movers={data.movers} />
        <Answers types={data.types} rcodes={data.rcodes} />
      </div>
    </>
  );
}

function Skeleton(): JSX.Element {
  return (
    <>
      <Waiting height={28} />
      <Waiting height={92} />
      <Waiting height={400} />
    </>
  );
}
