const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i;
const SHOWN = /^([A-Z][a-z]{2}) +(\d{1,2}), (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/**
 * Nanoseconds since 1970 of a time: `2026-11-24T08:15:30Z`, `2026-11-24 08:15:30 UTC`, `Nov 24, 2026 08:15:30`, or
 * seconds since 1970. Without zone it is local time. Undefined when it is none.
 */
export function instantOf(text: string): bigint | undefined {
  const trimmed = text.trim();
  const epoch = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(trimmed);
  if (epoch !== null) return BigInt(epoch[1]) * 1_000_000_000n + fraction(epoch[2]);
  const iso = ISO.exec(trimmed);
  if (iso !== null) return instant(iso.slice(1, 7), iso[7], iso[8]);
  const shown = SHOWN.exec(trimmed);
  if (shown === null) return undefined;
  const month = MONTHS.indexOf(shown[1].toLowerCase()) + 1;
  return instant([shown[3], String(month), ...shown.slice(2, 3), ...shown.slice(4, 7)], shown[7], shown[8]);
}

function instant(
  parts: readonly (string | undefined)[],
  nanos: string | undefined,
  zone: string | undefined,
): bigint | undefined {
  const [year, month, day, hour, minute, second] = parts.map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const millis =
    zone === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second) - offsetMillis(zone);
  return BigInt(millis) * 1_000_000n + fraction(nanos);
}

function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').padEnd(9, '0'));
}

function offsetMillis(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}
