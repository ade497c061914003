import type { RowSource } from '../log/source.ts';
import { download } from '../../statistics/csv.ts';

const ROWS_AT_ONCE = 5000;

/** Saves what passes the filter as NDJSON, a native record a line, newest first. Throws `ApiError`. */
export async function saveNdjson(source: RowSource, f: string, name: string): Promise<void> {
  const lines: string[] = [];
  const never = new AbortController().signal;
  let after: string | null | undefined;
  do {
    let next: string | null = null;
    await source.page(
      { from: '', to: '', f, limit: ROWS_AT_ONCE, after: after ?? undefined },
      {
        rows: (rows) => {
          for (const row of rows) lines.push(`${JSON.stringify(row)}\n`);
        },
        progress: () => undefined,
        end: (event) => {
          ({ next } = event);
        },
      },
      never,
    );
    after = next;
  } while (after !== null);
  download(name, lines.join(''), 'application/x-ndjson');
}
