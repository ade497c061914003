import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlertDetail, Alerts } from '../../src/server/schema/alerts.ts';
import type { Block, BlockPreview, BlockReport, Blocks } from '../../src/server/schema/blocks.ts';
import type { Problem } from '../../src/server/schema/common.ts';
import type { Audit, Config, Fields, Session, View } from '../../src/server/schema/meta.ts';
import type { Movers, Overview } from '../../src/server/schema/overview.ts';
import type { ClientPage, NamePage, Servers } from '../../src/server/schema/pages.ts';
import type { PdnsPage } from '../../src/server/schema/pdns.ts';
import type { ProbeHistory, ProbeList } from '../../src/server/schema/probes.ts';
import type { Sensors } from '../../src/server/schema/sensors.ts';
import type { MEASURES, Statistics, StatisticsRow } from '../../src/server/schema/statistics.ts';
import type { TransactionDetail, TransactionsPage } from '../../src/server/schema/transactions.ts';
import { live, refreshInterval } from './state.ts';

/** A request without body and the type of what answers it; its URL is its identity. */
export interface Call<T> {
  readonly url: string;
  /** Never there at run time: carries the type. */
  readonly answer?: T;
}

export interface Range {
  from: string;
  to: string;
}
export interface Scope extends Range {
  f?: string | undefined;
}
export type Measure = (typeof MEASURES)[number];
/** What transactions can be grouped by. */
export type Dimension = Exclude<keyof StatisticsRow, Measure | 'time'>;
export interface StatisticsInput extends Scope {
  group?: readonly Dimension[];
  measures?: readonly Measure[];
  /** Seconds of a bucket. */
  step?: number;
  order?: Measure | `-${Measure}`;
  limit?: number;
}
type Values = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

/** Every question that the page asks. */
export const api = {
  session: (): Call<Session> => call('/session'),
  overview: (q: Scope): Call<Overview> => call('/overview', { ...q }),
  statistics: (q: StatisticsInput): Call<Statistics> => call('/statistics', { ...q }),
  transactions: (q: Scope & { limit?: number; after?: string }): Call<TransactionsPage> =>
    call('/transactions', { ...q }),
  transaction: (id: string): Call<TransactionDetail> => call(`/transactions/${encodeURIComponent(id)}`),
  movers: (q: Scope & { of: 'domain' | 'client' }): Call<Movers> => call('/movers', { ...q }),
  name: (name: string, q: Scope): Call<NamePage> => call(`/names/${encodeURIComponent(name)}`, { ...q }),
  client: (client: string, q: Scope): Call<ClientPage> => call(`/clients/${encodeURIComponent(client)}`, { ...q }),
  servers: (q: Scope & { limit?: number }): Call<Servers> => call('/servers', { ...q }),
  pdns: (q: {
    q: string;
    type?: string;
    first_after?: string;
    last_before?: string;
    limit?: number;
    after?: string;
  }): Call<PdnsPage> => call('/pdns', q),
  probes: (): Call<ProbeList> => call('/probes'),
  probeHistory: (q: Range & { check: string; target: string }): Call<ProbeHistory> => call('/probes/history', { ...q }),
  sensors: (): Call<Sensors> => call('/sensors'),
  alerts: (
    q: { state?: string; q?: string; client?: string; domain?: string; limit?: number; after?: string } = {},
  ): Call<Alerts> => call('/alerts', q),
  alert: (id: string): Call<AlertDetail> => call(`/alerts/${encodeURIComponent(id)}`),
  blocks: (): Call<Blocks> => call('/blocks'),
  blockPreview: (q: Pick<Block, 'kind' | 'value'> & { seconds?: number }): Call<BlockPreview> =>
    call('/blocks/preview', q),
  blockReport: (): Call<BlockReport> => call('/blocks/report'),
  views: (): Call<{ rows: View[] }> => call('/views'),
  fields: (): Call<Fields> => call('/fields'),
  config: (): Call<Config> => call('/config'),
  audit: (q: { limit?: number; after?: string } = {}): Call<Audit> => call('/audit', q),
};

/** A call of the API's path; values that are empty are left out. */
export function call<T>(path: string, values: Values = {}): Call<T> {
  return { url: withQuery(`/api/v1${path}`, values) };
}

/** Address of a download of what a scope selects. */
export function exportUrl(q: Scope & { format: 'csv' | 'ndjson' | 'parquet' | 'pcapng'; limit?: number }): string {
  return withQuery('/api/v1/export', { ...q });
}

/** What the server said is wrong, or that it could not be reached (status 0). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

/** Who is signed in; `null` = nobody, `undefined` = not known yet. */
export const session = signal<Session | null | undefined>(undefined);

/** Asks; throws `ApiError`, or what `signal` aborted with. */
export async function fetchJson<T>({ url }: Call<T>, signal?: AbortSignal): Promise<T> {
  const response = await request(url, { headers: { accept: 'application/json' }, signal: signal ?? null });
  return (await response.json()) as T;
}

