import { timeText } from '../core/clock.ts';
import { csvCell, csvRow } from '../core/csv.ts';
import { addressText } from '../core/address.ts';
import { NO_RCODE, type TransactionBatch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import type { Exchange } from '../rr/exchange.ts';
import { typeName } from '../rr/registry.ts';
import { transactionValue } from '../rr/transaction.ts';
import { csvLog } from '../sources/logs/csv.ts';
import { linesOf, openLogFile } from '../sources/logs/read.ts';
import { nameText } from '../wire/name.ts';
import { type DetectHooks, type DetectPlan, readRows } from './detect-files.ts';
import type { RowMarks } from './row-marks.ts';

const ADDED = ['is_suspicious', 'reason'] as const;
const COLUMNS = [
  'timestamp',
  'client',
  'server',
  'domain',
  'query_type',
  'rcode',
  'response_time',
  'ip_returned',
  ...ADDED,
] as const;

/**
 * Writes the input back as CSV with `is_suspicious` and `reason`: CSV files with their own columns, lines and order;
 * everything else as rows with the columns that are read as CSV too. Reads the files a second time.
 */
export async function annotate(
  plan: DetectPlan,
  hooks: DetectHooks,
  marks: RowMarks,
  write: (text: string) => void,
): Promise<void> {
  const isCsv = plan.format === 'csv' || (plan.format === undefined && (await areCsv(plan.paths)));
  if (isCsv) {
    for (const [i, path] of plan.paths.entries()) await annotateCsv(path, i === 0, hooks.signal, marks, write);
    return;
  }
  write(csvRow(COLUMNS));
  await readRows(plan, hooks, (batch, from, to) => {
    let text = '';
    for (let i = from; i < to; i++) text += rowText(batch, i, marks);
    write(text);
  });
}

async function areCsv(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const log = path === '-' ? undefined : await openLogFile(path);
    log?.input.close();
    if (log?.format !== csvLog) return false;
  }
  return true;
}

async function annotateCsv(
  path: string,
  withHeader: boolean,
  signal: AbortSignal,
  marks: RowMarks,
  write: (text: string) => void,
): Promise<void> {
  const log = await openLogFile(path, 'csv');
  if (log === undefined) return;
  const parser = log.format.open();
  let isHeader = true;
  for await (const lines of linesOf(log.input)) {
    let text = '';
    for (const line of lines) {
      const row = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (row === '') continue;
      let reason = '';
      parser.line(row, (exchange) => {
        reason = marks.reasonFor(markedRow(exchange));
      });
      if (!isHeader) text += `${row},${String(reason !== '')},${csvCell(reason)}\r\n`;
      else if (withHeader) text += `${row},${ADDED.join(',')}\r\n`;
      isHeader = false;
    }
    write(text);
    if (signal.aborted) break;
  }
  log.input.close();
}

/** An exchange as marks know it: as the judge saw its row. */
function markedRow({ time, nanos = 0, client, name, type = 1 }: Exchange) {
  const text = (typeof name === 'string' ? name : nameText(name, 0, 0)).toLowerCase();
  return {
    time: time + nanos / 1e9,
    client: typeof client === 'string' ? client : addressText(client.family, ...client.words),
    name: text,
    type: typeof type === 'number' ? typeName(type) : type,
    domain: registrable(text).domain,
  };
}

function rowText(batch: TransactionBatch, i: number, marks: RowMarks): string {
  const c = batch.col;
  const value = transactionValue(batch, i);
  const name = value.name?.toLowerCase() ?? '';
  const { domain } = registrable(name);
  const client = addressText(c.family[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
  const time = c.openSeconds[i] + c.openNanos[i] / 1e9;
  const reason = marks.reasonFor({ time, client, name, type: value.type ?? '', domain });
  return csvRow([
    timeText(c.openSeconds[i], c.openNanos[i]),
    client,
    value.server,
    value.name ?? '',
    value.type ?? '',
    c.rcode[i] === NO_RCODE ? '' : (value.rcode ?? ''),
    value.latency_ms ?? '',
    value.addresses?.join(' ') ?? '',
    reason !== '',
    reason,
  ]);
}
