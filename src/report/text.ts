import type { Summary } from '../sketch/summary.ts';
import { numberText, percentText, plainText, spanText } from '../core/figures.ts';
import { rateText } from './sampled.ts';
import type { KeyShare, KeyTop, ReportValue } from './value.ts';

type Cells = readonly string[];

/** The report as text, in tables at most `width` columns wide (at least 80). */
export function reportText(value: ReportValue, width = 80): string {
  const columns = Math.max(80, width);
  const sections = [
    head(value),
    section('Overview', metrics(overview(value), columns)),
    section('Statistics', statistics(value, columns)),
    section('Sizes by transport and EDNS', sizeClasses(value)),
    section('Record types asked', shares(value.types, 12)),
    section('Response codes', shares(value.rcodes, 12)),
    section('Operations and transports', shares([...value.opcodes, ...value.transports], 12)),
    section('Servers', keyTop(value.servers, columns)),
    section('Clients', keyTop(value.clients, columns)),
    section('Source port and id entropy', entropies(value, columns)),
    section('Registrable domains', keyTop(value.domains, columns)),
    section('Names', keyTop(value.names, columns)),
    section('NXDOMAIN by domain', shares(value.nxdomain.by_domain, 10, 'of its own')),
    section('NXDOMAIN by client', shares(value.nxdomain.by_client, 10, 'of its own')),
    section('Unanswered by server', shares(value.unanswered.by_server, 10, 'of its own')),
    section('Malformed messages by cause', shares(value.malformed.by_cause, 10)),
    section('Resolution paths', paths(value, columns)),
    section('Where every frame went', funnelTable(value)),
    section('Notes', notes(value)),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function head(value: ReportValue): string {
  const { source, period } = value;
  const lines = ['nametap report'];
  const inputs = [...(source.files ?? []), ...(source.interfaces ?? [])].map(plainText);
  if (inputs.length > 0) {
    lines.push(
      `  from    ${inputs.slice(0, 4).join(', ')}${inputs.length > 4 ? ` and ${inputs.length - 4} more` : ''}`,
    );
  }
  if (value.sampled !== undefined) lines.push(`  sample  1 of ${rateText(value.sampled.rate)} sampled, counts scaled`);
  if (source.filter) lines.push(`  filter  ${plainText(source.filter)}`);
  if (period.first !== null && period.last !== null) {
    const [first, last] = [period.first, period.last].map((time) => time.slice(0, 19).replace('T', ' '));
    lines.push(`  period  ${first} to ${last} UTC (${spanText(period.seconds)})`);
  } else lines.push('  period  no DNS transactions');
  for (const damage of source.damage ?? []) {
    lines.push(`  damage  ${plainText(damage.file)} at byte ${damage.offset}: ${plainText(damage.reason)}`);
  }
  return lines.join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}`;
}

/** Aligned columns; `right` lists the columns of numbers. The last column gives way to `width`. */
function table(rows: readonly Cells[], right: readonly number[], width = 1000): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) => {
    const line = row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
    return line.length > width - 2 ? `${line.slice(0, width - 3)}…` : line;
  });
}

function metrics(rows: readonly Cells[], width: number): string[] {
  return table([['metric', 'value', 'unit', 'meaning'], ...rows], [1], width);
}

function overview(value: ReportValue): Cells[] {
  const { transactions: t, nxdomain, unanswered, malformed, map } = value;
  const count = (name: string, n: number | null, unit: string, meaning: string): Cells => [
    name,
    numberText(n),
    unit,
    meaning,
  ];
  const ratio = (name: string, r: number | null, meaning: string): Cells => {
    const text = percentText(r);
    return [name, text.replace(' %', ''), '%', meaning];
  };
  const approximately = (d: { exact: boolean; error?: number }) =>
    d.exact ? 'exact' : `estimate, standard error ${percentText(d.error)}`;
  return [
    count('transactions', t.count, '', 'a query with its response, or its time-out'),
    count('queries', t.queries, 'msg', 'query messages, repeated ones included'),
    count('responses', t.responses, 'msg', 'response messages'),
    count('rate', t.queries_per_second, 'msg/s', 'queries per second over the period'),
    count('names', value.names.distinct.value, '', `different names asked (${approximately(value.names.distinct)})`),
    count(
      'domains',
      value.domains.distinct.value,
      '',
      `registrable domains (${approximately(value.domains.distinct)})`,
    ),
    count('clients', value.clients.distinct.value, '', `different clients (${approximately(value.clients.distinct)})`),
    count('servers', value.servers.distinct.value, '', `different servers (${approximately(value.servers.distinct)})`),
    ratio('unanswered', unanswered.ratio, `${numberText(unanswered.count)} transactions got no response in time`),
    ratio('retransmitted', t.retransmitted.ratio, `asked more than once, ${numberText(t.retransmitted.copies)} copies`),
    ratio('truncated', t.truncated.ratio, `of UDP: ${numberText(t.truncated.count)} answers with TC set`),
    count('  followed', t.truncated.followed_by_tcp, '', 'truncated answers asked again over TCP'),
    count('  not followed', t.truncated.not_followed, '', 'truncated answers left as they are'),
    ratio('NXDOMAIN', nxdomain.ratio, `of answers: ${numberText(nxdomain.count)} names do not exist`),
    ratio('NODATA', nxdomain.nodata.ratio, `of answers: ${numberText(nxdomain.nodata.count)} names without that type`),
    ratio(
      'malformed',
      malformed.ratio,
      `${numberText(malformed.count)} with a fault; ${numberText(malformed.cut)} cut by the capture`,
    ),
    count('duplicates', t.duplicates, 'msg', 'copies made by a mirror port'),
    count('late', t.late, 'msg', 'responses after the time-out'),
    count(
      'map',
      map.pairs,
      'pairs',
      `name and address${map.evicted > 0 ? `; ${numberText(map.evicted)} given up` : ''}`,
    ),
  ];
}

const MEANINGS: readonly [keyof Summary, string][] = [
  ['n', 'values'],
  ['mean', 'average'],
  ['variance', 'squared, divided by n'],
  ['stddev', 'root of the variance'],
  ['min', 'smallest'],
  ['max', 'largest'],
  ['p50', 'half are at most'],
  ['p90', '90 % are at most'],
  ['p95', '95 % are at most'],
  ['p99', '99 % are at most'],
];

function statistics(value: ReportValue, width: number): string[] {
  const columns: [string, Summary][] = [
    ['latency', value.latency],
    ['query', value.sizes.query],
    ['response', value.sizes.response],
    ['TTL', value.ttl],
    ['answers', value.answers],
  ];
  const rows: Cells[] = [
    ['metric', ...columns.map(([name]) => name), 'meaning'],
    ['unit', ...columns.map(([, { unit }]) => (unit === 'records' ? 'rec' : unit)), ''],
  ];
  for (const [key, meaning] of MEANINGS) {
    rows.push([key, ...columns.map(([, summary]) => numberText(summary[key] as number | null)), meaning]);
  }
  const lines = table(rows, [1, 2, 3, 4, 5], width);
  const { udp, tcp, from_last_copy: last, tcp_setup: setup } = value.latency;
  lines.push('');
  const parts: [string, Summary, string][] = [
    ['latency over UDP', udp, 'from the first query copy'],
    ['latency over TCP', tcp, 'first query byte to response; connection not counted'],
    ['from last copy', last, 'from the last query copy'],
    [
      'TCP set-up',
      setup,
      setup.n === 0 ? 'no connection was seen to begin' : "once per connection: SYN to the client's first ACK",
    ],
  ];
  const short: (keyof Summary)[] = ['n', 'mean', 'p50', 'p95', 'p99'];
  lines.push(
    ...table(
      [
        ['ms', ...short, 'meaning'],
        ...parts.map(([name, s, meaning]) => [name, ...short.map((k) => numberText(s[k] as number | null)), meaning]),
      ],
      [1, 2, 3, 4, 5],
      width,
    ),
  );
  return lines;
}

function sizeClasses(value: ReportValue): string[] {
  const { classes } = value.sizes;
  if (classes.length === 0) return [];
  return table(
    [
      ['message', 'transport', 'EDNS', 'up to 512 B', '513 to 1232 B', 'above 1232 B'],
      ...classes.map((c) => [
        c.message,
        c.transport,
        c.edns ? 'yes' : 'no',
        numberText(c.up_to_512),
        numberText(c.up_to_1232),
        numberText(c.above_1232),
      ]),
    ],
    [3, 4, 5],
  );
}

function shares(list: readonly KeyShare[], n: number, of = 'share'): string[] {
  if (list.length === 0) return [];
  const shown = list.slice(0, n);
  const most = Math.max(...shown.map(({ count }) => count));
  const lines = table(
    [
      ['count', of, '', 'key'],
      ...shown.map(({ key, count, ratio }) => [numberText(count), percentText(ratio), bar(count / most), key]),
    ],
    [0, 1],
  );
  if (list.length > n) lines.push(`and ${list.length - n} more`);
  return lines;
}

function bar(part: number): string {
  const eighths = Math.max(1, Math.round(part * 96));
  const rest = eighths % 8;
  return ('█'.repeat(eighths >> 3) + (rest > 0 ? '▏▎▍▌▋▊▉'[rest - 1] : '')).padEnd(12);
}

function keyTop({ top, floor, distinct, tracked }: KeyTop, width: number): string[] {
  if (top.length === 0) return [];
  const latency = top[0].latency !== undefined;
  const rows = top.map((row) => [
    numberText(row.count),
    percentText(row.ratio),
    percentText(row.count > 0 ? row.nxdomain / row.count : null),
    percentText(row.count > 0 ? row.unanswered / row.count : null),
    numberText(row.latency_mean_ms),
    ...(latency ? [numberText(row.latency?.p50), numberText(row.latency?.p99)] : []),
    row.key,
  ]);
  const head = ['count', 'share', 'NXDOMAIN', 'unansw.', 'mean ms', ...(latency ? ['p50', 'p99'] : []), 'key'];
  const lines = table([head, ...rows], [0, 1, 2, 3, 4, ...(latency ? [5, 6] : [])], width);
  const left = distinct.value - top.length;
  if (left > 0) lines.push(`and ${distinct.exact ? '' : 'about '}${numberText(left)} more`);
  if (floor > 0) {
    lines.push(`counts too high by at most ${numberText(floor)}: ${numberText(tracked)} keys are tracked`);
  }
  return lines;
}

function entropies(value: ReportValue, width: number): string[] {
  const rows = [
    ...value.clients.top.slice(0, 8).map((row) => ['client', row] as const),
    ...value.servers.top.slice(0, 4).map((row) => ['server', row] as const),
  ].flatMap(([kind, row]): Cells[] => {
    const { source_port_entropy: port, id_entropy: id } = row;
    if (port === undefined || id === undefined || port.sampled < 2) return [];
    return [
      [
        numberText(port.bits),
        numberText(port.distinct),
        numberText(id.bits),
        numberText(id.distinct),
        numberText(port.max_bits),
        numberText(port.sampled),
        `${kind} ${row.key}`,
      ],
    ];
  });
  if (rows.length === 0) return [];
  const header = [
    'port bits',
    'ports',
    'id bits',
    'ids',
    'at most',
    'queries',
    'of queries from (client), to (server)',
  ];
  return table([header, ...rows], [0, 1, 2, 3, 4, 5], width);
}

function paths({ paths: value }: ReportValue, width: number): string[] {
  if (value === undefined) return [];
  const { transactions, resolved, hops_mean: mean, steps, steps_left_out: left, forgotten } = value;
  const head = `${numberText(resolved)} of ${numberText(transactions)} clients' queries made their resolver ask`;
  if (steps.length === 0) return [`${head}: no path was seen`];
  const rows = steps.map((step) => [
    numberText(step.step_mean),
    numberText(step.count),
    numberText(step.latency_mean_ms),
    step.server,
    step.kind,
    step.zone,
  ]);
  const lines = [`${head}, ${numberText(mean)} times each`];
  lines.push(...table([['step', 'count', 'mean ms', 'server', 'gave', 'zone'], ...rows], [0, 1, 2], width));
  if (left > 0) lines.push(`${numberText(left)} further steps were not counted apart`);
  if (forgotten > 0)
    lines.push(`the paths of ${numberText(forgotten)} clients' queries were forgotten: too many at once`);
  return lines;
}

function funnelTable(value: ReportValue): string[] {
  const { funnel, imbalance } = value.ledger;
  const rows = funnel.map((stage) => [
    stage.stage,
    numberText(stage.in),
    numberText(stage.out),
    stage.unit,
    Object.entries(stage.lost)
      .map(([cause, n]) => `${numberText(n)} ${cause.replaceAll('_', ' ')}`)
      .join(', '),
  ]);
  const sums =
    imbalance.length === 0 ? ['both ledger equations sum'] : imbalance.map((text) => `does not sum: ${text}`);
  return [...table([['stage', 'in', 'out', 'unit', 'stayed here'], ...rows], [1, 2]), ...sums];
}

function notes(value: ReportValue): string[] {
  const lines: string[] = [];
  if (value.sampled !== undefined) {
    lines.push(
      `1 of ${rateText(value.sampled.rate)} sampled: counts are scaled, different keys, frames and statistics are as seen`,
    );
  }
  if (value.latency.error !== undefined) {
    lines.push(
      `percentiles are off by at most ${percentText(value.latency.error)}; other numbers are exact unless marked`,
    );
  }
  return lines;
}
