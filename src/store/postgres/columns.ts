import { type ColumnType, TRANSACTION_COLUMNS, type TransactionColumnName } from '../schema.ts';

/** Types of columns here. Nothing unsigned: the next wider type; what counts within a transaction stays below 2^31. */
export const POSTGRES_TYPES: Readonly<Record<ColumnType, string>> = {
  UTINYINT: 'smallint',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'bigint',
  BIGINT: 'bigint',
  DOUBLE: 'float8',
  VARCHAR: 'text COLLATE "C"',
  BLOB: 'bytea',
};
const WIDTH: Readonly<Record<string, number>> = { bigint: 8, float8: 8, integer: 4, smallint: 2 };

/** A column of `transactions`: its place among TRANSACTION_COLUMNS, and how it is written. */
export interface PostgresColumn {
  readonly name: TransactionColumnName;
  readonly type: ColumnType;
  readonly at: number;
  readonly nullable: boolean;
}

/** Wide ones first, so that nothing is padded: a row is some 330 octets. */
export const POSTGRES_COLUMNS: readonly PostgresColumn[] = TRANSACTION_COLUMNS.map((column, at) => ({
  name: column.name,
  type: column.type,
  at,
  nullable: 'nullable' in column,
})).sort((a, b) => widthOf(b) - widthOf(a) || a.at - b.at);

function widthOf({ type }: PostgresColumn): number {
  return WIDTH[POSTGRES_TYPES[type]] ?? 0;
}

/** All columns in the order of TRANSACTION_COLUMNS, which is what `decodeRows` reads. */
export const STORED_ORDER = TRANSACTION_COLUMNS.map(({ name }) => name).join(', ');

const SIGN = 1n << 63n;
/**
 * Ids are 64 bits without a sign; here they are less 2^63, which keeps their order (newest first, then by id). The view
 * `readable` shows them as everybody else does.
 */
export function idOf(id: bigint): bigint {
  return BigInt.asIntN(64, id ^ SIGN);
}

/** PostgreSQL has no texts with a NUL, or with half a character (in JSON). */
export function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** `CREATE TABLE` columns of a declaration. */
export function columnsSql(columns: readonly { name: string; type: ColumnType; nullable?: boolean }[]): string {
  const typeOf = (name: string, type: ColumnType) =>
    name === 'prefix' || name === 'suffix' ? 'numeric(20)' : POSTGRES_TYPES[type];
  return columns
    .map(({ name, type, nullable }) => `"${name}" ${typeOf(name, type)}${nullable === true ? '' : ' NOT NULL'}`)
    .join(', ');
}
