import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Statistics } from '../../../../src/server/schema/statistics.ts';
import { api, fetchJson, toApiError } from '../../api.ts';
import { clock, count, exact, moment, percent, plain } from '../../format.ts';
import { filter, range, resolvedRange } from '../../state.ts';
import { t } from '../../text.ts';
import { Icon } from '../../ui/icons.tsx';
import { notify } from '../../ui/notice.tsx';
import { exactMs } from '../ladder/events.ts';
import { estimate, type Log, MOST_ROWS, type Search } from './log.ts';
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

function Amount({ log, search, found, source }: ToldProps): JSX.Element {
  const counted = useCount(source, search);
  const { running, scannedTo, scanned, cancelled, next } = search;
  const { from, to } = resolvedRange();
  const reached = next === null && scannedTo !== null ? exactMs(scannedTo) : oldestOf(log);
  const ended = !running && !cancelled && search.error === null && next === null && scannedTo !== null;
  const about = source.hasHistory ? estimate(found, { from, to, reached, ended }) : { count: scanned, exact: true };
  // Rows that came since the count are counted too.
  const known = counted.count === null ? about : { count: Math.max(found, counted.count), exact: true };
  if (known === null) return <p>{counted.asking && <span class="mute">{t('explore.counting')}</span>}</p>;
  return (
    <p>
      <strong>
        {known.exact
          ? t('explore.found', { n: exact(known.count) })
          : t('explore.found.about', { n: count(known.count) })}
      </strong>
      {found < known.count && <span class="mute">{t('explore.found.more', { n: exact(found) })}</span>}
      {!known.exact && counted.ask !== null && (
        <button type="button" class="link" onClick={counted.ask}>
          {t('explore.count')}
        </button>
      )}
      {counted.asking && <span class="mute">{t('explore.counting')}</span>}
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

function oldestOf(log: Log): number {
  const last = log.rows.value.at(-1);
  return last === undefined ? Number.NaN : exactMs(last.time);
}

/** The exact number of a scope: without a filter it comes from rollups at once, else when it is asked for. */
function useCount(
  source: RowSource,
  search: Search,
): { count: number | null; asking: boolean; ask: (() => void) | null } {
  const { from, to } = range.value;
  const f = filter.value;
  const [state, setState] = useState<{ count: number | null; asking: boolean }>({ count: null, asking: false });
  const [wanted, setWanted] = useState(false);
  const key = `${from} ${to} ${f}`;
  useEffect(() => {
    setState({ count: null, asking: false });
    setWanted(f === '');
  }, [key]);
  useEffect(() => {
    if (!wanted || !source.hasHistory || search.running) return undefined;
    const abort = new AbortController();
    setState((before) => ({ ...before, asking: f !== '' }));
    const { url } = api.statistics({ from, to, f, measures: ['transactions'] });
    const ask = async (): Promise<void> => {
      try {
        const { rows } = await fetchJson<Statistics>({ url }, abort.signal);
        setState({ count: rows[0]?.transactions ?? 0, asking: false });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        setState({ count: null, asking: false });
        if (f !== '') notify(toApiError(thrown).message);
      }
    };
    void ask();
    return () => abort.abort();
  }, [wanted, key, search.running]);
  return { ...state, ask: wanted || !source.hasHistory ? null : () => setWanted(true) };
}
