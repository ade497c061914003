import { AT } from '../row-columns.ts';
import { type NativeColumn, NativeWriter } from './native-writer.ts';
import { FAMILY, INSERTED } from './schema.ts';

/** Transactions to be inserted: addresses say their family. */
export class TransactionWriter extends NativeWriter {
  constructor(capacity: number, columns: readonly NativeColumn[] = INSERTED) {
    super(columns, capacity);
  }

  override string(column: number, from: Uint8Array, at: number, length: number): void {
    super.string(column, from, at, length);
    if (column === AT.client) this.numbers[FAMILY][this.count] = length === 4 ? 4 : 6;
  }
}
