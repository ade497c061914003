/** Places on a line from 0 to 100: the usual band around the middle, and the value, at most at an end. */
export function gauge(
  value: number,
  { low, high }: { low: number; high: number },
): { low: number; high: number; at: number } {
  const width = high - low || Math.abs(high) || 1;
  const from = low - width;
  const place = (number: number): number => Math.max(0, Math.min(100, ((number - from) / (3 * width)) * 100));
  return { low: place(low), high: place(high), at: place(value) };
}
