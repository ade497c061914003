/**
 * A cell of CSV: in quotes where RFC 4180 §2 wants them; null and undefined are empty. A text that a spreadsheet could take
 * for a formula gets one `'` in front, and so does one that begins with `'`: to read it back, remove it. Numbers may be
 * negative: that is no formula.
 */
export function csvCell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@'\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row of cells and its line end. */
export function csvRow(cells: readonly (string | number | boolean | null | undefined)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}
