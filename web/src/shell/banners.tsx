import type { JSX } from 'preact';
import { tell } from '../said.ts';
import { link, path } from '../state.ts';
import { t } from '../text.ts';
import { Icon, Mark } from '../ui/icons.tsx';
import { copy } from '../ui/value.tsx';
import { degraded, demo } from './status.ts';

/** What everyone has to know: made-up surroundings, something that does not work. */
export function Banners(): JSX.Element {
  const shown = demo.value;
  // The first screen says it in its own sentence.
  const broken = path.value === '/' ? null : degraded.value;
  return (
    <aside class="banners" aria-label={t('shell.banners')}>
      {broken !== null && (
        <div class="banner alarm" role="alert">
          <Mark level="alarm" />
          <span>{broken}</span>
          <a class="more" href={link('/sensors')}>
            {t('page.sensors')}
          </a>
        </div>
      )}
      {shown !== null && (
        <div class="banner demo">
          <b>{t('shell.demo')}</b>
          <span>{tell(shown.banner, shown.said)}</span>
          {shown.command !== '' && (
            <button type="button" class="command mono" title={t('shell.copy')} onClick={() => void copy(shown.command)}>
              {shown.command}
              <Icon name="copy" size={14} />
            </button>
          )}
        </div>
      )}
    </aside>
  );
}
