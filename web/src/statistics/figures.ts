import type { DistributionName as Distribution } from '../../../src/store/store.ts';
import { milliseconds, plain } from '../format.ts';
import { language } from '../text.ts';

export type { DistributionName as Distribution } from '../../../src/store/store.ts';
export const DISTRIBUTIONS = ['latency', 'size', 'ttl', 'answers'] as const satisfies readonly Distribution[];

/** Numbers of a statistic, in the order of the tables. */
export const FIGURES = ['n', 'mean', 'variance', 'min', 'max', 'p50', 'p95', 'p99'] as const;
export type Figure = (typeof FIGURES)[number];

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language.value} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (made === undefined) formats.set(key, (made = new Intl.NumberFormat(language.value, options)));
  return made;
}

/** A number of a statistic without its unit, which stands in the heading: three digits that matter, never shortened to 0. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) {
    return format({ notation: 'scientific', maximumSignificantDigits: 3 }).format(value).replace('E', 'e');
  }
  if (size >= 100) return format({ maximumFractionDigits: 0 }).format(value);
  if (size >= 10) return format({ maximumFractionDigits: 1 }).format(value);
  if (size >= 1) return format({ maximumFractionDigits: 2 }).format(value);
  return format({ maximumSignificantDigits: 3 }).format(value);
}

/** A measure of a row: a count, or a number of a distribution as `latency.p95`. Null where it is not known. */
export function measureOf(row: Readonly<Record<string, unknown>>, key: string): number | null {
  const [measure, number] = key.split('.');
  const value = row[measure];
  if (number === undefined) return typeof value === 'number' ? value : null;
  if (value === null || typeof value !== 'object') return null;
  const found = (value as Readonly<Record<string, unknown>>)[number];
  return typeof found === 'number' ? found : null;
}

/** Parts of all transactions that lists can be sorted by, and the count they are a part of. */
const RATIOS: Readonly<Record<string, string>> = {
  nxdomain_ratio: 'nxdomain',
  unanswered_ratio: 'unanswered',
  servfail_ratio: 'servfail',
};

/** As `measureOf`, and parts of all transactions as `nxdomain_ratio`. */
export function sortValue(row: Readonly<Record<string, unknown>>, key: string): number | null {
  const counted = RATIOS[key];
  if (counted === undefined) return measureOf(row, key);
  const all = measureOf(row, 'transactions');
  return all === null || all === 0 ? null : (measureOf(row, counted) ?? 0) / all;
}

/** Rows in an order such as `-latency.p95`; what is not known comes last either way. */
export function sorted<T extends object>(rows: readonly T[], order: string): T[] {
  const descending = order.startsWith('-');
  const key = order.replace(/^-/, '');
  const value = (row: T): number | null => sortValue(row as Record<string, unknown>, key);
  return [...rows].sort((a, b) => {
    const x = value(a);
    const y = value(b);
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0);
    return descending ? y - x : x - y;
  });
}

/** The measure that the store has to order by, so that a list in `order` holds the rows that matter. */
export function storeOrder(order: string): string {
  const key = order.replace(/^-/, '').split('.')[0];
  return `${order.startsWith('-') ? '-' : ''}${RATIOS[key] ?? key}`;
}

/** Filter of the transactions at or above a number of a distribution. */
export function atLeast(distribution: Distribution, value: number): string {
  if (distribution === 'latency') return `dns.time >= ${(value / 1000).toFixed(9)}`;
  if (distribution === 'ttl') return `dns.resp.ttl >= ${Math.floor(value)}`;
  if (distribution === 'size') return `dns.flags.response == 1 and dns.message.length >= ${Math.floor(value)}`;
  return `dns.count.answers >= ${Math.floor(value)}`;
}

/** A latency in ms on an axis: short, in seconds from one on. */
export function latencyText(ms: number): string {
  return ms >= 1000 ? `${figure(ms / 1000)} s` : plain(milliseconds(ms));
}
