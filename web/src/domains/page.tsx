import '../statistics/pages.css';
import type { JSX } from 'preact';
import type { PageProps } from '../pages.ts';
import { Movers } from '../statistics/movers.tsx';
import { StatisticsList } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Empty } from '../ui/panel.tsx';
import { DomainPage } from './domain.tsx';

/** All domains of the range, or one name with everything below it. */
export function Page({ rest }: PageProps): JSX.Element {
  return rest === '' ? (
    <DomainList />
  ) : (
    <div class="page">
      <DomainPage key={rest} name={rest} />
    </div>
  );
}

function DomainList(): JSX.Element {
  return (
    <div class="page">
      <h1 class="hidden">{t('page.domains')}</h1>
      <Movers of="domain" />
      <StatisticsList
        dimension="domain"
        counts={['clients', 'names']}
        title={t('page.domains')}
        empty={<Empty title={t('domains.none')}>{t('domains.none.text')}</Empty>}
      />
    </div>
  );
}
