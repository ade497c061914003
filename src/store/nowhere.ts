import type { Store, StoreStatus, TransactionsPage } from './store.ts';

/** A store of those that keep nothing themselves (sensors): it takes everything and knows nothing. */
export function nowhere(): Store {
  const empty: TransactionsPage = {
    rows: [],
    scannedTo: 0,
    scanned: 0,
    found: 0,
    share: 1,
    next: null,
    done: true,
  };
  const status: StoreStatus = {
    engine: 'none',
    path: null,
    schema: 0,
    bytes: 0,
    tables: [],
    oldest: null,
    newest: null,
    lag_s: null,
    queue: { length: 0, capacity: 0 },
    appended: 0,
    dropped: {},
    degraded: null,
    remark: null,
  };
  return {
    append: async ({ count }) => {
      status.appended += count;
      return true;
    },
    statistics: async () => ({ rows: [], source: 'transactions', complete: false }),
    async *transactions({ from }) {
      yield { ...empty, scannedTo: from };
    },
    transaction: async () => null,
    related: async () => ({ parent: null, children: [], tcp_retry: null, siblings: [] }),
    passive: async () => ({ rows: [], next: null }),
    importPassive: async () => 0,
    nameHistory: async () => [],
    export: async () => ({ rows: 0, bytes: 0 }),
    records: {
      put: async (_kind, _value, options) => options?.id ?? '',
      get: async () => null,
      list: async () => [],
      delete: async () => false,
    },
    status: async () => ({ ...status }),
    flush: async () => {},
    compact: async () => {},
    keep: async () => {},
    close: async () => {},
  };
}
