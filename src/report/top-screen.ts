import { addressText } from '../core/address.ts';
import { Distribution } from '../sketch/summary.ts';
import { COUNT, type TopKeys } from '../sketch/top-keys.ts';
import { opcodeName, rcodeName, TYPES } from '../wire/iana.ts';
import { nameText } from '../wire/name.ts';
import { numberText, percentText, plainText, spanText } from '../core/figures.ts';
import { TALLY } from './layout.ts';
import type { Report } from './report.ts';

/** What the table shows: a key of dnstop, or one of the digits 1 to 9 for names cut to so many labels. */
export type TopTable = 's' | 'd' | 't' | 'r' | 'o' | 'n' | 'x' | `${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;

export const TOP_TABLES: Readonly<Record<string, string>> = {
  s: 'Sources',
  d: 'Destinations',
  t: 'Query types',
  r: 'Response codes',
  o: 'Opcodes',
  n: 'Names',
  x: 'NXDOMAIN by domain',
};

/** Everything the screen is made of; `renderTop` adds nothing of its own. */
export interface TopState {
  report: Report;
  /** Interface or files, as given. */
  source: string;
  table: TopTable;
  /** Queries per second, oldest first. */
  rates: readonly number[];
  /** Seconds since the start, or since the last reset. */
  seconds: number;
  paused: boolean;
  /** The input has ended. */
  ended: boolean;
  help: boolean;
  /** First table row shown. */
  scroll: number;
  /** One client in so many is looked at, and the most there were; 1 = all. */
  oneIn: number;
  mostIn: number;
}

interface Row {
  key: string;
  count: number;
  cells: string[];
}

const SPARKS = ' ▁▂▃▄▅▆▇█';
const HELP = [
  's sources    d destinations    n names       1-9 names cut to so many labels',
  't types      r response codes  o opcodes     x NXDOMAIN by domain',
  'p or space pause    ctrl-r reset    ↑ ↓ PgUp PgDn scroll    ? help    q quit',
];

/** The screen as lines, at most `rows` of at most `columns` characters each (escape sequences for colour not counted). */
export function renderTop(state: TopState, columns: number, rows: number, color: boolean): string[] {
  const paint = color
    ? (code: string, text: string) => `\x1b[${code}m${text}\x1b[0m`
    : (_: string, text: string) => text;
  const fit = (text: string) => (text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text);
  const sparks = (line: string) => line.replace(/^ *[▁-█]+/, (blocks) => paint('36', blocks));
  const lines = [paint('1', fit(titleLine(state, columns))), ...summaryLines(state, columns).map(fit).map(sparks), ''];
  const help = state.help ? HELP : [];
  const space = Math.max(1, rows - lines.length - 2 - help.length);
  const table = tableOf(state);
  const first = Math.max(0, Math.min(state.scroll, table.rows.length - space));
  const shown = table.rows.slice(first, first + space);
  const grid = alignTable(table.head, shown, columns, table.total);
  lines.push(paint('7', fit(grid[0]).padEnd(columns)));
  for (const line of grid.slice(1)) lines.push(fit(line).replace(/▇+$/, (bar) => paint('36', bar)));
  if (table.rows.length === 0) lines.push(paint('2', state.ended ? '  nothing to show' : '  nothing yet'));
  while (lines.length < rows - 1 - help.length) lines.push('');
  for (const line of help) lines.push(paint('2', fit(line)));
  const more = table.rows.length > shown.length ? `  ${first + 1}–${first + shown.length} of ${table.rows.length}` : '';
  lines.push(paint('2', fit(`s d t r o n x 1-9 tables   p pause   ^R reset   ? help   q quit${more}`)));
  return lines.slice(0, rows);
}

function titleLine(state: TopState, columns: number): string {
  const { source, seconds, paused, ended, report } = state;
  const left = `nametap top  ${plainText(source)}`;
  const mark = paused ? 'paused' : ended ? 'ended' : spanText(seconds);
  const right = `${sampleText(state)}${numberText(report.queries)} queries  ${mark}`;
  return left + ' '.repeat(Math.max(2, columns - left.length - right.length)) + right;
}

/** Numbers of a sample are not to be taken for all there is. */
function sampleText({ oneIn, mostIn }: TopState): string {
  if (oneIn > 1) return `one client in ${numberText(oneIn)}  `;
  return mostIn > 1 ? 'partly sampled  ' : '';
}

function summaryLines({ report, rates }: TopState, columns: number): string[] {
  const { counts, rows } = report;
  const now = rates.at(-1) ?? 0;
  const peak = rates.reduce((a, b) => Math.max(a, b), 0);
  const label = `  ${numberText(Math.round(now))} q/s, peak ${numberText(Math.round(peak))}`;
  const latency = Distribution.sum(report.latency).summary('ms', 1e6);
  const answered = counts.rcodes.reduce((a, b) => a + b, 0);
  const part = (n: number, of: number) => percentText(of > 0 ? n / of : null);
  const orphan = counts.outcomes[3];
  return [
    sparkline(rates, Math.max(10, columns - label.length - 1)) + label,
    [
      `p50 ${numberText(latency.p50)} ms`,
      `p99 ${numberText(latency.p99)} ms`,
      `NXDOMAIN ${part(counts.rcodes[3], answered)}`,
      `SERVFAIL ${part(counts.rcodes[2], answered)}`,
      `unanswered ${part(counts.outcomes[1], rows - orphan)}`,
      `repeats ${part(report.retransmitted, rows - orphan)}`,
    ].join('  '),
  ];
}

/** The last values as blocks of height, highest value = full block. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const max = shown.reduce((a, b) => Math.max(a, b), 0);
  const blocks = shown.map((value) => {
    if (max === 0) return SPARKS[1];
    const height = Math.ceil((8 * value) / max);
    return SPARKS[Math.max(1, height)];
  });
  return blocks.join('').padStart(width);
}

interface Table {
  head: string[];
  rows: Row[];
  total: number;
}

function tableOf({ report, table }: TopState): Table {
  const { counts, rows: total } = report;
  if (table === 't')
    return { head: ['type'], rows: numbered(counts.types, (n) => (n === 0 ? 'none' : TYPES.name(n))), total };
  if (table === 'r') {
    const answered = counts.rcodes.reduce((a, b) => a + b, 0);
    return { head: ['response code'], rows: numbered(counts.rcodes, rcodeName), total: answered };
  }
  if (table === 'o') return { head: ['opcode'], rows: numbered(counts.opcodes, opcodeName), total };
  const extra = ['NXDOMAIN', 'unansw.', 'mean ms'];
  if (table === 's') return { head: ['source', ...extra], rows: keyed(report.clients, addressKey), total };
  if (table === 'd') return { head: ['destination', ...extra], rows: keyed(report.servers, addressKey), total };
  if (table === 'n') return { head: ['name', ...extra], rows: keyed(report.names, nameKey), total };
  if (table === 'x') {
    const { domains } = report;
    const rows = domains.top(MOST, TALLY.nxdomain).map((entry) => ({
      key: nameKey(domains, entry),
      count: domains.value(entry, TALLY.nxdomain),
      cells: [],
    }));
    return { head: ['domain, by NXDOMAIN answers'], rows, total: counts.rcodes[3] };
  }
  return {
    head: [`name, ${table} label${table === '1' ? '' : 's'}`, 'NXDOMAIN'],
    rows: byLevel(report.names, Number(table)),
    total,
  };
}

/** Rows a table holds at most: nobody scrolls further. */
const MOST = 500;

function numbered(counts: Float64Array, name: (n: number) => string): Row[] {
  const rows: Row[] = [];
  for (let n = 0; n < counts.length; n++) if (counts[n] > 0) rows.push({ key: name(n), count: counts[n], cells: [] });
  return rows.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, MOST);
}

function keyed(top: TopKeys, key: (top: TopKeys, entry: number) => string): Row[] {
  return top.top(MOST).map((entry) => {
    const numbers = top.keys.numbers(entry);
    const count = numbers[COUNT];
    const answers = numbers[TALLY.latencyCount];
    return {
      key: key(top, entry),
      count,
      cells: [
        percentText(numbers[TALLY.nxdomain] / count),
        percentText(numbers[TALLY.unanswered] / count),
        numberText(answers > 0 ? numbers[TALLY.latencySum] / answers / 1e6 : null),
      ],
    };
  });
}

/** Names cut to their last `labels` labels. */
function byLevel(names: TopKeys, labels: number): Row[] {
  const found = new Map<string, { count: number; nxdomain: number }>();
  for (let entry = 0; entry < names.size; entry++) {
    const bytes = names.keys.bytes(entry);
    const starts: number[] = [];
    for (let i = 0; bytes[i] !== 0; i += bytes[i] + 1) starts.push(i);
    const key = starts.length === 0 ? '.' : nameText(bytes, starts[Math.max(0, starts.length - labels)], 0);
    const sum = found.get(key) ?? { count: 0, nxdomain: 0 };
    sum.count += names.count(entry);
    sum.nxdomain += names.value(entry, TALLY.nxdomain);
    found.set(key, sum);
  }
  const rows = Array.from(found, ([key, { count, nxdomain }]) => ({
    key,
    count,
    cells: [percentText(nxdomain / count)],
  }));
  return rows.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, MOST);
}

function alignTable(head: string[], rows: Row[], columns: number, total: number): string[] {
  const [name, ...extra] = head;
  const cells = rows.map((row) => [
    numberText(row.count),
    percentText(total > 0 ? row.count / total : null),
    ...row.cells,
  ]);
  const titles = ['count', 'share', ...extra];
  const widths = titles.map((title, i) => Math.max(title.length, i === 0 ? 8 : 7, ...cells.map((c) => c[i].length)));
  const fixed = widths.reduce((a, b) => a + b + 2, 0);
  // Keys get what is left beside the numbers and a bar of at least 8.
  const longest = Math.max(name.length, ...rows.map(({ key }) => key.length));
  const keyWidth = Math.max(12, Math.min(longest, columns - fixed - 10));
  const barWidth = Math.max(0, Math.min(40, columns - fixed - keyWidth - 2));
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const line = (key: string, numbers: string[]) =>
    key.padEnd(keyWidth) + numbers.map((n, i) => `  ${n.padStart(widths[i])}`).join('');
  return [
    line(name.slice(0, keyWidth), titles),
    ...rows.map((row, i) => {
      // The end of a name says more than its beginning.
      const key = row.key.length > keyWidth ? `…${row.key.slice(row.key.length - keyWidth + 1)}` : row.key;
      return `${line(key, cells[i])}  ${'▇'.repeat(Math.round((barWidth * row.count) / most))}`.trimEnd();
    }),
  ];
}

function nameKey(top: TopKeys, entry: number): string {
  return nameText(top.keys.bytes(entry), 0, 0);
}

function addressKey(top: TopKeys, entry: number): string {
  const { array, from } = top.keys.key(entry);
  return addressText(array[from], array[from + 1], array[from + 2], array[from + 3], array[from + 4]);
}
