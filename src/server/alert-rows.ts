import type { Records } from '../store/store.ts';
import { alert, type Alert, type Alerts } from './schema/alerts.ts';
import { timeOf } from './times.ts';

const MOST_SCANNED = 10_000;
const PAGE = 1000;

/** Alerts as they are kept, newest first; of one state or all. What is no alert is left out. */
export async function alertRows(
  records: Records,
  { limit, state, after }: { limit: number; state?: Alert['state'] | undefined; after?: string | undefined },
): Promise<Alerts> {
  const rows: Alert[] = [];
  let open = 0;
  let next: string | null = null;
  let from = after;
  for (let scanned = 0; scanned < MOST_SCANNED && next === null; scanned += PAGE) {
    const page = await records.list<object>('alerts', { limit: PAGE, ...(from !== undefined && { after: from }) });
    for (const { id, time, value } of page) {
      const read = alert.safeParse({ ...value, id, time: timeOf(time) });
      if (!read.success) continue;
      if (read.data.state === 'open') open++;
      if (state !== undefined && read.data.state !== state) continue;
      if (rows.length < limit) rows.push(read.data);
      else next ??= rows[rows.length - 1].id;
    }
    if (page.length < PAGE) break;
    from = page[page.length - 1].id;
  }
  return { rows, open, next };
}
