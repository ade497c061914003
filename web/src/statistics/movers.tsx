import type { JSX } from 'preact';
import type { Mover, Movers as Answered } from '../../../src/server/schema/overview.ts';
import { api, useApi } from '../api.ts';
import { count } from '../format.ts';
import { scope } from '../state.ts';
import { t } from '../text.ts';
import { Value } from '../ui/value.tsx';
import { Num } from './number.tsx';

/** Who changed most against usual, in one line above a list: change, not volume. */
export function Movers({ of }: { of: 'domain' | 'client' }): JSX.Element | null {
  const answer = useApi<Answered>(api.movers({ ...scope.value, of }));
  const movers = answer.data?.rows ?? [];
  if (movers.length === 0) return null;
  return (
    <section class="movers" aria-label={t('movers.title')}>
      <h2>{t('movers.title')}</h2>
      <ul>
        {movers.slice(0, 8).map((mover) => (
          <li key={mover.key}>
            <Value kind={of} value={mover.key} />{' '}
            <Num value={mover.now} f={mover.f} whole class={moverClass(mover)}>
              {changeText(mover)}
            </Num>
            <small>{t('movers.now', { now: count(mover.now), usual: count(Math.round(mover.usual)) })}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** new, gone, 4.3×, 0.1× */
export function changeText({ now, usual, change }: Mover): string {
  if (change === null || usual < 0.5) return t('movers.new');
  if (now === 0) return t('movers.gone');
  const times = now / usual;
  return `${times >= 10 ? Math.round(times) : Math.round(times * 10) / 10}×`;
}

function moverClass({ now, usual }: Mover): string {
  return now >= usual ? 'attn' : 'mute';
}
