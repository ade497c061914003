import { csvRow } from '../core/csv.ts';
import type { ApiClient, Parameters, Statistics, Transaction, TransactionsPage } from '../app/api-client.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import { HISTORY, print, tableText, withApi } from './history.ts';
import { listOption, textOption, wholeNumber } from './options.ts';
import { remark } from './remarks.ts';

/** `nametap search`: asks what was captured. */
export const search: CommandDefinition = {
  name: 'search',
  summary: 'search the history: transactions, or statistics by group',
  arguments: { name: 'FILTER', summary: 'display filter, as with read -Y; none = everything', optional: true },
  options: [
    { name: 'from', value: 'TIME', summary: 'begin: RFC 3339, or a span before now such as -1h, -7d', default: '-1h' },
    { name: 'to', value: 'TIME', summary: 'end', default: 'now' },
    {
      name: 'group',
      letter: 'g',
      value: 'BY',
      summary: 'statistics by domain, name, client, server, type, rcode, transport, outcome … (one or two)',
      many: true,
    },
    {
      name: 'measure',
      letter: 'm',
      value: 'WHAT',
      summary: 'what to count: transactions, nxdomain, clients, latency …',
      many: true,
    },
    { name: 'step', value: 'SECONDS', summary: 'statistics in buckets of so many seconds' },
    { name: 'order', value: 'MEASURE', summary: 'order of groups; a minus in front: the largest first' },
    { name: 'limit', letter: 'c', value: 'N', summary: 'at most so many rows (default: 20 groups, 100 transactions)' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output',
      choices: ['text', 'json', 'ndjson', 'csv'],
      default: 'text',
    },
    ...HISTORY,
  ],
  examples: [
    "nametap search 'dns.flags.rcode == 3' --from -1h  # the names that did not exist",
    'nametap search --from -1d --group domain --measure transactions,clients,latency  # busiest domains',
    'nametap search \'dns.qry.name contains "example"\' -T ndjson | jq .name  # for scripts',
    'nametap search --url https://dns.example.net --token … --group client --order -nxdomain  # another machine',
  ],
  run: ([filter = ''], options) =>
    withApi(options, (api) =>
      isStatistics(options) ? statistics(api, filter, options) : transactions(api, filter, options),
    ),
};

function isStatistics(options: OptionValues): boolean {
  return ['group', 'measure', 'step'].some((name) => options[name] !== undefined);
}

function scope(filter: string, options: OptionValues): Parameters {
  return { from: textOption(options, 'from'), to: textOption(options, 'to'), f: filter === '' ? undefined : filter };
}

type Value = string | number | null | Distribution;
interface Distribution {
  [key: string]: string | number | null | undefined;
}
async function statistics(api: ApiClient, filter: string, options: OptionValues): Promise<number> {
  const words = (name: string) =>
    listOption(options, name)
      .flatMap((text) => text.split(','))
      .join(',') || undefined;
  const response = await api.get('/api/v1/statistics', {
    ...scope(filter, options),
    group: words('group'),
    measures: words('measure'),
    step: wholeNumber(options, 'step', undefined),
    order: textOption(options, 'order'),
    limit: wholeNumber(options, 'limit', undefined),
  });
  const answer = (await response.json()) as Statistics;
  const format = textOption(options, 'format');
  if (format === 'json') print(`${JSON.stringify(answer, null, 2)}\n`);
  else if (format === 'ndjson') print(answer.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  else {
    const flat = answer.rows.map((row) => flatRow(row, format === 'text'));
    const head = [...new Set(flat.flatMap((row) => Object.keys(row)))];
    if (format === 'csv') {
      print(csvRow(head) + flat.map((row) => csvRow(head.map((key) => row[key]))).join(''));
    } else if (flat.length > 0) {
      print(
        tableText(
          head,
          flat.map((row) => head.map((key) => shown(row[key]))),
        ),
      );
    }
  }
  if (answer.rows.length === 0) remark('nothing was found in this range');
  else if (!answer.complete) remark('the range reaches beyond what is kept, or rare groups were not counted apart');
  return EXIT.ok;
}

/** Distributions become columns: of all their numbers, or of those that people look at. */
function flatRow(row: Record<string, Value>, short: boolean): Record<string, string | number | null | undefined> {
  const flat: Record<string, string | number | null | undefined> = {};
  for (const [key, value] of Object.entries(row)) {
    if (typeof value !== 'object' || value === null) flat[key] = value;
    else {
      const { unit, error: _, ...numbers } = value;
      const kept = short ? ['mean', 'p50', 'p95', 'p99'] : Object.keys(numbers);
      for (const name of kept) flat[short ? `${key} ${name} ${unit ?? ''}`.trim() : `${key}_${name}`] = numbers[name];
    }
  }
  return flat;
}

function shown(value: string | number | null | undefined): string {
  return typeof value === 'string' ? value : numberText(value);
}

/** The API's largest page. */
const PAGE = 1000;

async function transactions(api: ApiClient, filter: string, options: OptionValues): Promise<number> {
  if (textOption(options, 'order') !== undefined) {
    throw new UserError('--order is for groups: transactions come newest first. Leave it out, or give --group.');
  }
  const limit = wholeNumber(options, 'limit', 100);
  const format = textOption(options, 'format') ?? 'text';
  const all: Transaction[] = [];
  let found = 0;
  let after: string | undefined;
  do {
    const parameters = { ...scope(filter, options), limit: Math.min(PAGE, limit - found), after };
    const page = (await (await api.get('/api/v1/transactions', parameters)).json()) as TransactionsPage;
    if (format === 'json') all.push(...page.rows);
    else print(pageText(page.rows, format, found === 0));
    found += page.rows.length;
    after = page.next ?? undefined;
  } while (after !== undefined && found < limit);
  if (format === 'json') print(`${JSON.stringify(all, null, 2)}\n`);
  if (found === 0) remark('nothing was found in this range');
  else if (after !== undefined) remark(`these are the newest ${numberText(found)}; there are more (--limit)`);
  return EXIT.ok;
}

const COLUMNS = ['time', 'client', 'server', 'name', 'type', 'result', 'ms', 'answers'];

function pageText(rows: readonly Transaction[], format: string, isFirst: boolean): string {
  if (format === 'ndjson') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const cells = rows.map((row) => [
    row.time.slice(0, 23),
    row.client,
    row.server,
    row.name ?? '–',
    row.type ?? '–',
    row.rcode ?? row.outcome,
    row.latency_ms === undefined ? '–' : numberText(row.latency_ms),
    (row.addresses ?? row.answers?.map(({ data }) => data) ?? []).join(' '),
  ]);
  if (format === 'csv') {
    const marked = rows.map((row, i) => [...cells[i], String(row.is_suspicious === true), row.rules?.join('; ') ?? '']);
    return (isFirst ? csvRow([...COLUMNS, 'is_suspicious', 'rules']) : '') + marked.map(csvRow).join('');
  }
  return cells.length === 0 ? '' : tableText(COLUMNS, cells);
}
