import { AT } from '../row-columns.ts';
import type { RowChunk } from '../rows.ts';
import { TRANSACTION_COLUMNS } from '../schema.ts';
import type { NativeBlock } from './native-reader.ts';
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

/** Columns of a transaction as `decodeRows` wants them; those of addresses and the family stand for the octets. */
export const ROW_COLUMNS = [
  ...TRANSACTION_COLUMNS.map(({ name }) => (name === 'client' || name === 'server' ? `${name}_address` : name)),
  'family',
].join(', ');

/** A block that begins with `ROW_COLUMNS`. */
export function rowsIn(block: NativeBlock): RowChunk {
  const family = block.numbers(FAMILY);
  return {
    count: block.count,
    numbers: (column) => block.numbers(column),
    validity: (column) => block.validity(column),
    strings: (column) => {
      if (column !== AT.client && column !== AT.server) return block.strings(column);
      const octets = block.octets(column);
      return (i) => octets.subarray(i * 16 + (family[i] === 4 ? 12 : 0), i * 16 + 16);
    },
  };
}
