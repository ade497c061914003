import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Binding, useKeys } from '../keys.ts';
import { t } from '../text.ts';

export interface Column<T> {
  key: string;
  title: ComponentChildren;
  /** Any CSS width; the columns without one share what is left. */
  width?: string;
  align?: 'end';
  /** Clicking the heading sorts by this key. */
  sort?: string;
  /** Numbers and wire text in the fixed-width font. */
  mono?: boolean;
  render(row: T, index: number): ComponentChildren;
}

interface TableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey(row: T): string;
  /** Height of a row in px: all are alike, so that only those in sight are drawn. */
  rowHeight?: number;
  /** Height of the table's window; without it all rows are drawn (for short tables). */
  height?: string;
  /** Enter or click on a row. */
  onOpen?: ((row: T) => void) | undefined;
  /** Key of the row that is open. */
  selected?: string | undefined;
  rowClass?: (row: T) => string;
  /** Present order: a key of `sort`, `-` before it for the largest first. */
  order?: string;
  onSort?: (order: string) => void;
  /** The end comes into sight: more rows are wanted. */
  onEnd?: () => void;
  /** Instead of rows, when there are none. */
  empty?: ComponentChildren;
}

/** Rows drawn above and below what is in sight. */
const OVERSCAN = 8;

/** A table of any length: only rows in sight are in the document. `j`/`k` move, Enter opens, arrows reach the values. */
export function Table<T>(props: TableProps<T>): JSX.Element {
  const { label, rows, columns, rowKey, rowHeight = 28, height, onOpen, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const view = useWindow(box, rows.length, rowHeight, height !== undefined);
  const [active, setActive] = useState(-1);
  const atEnd = view.last >= rows.length - OVERSCAN;
  useEffect(() => {
    if (atEnd && rows.length > 0) onEnd?.();
  }, [atEnd, rows.length]);
  const move = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    setActive(index);
    if (box.current !== null && height !== undefined) reveal(box.current, index, rowHeight);
    requestAnimationFrame(() => {
      box.current
        ?.querySelector<HTMLElement>(`tr[data-index="${index}"]`)
        ?.focus({ preventScroll: height !== undefined });
    });
  };
  useKeys(useRowKeys(active, move));
  const keyDown = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLElement && active >= 0) onRowKey(event, event.target, active, move);
  };
  // Without rows nothing in it could be reached to scroll it: it is as high as its words.
  const size = height === undefined ? undefined : rows.length === 0 ? { minHeight: height } : { height };
  return (
    <div class="table" ref={box} style={size} onKeyDown={keyDown}>
      <table aria-label={label} aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map(({ key, width }) => (
            <col key={key} style={width === undefined ? undefined : { width }} />
          ))}
        </colgroup>
        <Head columns={columns} order={props.order ?? ''} onSort={props.onSort} />
        <tbody>
          {view.first > 0 && <Spacer height={view.first * rowHeight} columns={columns.length} />}
          {rows.slice(view.first, view.last).map((row, offset) => {
            const index = view.first + offset;
            const key = rowKey(row);
            return (
              <tr
                key={key}
                data-index={index}
                class={props.rowClass?.(row)}
                style={{ height: `${rowHeight}px` }}
                tabIndex={index === Math.max(0, active) ? 0 : -1}
                aria-rowindex={index + 2}
                aria-selected={props.selected === undefined ? undefined : key === props.selected}
                onFocus={() => {
                  setActive(index);
                }}
                onClick={onOpen && ((event) => openUnlessControl(event, () => onOpen(row)))}
                onKeyDown={onOpen && ((event) => openOnEnter(event, () => onOpen(row)))}
              >
                {columns.map((column) => (
                  <td key={column.key} class={cellClass(column)}>
                    {column.render(row, index)}
                  </td>
                ))}
              </tr>
            );
          })}
          {view.last < rows.length && (
            <Spacer height={(rows.length - view.last) * rowHeight} columns={columns.length} />
          )}
        </tbody>
      </table>
      {rows.length === 0 && props.empty}
    </div>
  );
}

