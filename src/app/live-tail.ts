import type { CapturedInterface } from '../core/frames.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { ClientNames } from '../enrich/client-names.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { LiveRows } from '../server/services.ts';
import { safeText } from '../rr/value.ts';
import { type RowPredicate, rowFilter } from '../filter/row.ts';

type Listener = (batch: TransactionBatch, from: number, to: number) => void;

/** Transactions as they come, for whoever looks at them now. Without a listener it costs nothing. */
export class LiveTail implements LiveRows {
  /** The interfaces of the run; the list may grow. */
  interfaces: readonly CapturedInterface[] = [];
  /** Names of the rules behind each mark; may grow. */
  marks: readonly string[] = [];
  /** Names of clients as configured. */
  clients: ClientNames | null = null;
  readonly sensor: string;
  readonly #listeners = new Set<Listener>();

  constructor(sensor: string) {
    this.sensor = sensor;
  }

  /** Hands rows [from, to) to every listener, in place. */
  rows(batch: TransactionBatch, from: number, to: number): void {
    for (const listener of this.#listeners) listener(batch, from, to);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  filter(text: string): RowPredicate {
    return rowFilter(text, this.interfaces, { marks: this.marks });
  }

  value(batch: TransactionBatch, row: number): Transaction {
    const name = this.interfaces[batch.col.interfaceId[row]]?.name;
    const value = transactionValue(batch, row, {
      sensor: this.sensor,
      registrableDomain: registrable,
      ...(name !== undefined && { interfaceName: safeText(name) }),
      rules: this.marks[batch.col.mark[row]],
    });
    const client = this.clients?.nameOf(value.client);
    if (client !== undefined) value.client_name = client;
    return value;
  }
}
