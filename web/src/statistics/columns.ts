import type { Column } from '../ui/table.tsx';

/** A column of numbers, at the end of its room; `sort`: the key it sorts by. */
export function numeric<T>(
  key: string,
  title: Column<T>['title'],
  width: number,
  render: Column<T>['render'],
  sort?: string,
): Column<T> {
  return { key, title, width: `${width}px`, align: 'end', render, ...(sort === undefined ? {} : { sort }) };
}

/** Height of a long table: down to the foot of the window, of which `around` px are not its own; less where it is short. */
export function tableHeight(rows: number, around: number): string {
  return `min(${36 + Math.max(4, rows) * 29}px, max(280px, calc(100vh - ${around}px - var(--banners, 0px))))`;
}
