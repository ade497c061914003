import { useEffect, useState } from 'preact/hooks';
import type { Statistics } from '../../../../src/server/schema/statistics.ts';
import { api, fetchJson, toApiError } from '../../api.ts';
import { filter, live, range, refreshInterval } from '../../state.ts';
import { notify } from '../../ui/notice.tsx';
import { estimate, type Log } from './log.ts';
import type { RowSource } from './source.ts';

/** A count that follows is asked for again no sooner. */
const LEAST_MS = 5000;

export interface Counted {
  count: number;
  exact: boolean;
}

interface Scope {
  from: string;
  to: string;
  f: string;
}

/**
 * How many transactions the scope has: exact without a filter (rollups know), and where the search reached its end; else
 * estimated from those found so far, until `ask` counts them all.
 */
export function useCount(
  log: Log,
  source: RowSource,
): { counted: Counted | null; asking: boolean; ask: (() => void) | null } {
  const { from, to } = range.value;
  const f = filter.value;
  const { running, next, cancelled, error, scannedTo, scanned } = log.search.value;
  const [counted, setCounted] = useState<Counted | null>(null);
  const [asking, setAsking] = useState(false);
  const follows = live.value && f === '';
  const isFirstPage = !running && next !== null;
  useEffect(() => {
    setCounted(null);
    setAsking(false);
  }, [log]);
  useEffect(() => {
    if (!source.hasHistory || (f !== '' && !isFirstPage)) return undefined;
    const abort = new AbortController();
    const scope = { from, to, f };
    void keep(
      () => (f === '' ? exactly(scope, abort.signal) : about(scope, log, abort.signal)),
      follows,
      abort.signal,
      (found) =>
        // What was counted exactly meanwhile is not made worse.
        setCounted((before) => (before?.exact === true && !found.exact ? before : found)),
    );
    return () => abort.abort();
  }, [log, follows, isFirstPage]);
  const ask = async (): Promise<void> => {
    setAsking(true);
    try {
      setCounted(await exactly({ from, to, f }, new AbortController().signal));
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
    setAsking(false);
  };
  const rows = log.rows.value.length;
  const ended = !running && !cancelled && error === null && next === null && scannedTo !== null;
  if (!source.hasHistory)
    return { counted: ended || running || next !== null ? { count: scanned, exact: true } : null, asking, ask: null };
  if (ended)
    return {
      counted: { count: Math.max(rows, counted?.exact === true ? counted.count : 0), exact: true },
      asking,
      ask: null,
    };
  // Rows that came since it was counted count too.
  const shown = counted && { ...counted, count: Math.max(rows, counted.count) };
  return { counted: shown, asking, ask: asking || shown?.exact !== false ? null : () => void ask() };
}

/** Counts once, and while it follows again and again. What fails is not told: it is only a count. */
async function keep(
  count: () => Promise<Counted | null>,
  follows: boolean,
  until: AbortSignal,
  take: (counted: Counted) => void,
): Promise<void> {
  do {
    const counted = await count().catch(() => null);
    if (until.aborted) return;
    if (counted !== null) take(counted);
    await new Promise((resolve) => setTimeout(resolve, Math.max(LEAST_MS, refreshInterval())));
  } while (follows && !until.aborted);
}

async function exactly({ from, to, f }: Scope, signal: AbortSignal): Promise<Counted> {
  const { url } = api.statistics({ from, to, f, measures: ['transactions'] });
  const { rows } = await fetchJson<Statistics>({ url }, signal);
  return { count: rows[0]?.transactions ?? 0, exact: true };
}

/** By how many of the newest transactions pass: both totals come from rollups. */
async function about({ from, to }: Scope, log: Log, signal: AbortSignal): Promise<Counted | null> {
  const { found, oldest } = log.reached;
  if (oldest === '') return null;
  const [all, newest] = await Promise.all([
    exactly({ from, to, f: '' }, signal),
    exactly({ from: oldest, to, f: '' }, signal),
  ]);
  const count = estimate(found, newest.count, all.count);
  return count === null ? null : { count, exact: false };
}