function Head<T>({
  columns,
  order,
  onSort,
}: {
  columns: readonly Column<T>[];
  order: string;
  onSort: ((order: string) => void) | undefined;
}): JSX.Element {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const { sort } = column;
          if (sort === undefined || onSort === undefined) {
            return (
              <th key={column.key} scope="col" class={cellClass(column)}>
                {column.title}
              </th>
            );
          }
          const by = order.replace(/^-/, '') === sort ? (order.startsWith('-') ? 'descending' : 'ascending') : 'none';
          return (
            <th key={column.key} scope="col" class={cellClass(column)} aria-sort={by}>
              <button type="button" onClick={() => onSort(by === 'descending' ? sort : `-${sort}`)}>
                {column.title}
                <i class={`sort ${by}`} />
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }): JSX.Element {
  return (
    <tr aria-hidden="true" class="spacer" style={{ height: `${height}px` }}>
      <td colSpan={columns} />
    </tr>
  );
}

/** Which rows are in sight. */
function useWindow(
  box: { current: HTMLDivElement | null },
  length: number,
  rowHeight: number,
  scrolls: boolean,
): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: scrolls ? 60 : length });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || !scrolls) return undefined;
    const measure = (): void => {
      const first = Math.max(0, Math.floor(element.scrollTop / rowHeight) - OVERSCAN);
      const last = first + Math.ceil(element.clientHeight / rowHeight) + 2 * OVERSCAN;
      setRange((before) => (before.first === first && before.last === last ? before : { first, last }));
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [rowHeight, scrolls]);
  if (!scrolls) return { first: 0, last: length };
  return { first: Math.min(range.first, Math.max(0, length - 1)), last: Math.min(range.last, length) };
}

function useRowKeys(active: number, move: (to: number) => void): readonly Binding[] {
  const at = useRef({ active, move });
  at.current = { active, move };
  return useMemo(
    () => [
      { keys: 'j', title: 'help.rows', run: () => at.current.move(at.current.active + 1) },
      { keys: 'k', title: 'help.rows', run: () => at.current.move(at.current.active - 1) },
    ],
    [],
  );
}

/** Arrow keys: up and down between rows, left and right between the controls of a row. */
function onRowKey(event: KeyboardEvent, target: HTMLElement, active: number, move: (to: number) => void): void {
  const row = target.closest('tr');
  if (row === null || row.dataset.index === undefined) return;
  const stops: HTMLElement[] = [row, ...row.querySelectorAll<HTMLElement>('button, a')];
  const at = stops.indexOf(target);
  if (event.key === 'ArrowDown') move(active + 1);
  else if (event.key === 'ArrowUp') move(active - 1);
  else if (event.key === 'ArrowRight') stops[Math.min(stops.length - 1, at + 1)].focus();
  else if (event.key === 'ArrowLeft') stops[Math.max(0, at - 1)].focus();
  else return;
  event.preventDefault();
}

/** A link or button in a row does its own; a click beside them opens the row. */
function openUnlessControl(event: MouseEvent, open: () => void): void {
  if (event.target instanceof Element && event.target.closest('a, button') !== null) return;
  open();
}

function openOnEnter(event: KeyboardEvent, open: () => void): void {
  if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
  event.preventDefault();
  open();
}

function reveal(box: HTMLElement, index: number, rowHeight: number): void {
  const head = box.querySelector('thead')?.clientHeight ?? 0;
  const top = index * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight > box.scrollTop + box.clientHeight - head) {
    box.scrollTop = top + rowHeight - box.clientHeight + head;
  }
}

function cellClass(column: { align?: 'end'; mono?: boolean }): string {
  return `${column.align === 'end' ? 'end' : ''}${column.mono ? ' mono' : ''}`;
}

/** "1,204 rows", for a table's heading. */
export function rowCount(n: number): string {
  return t('table.rows', { n });
}
