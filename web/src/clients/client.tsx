import type { JSX } from 'preact';
import type { ClientPage as Answered } from '../../../src/server/schema/pages.ts';
import { RelatedAlerts } from '../alerts/related.tsx';
import { api, useApi } from '../api.ts';
import { exact, percent, plain } from '../format.ts';
import { scope } from '../state.ts';
import { counted, Seen } from '../statistics/head.tsx';
import { SeriesPanels } from '../statistics/series.tsx';
import { Shares } from '../statistics/shares.tsx';
import { SubjectPage } from '../statistics/subject.tsx';
import { SummaryTable } from '../statistics/summary.tsx';
import { TotalTiles } from '../statistics/tiles.tsx';
import { t } from '../text.ts';
import { Panel } from '../ui/panel.tsx';
import { DomainsPanels } from './domains.tsx';
import { IntervalsPanel } from './pauses.tsx';
import { PrivacyNotice } from './privacy.tsx';
import { RhythmPanel } from './week.tsx';

/** One client: when it asks, what for, whom, and what is new about that. */
export function ClientPage({ client }: { client: string }): JSX.Element {
  return (
    <SubjectPage
      kind="client"
      value={client}
      back={{ path: '/clients', title: t('page.clients') }}
      answer={useApi<Answered>(api.client(client, scope.value), { follow: true })}
      sentence={Sentence}
      body={Body}
    />
  );
}

function Sentence({ page }: { page: Answered }): JSX.Element {
  const { totals } = page;
  const failed =
    totals.transactions === 0 ? 0 : (totals.nxdomain + totals.servfail + totals.refused) / totals.transactions;
  return (
    <>
      {page.client_name !== null && <strong>{page.client_name}. </strong>}
      {totals.transactions === 0 ? (
        <strong>{t('clients.quiet')} </strong>
      ) : (
        <>
          <strong>{t('clients.asked', { n: exact(totals.transactions) })}</strong>{' '}
          {t('clients.about', { names: counted(totals.names, 'head.names') })}{' '}
          {failed > 0 && t('clients.failed', { percent: plain(percent(failed)) })}{' '}
        </>
      )}
      <Seen first={page.first_seen} last={page.last_seen} />
    </>
  );
}

function Body({ page }: { page: Answered }): JSX.Element {
  const { top, f } = page;
  return (
    <>
      <PrivacyNotice of={page.privacy} />
      <TotalTiles totals={page.totals} statistics={page.statistics} f={f} who={['names', 'servers']} />
      <div class="grid-4">
        <SeriesPanels series={page.series} f={f} who="names" />
      </div>
      <div class="grid-2">
        <RhythmPanel f={f} />
        <IntervalsPanel f={f} />
      </div>
      <Panel title={t('statistics.title')} note={t('statistics.note')}>
        <SummaryTable statistics={page.statistics} f={f} label={t('statistics.title')} />
      </Panel>
      <DomainsPanels page={page} />
      <div class="grid-4">
        <Panel title={t('clients.resolvers')}>
          <Shares label={t('clients.resolvers')} kind="server" shares={top.servers} />
        </Panel>
        <Panel title={t('shares.rcodes')}>
          <Shares label={t('shares.rcodes')} kind="rcode" shares={top.rcodes} />
        </Panel>
        <Panel title={t('shares.types')}>
          <Shares label={t('shares.types')} kind="type" shares={top.types} />
        </Panel>
        <RelatedAlerts of="client" value={page.client} />
      </div>
    </>
  );
}
