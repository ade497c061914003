/** Whole numbers with thousands separators; fractions with four significant digits; an absent one as a dash. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped(String(Math.abs(value)), value < 0);
  const size = Math.abs(value);
  if (size >= 1e9) return value.toExponential(3);
  if (size >= 1000) return grouped(String(Math.round(size)), value < 0);
  if (size < 0.0005) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

function grouped(digits: string, negative: boolean): string {
  return (negative ? '-' : '') + digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A ratio in per cent, such as `4.1 %`. */
export function percentText(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return '–';
  const percent = ratio * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return '<0.01 %';
  return `${percent >= 10 ? percent.toFixed(1) : percent.toFixed(2)} %`;
}

/** Seconds as a span people read: `450 ms`, `12.3 s`, `4 min 10 s`, `3 h 2 min`, `2 d 4 h`. */
export function spanText(seconds: number): string {
  if (seconds < 1) return `${numberText(Math.round(seconds * 1000))} ms`;
  if (seconds < 120) return `${numberText(Number(seconds.toFixed(2)))} s`;
  const units: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  const [size, name] = units[first];
  const [next, nextName] = units[first + 1] ?? [1, ''];
  const rest = Math.floor((seconds % size) / next);
  return `${Math.floor(seconds / size)} ${name}${rest > 0 && nextName !== '' ? ` ${rest} ${nextName}` : ''}`;
}

/** Bytes with their unit (powers of 1000): `812 B`, `4.1 kB`, `268 MB`. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 999.5 && unit < SIZES.length - 1; unit++) size /= 1000;
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : Number(size.toPrecision(2))} ${SIZES[unit]}`;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Text from outside made safe for a terminal: C0, C1, bidirectional and other invisible characters as \u{…}. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);
}

/** A value as a line of JSON that is safe for a terminal, too: what JSON leaves as it is of such characters is escaped. */
export function jsonLine(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const text = JSON.stringify(value).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => c.replace(/[^]/g, escaped));
  return `${text}\n`;
}
