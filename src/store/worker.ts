import type { Backend } from './backend.ts';
import { EmbeddedStore } from './embedded.ts';
import { findRelated, findTransaction, findTransactions } from './explore.ts';
import { exportTo } from './export.ts';
import { openFailure, unlessGivenUp } from './failures.ts';
import { findPassive, importPassive, nameHistory } from './passive.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from './records.ts';
import { serveThread } from './serve-thread.ts';
import { statisticsOf } from './statistics.ts';
import { rangesOf } from './stretches.ts';
import type { StatisticsResult } from './store.ts';

const NOTHING: StatisticsResult = { rows: [], source: 'transactions', complete: false };

/** The embedded store's parts as one. */
function backendOf(store: EmbeddedStore): Backend {
  return {
    append: (batch, origin) => store.append(batch, origin),
    statistics: (query, condition, signal) =>
      unlessGivenUp(store, () => statisticsOf(store, query, condition, signal), NOTHING),
    transactions: (query, condition, signal) =>
      findTransactions(store, query, condition, signal, (needles, range) =>
        store.readers.use((c) => rangesOf(c, store.parts, needles, range), signal),
      ),
    transaction: (id) => findTransaction(store, id),
    related: (id) => findRelated(store, id),
    passive: (query, signal) => store.learnt().then(() => findPassive(store, query, signal)),
    importPassive: (rows) => importPassive(store, rows),
    nameHistory: (name, limit) => store.learnt().then(() => nameHistory(store, name, limit)),
    export: (query, condition, path, signal) => exportTo(store, query, condition, path, signal),
    putRecord: (kind, value, options) => putRecord(store, kind, value, options),
    getRecord: (kind, id) => getRecord(store, kind, id),
    listRecords: (kind, query) => listRecords(store, kind, query),
    deleteRecord: (kind, id) => deleteRecord(store, kind, id),
    keep: (retention) => {
      store.options.retention = retention;
      return Promise.resolve();
    },
    status: () => store.status(),
    flush: () => store.flush(),
    compact: () => store.compact(),
    close: () => store.close(),
  };
}

await serveThread({
  open: async (options, journal) => backendOf(await EmbeddedStore.open(options, journal)),
  failure: ({ path }, error) => openFailure(path ?? 'in memory', error),
});
