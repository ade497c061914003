import type { JSX } from 'preact';
import { clock, count, exact, moment, percent, plain } from '../../format.ts';
import { t } from '../../text.ts';
import { Icon } from '../../ui/icons.tsx';
import { exactMs } from '../ladder/events.ts';
import { useCount } from './count.ts';
import { type Log, MOST_ROWS, type Search } from './log.ts';
import type { RowSource } from './source.ts';
import type { Following } from './tail.ts';

interface ToldProps {
  log: Log;
  search: Search;
  found: number;
  following: Following | null;
  source: RowSource;
  onAgain: () => void;
}

/** How many there are, how far was looked, and what the tail brings: a sentence before the rows. */
export function Told(props: ToldProps): JSX.Element {
  return (
    <div class="told">
      <Amount {...props} />
      <Progress {...props} />
    </div>
  );
}

function Amount({ log, found, source }: ToldProps): JSX.Element {
  const { counted, asking, ask } = useCount(log, source);
  return (
    <p>
      {counted !== null && (
        <strong>
          {counted.exact
            ? t('explore.found', { n: exact(counted.count) })
            : t('explore.found.about', { n: count(counted.count) })}
        </strong>
      )}
      {counted !== null && found < counted.count && (
        <span class="mute">{t('explore.found.more', { n: exact(found) })}</span>
      )}
      {ask !== null && (
        <button type="button" class="link" onClick={ask}>
          {t('explore.count')}
        </button>
      )}
      {asking && <span class="mute">{t('explore.counting')}</span>}
      {found >= MOST_ROWS && <span class="attn">{t('explore.most', { n: exact(MOST_ROWS) })}</span>}
    </p>
  );
}

function Progress({ log, search, following, onAgain }: ToldProps): JSX.Element {
  const { running, share, scannedTo, scanned, cancelled } = search;
  if (running) {
    return (
      <p class="told-search" role="status">
        <progress max={1} value={share} aria-label={t('explore.searching.start')} />
        <span class="mute">
          {scannedTo === null
            ? t('explore.searching.start')
            : t('explore.searching', { time: moment(exactMs(scannedTo)) })}
          {scanned > 0 && <> · {t('explore.scanned', { n: count(scanned) })}</>}
        </span>
        <button type="button" class="button" onClick={() => log.cancel()}>
          {t('explore.cancel')}
        </button>
      </p>
    );
  }
  if (cancelled) {
    return (
      <p class="told-search" role="status">
        <span class="attn">
          {t('explore.stopped', { time: scannedTo === null ? '–' : clock(exactMs(scannedTo), true) })}
        </span>
        <button type="button" class="button" onClick={() => log.resume()}>
          {t('explore.resume')}
        </button>
      </p>
    );
  }
  return <p class="told-search">{following !== null && <Live following={following} onAgain={onAgain} />}</p>;
}

function Live({ following: { tail, gap }, onAgain }: { following: Following; onAgain: () => void }): JSX.Element {
  const shown = tail.shown.value;
  if (tail.waiting.value > 0) {
    return (
      <span class="attn">
        <Icon name="pause" size={12} /> {t('explore.live.waiting', { n: tail.waiting.value })}
      </span>
    );
  }
  if (gap.value) {
    return (
      <>
        <span class="attn">{t('explore.live.gap')}</span>
        <button type="button" class="button" onClick={onAgain}>
          {t('shell.retry')}
        </button>
      </>
    );
  }
  if (tail.error.value !== null) return <span class="alarm">{tail.error.value.message}</span>;
  if (tail.status.value !== 'open') return <span class="mute">{t('explore.live.off')}</span>;
  return (
    <span class="mute">
      <i class="pulse" />{' '}
      {shown === null
        ? t('explore.live.quiet')
        : shown === 1
          ? t('explore.live.all')
          : t('explore.live.part', { share: plain(percent(shown)) })}
    </span>
  );
}
