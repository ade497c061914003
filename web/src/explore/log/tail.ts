import { effect, signal, type Signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Transaction } from '../../../../src/server/schema/transactions.ts';
import { Tail } from '../../live.ts';
import type { Log } from './log.ts';

/** Rows a second that are sent; what there is beyond it is counted. */
const RATE = 50;
/** Rows that the list holds while it follows. */
const MOST_ROWS = 5000;
/** Most rows that wait while the list is held. */
const MOST_WAITING = 1000;

/** The live tail of a filter, as the log shows it. */
export interface Following {
  tail: Tail;
  /** Something is missing between the rows shown. */
  gap: Signal<boolean>;
}

/**
 * Puts what comes in front of the log's rows while `f` is not null. Held while the pointer or the keyboard is in
 * the rows, or they are scrolled: nothing moves under the reader.
 */
export function useTail(f: string | null, log: Log, box: { current: HTMLElement | null }): Following | null {
  const [following, setFollowing] = useState<Following | null>(null);
  useEffect(() => {
    if (f === null) {
      setFollowing(null);
      return undefined;
    }
    const next = { tail: new Tail({ f, rate: RATE, capacity: MOST_WAITING }), gap: signal(false) };
    setFollowing(next);
    const stop = feed(next, log);
    const release = holdWhileRead(box.current, next.tail);
    return () => {
      next.tail.close();
      stop();
      release();
    };
  }, [f, log]);
  return following;
}

/** Hands entries that are new over to the log. */
function feed({ tail, gap }: Following, log: Log): () => void {
  let newest = '';
  return effect(() => {
    const entries = tail.entries.value;
    const fresh: Transaction[] = [];
    for (const entry of entries) {
      if (entry.key === newest) break;
      if (entry.row !== undefined) fresh.push(entry.row);
      // The first connection knows nothing of before: that is no gap.
      else if (newest !== '') gap.value = true;
    }
    newest = entries[0]?.key ?? '';
    log.prepend(fresh, MOST_ROWS);
  });
}

function holdWhileRead(box: HTMLElement | null, tail: Tail): () => void {
  if (box === null) return () => {};
  const listening = new AbortController();
  const { signal: until } = listening;
  const reading = { pointer: false, keyboard: false, scrolled: false };
  const judge = (): void => {
    if (Object.values(reading).some(Boolean)) tail.pause();
    else tail.resume();
  };
  const note = (what: 'pointer' | 'keyboard', is: boolean) => (): void => {
    reading[what] = is;
    judge();
  };
  box.addEventListener('pointerenter', note('pointer', true), { signal: until });
  box.addEventListener('pointerleave', note('pointer', false), { signal: until });
  box.addEventListener('focusin', note('keyboard', true), { signal: until });
  box.addEventListener('focusout', note('keyboard', false), { signal: until });
  box.addEventListener(
    'scroll',
    ({ target }) => {
      reading.scrolled = target instanceof Element && target.scrollTop > 4;
      judge();
    },
    { signal: until, capture: true, passive: true },
  );
  return () => listening.abort();
}
