import { ProblemError } from './problem.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** Times beyond these are no times of packets: year 2262 ends nanoseconds in 64 bits. */
const LATEST = Date.UTC(2262, 0, 1);

/** A range, milliseconds since 1970, `to` excluded. */
export interface Range {
  from: number;
  to: number;
}

/** Milliseconds since 1970 of a time as queries write it (`timeInput`). Throws ProblemError. */
export function readTime(text: string, now: number, parameter: string): number {
  if (text === 'now') return now;
  const span = /^-(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  const ms =
    span !== null ? now - Number(span[1]) * UNITS[span[2]] : /^\d+$/.test(text) ? Number(text) : absolute(text);
  if (!(ms >= 0 && ms < LATEST)) {
    throw new ProblemError(400, `'${text}' is no time: give RFC 3339, now, a span such as -1h, or ms since 1970.`, {
      parameter,
    });
  }
  return Math.round(ms);
}

/** RFC 3339; a date alone, or a time without zone, is in UTC. */
function absolute(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(text);
  if (match === null) return Number.NaN;
  const [, date, time = '00:00', zone = 'Z'] = match;
  return Date.parse(
    `${date}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()}`,
  );
}

export function readRange({ from, to }: { from: string; to: string }, now: number): Range {
  const range = { from: readTime(from, now, 'from'), to: readTime(to, now, 'to') };
  if (range.from < range.to) return range;
  throw new ProblemError(400, 'The range is empty: from has to lie before to.', { parameter: 'from' });
}

/** RFC 3339 in UTC with three digits. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same, where there may be none. */
export function timeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : timeOf(ms);
}

const STEPS = [1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800];

/** Seconds of a bucket such that a range has at most `most` of them; whole minutes from a range of `most` minutes on. */
export function stepFor({ from, to }: Range, most: number): number {
  const wanted = (to - from) / 1000 / most;
  return STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 604_800) * 604_800;
}
