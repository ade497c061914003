import type { JSX } from 'preact';
import { count, percent, plain } from '../format.ts';
import { causeText } from '../sensors/causes.ts';
import { sensors } from '../shell/status.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import { fates } from './fates.ts';

/** Where every frame went, as a line of parts that sums. */
export function Ledger(): JSX.Element | null {
  const parts = fates(sensors.value?.sensors ?? []);
  const all = parts.reduce((sum, { n }) => sum + n, 0);
  if (all === 0) return null;
  const lost = parts.filter(({ lost }) => lost).reduce((sum, { n }) => sum + n, 0);
  return (
    <a class="ledger" href={link('/sensors')}>
      <h3>{t('overview.ledger')}</h3>
      <span class="ledger-bar" aria-hidden="true">
        {parts.map(({ cause, n, lost: isLost }, index) => (
          <i key={cause} class={isLost ? 'lost' : `part${Math.min(index, 3)}`} style={{ flexGrow: n / all }} />
        ))}
      </span>
      <span class="mute small">
        {parts
          .filter(({ lost: isLost }) => !isLost)
          .slice(0, 3)
          .map(({ cause, n }) => `${plain(percent(n / all))} ${causeText(cause)}`)
          .join(' · ')}{' '}
        ·{' '}
        <b class={lost > 0 ? 'alarm' : 'ink'}>
          {lost > 0 ? t('overview.ledger.lost', { n: count(lost) }) : t('overview.ledger.none')}
        </b>
      </span>
    </a>
  );
}
