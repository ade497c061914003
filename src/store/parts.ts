import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from './duckdb.ts';
import { createTable, partColumns, SCHEMA_VERSION, TRANSACTION_COLUMNS } from './schema.ts';

export interface Part {
  part: number;
  kind: 'open' | 'table' | 'parquet';
  /** Times of its rows, ms. Of an open part: as far as is known. */
  first: number;
  last: number;
  rows: number;
  bytes: number;
  added: number;
  version: number;
}

/** A place in the order in which rows came: behind the first `rows` of a part. */
export interface Place {
  part: number;
  rows: number;
}

/**
 * Where transactions are kept: rows are added to the open part; a full one is closed, moved to a Parquet file when it is
 * old, and dropped as a whole when it is too old. So nothing is ever deleted row by row.
 */
export class Parts {
  list: Part[] = [];
  /** Folder of Parquet files; null in memory: there are none then. */
  readonly folder: string | null;

  constructor(folder: string | null) {
    this.folder = folder;
  }

  /** The part that takes rows. */
  get open(): Part {
    const part = this.list.at(-1);
    if (part === undefined || part.kind !== 'open') throw new Error('the store has no open part');
    return part;
  }

  async load(connection: Connection): Promise<void> {
    this.list = await connection.all<Part>('SELECT * FROM parts ORDER BY part');
    const open = this.list.at(-1);
    if (open?.kind !== 'open') return;
    const [seen] = await connection.all<{ n: number; first: number | null; last: number | null }>(
      `SELECT count(*) AS n, min(time) // 1000000 AS first, max(time) // 1000000 AS last FROM ${tableOf(open.part)}`,
    );
    open.rows = seen.n;
    open.first = seen.first ?? Number.POSITIVE_INFINITY;
    open.last = seen.last ?? Number.NEGATIVE_INFINITY;
  }

  /** Makes the next open part; to be called in a transaction when it closes the one before. */
  async begin(connection: Connection): Promise<Part> {
    const before = this.list.at(-1);
    if (before?.kind === 'open') {
      await connection.run(
        `UPDATE parts SET kind = 'table', first = ?, last = ?, "rows" = ?, added = ? WHERE part = ?`,
        [floor(before.first), floor(before.last), before.rows, before.added, before.part],
      );
    }
    const part: Part = {
      part: (before?.part ?? 0) + 1,
      kind: 'open',
      first: Number.POSITIVE_INFINITY,
      last: Number.NEGATIVE_INFINITY,
      rows: 0,
      bytes: 0,
      added: Date.now(),
      version: SCHEMA_VERSION,
    };
    await connection.run(createTable(tableOf(part.part), TRANSACTION_COLUMNS));
    await connection.run('INSERT INTO parts VALUES (?, ?, 0, 0, 0, 0, ?, ?)', [
      part.part,
      'open',
      part.added,
      part.version,
    ]);
    return part;
  }

  /** Takes over what `begin` made, once it is committed. */
  began(part: Part): void {
    const before = this.list.at(-1);
    if (before?.kind === 'open') before.kind = 'table';
    this.list.push(part);
  }

  file(part: number): string {
    return join(this.folder ?? '.', `transactions-${String(part).padStart(6, '0')}.parquet`);
  }

  /** Parts that may hold rows of [from, to) ms, latest first. */
  between(from: number, to: number): Part[] {
    return this.list.filter(({ kind, first, last }) => kind === 'open' || (last >= from - 1 && first < to)).reverse();
  }

  /** Rows before this time (ms) have been given up; −Infinity while all are here. */
  get heldFrom(): number {
    if (this.list[0].part === 1) return Number.NEGATIVE_INFINITY;
    return this.list.reduce((least, { rows, first }) => (rows > 0 ? Math.min(least, first) : least), Infinity);
  }

