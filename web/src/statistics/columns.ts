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
