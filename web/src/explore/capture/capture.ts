import { signal } from '@preact/signals';
import { ApiError, toApiError } from '../../api.ts';
import type { PageListener, PageQuery, RowSource } from '../log/source.ts';
import type { Answer, Opened, Request } from './protocol.ts';

export interface Capture {
  name: string;
  size: number;
  /** Octets read, and transactions so far. */
  read: number;
  transactions: number;
  opened: Opened | null;
  error: ApiError | null;
  source: RowSource;
  close(): void;
}

/** The capture that this page has read or reads; it is gone when the page is. */
export const capture = signal<Capture | null>(null);

/** Reads a file in a worker of the page. It is never sent anywhere. */
export function openCapture(file: File): void {
  capture.value?.close();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  const ask: Ask = (request, share) =>
    new Promise((done, failed) => {
      const id = ++lastId;
      waiting.set(id, { done, failed, ...(share && { share }) });
      worker.postMessage({ ...request, id }, []);
    });
  const source: RowSource = {
    hasHistory: false,
    page: async (query, listener, stop) => pageOf(ask, query, listener, stop),
    detail: async (transaction) => answerOf('detail', await ask({ kind: 'detail', transaction })).detail,
    groups: async (query, share) => answerOf('groups', await ask({ kind: 'groups', ...query }, share)).rows,
    packets: async (transaction) => answerOf('packets', await ask({ kind: 'packets', transaction })).packets,
  };
  const change = (patch: Partial<Capture>): void => {
    if (capture.value?.source === source) capture.value = { ...capture.value, ...patch };
  };
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if (data.kind === 'progress') {
      change({ read: data.read, transactions: data.transactions });
      return;
    }
    const one = waiting.get(data.id);
    if (data.kind === 'share') {
      one?.share?.(data.share);
      return;
    }
    waiting.delete(data.id);
    if (data.kind === 'problem') one?.failed(new ApiError(data.problem));
    else one?.done(data);
  });
  worker.addEventListener('error', () => {
    const error = new ApiError({
      type: 'about:blank',
      title: 'The capture could not be read in this browser.',
      status: 0,
    });
    change({ error });
    for (const { failed } of waiting.values()) failed(error);
  });
  capture.value = {
    name: file.name,
    size: file.size,
    read: 0,
    transactions: 0,
    opened: null,
    error: null,
    source,
    close: () => worker.terminate(),
  };
  void opening(ask({ kind: 'open', file }), change);
}

async function opening(asked: Promise<Answer>, change: (patch: Partial<Capture>) => void): Promise<void> {
  try {
    const answer = await asked;
    if (answer.kind === 'opened') change({ opened: answer.opened });
  } catch (thrown) {
    change({ error: toApiError(thrown) });
  }
}

/** Forgets the capture. */
export function closeCapture(): void {
  capture.value?.close();
  capture.value = null;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Ask = (request: DistributiveOmit<Request, 'id'>, share?: (share: number) => void) => Promise<Answer>;

interface Waiting {
  done(answer: Answer): void;
  failed(error: ApiError): void;
  /** Hears how far the answer has come, 0 … 1. */
  share?(share: number): void;
}

async function pageOf(
  ask: Ask,
  { f, after, limit }: PageQuery,
  listener: PageListener,
  stop: AbortSignal,
): Promise<void> {
  const answer = await ask({ kind: 'page', f, after: Number(after ?? 0), limit });
  if (answer.kind !== 'page' || stop.aborted) return;
  const { rows, found, next } = answer.page;
  const reached = rows.at(-1)?.time ?? '';
  listener.rows(rows);
  listener.progress({ scanned_to: reached, scanned: found, found, share: 1 });
  listener.end({ next: next === null ? null : String(next), scanned_to: reached, complete: next === null });
}

function answerOf<K extends Answer['kind']>(kind: K, answer: Answer): Extract<Answer, { kind: K }> {
  if (answer.kind !== kind) throw new Error('The worker answered something else.');
  return answer as Extract<Answer, { kind: K }>;
}
