import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Alerts } from '../../../src/server/schema/alerts.ts';
import { api, fetchJson, type Resource, toApiError, useApi } from '../api.ts';
import { notify } from '../ui/notice.tsx';

const PAGE = 500;

export interface AlertPages extends Resource<Alerts> {
  /** Asks for the next page; undefined when there is none, or it is on its way. */
  more: (() => void) | undefined;
}

/** The newest alerts that a question finds, and as many pages before them as were asked for. All of them follow what is live. */
export function useAlertPages(query: { state: string; q: string }): AlertPages {
  const first = useApi<Alerts>(api.alerts({ ...query, limit: PAGE }), { follow: true });
  const key = `${query.state} ${query.q}`;
  const [wanted, want] = useState({ key, pages: 0 });
  const pages = wanted.key === key ? wanted.pages : 0;
  const [older, setOlder] = useState<{ key: string; answers: readonly Alerts[] }>({ key, answers: [] });
  const known = useRef(query);
  known.current = query;
  const { data } = first;
  useEffect(() => {
    if (pages === 0 || data === undefined) return undefined;
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      const answers: Alerts[] = [];
      let { next } = data;
      while (answers.length < pages && next !== null) {
        const page = await fetchJson(api.alerts({ ...known.current, limit: PAGE, after: next }), abort.signal);
        answers.push(page);
        next = page.next;
      }
      setOlder({ key, answers });
    };
    ask().catch((thrown: unknown) => {
      if (abort.signal.aborted) return;
      want({ key, pages: pages - 1 });
      notify(toApiError(thrown).message);
    });
    return () => abort.abort();
  }, [data, key, pages]);
  const answers = useMemo(
    () => (data === undefined ? [] : [data, ...(older.key === key ? older.answers.slice(0, pages) : [])]),
    [data, older, key, pages],
  );
  const all = useMemo(() => data && { ...data, rows: unique(answers.flatMap(({ rows }) => rows)) }, [data, answers]);
  const hasMore = answers.length === pages + 1 && answers.at(-1)?.next !== null;
  return { ...first, data: all, more: hasMore ? () => want({ key, pages: pages + 1 }) : undefined };
}

/** What has moved between two answers is there once. */
function unique(rows: Alerts['rows']): Alerts['rows'] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