  /** About how many rows a range of ms has. */
  rowsBetween(from: number, to: number): number {
    let rows = 0;
    for (const { first, last, rows: all } of this.list) {
      if (all === 0) continue;
      const share = (Math.min(to, last + 1) - Math.max(from, first)) / (last + 1 - first);
      rows += all * Math.max(0, Math.min(1, share));
    }
    return rows;
  }

  /** SQL of the rows of parts, all columns of a transaction. */
  source(parts: readonly Part[]): string {
    if (parts.length === 0) return this.source([this.open]);
    const tables = parts.filter(({ kind }) => kind !== 'parquet');
    // Files of one version are one scan: planning does not grow with their number.
    const files = Map.groupBy(
      parts.filter(({ kind }) => kind === 'parquet'),
      ({ version }) => version,
    );
    const selects = tables.map(({ part, version }) => `SELECT ${partColumns(version)} FROM ${tableOf(part)}`);
    for (const [version, list] of files) {
      const names = list.map(({ part }) => `'${this.file(part).replaceAll("'", "''")}'`).join(', ');
      selects.push(`SELECT ${partColumns(version)} FROM read_parquet([${names}])`);
    }
    return selects.join(' UNION ALL ');
  }

  /**
   * SQL of the rows [from, to) in the order they came, `rowid` among the columns. They are in tables: parts move to
   * Parquet only when nobody needs that order any more.
   */
  sequence(from: Place, to: Place): string {
    const selects = this.list
      .filter(({ part }) => part >= from.part && part <= to.part)
      .map(({ part }) => {
        const low = part === from.part ? ` AND rowid >= ${from.rows}` : '';
        const high = part === to.part ? ` AND rowid < ${to.rows}` : '';
        return `SELECT * FROM ${tableOf(part)} WHERE true${low}${high}`;
      });
    return selects.length === 0 ? `SELECT * FROM ${tableOf(this.open.part)} WHERE false` : selects.join(' UNION ALL ');
  }

  /** Where the rows end that are stored now. */
  get end(): Place {
    return { part: this.open.part, rows: this.open.rows };
  }

  /** How many rows came since. */
  since({ part, rows }: Place): number {
    return this.list.reduce((sum, other) => sum + (other.part >= part ? other.rows : 0), 0) - rows;
  }

  /** Bytes of Parquet files. */
  get fileBytes(): number {
    return this.list.reduce((sum, { kind, bytes }) => sum + (kind === 'parquet' ? bytes : 0), 0);
  }

  /** Moves a closed part to a Parquet file. A crash in between leaves a file that the next start removes. */
  async age(part: Part, connection: Connection): Promise<void> {
    const file = this.file(part.part);
    const quoted = file.replaceAll("'", "''");
    await connection.run(
      `COPY ${tableOf(part.part)} TO '${quoted}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION v2, ROW_GROUP_SIZE 122880)`,
    );
    const bytes = statSync(file).size;
    await connection.run('BEGIN');
    try {
      await connection.run(`UPDATE parts SET kind = 'parquet', bytes = ? WHERE part = ?`, [bytes, part.part]);
      await connection.run(`DROP TABLE ${tableOf(part.part)}`);
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK');
      throw error;
    }
    part.kind = 'parquet';
    part.bytes = bytes;
  }

  /** Gives a closed part up, with all its rows. */
  async drop(part: Part, connection: Connection): Promise<void> {
    await connection.run('BEGIN');
    try {
      await connection.run('DELETE FROM parts WHERE part = ?', [part.part]);
      if (part.kind === 'table') await connection.run(`DROP TABLE ${tableOf(part.part)}`);
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK');
      throw error;
    }
    this.list = this.list.filter((other) => other !== part);
    if (part.kind === 'parquet') rmSync(this.file(part.part), { force: true });
  }
}

export function tableOf(part: number): string {
  return `transactions_${part}`;
}

function floor(ms: number): number {
  return Number.isFinite(ms) ? Math.floor(ms) : 0;
}
