/** What was seen of (type, rdata): the part of a passive DNS row that the time line needs. Times in ms. */
export interface Seen {
  name: string;
  type: string;
  data: string;
  first: number;
  last: number;
  count: number;
}

export interface Lane extends Seen {
  /** Place on the line, 0 … 1; a single moment has width 0. */
  start: number;
  end: number;
  /** Came after the first row of its name and type: a change, not the beginning of what is known. */
  appeared: boolean;
  /** Not seen any more while others of its name and type are. */
  vanished: boolean;
}

/** Lanes of a time line over everything given, by name and type, then by when they came. */
export function lanes(rows: readonly Seen[]): { lanes: Lane[]; from: number; to: number } {
  if (rows.length === 0) return { lanes: [], from: 0, to: 0 };
  const from = Math.min(...rows.map((row) => row.first));
  const to = Math.max(...rows.map((row) => row.last));
  const span = Math.max(1, to - from);
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  for (const row of rows) {
    const set = setOf(row);
    first.set(set, Math.min(row.first, first.get(set) ?? row.first));
    last.set(set, Math.max(row.last, last.get(set) ?? row.last));
  }
  // Records of one set come within seconds of each other; only a real pause is a change.
  const pause = Math.max(60_000, span / 50);
  const made = rows.map((row) => ({
    ...row,
    start: (row.first - from) / span,
    end: (row.last - from) / span,
    appeared: row.first - (first.get(setOf(row)) ?? 0) > pause,
    vanished: (last.get(setOf(row)) ?? 0) - row.last > pause,
  }));
  made.sort((a, b) => (setOf(a) === setOf(b) ? a.first - b.first : setOf(a) < setOf(b) ? -1 : 1));
  return { lanes: made, from, to };
}

/** A change is one within a set: the records of a name and type. */
function setOf({ name, type }: Seen): string {
  return `${name} ${type}`;
}

/** Per bucket of a time axis (ms, starts): how many rows were alive, and how many were seen for the first time. */
export function churn(
  rows: readonly Seen[],
  starts: readonly number[],
  stepMs: number,
): { alive: number[]; fresh: number[] } {
  const alive = starts.map((start) => rows.filter((row) => row.first < start + stepMs && row.last >= start).length);
  const fresh = starts.map((start) => rows.filter((row) => row.first >= start && row.first < start + stepMs).length);
  return { alive, fresh };
}

/** Names known at the end of each bucket: the growth of a domain. `firsts`: when each name was first seen, ms. */
export function growth(firsts: readonly number[], starts: readonly number[], stepMs: number): number[] {
  const sorted = [...firsts].sort((a, b) => a - b);
  let known = 0;
  return starts.map((start) => {
    while (known < sorted.length && sorted[known] < start + stepMs) known++;
    return known;
  });
}

/** Where a value that should stand still moved: index and both values. Nulls (nothing seen) are skipped. */
export function changes(values: readonly (number | null)[]): { index: number; before: number; after: number }[] {
  const found: { index: number; before: number; after: number }[] = [];
  let before: number | null = null;
  values.forEach((value, index) => {
    if (value === null) return;
    if (before !== null && value !== before) found.push({ index, before, after: value });
    before = value;
  });
  return found;
}
