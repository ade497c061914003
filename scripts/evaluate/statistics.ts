const Z = 1.959964;

/** `29/29 = 100 % [88, 100]`: a share with its 95 % interval (Wilson 1927). */
export function share(hits: number, of: number): string {
  const { low, high } = wilson(hits, of);
  const percent = (p: number) => (p * 100).toFixed(p > 0 && p < 0.1 ? 1 : 0);
  return `${hits}/${of} = ${percent(hits / of)} % [${percent(low)}, ${percent(high)}]`;
}

export function wilson(hits: number, of: number): { low: number; high: number } {
  const p = hits / of;
  const z2 = (Z * Z) / of;
  const half = Z * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of));
  return {
    low: hits === 0 ? 0 : (p + z2 / 2 - half) / (1 + z2),
    high: hits === of ? 1 : (p + z2 / 2 + half) / (1 + z2),
  };
}

/** 95 % interval of the mean of a Poisson count (Garwood 1936, by Wilson and Hilferty's approximation). */
export function poisson(count: number): { low: number; high: number } {
  const bound = (n: number, z: number) => n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;
  return { low: count === 0 ? 0 : bound(count, -Z), high: bound(count + 1, Z) };
}

/** `3 = 0.6 [0.1, 1.7] per 1,000 client-days`. */
export function rate(count: number, of: number, per: number, unit: string): string {
  const { low, high } = poisson(count);
  const scaled = (n: number) => ((n / of) * per).toFixed(2);
  return `${count} = ${scaled(count)} [${scaled(low)}, ${scaled(high)}] per ${per.toLocaleString('en')} ${unit}`;
}

export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** 95 % interval of a median by order statistics (binomial): of fewer than 6 values their range. */
export function medianInterval(list: readonly number[]): { low: number; high: number } {
  const sorted = list.toSorted((a, b) => a - b);
  const n = sorted.length;
  const half = (Z * Math.sqrt(n)) / 2;
  return {
    low: sorted[Math.max(0, Math.floor(n / 2 - half))],
    high: sorted[Math.min(n - 1, Math.ceil(n / 2 + half) - 1)],
  };
}

export function mean(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0) / list.length;
}

/** Half of the 95 % interval of a mean. */
export function meanHalf(list: readonly number[]): number {
  const centre = mean(list);
  const variance = list.reduce((sum, x) => sum + (x - centre) ** 2, 0) / Math.max(1, list.length - 1);
  return Z * Math.sqrt(variance / list.length);
}