/** Sends a change; throws `ApiError`. Answers without a body give undefined. */
export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T | undefined> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (session.value) headers['x-nametap-csrf'] = session.value.csrf;
  const response = await request(`/api/v1${path}`, { method, headers, body: JSON.stringify(body) ?? null });
  return response.status === 204 ? undefined : ((await response.json()) as T);
}

/** Sends a file as it is; throws `ApiError`. */
export async function upload<T>(path: string, file: Blob): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/octet-stream' };
  if (session.value) headers['x-nametap-csrf'] = session.value.csrf;
  return (await (await request(`/api/v1${path}`, { method: 'POST', headers, body: file })).json()) as T;
}

export interface Resource<T> {
  /** The newest answer, also while the next is on its way. */
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload(): void;
}

/** Answers of a call, in a component; `follow` asks again while the range is live. A changed call drops the old answer late. */
export function useApi<T>(wanted: Call<T> | null, { follow = false } = {}): Resource<T> {
  const [state, setState] = useState<Omit<Resource<T>, 'reload'>>({ data: undefined, error: undefined, loading: true });
  const [round, setRound] = useState(0);
  const url = wanted?.url;
  const updating = follow && live.value;
  useEffect(() => {
    if (url === undefined) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isFirst = true;
    const ask = async (): Promise<void> => {
      // Following is no loading: what is shown stays good.
      if (isFirst) setState((before) => (before.loading ? before : { ...before, loading: true }));
      isFirst = false;
      try {
        const data = await fetchJson<T>({ url }, abort.signal);
        setState({ data, error: undefined, loading: false });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const error = toApiError(thrown);
        setState((before) => ({ data: before.data, error, loading: false }));
      }
      if (updating) timer = setTimeout(again, refreshInterval());
    };
    const again = (): void => {
      if (document.hidden) document.addEventListener('visibilitychange', again, { once: true, signal: abort.signal });
      else void ask();
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [url, updating, round]);
  const reload = useRef(() => {
    setRound((n) => n + 1);
  });
  return { ...state, reload: reload.current };
}

export interface ServerEvent {
  event: string;
  data: string;
}

/**
 * Reads server-sent events until the stream ends; `lastId` resumes. Resolves with the id to resume from; throws `ApiError`,
 * or what `signal` aborted with.
 */
export async function readEvents(
  url: string,
  onEvent: (event: ServerEvent) => void,
  { signal, lastId = '', onOpen, silenceMs }: EventOptions,
): Promise<string> {
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (lastId !== '') headers['last-event-id'] = lastId;
  const response = await request(url, { headers, signal, cache: 'no-store' });
  if (response.body === null) return lastId;
  onOpen?.();
  const parser = new EventParser(onEvent, lastId);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silenceMs);
      if (done) return parser.lastId;
      parser.push(value);
    }
  } catch (thrown) {
    // A cut connection is an end like any other: the caller resumes.
    if (signal.aborted) throw thrown;
    return parser.lastId;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

interface EventOptions {
  signal: AbortSignal;
  lastId?: string;
  onOpen?: () => void;
  /** No word for so long means that the connection is dead, though nobody said so. */
  silenceMs?: number;
}

/** The promise's value; throws when it takes longer than `ms`. */
async function within<T>(promise: Promise<T>, ms: number | undefined): Promise<T> {
  if (ms === undefined) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ms, new Error('silence'));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Turns pieces of a `text/event-stream` into events (HTML standard, server-sent events). */
export class EventParser {
  lastId: string;
  private readonly onEvent: (event: ServerEvent) => void;
  private rest = '';
  private event = '';
  private data: string[] = [];

  constructor(onEvent: (event: ServerEvent) => void, lastId = '') {
    this.onEvent = onEvent;
    this.lastId = lastId;
  }

  push(text: string): void {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === '') {
      if (this.data.length > 0) this.onEvent({ event: this.event || 'message', data: this.data.join('\n') });
      this.event = '';
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
    else if (field === 'id') this.lastId = value;
  }
}

/** Anything thrown, as an `ApiError`. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError({ type: 'about:blank', title: 'Something went wrong in the page', status: 0, detail });
}

async function request(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init });
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    throw new ApiError({ type: 'about:blank', title: 'nametap does not answer', status: 0 });
  }
  if (response.ok) return response;
  if (response.status === 401) session.value = null;
  throw new ApiError(await readProblem(response));
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.title === 'string')
      return { type: 'about:blank', ...body, title: body.title, status: response.status };
  } catch {
    // Not JSON: a proxy's page, perhaps. The status says enough.
  }
  return {
    type: 'about:blank',
    title: `HTTP ${response.status} ${response.statusText}`.trim(),
    status: response.status,
  };
}

function withQuery(path: string, values: Values): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === '') continue;
    query.set(key, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}
