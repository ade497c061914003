import '../statistics/pages.css';
import type { JSX } from 'preact';
import type { PageProps } from '../pages.ts';
import { StatisticsList } from '../statistics/list.tsx';
import { Movers } from '../statistics/movers.tsx';
import { t } from '../text.ts';
import { Empty } from '../ui/panel.tsx';
import { ClientPage } from './client.tsx';
import { PrivacyNotice } from './privacy.tsx';

/** All clients of the range, or one. */
export function Page({ rest }: PageProps): JSX.Element {
  return rest === '' ? (
    <ClientList />
  ) : (
    <div class="page">
      <ClientPage key={rest} client={rest} />
    </div>
  );
}

function ClientList(): JSX.Element {
  return (
    <div class="page">
      <h1 class="hidden">{t('page.clients')}</h1>
      <PrivacyNotice />
      <Movers of="client" />
      <StatisticsList
        dimension="client"
        counts={['domains', 'names', 'servers']}
        title={t('page.clients')}
        empty={<Empty title={t('clients.none')}>{t('clients.none.text')}</Empty>}
      />
    </div>
  );
}
