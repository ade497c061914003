import { traced, tracedPart } from '../tracing/spans.ts';
import { storeOver } from './store-over.ts';
import type { Store, TransactionsPage, TransactionsQuery } from '../store/store.ts';

/** What is asked of a store or given to it, that is worth a span of its own. */
const TRACED = [
  'append',
  'statistics',
  'transaction',
  'related',
  'passive',
  'importPassive',
  'nameHistory',
  'export',
  'compact',
] as const satisfies readonly (keyof Store)[];

/** A store whose questions and batches are spans (`store statistics`), below the request or batch that they are part of. */
export function tracedStore(store: Store): Store {
  const own: Record<string, unknown> = {
    transactions: (query: TransactionsQuery, signal?: AbortSignal) => pages(store, query, signal),
  };
  for (const name of TRACED) {
    const ask = store[name].bind(store) as (...words: unknown[]) => Promise<unknown>;
    own[name] = (...words: unknown[]) => traced(`store ${name}`, 'client', operation(name), () => ask(...words));
  }
  return storeOver(store, own);
}

/** Pages of a search: one span from the first question to the last page. */
async function* pages(store: Store, query: TransactionsQuery, signal?: AbortSignal): AsyncIterable<TransactionsPage> {
  const from = Date.now();
  try {
    yield* store.transactions(query, signal);
  } finally {
    tracedPart('store transactions', operation('transactions'), from, Date.now());
  }
}

const operation = (name: string) => ({ 'db.operation.name': name });
