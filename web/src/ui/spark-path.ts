/** An SVG path from 0 at the foot to the highest value at the top; nulls break it. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0) || 1;
  const step = values.length < 2 ? 0 : width / (values.length - 1);
  let path = '';
  let pen = 'M';
  for (const [index, value] of values.entries()) {
    if (value === null) {
      pen = 'M';
      continue;
    }
    path += `${pen}${round(index * step)} ${round(height - 1 - (value / most) * (height - 2))}`;
    pen = 'L';
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
