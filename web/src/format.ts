import { zone } from './state.ts';
import { language } from './text.ts';

/** A number as the page shows it: its digits and its unit apart, so that the unit can be smaller. */
export interface Shown {
  text: string;
  unit: string;
}

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language.value} ${JSON.stringify(options)}`;
  let format = formats.get(key) as Intl.NumberFormat | undefined;
  if (format === undefined) formats.set(key, (format = new Intl.NumberFormat(language.value, options)));
  return format;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} ${zone.value} ${JSON.stringify(options)}`;
  let format = formats.get(key) as Intl.DateTimeFormat | undefined;
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language.value, { timeZone: zone.value, hourCycle: 'h23', ...options });
    formats.set(key, format);
  }
  return format;
}

/** Three significant digits at most: 3.14, 31.4, 314. */
function significant(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return numbers({ maximumFractionDigits: digits }).format(value);
}

/** A whole number with separators: 66,214,902. */
export function exact(value: number): string {
  return numbers({ maximumFractionDigits: 0 }).format(value);
}

/** A count, short from ten thousand on: 812, 9,120, 18.4k, 1.2M. */
export function count(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return size < 100 && !Number.isInteger(value) ? significant(value) : exact(value);
  for (const [power, sign] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= power * 0.9995) return `${significant(value / power)}${sign}`;
  }
  return exact(value);
}

/** A rate: 18.4 k/s; slow ones by minute or hour. */
export function rate(perSecond: number): Shown {
  const size = Math.abs(perSecond);
  if (size === 0 || size >= 0.995) {
    const text = size >= 1000 ? significant(perSecond / (size >= 1e6 ? 1e6 : 1000)) : significant(perSecond);
    return { text, unit: size >= 1e6 ? 'M/s' : size >= 1000 ? 'k/s' : '/s' };
  }
  return size >= 1 / 60
    ? { text: significant(perSecond * 60), unit: '/min' }
    : { text: significant(perSecond * 3600), unit: '/h' };
}

/** Rates of one chart or table in one unit, the one that suits the highest: 18.4k/s, 0.5/s, 45/min. */
export function rateFormat(highest: number): (perSecond: number) => string {
  const [times, unit] = highest >= 0.995 ? [1, '/s'] : highest >= 0.995 / 60 ? [60, '/min'] : [3600, '/h'];
  return (perSecond) => {
    const value = perSecond * times;
    return `${value >= 1000 ? count(value).replace(',', '') : significant(value)}${unit}`;
  };
}

/** A part of 1 in percent; what is not nothing never reads 0. */
export function percent(ratio: number): Shown {
  const value = ratio * 100;
  const size = Math.abs(value);
  if (size > 0 && size < 0.01) return { text: '<0.01', unit: '%' };
  const digits = size >= 99.995 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return { text: numbers({ maximumFractionDigits: digits }).format(value), unit: '%' };
}

/** A time span given in ms: 38 µs, 3.1 ms, 1.2 s. */
export function milliseconds(value: number): Shown {
  const size = Math.abs(value);
  if (size > 0 && size < 0.9995) return { text: significant(value * 1000), unit: 'µs' };
  if (size >= 2000) return { text: significant(value / 1000), unit: 's' };
  return { text: significant(value), unit: 'ms' };
}

/** Octets: 512 B, 84 kB, 1.2 GB. */
export function bytes(value: number): Shown {
  for (const [power, unit] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (Math.abs(value) >= power) return { text: significant(value / power), unit };
  }
  return { text: exact(value), unit: 'B' };
}

/** A span in seconds, in its two largest units at most: 1.2 s, 4 min, 3 h 20 min, 12 d. */
export function duration(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 60) return `${significant(s)} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 86_400) {
    const minutes = Math.round((s % 3600) / 60);
    return minutes === 0 || minutes === 60 ? `${Math.round(s / 3600)} h` : `${Math.floor(s / 3600)} h ${minutes} min`;
  }
  return `${Math.round(s / 86_400)} d`;
}

/** From one number to another; a unit that both have is said once. */
export function between(low: Shown, high: Shown): string {
  return low.unit === high.unit ? `${low.text} – ${plain(high)}` : `${plain(low)} – ${plain(high)}`;
}

/** Digits and unit in one text. */
export function plain({ text, unit }: Shown): string {
  return unit === '' ? text : `${text} ${unit}`;
}

/** 14:36, with seconds where `seconds`. */
export function clock(ms: number, seconds = false): string {
  return dates({ hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) }).format(ms);
}

/** 14:36:58.214: a row of the log. */
export function preciseClock(ms: number): string {
  return dates({ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 }).format(ms);
}

/** 24 Nov 2026. */
export function day(ms: number): string {
  return dates({ day: 'numeric', month: 'short', year: 'numeric' }).format(ms);
}

/** 24 Nov, 14:36: a moment, with seconds where `seconds`. */
export function moment(ms: number, seconds = false): string {
  return dates({
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  }).format(ms);
}

/** A time on an axis whose range is `span` ms: clock times, days when it is long. */
export function axisTime(ms: number, span: number): string {
  if (span <= 5 * 60_000) return clock(ms, true);
  if (span <= 36 * 3_600_000) return clock(ms);
  if (span <= 8 * 86_400_000) {
    const time = clock(ms);
    return time === '00:00' || time === '24:00' ? dates({ weekday: 'short', day: 'numeric' }).format(ms) : time;
  }
  return dates({ day: 'numeric', month: 'short' }).format(ms);
}

/** Name of the time zone shown, short: CET, UTC, GMT+8. */
export function zoneName(): string {
  const parts = dates({ timeZoneName: 'short' }).formatToParts(Date.now());
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone.value;
}

/** A name that no program makes a link of: example[.]com, hxxp. */
export function defang(text: string): string {
  return text.replaceAll('.', '[.]').replace(/^http/i, 'hxxp').replaceAll(':', '[:]');
}
