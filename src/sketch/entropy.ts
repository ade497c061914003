/** Shannon entropy in bits of counts; 0 when there is at most one outcome. */
export function entropyBits(counts: Iterable<number>): number {
  let n = 0;
  let sum = 0;
  for (const count of counts) {
    if (count <= 0) continue;
    n += count;
    sum += count * Math.log2(count);
  }
  return n === 0 ? 0 : Math.max(0, Math.log2(n) - sum / n);
}

/** Shannon entropy in bits of values at hand. */
export function entropyOf(values: Iterable<number>): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return entropyBits(counts.values());
}
