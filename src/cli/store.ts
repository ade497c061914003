import type { LoadedConfig } from '../app/config.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import type { Advice } from '../store/postgres/advise.ts';
import type { ExportQuery, Store, StoreStatus } from '../store/store.ts';
import { HISTORY, print, tableText } from './history.ts';
import { textOption } from './options.ts';
import { remark } from './remarks.ts';

const [, , DATA, CONFIG] = HISTORY;
const ACTIONS = ['status', 'export', 'compact', 'migrate', 'advise'] as const;

/** `nametap store`: the files of the history, when nobody serves them. */
export const store: CommandDefinition = {
  name: 'store',
  summary: 'look at the stored history, export it, or make its files smaller',
  arguments: { name: 'ACTION [FILE]', summary: 'status, export FILE, compact, migrate or advise', many: true },
  options: [
    { name: 'filter', letter: 'Y', value: 'FILTER', summary: 'export: only these transactions' },
    {
      name: 'from',
      value: 'TIME',
      summary: 'export: begin, RFC 3339 or a span before now such as -1h',
      default: '1970-01-01',
    },
    { name: 'to', value: 'TIME', summary: 'export: end', default: 'now' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'export: its format',
      choices: ['parquet', 'csv', 'ndjson'],
      default: 'parquet',
    },
    { name: 'json', summary: 'status, advise: as JSON' },
    DATA,
    CONFIG,
  ],
  examples: [
    'nametap store status  # what is kept, since when, and how many bytes it takes',
    "nametap store export nx.csv -T csv --from -7d -Y 'dns.flags.rcode == 3'  # what did not exist",
    'nametap store advise  # which index PostgreSQL misses, by what was asked of it',
    'nametap store compact  # merges, moves old rows to Parquet, writes the files anew',
  ],
  run: async ([action, file, ...more], options) => {
    const known = ACTIONS.find((name) => name === action);
    if (known === undefined || more.length > 0 || (file !== undefined) !== (known === 'export')) {
      throw new UserError('Say what to do: nametap store status, export FILE, compact, migrate or advise.');
    }
    const { loadConfig } = await import('../app/config.ts');
    const { openStored } = await import('../app/stored.ts');
    const loaded = loadConfig({ flags: { data: options.data }, file: textOption(options, CONFIG.name) });
    if (known === 'advise') {
      await adviseOn(loaded, options.json === true);
      return EXIT.ok;
    }
    const opened = await openStored(loaded, known === 'status' || known === 'export');
    try {
      if (known === 'export') await exportFile(opened, file, options);
      else await show(opened, known, options);
    } finally {
      await opened.close();
    }
    return EXIT.ok;
  },
};

/** Says which index would help what was asked of PostgreSQL. */
async function adviseOn({ config }: LoadedConfig, isJson: boolean): Promise<void> {
  const { storeOptions } = await import('../app/services.ts');
  const { postgres } = storeOptions(config, '');
  if (config.store.engine !== 'postgres' || postgres === undefined) {
    throw new UserError('Only PostgreSQL (store.engine: postgres) is advised on: the other databases need no indexes.');
  }
  const { advise } = await import('../store/postgres/advise.ts');
  const advice = await advise(postgres);
  print(isJson ? `${JSON.stringify(advice, undefined, 2)}\n` : adviceText(advice));
}

function adviceText({ statements, proposals }: Advice): string {
  const short = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 90);
  const table = tableText(
    ['calls', 'ms each', 's in all', 'statement'],
    statements.map(({ calls, mean, total, sql }) => [
      numberText(calls),
      mean.toFixed(1),
      (total / 1000).toFixed(1),
      short(sql),
    ]),
  );
  const missing = proposals.map(
    ({ ddl, gain, cost, costAfter, statement }) =>
      `\n${ddl};\n-- ${short(statement.sql)}\n-- expected: ${gain.toFixed(0)} times less (cost ${cost.toFixed(0)}, then ${costAfter.toFixed(0)})\n`,
  );
  return `${table}${missing.length === 0 ? '\nNo index is missing.\n' : missing.join('')}`;
}

async function show(opened: Store, action: 'status' | 'compact' | 'migrate', options: OptionValues): Promise<void> {
  const before = await opened.status();
  if (before.remark !== null) remark(before.remark);
  if (action === 'compact') await opened.compact();
  const status = await opened.status();
  if (options.json === true) print(`${JSON.stringify(status, undefined, 2)}\n`);
  else if (action === 'migrate') print(`The store has schema ${status.schema}, as this nametap wants it.\n`);
  else if (action === 'compact') print(`${sizeText(before.bytes)} before, ${sizeText(status.bytes)} now.\n`);
  else print(statusText(status));
}

function statusText(status: StoreStatus): string {
  const time = (ms: number | null) => (ms === null ? 'nothing yet' : new Date(ms).toISOString());
  const facts = [
    ['folder', status.path ?? 'in memory'],
    ['engine', `${status.engine}, schema ${status.schema}`],
    ['size', sizeText(status.bytes)],
    ['from', time(status.oldest)],
    ['to', time(status.newest)],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(8)}${value}\n`).join('');
  const rows = status.tables.filter((table) => table.rows > 0);
  const table = tableText(
    ['table', 'rows'],
    rows.map(({ name, rows: count }) => [name, numberText(count)]),
  );
  return rows.length === 0 ? lines : `${lines}\n${table}`;
}

async function exportFile(opened: Store, file: string, options: OptionValues): Promise<void> {
  const filter = textOption(options, 'filter');
  const query = {
    from: timeOption(options, 'from'),
    to: timeOption(options, 'to'),
    format: (textOption(options, 'format') ?? 'parquet') as ExportQuery['format'],
    ...(filter !== undefined && { filter }),
  };
  if (query.from >= query.to) throw new UserError('The range is empty: --from has to lie before --to.');
  const { rows, bytes } = await opened.export(query, file);
  print(`${numberText(rows)} transactions in ${file}, ${sizeText(bytes)}.\n`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds since 1970. */
function timeOption(options: OptionValues, name: string): number {
  const text = textOption(options, name) ?? 'now';
  if (text === 'now') return Date.now() + 1;
  const span = /^-(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  const ms = span === null ? Date.parse(text) : Date.now() - Number(span[1]) * UNITS[span[2]];
  if (Number.isNaN(ms)) throw new UserError(`--${name} ${text} is no time: give RFC 3339, now, or a span such as -1h.`);
  return ms;
}

function sizeText(bytes: number): string {
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'];
  let n = bytes;
  let k = 0;
  for (; n >= 1000 && k < unit.length - 1; k++) n /= 1000;
  return `${k === 0 ? n : n.toPrecision(3)} ${unit[k]}`;
}
