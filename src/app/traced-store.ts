import { type Kind, traced } from '../tracing/spans.ts';
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
const KIND: Kind = 'client';

/** A store whose questions and batches are spans (`store statistics`), below the request or batch that they are part of. */
export function tracedStore(store: Store): Store {
  const attributes = (what: string) => ({ 'db.system.name': 'nametap', 'db.operation.name': what });
  const own: Record<string, unknown> = {
    transactions: (query: TransactionsQuery, signal?: AbortSignal) => pages(store, query, signal),
  };
  for (const name of TRACED) {
    const ask = store[name].bind(store) as (...words: unknown[]) => Promise<unknown>;
    own[name] = (...words: unknown[]) => traced(`store ${name}`, KIND, attributes(name), () => ask(...words));
  }
  return new Proxy(store, {
    get(target, key) {
      if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key];
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Pages of a search: the span goes from the first question to the last page. */
async function* pages(store: Store, query: TransactionsQuery, signal?: AbortSignal): AsyncIterable<TransactionsPage> {
  const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
  const attributes = { 'db.system.name': 'nametap', 'db.operation.name': 'transactions' };
  const span = traced('store transactions', KIND, attributes, () => over);
  span.catch(() => {});
  try {
    yield* store.transactions(query, signal);
    end();
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    end();
  }
}
