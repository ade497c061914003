import type { Finding } from '../core/alert.ts';
import { numberText, percentText, plainText } from '../core/figures.ts';
import type { Usual } from '../core/usual.ts';
import { escapeHtml, logHistogram } from './charts.ts';
import { reportHtml } from './html.ts';
import { reportText } from './text.ts';
import type { ReportValue } from './value.ts';

/** What an analyst wants of a capture: its statistics, what is usual in it, and what deviates from that. */
export interface Analysis {
  report: ReportValue;
  /** All traffic first, then the servers, clients and domains with the most transactions. */
  usual: Usual[];
  /** The worst first. */
  findings: Pick<Finding, 'detector' | 'severity' | 'title' | 'text' | 'count' | 'measures'>[];
  /** Those beyond them that are not listed. */
  findings_left_out: number;
}

/** For a terminal of `width` columns. */
export function analysisText({ report, usual, findings, findings_left_out: left }: Analysis, width: number): string {
  const lines = [reportText(report, width), 'What deviates'];
  if (findings.length === 0) lines.push('  nothing that a detector would speak of');
  for (const { severity, detector, title, text } of findings) {
    lines.push(`  ${severity.padEnd(8)} ${detector.padEnd(14)} ${plainText(title)}`, `    ${plainText(text)}`);
  }
  if (left > 0) lines.push(`  ${numberText(left)} more are not listed: nametap detect lists all`);
  lines.push('', 'What is usual in it');
  for (const { key, kind, words } of usual) {
    lines.push(`  ${kind === 'whole' ? 'all traffic' : `${kind} ${plainText(key)}`}`);
    for (const sentence of words) lines.push(`    ${plainText(sentence)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The same as a page of its own, without a script. */
export function analysisHtml({ report, usual, findings, findings_left_out: left }: Analysis): string {
  return reportHtml(report, [deviations(findings, left), ...usual.map(usualPanel)]);
}

function deviations(findings: Analysis['findings'], left: number): string {
  const rows = findings.map(({ severity, detector, title, text, measures }) => {
    const moved = measures.map(({ name, value, unit }) => `${name} ${numberText(value)} ${unit}`.trim()).join(', ');
    const level = severity === 'low' ? '' : severity === 'medium' ? ' attn' : ' alarm';
    return `<tr><td class="${level.trim()}">${severity}</td><td>${escapeHtml(detector)}</td><td class="m"><b>${escapeHtml(plainText(title))}</b><br>${escapeHtml(plainText(text))}</td><td class="m">${escapeHtml(moved)}</td></tr>`;
  });
  const body =
    rows.length === 0
      ? '<p class="none">Nothing that a detector would speak of.</p>'
      : `<table><thead><tr><th>severity</th><th>detector</th><th>what</th><th>what moved</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  const more = left > 0 ? `, ${numberText(left)} of them not listed` : '';
  return `<section class="panel w12"><h2>What deviates<small>${numberText(findings.length + left)} incidents${more}</small></h2>${body}</section>`;
}

function usualPanel({ key, kind, words, histogram, latency, lists }: Usual): string {
  const title = kind === 'whole' ? 'All traffic' : plainText(key);
  const sentences = words.map((sentence) => `<p class="more">${escapeHtml(plainText(sentence))}</p>`).join('');
  const marks: [string, number][] =
    latency === null
      ? []
      : [
          ['median', latency.median],
          ['p95', latency.p95],
        ];
  const chart =
    histogram.length === 0 ? '' : logHistogram(`response times of ${title}, milliseconds`, histogram, marks);
  const [most] = lists;
  const rows = (most?.rows ?? []).map(
    (row) =>
      `<tr><td class="k">${escapeHtml(plainText(row.key))}</td><td class="n">${percentText(row.share)}</td></tr>`,
  );
  const table =
    rows.length === 0
      ? ''
      : `<table><thead><tr><th>${escapeHtml(most.title)}</th><th class="n">share</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<section class="panel w6"><h2>${escapeHtml(title)}<small>what is usual · ${kind}</small></h2>${sentences}${chart}${table}</section>`;
}
