import type {
  EndEvent,
  Packet,
  ProgressEvent,
  RowsEvent,
  Transaction,
  TransactionDetail,
} from '../../../../src/server/schema/transactions.ts';
import type { StatisticsRow } from '../../../../src/server/schema/statistics.ts';
import { api, fetchJson, readEvents } from '../../api.ts';

export interface PageQuery {
  from: string;
  to: string;
  f: string;
  limit: number;
  /** `next` of the page before. */
  after?: string | undefined;
}
export interface PageListener {
  rows(rows: readonly Transaction[]): void;
  progress(event: ProgressEvent): void;
  end(event: EndEvent): void;
}

/** Where rows of the log come from: the server's history, or a capture that the page has read. */
export interface RowSource {
  /** Hands over a page as it is found; throws `ApiError`, or what `signal` aborted with. */
  page(query: PageQuery, listener: PageListener, signal: AbortSignal): Promise<void>;
  detail(id: string, signal: AbortSignal): Promise<TransactionDetail>;
  /** It can be counted, grouped, followed and exported by the API. */
  readonly hasHistory: boolean;
  /**
   * What only a capture in this page answers by itself: rows by what they have in common (`share`: how far that has come,
   * 0 … 1), frames of a transaction.
   */
  groups?(
    query: { f: string; group: readonly string[]; of: string; limit: number },
    share: (share: number) => void,
  ): Promise<StatisticsRow[]>;
  packets?(id: string): Promise<Packet[]>;
}

/** What the server keeps, newest first, streamed while it looks. */
export const history: RowSource = {
  hasHistory: true,
  async page({ from, to, f, limit, after }, listener, signal) {
    const { url } = api.transactions({ from, to, f, limit, ...(after !== undefined && { after }) });
    await readEvents(
      url,
      ({ event, data }) => {
        if (event === 'rows') listener.rows((JSON.parse(data) as RowsEvent).rows);
        else if (event === 'progress') listener.progress(JSON.parse(data) as ProgressEvent);
        else if (event === 'end') listener.end(JSON.parse(data) as EndEvent);
      },
      { signal },
    );
  },
  detail: async (id, signal) => fetchJson(api.transaction(id), signal),
};
