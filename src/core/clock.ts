/** Times are whole seconds (a double, may pass 2^32) and nanoseconds; never one double, which cannot hold both. */

/** RFC 3339 in UTC with 9 digits, such as `2026-11-24T08:15:30.000012345Z`. */
export function timeText(seconds: number, nanos: number): string {
  if (seconds !== cachedSeconds) {
    cachedSeconds = seconds;
    const date = new Date(seconds * 1000);
    // Beyond year 275760 Date has no text: such times come only from corrupt files.
    cachedText = Number.isNaN(date.getTime()) ? `@${seconds}` : date.toISOString().slice(0, -5);
  }
  return `${cachedText}.${pad9(nanos)}Z`;
}
let cachedSeconds = Number.NaN;
let cachedText = '';

/** The same of seconds since 1970 in one double, which holds the microsecond and no more. */
export function momentText(time: number): string {
  const micros = Math.round(time * 1e6);
  const seconds = Math.floor(micros / 1e6);
  return timeText(seconds, (micros - seconds * 1e6) * 1000);
}

/** Seconds since 1970 with 9 decimals, as `frame.time_epoch`. */
export function epochText(seconds: number, nanos: number): string {
  return `${seconds}.${pad9(nanos)}`;
}

/** A span of nanoseconds as milliseconds with 6 decimals, such as `12.345678`. */
export function millisText(nanos: number): string {
  const sign = nanos < 0 ? '-' : '';
  const n = Math.abs(nanos);
  const whole = Math.floor(n / 1e6);
  return `${sign}${whole}.${String(n - whole * 1e6).padStart(6, '0')}`;
}

function pad9(nanos: number): string {
  return String(nanos).padStart(9, '0');
}
