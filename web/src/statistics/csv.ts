import { csvRow } from '../../../src/core/csv.ts';

/** Rows as CSV (RFC 4180). What a spreadsheet would run as a formula is led by an apostrophe. */
export function toCsv(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [head, ...rows].map(csvRow).join('');
}

/** Offers a text as a file to keep. */
export function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(url);
}
