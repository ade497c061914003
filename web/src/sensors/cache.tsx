import type { JSX } from 'preact';
import type { CacheState } from '../../../src/server/schema/sensors.ts';
import { bytes, exact, percent, plain } from '../format.ts';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { Fact, Panel } from '../ui/panel.tsx';

/** Where answers came from, and what is kept of them. Nothing where nothing is kept. */
export function CachePanel({ cache }: { cache: CacheState | null }): JSX.Element | null {
  if (cache === null) return null;
  const { local, shared, joined, loaded } = cache;
  const all = local + shared + joined + loaded;
  return (
    <Panel
      title={
        <>
          <Mark level={cache.trouble === null ? 'good' : 'alarm'} /> {t('cache.title')}
        </>
      }
      note={all === 0 ? t('cache.note.none') : t('cache.note', { share: plain(percent((all - loaded) / all)) })}
    >
      {cache.trouble !== null && (
        <p class="alarm" role="alert">
          {t('cache.trouble', { reason: cache.trouble })}
        </p>
      )}
      <dl class="facts">
        {(['local', 'shared', 'joined', 'loaded'] as const).map((key) => (
          <Fact key={key} title={t(`cache.${key}`)}>
            {exact(cache[key])}
          </Fact>
        ))}
        <Fact title={t('cache.stale')}>{exact(cache.stale)}</Fact>
        <Fact title={t('cache.unreached')}>
          <span class={cache.unreached > 0 ? 'alarm' : ''}>{exact(cache.unreached)}</span>
        </Fact>
        <Fact title={t('cache.kept')}>
          {t('cache.kept.text', {
            n: exact(cache.entries),
            size: plain(bytes(cache.bytes)),
            of: plain(bytes(cache.limit)),
          })}
        </Fact>
      </dl>
    </Panel>
  );
}
