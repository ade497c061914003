import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../core/errors.ts';
import { TransactionBatch } from '../core/transactions.ts';
import type { Backend } from './backend.ts';
import { Journal } from './journal.ts';
import type { Ask, Call, Reply, ToWorker, WorkerStart } from './messages.ts';
import type { StoreOptions, TransactionsPage } from './store.ts';

/** How a thread opens its database; `failure` says in one or two sentences why that did not work. */
export interface Engine {
  open(options: StoreOptions, journal: Journal | null): Promise<Backend>;
  failure(options: StoreOptions, error: unknown): UserError;
}

/** Opens the database that this thread was started for, and answers the other side until it is closed. */
export async function serveThread(engine: Engine): Promise<void> {
  const { options, journal } = workerData as WorkerStart;
  try {
    const kept = journal === null ? null : Journal.open(journal);
    const lost = kept?.lost() ?? null;
    const thread = new Thread(await engine.open(options, kept), lost === null ? null : remarkOf(lost));
    kept?.begin();
    parentPort?.on('message', (message: ToWorker) => thread.take(message));
    post({ id: 0, value: undefined });
  } catch (error) {
    failed(0, engine.failure(options, error));
  }
}

/** What a run that ended without closing the store cost. */
function remarkOf({ rows, time }: { rows: number; time: number }): string {
  const what = rows === 0 ? 'no transactions were' : rows === 1 ? '1 transaction was' : `${rows} transactions were`;
  return `The last run ended without closing the store at ${new Date(time).toISOString()}: ${what} lost.`;
}

function post(reply: Reply): void {
  parentPort?.postMessage(reply, []);
}

function failed(id: number, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  post({ id, error: { name, message, ...(error instanceof UserError && { exit: error.exit }) } });
}

class Thread {
  readonly #backend: Backend;
  readonly #remark: string | null;
  readonly #aborts = new Map<number, AbortController>();

  constructor(backend: Backend, remark: string | null) {
    this.#backend = backend;
    this.#remark = remark;
  }

  take(message: ToWorker): void {
    if ('abort' in message) this.#aborts.get(message.abort)?.abort();
    else if ('buffer' in message) void this.#append(message);
    else void this.#ask(message);
  }

  async #append(message: Extract<ToWorker, { buffer: ArrayBuffer }>): Promise<void> {
    try {
      await this.#backend.append(TransactionBatch.from(message.buffer), message.origin);
      post({ id: message.id, value: undefined });
    } catch (error) {
      failed(message.id, error);
    } finally {
      // Given back now: megabytes a batch would wait for the collector otherwise.
      message.buffer.transfer(0);
    }
  }

  async #ask({ id, call }: Ask): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    try {
      post({ id, value: await this.#answer(id, call, abort.signal) });
    } catch (error) {
      failed(id, error);
    } finally {
      this.#aborts.delete(id);
    }
  }

  /** Runs a call of the other side. */
  #answer(id: number, call: Call, signal: AbortSignal): Promise<unknown> {
    const backend = this.#backend;
    switch (call.name) {
      case 'statistics':
        return backend.statistics(call.query, call.condition, signal);
      case 'transactions':
        return this.#pages(id, backend.transactions(call.query, call.condition, signal));
      case 'transaction':
      case 'related':
        return backend[call.name](call.id);
      case 'passive':
        return backend.passive(call.query, signal);
      case 'importPassive':
        return backend.importPassive(call.rows);
      case 'nameHistory':
        return backend.nameHistory(call.of, call.limit);
      case 'export':
        return backend.export(call.query, call.condition, call.path, signal);
      case 'putRecord':
        return backend.putRecord(call.kind, call.value, call.options);
      case 'getRecord':
      case 'deleteRecord':
        return backend[call.name](call.kind, call.id);
      case 'listRecords':
        return backend.listRecords(call.kind, call.query);
      case 'keep':
        return backend.keep(call.retention);
      case 'status':
        return backend.status().then((status) => ({ ...status, remark: this.#remark }));
      case 'flush':
      case 'compact':
      case 'close':
      default:
        return backend[call.name]();
    }
  }

  async #pages(id: number, found: AsyncIterable<TransactionsPage>): Promise<void> {
    for await (const page of found) post({ id, page });
  }
}
