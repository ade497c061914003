import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../core/errors.ts';
import { TransactionBatch } from '../core/transactions.ts';
import { EmbeddedStore } from './embedded.ts';
import { findRelated, findTransaction, findTransactions } from './explore.ts';
import { exportTo } from './export.ts';
import { openFailure, unlessGivenUp } from './failures.ts';
import { Journal } from './journal.ts';
import type { Ask, Call, Reply, ToWorker, WorkerStart } from './messages.ts';
import { findPassive, importPassive, nameHistory } from './passive.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from './records.ts';
import { statisticsOf } from './statistics.ts';
import type { StatisticsResult, TransactionsPage } from './store.ts';

const { options, journal } = workerData as WorkerStart;
const NOTHING: StatisticsResult = { rows: [], source: 'transactions', complete: false };
const aborts = new Map<number, AbortController>();

function post(reply: Reply): void {
  parentPort?.postMessage(reply, []);
}

function failed(id: number, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  post({ id, error: { name, message, ...(error instanceof UserError && { exit: error.exit }) } });
}

async function pages(id: number, found: AsyncIterable<TransactionsPage>): Promise<void> {
  for await (const page of found) post({ id, page });
}

/** Runs a call of the other side. */
function answer(store: EmbeddedStore, id: number, call: Call, signal: AbortSignal): Promise<unknown> {
  switch (call.name) {
    case 'statistics':
      return unlessGivenUp(store, () => statisticsOf(store, call.query, call.condition, signal), NOTHING);
    case 'transactions':
      return pages(id, findTransactions(store, call.query, call.condition, signal));
    case 'transaction':
      return findTransaction(store, call.id);
    case 'related':
      return findRelated(store, call.id);
    case 'passive':
      return store.learnt().then(() => findPassive(store, call.query, signal));
    case 'importPassive':
      return importPassive(store, call.rows);
    case 'nameHistory':
      return store.learnt().then(() => nameHistory(store, call.of, call.limit));
    case 'export':
      return exportTo(store, call.query, call.condition, call.path, signal);
    case 'putRecord':
      return putRecord(store, call.kind, call.value, call.options);
    case 'getRecord':
      return getRecord(store, call.kind, call.id);
    case 'listRecords':
      return listRecords(store, call.kind, call.query);
    case 'deleteRecord':
      return deleteRecord(store, call.kind, call.id);
    case 'keep':
      store.options.retention = call.retention;
      return Promise.resolve();
    case 'status':
      return store.status();
    case 'flush':
      return store.flush();
    case 'compact':
      return store.compact();
    case 'close':
      break;
  }
  return store.close();
}

async function ask(store: EmbeddedStore, { id, call }: Ask): Promise<void> {
  const abort = new AbortController();
  aborts.set(id, abort);
  try {
    post({ id, value: await answer(store, id, call, abort.signal) });
  } catch (error) {
    failed(id, error);
  } finally {
    aborts.delete(id);
  }
}

async function append(store: EmbeddedStore, message: Extract<ToWorker, { buffer: ArrayBuffer }>): Promise<void> {
  try {
    await store.append(TransactionBatch.from(message.buffer), message.origin);
    post({ id: message.id, value: undefined });
  } catch (error) {
    failed(message.id, error);
  } finally {
    // Given back now: megabytes a batch would wait for the collector otherwise.
    message.buffer.transfer(0);
  }
}

try {
  const kept = journal === null ? null : Journal.open(journal);
  const lost = kept?.lost() ?? null;
  const store = await EmbeddedStore.open(options, kept);
  if (lost !== null) {
    store.remark = `The last run ended without closing the store at ${new Date(lost.time).toISOString()}: ${
      lost.rows === 0
        ? 'no transactions were'
        : lost.rows === 1
          ? '1 transaction was'
          : `${lost.rows} transactions were`
    } lost.`;
  }
  kept?.begin();
  parentPort?.on('message', (message: ToWorker) => {
    if ('abort' in message) aborts.get(message.abort)?.abort();
    else if ('buffer' in message) void append(store, message);
    else void ask(store, message);
  });
  post({ id: 0, value: undefined });
} catch (error) {
  failed(0, openFailure(options.path ?? 'in memory', error));
}
