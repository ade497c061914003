import { z } from '@hono/zod-openapi';
import { PROTOCOL_NAMES } from '../../core/carrier.ts';
import type { Store, StoredTransaction, TransactionsPage, TransactionsQuery } from '../../store/store.ts';
import type { Api } from '../api.ts';
import { endpoint } from '../endpoint.ts';
import { type EventSink, eventStream } from '../event-stream.ts';
import { historyOf, refuseCounted } from '../filters.ts';
import { ProblemError, problemOf } from '../problem.ts';
import {
  type Decoded,
  type EndEvent,
  type ProgressEvent,
  type RowsEvent,
  transactionDetail,
  transactionsPage,
  transactionsQuery,
} from '../schema/transactions.ts';
import { readRange, timeOf } from '../times.ts';

/** Rows of a range, newest first: as a page, or as they are found. */
export const transactions = endpoint({
  method: 'get',
  path: '/transactions',
  tag: 'history',
  summary: 'Transactions, newest first; as server-sent events with progress when asked for text/event-stream',
  query: transactionsQuery,
  answer: transactionsPage,
  media: ['text/event-stream'],
  async run({ query, api, now, request, signal }) {
    refuseCounted(api.services);
    const range = readRange(query, now);
    const { filter, history } = await historyOf(api.services, query.f, range.from);
    const question: TransactionsQuery = {
      ...range,
      limit: query.limit,
      ...(filter !== undefined && { filter }),
      ...(query.after !== undefined && { after: query.after }),
    };
    if (request.headers.get('accept')?.includes('text/event-stream') === true) return streamed(api, history, question);
    const rows: TransactionsPage['rows'] = [];
    let last: TransactionsPage | undefined;
    await api.ask(async () => {
      for await (const page of history.transactions(question, signal)) {
        rows.push(...page.rows);
        last = page;
      }
    });
    return {
      from: timeOf(range.from),
      to: timeOf(range.to),
      rows,
      next: last?.next ?? null,
      scanned_to: timeOf(last?.scannedTo ?? range.from),
      complete: last?.done ?? true,
    };
  },
});

type History = Pick<Store, 'transactions'>;

/** Closing the stream cancels the search. */
async function streamed(api: Api, history: History, question: TransactionsQuery): Promise<Response> {
  const leave = await api.enter();
  return eventStream((events) => {
    const stop = new AbortController();
    void search(api, history, question, { events, signal: stop.signal }).finally(() => {
      leave();
      events.close();
    });
    return () => stop.abort();
  });
}

async function search(
  api: Api,
  history: History,
  question: TransactionsQuery,
  { events, signal }: { events: EventSink; signal: AbortSignal },
): Promise<void> {
  try {
    for await (const page of history.transactions(question, signal)) {
      const { scannedTo, scanned, found, share, rows } = page;
      const scanned_to = timeOf(scannedTo);
      await events.ready();
      if (rows.length > 0) events.send('rows', { rows } satisfies RowsEvent);
      await events.ready();
      events.send('progress', { scanned_to, scanned, found, share } satisfies ProgressEvent);
      if (page.done) events.send('end', { next: page.next, scanned_to, complete: true } satisfies EndEvent);
    }
  } catch (error) {
    if (signal.aborted) return;
    const { problem } = problemOf(error);
    if (problem.status === 500) api.services.log.error({ err: error }, 'a search of transactions failed');
    events.send('problem', problem);
  }
}

/** A transaction with everything that is known of it. */
export const transaction = endpoint({
  method: 'get',
  path: '/transactions/{id}',
  tag: 'history',
  summary: 'A transaction: decoded messages with offsets, packets, related transactions',
  params: z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, { message: 'expected 16 hex digits' }) }),
  answer: transactionDetail,
  async run({ params: { id }, api, identity, remote }) {
    refuseCounted(api.services);
    const { store, packets } = api.services;
    const [found, related] = await api.ask(() => Promise.all([store.transaction(id), store.related(id)]));
    if (found === null) throw new ProblemError(404, `There is no transaction ${id}, or not any more.`);
    const { record } = found;
    await api.audit.look({
      user: identity.user,
      address: remote,
      action: 'transaction.view',
      subject: record.client,
      detail: id,
    });
    return {
      transaction: record,
      query: decodedOf(api, found, found.query),
      response: decodedOf(api, found, found.response),
      packets: packets === null ? null : await packets.of(record),
      related,
    };
  },
});

function decodedOf(api: Api, { record }: StoredTransaction, bytes: Uint8Array | null): Decoded | null {
  if (bytes === null) return null;
  const protocol = Math.max(0, (PROTOCOL_NAMES as readonly string[]).indexOf(record.protocol ?? 'dns'));
  return { hex: Buffer.from(bytes).toString('hex'), tree: api.services.decode(bytes, protocol) };
}
