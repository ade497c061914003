import type pg from 'pg';
import { numbered } from '../../filter/dialect.ts';
import type { Numbers } from '../duckdb.ts';
import type { RowChunk } from '../rows.ts';
import { TRANSACTION_COLUMNS } from '../schema.ts';
import type { Row, Session, SqlValue } from '../session.ts';
import { idOf, storable } from './columns.ts';

/** Rows fetched at once where there may be many. */
const FETCHED = 2000;
const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;
const NUMBERS = new Set([INT2, INT4, FLOAT4, FLOAT8]);
const utf8 = new TextEncoder();

/** Everything comes as the text that the server sent; `valueOf` makes of it what the embedded store gives. */
const AS_SENT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

type Cells = (string | null)[];

/** A value as the embedded store gives it: numbers where they are safe, bigint beyond, octets. */
function valueOf(text: string | null, type: number): SqlValue {
  if (text === null) return null;
  if (NUMBERS.has(type)) return Number(text);
  if (type === INT8) {
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }
  if (type === BYTEA) return Buffer.from(text.slice(2), 'hex');
  if (type === BOOL) return text === 't';
  if (type === NUMERIC) return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
  return text;
}

/** Rows of a result, by column. */
class Rows implements RowChunk {
  readonly count: number;
  readonly #rows: readonly Cells[];
  readonly #fields: readonly pg.FieldDef[];

  constructor(rows: readonly Cells[], fields: readonly pg.FieldDef[]) {
    this.count = rows.length;
    this.#rows = rows;
    this.#fields = fields;
  }

  row(i: number): Row {
    const row: Row = {};
    this.#fields.forEach(({ name, dataTypeID }, k) => {
      row[name] = valueOf(this.#rows[i][k], dataTypeID);
    });
    return row;
  }

  numbers(column: number): Numbers {
    const declared = TRANSACTION_COLUMNS.at(column);
    const cells = this.#rows.map((row) => row[column]);
    switch (declared?.type) {
      case 'UBIGINT': {
        const isId = declared.name === 'transaction';
        return BigUint64Array.from(cells, (text) => {
          const number = BigInt(text ?? 0);
          return BigInt.asUintN(64, isId ? idOf(number) : number);
        });
      }
      case 'BIGINT':
        return BigInt64Array.from(cells, (text) => BigInt(text ?? 0));
      case 'UINTEGER':
        return Uint32Array.from(cells, Number);
      case 'USMALLINT':
        return Uint16Array.from(cells, Number);
      case 'UTINYINT':
        return Uint8Array.from(cells, Number);
      case 'VARCHAR':
      case 'BLOB':
      case undefined:
      default:
        return Uint8Array.from(cells, (text) => (text === 't' ? 1 : 0));
    }
  }

  validity(column: number): (i: number) => boolean {
    return (i) => this.#rows[i][column] !== null;
  }

  strings(column: number): (i: number) => Uint8Array {
    const isText = this.#fields[column].dataTypeID !== BYTEA;
    return (i) => {
      const text = this.#rows[i][column] ?? '';
      return isText ? utf8.encode(text) : Buffer.from(text.slice(2), 'hex');
    };
  }
}

/** One connection, while it is borrowed. */
export class PostgresSession implements Session {
  readonly client: pg.PoolClient;
  #cursors = 0;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  async #query(sql: string, params: readonly SqlValue[]): Promise<pg.QueryArrayResult<Cells>> {
    return this.client.query<Cells>({
      text: params.length === 0 ? sql : numbered(sql),
      values: params.map((value) => {
        if (typeof value === 'string') return storable(value);
        return value instanceof Uint8Array ? Buffer.from(value) : value;
      }),
      rowMode: 'array',
      types: AS_SENT,
    });
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return (await this.#query(sql, params)).rowCount ?? 0;
  }

  async all<T = Row>(sql: string, params: readonly SqlValue[] = []): Promise<T[]> {
    const { rows, fields } = await this.#query(sql, params);
    const chunk = new Rows(rows, fields);
    return Array.from({ length: chunk.count }, (_, i) => chunk.row(i) as T);
  }

  async one<T = Row>(sql: string, params: readonly SqlValue[] = []): Promise<T | undefined> {
    return (await this.all<T>(sql, params))[0];
  }

  /** Through a cursor: as much is in memory as is being read. Within a transaction of its own unless there is one. */
  async *chunks(sql: string, params: readonly SqlValue[] = []): AsyncGenerator<Rows> {
    const name = `found_${++this.#cursors}`;
    const isAlone = this.#cursors === 1;
    if (isAlone) await this.run('BEGIN READ ONLY');
    let isWhole = false;
    try {
      await this.run(`DECLARE ${name} NO SCROLL CURSOR FOR ${sql}`, params);
      for (;;) {
        const { rows, fields } = await this.#query(`FETCH ${FETCHED} FROM ${name}`, []);
        if (rows.length > 0) yield new Rows(rows, fields);
        if (rows.length < FETCHED) break;
      }
      isWhole = true;
    } finally {
      this.#cursors--;
      if (isAlone) await this.run(isWhole ? 'COMMIT' : 'ROLLBACK');
      else if (isWhole) await this.run(`CLOSE ${name}`);
    }
  }
}

/** Runs within a transaction; takes it back when something fails. */
export async function inTransaction<T>(session: PostgresSession, run: () => Promise<T>): Promise<T> {
  await session.run('BEGIN');
  try {
    const result = await run();
    await session.run('COMMIT');
    return result;
  } catch (error) {
    await session.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
