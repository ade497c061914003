/** Row, with its fraction, below which `share` of the column lies; null when it is empty. */
export function quantileRow(cells: readonly number[], share: number): number | null {
  let all = 0;
  for (const n of cells) all += n;
  if (all === 0) return null;
  let below = 0;
  for (let row = 0; row < cells.length; row++) {
    if (cells[row] > 0 && below + cells[row] >= share * all) return row + (share * all - below) / cells[row];
    below += cells[row];
  }
  return cells.length;
}
