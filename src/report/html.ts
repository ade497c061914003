import type { Summary } from '../sketch/summary.ts';
import { areaChart, escapeHtml, logHistogram } from './charts.ts';
import { numberText, percentText, plainText, spanText } from '../core/figures.ts';
import { rateText } from './sampled.ts';
import { STYLE } from './style.ts';
import type { KeyRow, KeyShare, KeyTop, ReportValue } from './value.ts';

const CHART_POINTS = 240;

/**
 * The report as one HTML page that needs nothing else: no script, no request (and says so to the browser). `more`: panels
 * in front of its own, as HTML.
 */
export function reportHtml(value: ReportValue, more: readonly string[] = []): string {
  const title = [...(value.source.files ?? []), ...(value.source.interfaces ?? [])].map(plainText).join(', ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title === '' ? 'nametap report' : `${title} · nametap report`)}</title>
<style>${STYLE}</style>
</head>
<body>
${header(value, title)}
<main>
${sentence(value)}
${tiles(value)}
<div class="grid">
${[
  ...more,
  panel('w7', 'Queries over time', 'per second', timeline(value)),
  panel('w5', 'Where every frame went', '', ledger(value)),
  panel('w7', 'Latency', 'time from first query to response, logarithmic', latency(value)),
  panel('w5', 'Response codes', 'of answers', bars(value.rcodes, rcodeClass) + nodata(value)),
  panel('w12', 'Statistics', 'variance is the population’s (÷ n)', statistics(value)),
  panel('w4', 'Record types asked', '', bars(value.types)),
  panel('w4', 'Outcomes and transports', '', bars([...value.transactions.outcomes, ...value.transports])),
  panel('w4', 'Sizes by transport and EDNS', 'messages', sizes(value)),
  panel('w12', 'Servers', distinct(value.servers), servers(value.servers)),
  panel('w6', 'Registrable domains', distinct(value.domains), keys(value.domains, 'domain')),
  panel('w6', 'Names', distinct(value.names), keys(value.names, 'name')),
  panel('w6', 'Clients', distinct(value.clients), keys(value.clients, 'client')),
  panel('w6', 'Source ports and ids', 'entropy of queries, in bits', entropies(value)),
  panel('w4', 'NXDOMAIN by domain', 'and part of its own queries', bars(value.nxdomain.by_domain)),
  panel('w4', 'NXDOMAIN by client', 'and part of its own queries', bars(value.nxdomain.by_client)),
  panel('w4', 'Unanswered by server', 'and part of its own queries', bars(value.unanswered.by_server)),
  value.malformed.by_cause.length > 0 ? panel('w4', 'Malformed by cause', '', bars(value.malformed.by_cause)) : '',
]
  .filter((html) => html !== '')
  .join('\n')}
</div>
</main>
${footer(value)}
</body>
</html>
`;
}

function header({ source, period }: ReportValue, title: string): string {
  const when = period.first === null ? '' : `${short(period.first)} to ${short(period.last)} UTC`;
  const filter = source.filter ? ` · filter ${escapeHtml(plainText(source.filter))}` : '';
  return `<header><h1><svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="2.2" fill="var(--signal)"/><path d="M10 3.2a6.8 6.8 0 0 1 6.8 6.8M10 .6a9.4 9.4 0 0 1 9.4 9.4" fill="none" stroke="var(--signal)" stroke-width="1.5" opacity=".75"/><path d="M3.2 10A6.8 6.8 0 0 0 10 16.8" fill="none" stroke="var(--mute)" stroke-width="1.5"/></svg>nametap report</h1><p>${escapeHtml(title)}${filter}<br>${when}</p></header>`;
}

function short(time: string | null): string {
  return time === null ? '' : escapeHtml(time.slice(0, 19).replace('T', ' '));
}

function sentence(value: ReportValue): string {
  const { transactions: t, latency: l, unanswered, ledger: frames, period } = value;
  if (t.count === 0) return '<p class="state"><b>No DNS transactions.</b> See where the frames went below.</p>';
  const parts = [`<b>${numberText(t.count)} transactions in ${spanText(period.seconds)}.</b>`];
  if (value.sampled !== undefined) {
    parts.push(
      `<span class="attn">A sample: one in ${rateText(value.sampled.rate)}, counts are scaled to all of it; frames, different keys and statistics are as seen.</span>`,
    );
  }
  if (l.n > 0) parts.push(`Half were answered within <b>${ms(l.p50)}</b>, 99&nbsp;% within <b>${ms(l.p99)}</b>.`);
  parts.push(
    unanswered.count === 0
      ? 'Every query was answered.'
      : `<span class="attn">${percentText(unanswered.ratio)} got no answer.</span>`,
  );
  const { kernel = 0, interface: card = 0 } = frames.frames;
  if (kernel + card > 0)
    parts.push(`<span class="attn">${numberText(kernel + card)} frames were lost in capture.</span>`);
  else if (frames.imbalance.length === 0 && frames.received > 0) {
    parts.push(`Nothing lost: ${numberText(frames.received)} frames in, all accounted for.`);
  }
  for (const damage of value.source.damage ?? []) {
    const text = `${plainText(damage.file)} is damaged at byte ${damage.offset} (${plainText(damage.reason)}).`;
    parts.push(`<span class="attn">${escapeHtml(text)} What came before is here.</span>`);
  }
  return `<p class="state">${parts.join(' ')}</p>`;
}

function ms(value: number | null): string {
  return `${numberText(value === null ? null : Number(value.toPrecision(3)))}&nbsp;ms`;
}

function tiles(value: ReportValue): string {
  const { transactions: t } = value;
  const percent = (ratio: number | null) => percentText(ratio).split(' ');
  const [nx, nxUnit = ''] = percent(value.nxdomain.ratio);
  const servfail = value.rcodes.find(({ key }) => key === 'SERVFAIL')?.ratio ?? (value.latency.n > 0 ? 0 : null);
  const [sf, sfUnit = ''] = percent(servfail);
  const [un, unUnit = ''] = percent(value.unanswered.ratio);
  const about = (d: { exact: boolean; error?: number }) => (d.exact ? 'exact' : `± ${percentText(d.error)}`);
  const list: [string, string, string, string][] = [
    ['Queries', numberText(t.queries), '', `${numberText(t.retransmitted.copies)} repeated`],
    ['Rate', numberText(t.queries_per_second), '/s', 'mean'],
    ['NXDOMAIN', nx, nxUnit, `${numberText(value.nxdomain.count)} answers`],
    ['SERVFAIL', sf, sfUnit, 'of answers'],
    ['Unanswered', un, unUnit, `${numberText(value.unanswered.count)} queries`],
    ['Latency p99', numberText(value.latency.p99), 'ms', `mean ${numberText(value.latency.mean)}`],
    ['Names', numberText(value.names.distinct.value), '', about(value.names.distinct)],
    ['Clients', numberText(value.clients.distinct.value), '', about(value.clients.distinct)],
  ];
  const html = list.map(
    ([name, number, unit, note]) =>
      `<div class="tile"><span>${name}</span><strong>${number}<small>${unit}</small></strong><em>${note}</em></div>`,
  );
  return `<div class="tiles">${html.join('')}</div>`;
}

function panel(width: string, title: string, note: string, body: string): string {
  const small = note === '' ? '' : `<small>${note}</small>`;
  const shown = body === '' ? '<p class="none">nothing to show</p>' : body;
  return `<section class="panel ${width}"><h2>${title}${small}</h2>${shown}</section>`;
}

function timeline({ transactions }: ReportValue): string {
  const { start, bin_seconds: bin, queries } = transactions.timeline;
  if (start === null) return '';
  const group = Math.max(1, Math.ceil(queries.length / CHART_POINTS));
  const rates: number[] = [];
  const times: string[] = [];
  const first = Date.parse(start);
  for (let i = 0; i < queries.length; i += group) {
    const part = queries.slice(i, i + group);
    rates.push(part.reduce((a, b) => a + b, 0) / (part.length * bin));
    times.push(timeLabel(first + i * bin * 1000, queries.length * bin));
  }
  return areaChart('queries per second over time', rates, times, 'queries/s');
}

function timeLabel(millis: number, spanSeconds: number): string {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return '';
  const text = date.toISOString();
  if (spanSeconds > 2 * 86400) return text.slice(0, 10);
  return spanSeconds > 600 ? text.slice(11, 16) : spanSeconds > 10 ? text.slice(11, 19) : text.slice(11, 22);
}

function latency({ latency: l }: ReportValue): string {
  if (l.histogram.length === 0) return '';
  const marks: [string, number][] = [];
  for (const key of ['p50', 'p95', 'p99'] as const) {
    const at = l[key];
    if (at !== null) marks.push([`${key} ${numberText(Number(at.toPrecision(3)))} ms`, at]);
  }
  return logHistogram('latency histogram in milliseconds, logarithmic', l.histogram, marks);
}

function ledger({ ledger: l }: ReportValue): string {
  const carried = l.frames.carried ?? 0;
  const { kernel = 0, interface: card = 0 } = l.frames;
  const lost = kernel + card;
  const other = l.received - carried - lost;
  const width = (n: number) => (l.received > 0 ? ((100 * n) / l.received).toFixed(2) : '0');
  const strip = [carried, other, lost].map((n) => `<i style="width:${width(n)}%"></i>`).join('');
  const rows = l.funnel.map((stage) => {
    const stayed = Object.entries(stage.lost).map(([cause, n]) => `${numberText(n)} ${cause.replaceAll('_', ' ')}`);
    return `<tr><td>${escapeHtml(stage.stage)}</td><td class="n">${numberText(stage.in)}</td><td class="n">${numberText(stage.out)}</td><td class="m">${escapeHtml(stayed.join(', '))}</td></tr>`;
  });
  const sums =
    l.imbalance.length === 0
      ? `${percentText(l.received > 0 ? carried / l.received : null)} carried DNS messages · ${numberText(lost)} lost in capture · both ledger equations sum`
      : `<span class="alarm">${escapeHtml(l.imbalance.join('; '))}</span>`;
  return `<div class="ledger" aria-hidden="true">${strip}</div><table><thead><tr><th>stage</th><th class="n">in</th><th class="n">out</th><th>stayed here</th></tr></thead><tbody>${rows.join('')}</tbody></table><p class="more">${sums}</p>`;
}

function bars(list: readonly KeyShare[], kind: (key: string) => string = () => ''): string {
  if (list.length === 0) return '';
  const shown = list.slice(0, 10);
  const most = Math.max(...shown.map(({ count }) => count));
  const rows = shown.map(({ key, count, ratio }) => {
    const width = Math.max(0.5, (100 * count) / most).toFixed(1);
    return `<tr><td class="k ${kind(key)}" title="${escapeHtml(key)}">${escapeHtml(key)}</td><td class="b ${kind(key)}"><i style="width:${width}%"></i></td><td class="n">${numberText(count)}</td><td class="n">${percentText(ratio)}</td></tr>`;
  });
  const more = list.length > shown.length ? `<p class="more">and ${list.length - shown.length} more</p>` : '';
  return `<table><tbody>${rows.join('')}</tbody></table>${more}`;
}

function rcodeClass(key: string): string {
  if (key === 'NOERROR') return '';
  return key === 'NXDOMAIN' ? 'attn' : 'alarm';
}

function nodata({ nxdomain, transactions: t }: ReportValue): string {
  const { truncated: tc } = t;
  return `<p class="more">${percentText(nxdomain.nodata.ratio)} of answers are NODATA: the name exists, the type does not (${numberText(nxdomain.nodata.count)}). ${numberText(tc.count)} answers were truncated, ${numberText(tc.followed_by_tcp)} of them asked again over TCP.</p>`;
}

const KEYS = ['n', 'mean', 'variance', 'stddev', 'min', 'p50', 'p90', 'p95', 'p99', 'max'] as const;

function statistics(value: ReportValue): string {
  const { latency: l, sizes: s } = value;
  const rows: [string, Summary, string][] = [
    ['Latency', l, 'first query copy to first response'],
    ['· over UDP', l.udp, ''],
    ['· over TCP', l.tcp, 'connection set-up not counted'],
    ['· from last copy', l.from_last_copy, 'last query copy to first response'],
    ['TCP set-up', l.tcp_setup, l.tcp_setup.n === 0 ? 'not measured' : 'SYN to ACK'],
    ['Query size', s.query, 'DNS message'],
    ['Response size', s.response, 'DNS message'],
    ['TTL', value.ttl, 'of answer records'],
    ['Answers', value.answers, 'answer records per response'],
  ];
  const head = KEYS.map((key) => `<th class="n">${key}</th>`).join('');
  const body = rows.map(([name, summary, meaning]) => {
    const numbers = KEYS.map((key) => `<td class="n">${numberText(summary[key])}</td>`).join('');
    return `<tr><td>${name}</td><td>${summary.unit}</td>${numbers}<td class="m">${meaning}</td></tr>`;
  });
  return `<table><thead><tr><th>metric</th><th>unit</th>${head}<th>meaning</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function sizes({ sizes: { classes } }: ReportValue): string {
  if (classes.length === 0) return '';
  const rows = classes.map(
    (c) =>
      `<tr><td>${c.message}</td><td>${c.transport}${c.edns ? ', EDNS' : ''}</td><td class="n">${numberText(c.up_to_512)}</td><td class="n">${numberText(c.up_to_1232)}</td><td class="n">${numberText(c.above_1232)}</td></tr>`,
  );
  return `<table><thead><tr><th>message</th><th></th><th class="n">≤ 512 B</th><th class="n">≤ 1232 B</th><th class="n">more</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function distinct({ distinct: d, floor }: KeyTop): string {
  const exact = d.exact ? '' : ` (± ${percentText(d.error)})`;
  const error = floor > 0 ? `, counts too high by at most ${numberText(floor)}` : '';
  return `${numberText(d.value)} different${exact}${error}`;
}

function keys(top: KeyTop, name: string): string {
  if (top.top.length === 0) return '';
  const rows = top.top.map((row) => `<tr>${keyCells(row)}</tr>`);
  return `<table><thead><tr><th>${name}</th><th class="n">count</th><th class="n">share</th><th class="n">NXDOMAIN</th><th class="n">unansw.</th><th class="n">mean ms</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function keyCells(row: KeyRow): string {
  const part = (n: number) => (row.count > 0 ? n / row.count : null);
  const nx = part(row.nxdomain);
  const lost = part(row.unanswered);
  const mark = (ratio: number | null, limit: number) => (ratio !== null && ratio >= limit ? ' attn' : '');
  return (
    `<td class="k" title="${escapeHtml(row.key)}">${escapeHtml(row.key)}</td><td class="n">${numberText(row.count)}</td>` +
    `<td class="n">${percentText(row.ratio)}</td><td class="n${mark(nx, 0.5)}">${percentText(nx)}</td>` +
    `<td class="n${mark(lost, 0.1)}">${percentText(lost)}</td><td class="n">${numberText(row.latency_mean_ms)}</td>`
  );
}

function servers(top: KeyTop): string {
  if (top.top.length === 0) return '';
  const rows = top.top.map((row) => {
    const p = [row.latency?.p50, row.latency?.p90, row.latency?.p95, row.latency?.p99];
    return `<tr>${keyCells(row)}${p.map((n) => `<td class="n">${numberText(n)}</td>`).join('')}</tr>`;
  });
  const error = percentText(top.top[0].latency?.error);
  return `<table><thead><tr><th>server</th><th class="n">count</th><th class="n">share</th><th class="n">NXDOMAIN</th><th class="n">unansw.</th><th class="n">mean ms</th><th class="n">p50</th><th class="n">p90</th><th class="n">p95</th><th class="n">p99</th></tr></thead><tbody>${rows.join('')}</tbody></table><p class="more">percentiles per server ± ${error}</p>`;
}

function entropies(value: ReportValue): string {
  const rows = [
    ...value.clients.top.slice(0, 14).map((row) => ['from', row] as const),
    ...value.servers.top.slice(0, 6).map((row) => ['to', row] as const),
  ].flatMap(([way, row]) => {
    const { source_port_entropy: port, id_entropy: id } = row;
    if (!port || !id || port.sampled < 2 || port.bits === null || port.max_bits === null) return [];
    const low = port.sampled >= 32 && port.bits < port.max_bits / 2 ? ' attn' : '';
    return [
      `<tr><td>${way}</td><td class="k">${escapeHtml(row.key)}</td><td class="n${low}">${numberText(port.bits)}</td><td class="n">${numberText(port.distinct)}</td><td class="n">${numberText(id.bits)}</td><td class="n">${numberText(id.distinct)}</td><td class="n">${numberText(port.max_bits)}</td><td class="n">${numberText(port.sampled)}</td></tr>`,
    ];
  });
  if (rows.length === 0) return '';
  return `<table><thead><tr><th></th><th>address</th><th class="n">port bits</th><th class="n">ports</th><th class="n">id bits</th><th class="n">ids</th><th class="n">at most</th><th class="n">queries</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function footer(value: ReportValue): string {
  const parts = ['Made by nametap; this page loads nothing and runs no script.'];
  if (value.latency.error !== undefined) {
    parts.push(
      `Percentiles are off by at most ${percentText(value.latency.error)}; other numbers are exact unless marked.`,
    );
  }
  const { map } = value;
  parts.push(
    `Domain ↔ address map: ${numberText(map.pairs)} pairs${map.evicted > 0 ? `, ${numberText(map.evicted)} given up` : ''}.`,
  );
  return `<footer><p>${parts.join(' ')}</p></footer>`;
}
