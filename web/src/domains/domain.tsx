import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NamePage } from '../../../src/server/schema/pages.ts';
import type { PdnsPage, PdnsRow } from '../../../src/server/schema/pdns.ts';
import { api, useApi } from '../api.ts';
import { exact, percent, plain } from '../format.ts';
import { scope } from '../state.ts';
import { RelatedAlerts } from '../alerts/related.tsx';
import { counted, Seen } from '../statistics/head.tsx';
import { SeriesPanels } from '../statistics/series.tsx';
import { Shares } from '../statistics/shares.tsx';
import { SubjectPage } from '../statistics/subject.tsx';
import { SummaryTable } from '../statistics/summary.tsx';
import { TotalTiles } from '../statistics/tiles.tsx';
import { t } from '../text.ts';
import { Panel } from '../ui/panel.tsx';
import { HistoryPanel, type KnownRecords, MissesPanel } from './history.tsx';
import { NamesPanels } from './names.tsx';
import { PivotsPanel } from './pivots.tsx';

/** A name and everything below it: who asks, what is answered, how that changed. */
export function DomainPage({ name }: { name: string }): JSX.Element {
  return (
    <SubjectPage
      kind="domain"
      value={name}
      back={{ path: '/domains', title: t('page.domains') }}
      answer={useApi<NamePage>(api.name(name, scope.value), { follow: true })}
      sentence={Sentence}
      body={Body}
    />
  );
}

function Sentence({ page }: { page: NamePage }): JSX.Element {
  const { totals } = page;
  if (totals.transactions === 0) {
    return (
      <>
        <strong>{t('domains.quiet')}</strong> <Seen first={page.first_seen} last={page.last_seen} />
      </>
    );
  }
  return (
    <>
      <strong>{t('domains.asked', { n: exact(totals.transactions) })}</strong>{' '}
      {t('domains.by', {
        clients: counted(totals.clients, 'head.clients'),
        names: counted(totals.names, 'head.names'),
      })}{' '}
      {totals.nxdomain > 0 && t('domains.missing', { percent: plain(percent(totals.nxdomain / totals.transactions)) })}{' '}
      <Seen first={page.first_seen} last={page.last_seen} />
    </>
  );
}

/** Names with an answer below one: as many as the page looks at. */
const MOST_KNOWN = 2000;

function Body({ page }: { page: NamePage }): JSX.Element {
  const { top, f } = page;
  const below = useApi<PdnsPage>(page.name === '.' ? null : api.pdns({ q: `*.${page.name}`, limit: MOST_KNOWN }));
  const known = useMemo(() => knownRecords(page.records, below.data), [page.records, below.data]);
  const isLeaf = page.totals.names <= 1 && (below.data?.rows.length ?? 0) === 0;
  return (
    <>
      <TotalTiles totals={page.totals} statistics={page.statistics} f={f} who={['clients', 'names']} />
      <div class="grid-4">
        <SeriesPanels series={page.series} f={f} who="clients" />
      </div>
      <Panel title={t('statistics.title')} note={t('statistics.note')}>
        <SummaryTable statistics={page.statistics} f={f} label={t('statistics.title')} />
      </Panel>
      {!isLeaf && <NamesPanels page={page} known={known} />}
      <HistoryPanel page={page} known={known} />
      <div class="grid-4">
        <Panel title={t('shares.types')}>
          <Shares label={t('shares.types')} kind="type" shares={top.types} />
        </Panel>
        <Panel title={t('shares.rcodes')}>
          <Shares label={t('shares.rcodes')} kind="rcode" shares={top.rcodes} />
        </Panel>
        <Panel title={t('shares.clients')}>
          <Shares label={t('shares.clients')} kind="client" shares={top.clients} />
        </Panel>
        <Panel title={t('shares.servers')}>
          <Shares label={t('shares.servers')} kind="server" shares={top.servers} />
        </Panel>
      </div>
      <div class="grid-3">
        <PivotsPanel name={page.name} known={known} />
        <MissesPanel page={page} />
        <RelatedAlerts of="domain" value={page.registrable_domain ?? page.name} />
      </div>
    </>
  );
}

/** What is known of a name and of what is below it. */
function knownRecords(own: readonly PdnsRow[], below: PdnsPage | undefined): KnownRecords {
  return { rows: [...own, ...(below?.rows ?? [])], isBounded: below !== undefined && below.next !== null };
}
