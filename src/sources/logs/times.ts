/** A moment as logs write it: whole seconds since 1970, and nanoseconds. */
export interface LogTime {
  seconds: number;
  nanos: number;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|z|UTC|[+-]\d\d:?\d\d)?$/;
const NUMBER = /^(\d{1,20})(?:\.(\d{1,9})\d*)?$/;
const YEAR_2286 = 1e10;

/**
 * RFC 3339 (a space for `T`, and a zone without colon, are taken too; without a zone it is UTC), or a number since 1970:
 * seconds, milliseconds, microseconds or nanoseconds, told apart by its size. Undefined for anything else.
 */
export function logTime(text: string): LogTime | undefined {
  const number = NUMBER.exec(text);
  if (number !== null) return epochTime(number[1], number[2] ?? '');
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = parts;
  const millis = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (Number.isNaN(millis) || Number(month) > 12 || Number(day) > 31 || Number(hour) > 24) return undefined;
  return { seconds: millis / 1000 - zoneSeconds(zone), nanos: Number(fraction.padEnd(9, '0')) };
}

function epochTime(whole: string, fraction: string): LogTime {
  let digits = whole;
  let rest = fraction;
  // 1e10 s is the year 2286: anything larger counts a smaller unit.
  for (let shift = 0; shift < 3 && Number(digits) >= YEAR_2286; shift++) {
    rest = digits.slice(-3) + rest;
    digits = digits.slice(0, -3);
  }
  return { seconds: Number(digits), nanos: Number(rest.slice(0, 9).padEnd(9, '0')) };
}

function zoneSeconds(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const digits = zone.replace(':', '');
  const seconds = Number(digits.slice(1, 3)) * 3600 + Number(digits.slice(3, 5)) * 60;
  return digits[0] === '-' ? -seconds : seconds;
}
