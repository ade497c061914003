/** Rows in the order of their closing: a transaction batch, or what became of one. */
export interface OrderedRows {
  readonly count: number;
  readonly col: {
    readonly closeSeconds: Float64Array;
    readonly closeNanos: Uint32Array;
    readonly closeNumber: Float64Array;
  };
}

interface Lane<Rows> {
  batches: Rows[];
  /** Next row of the first batch. */
  row: number;
  /** Every row still to come from this lane closes at or after this. */
  seconds: number;
  nanos: number;
}

/**
 * Puts the rows of several workers in one order: closing time, then frame number (CONTRACTS: Transactions).
 * A row goes out once no lane can still bring an earlier one.
 */
export class RowMerge<Rows extends OrderedRows> {
  readonly #lanes: Lane<Rows>[];
  readonly #out: (rows: Rows, from: number, to: number) => void;

  /** `out` takes rows [from, to) of a batch. */
  constructor(lanes: number, out: (rows: Rows, from: number, to: number) => void) {
    this.#lanes = Array.from({ length: lanes }, () => ({
      batches: [],
      row: 0,
      seconds: Number.NEGATIVE_INFINITY,
      nanos: 0,
    }));
    this.#out = out;
  }

  /**
   * Lane `index` has brought a batch (or none), and has no rows closing before (seconds, nanos) left; with a batch,
   * −Infinity stands for its last row's time.
   */
  push(index: number, batch: Rows | null, seconds: number, nanos: number): void {
    const lane = this.#lanes[index];
    if (batch !== null && batch.count > 0) {
      lane.batches.push(batch);
      const last = batch.count - 1;
      reach(lane, batch.col.closeSeconds[last], batch.col.closeNanos[last]);
    }
    reach(lane, seconds, nanos);
    this.#drain();
  }

  /** Lane `index` has ended. */
  end(index: number): void {
    this.push(index, null, Number.POSITIVE_INFINITY, 0);
  }

  #drain(): void {
    for (;;) {
      let best: Lane<Rows> | null = null;
      for (const lane of this.#lanes) {
        if (lane.batches.length > 0 && (best === null || compareHeads(lane, best) < 0)) best = lane;
      }
      if (best === null) return;
      const batch = best.batches[0];
      const from = best.row;
      let to = from;
      while (to < batch.count && this.#mayGo(best, batch, to)) to++;
      if (to === from) return;
      this.#out(batch, from, to);
      best.row = to;
      if (to === batch.count) {
        best.batches.shift();
        best.row = 0;
      }
    }
  }

  /** True when no other lane can bring a row before this one. */
  #mayGo(own: Lane<Rows>, batch: Rows, row: number): boolean {
    const seconds = batch.col.closeSeconds[row];
    const nanos = batch.col.closeNanos[row];
    for (const lane of this.#lanes) {
      if (lane === own) continue;
      if (lane.batches.length > 0) {
        if (compareRows(batch, row, lane.batches[0], lane.row) > 0) return false;
      } else if (lane.seconds < seconds || (lane.seconds === seconds && lane.nanos <= nanos)) return false;
    }
    return true;
  }
}

function reach(lane: Lane<OrderedRows>, seconds: number, nanos: number): void {
  if (seconds < lane.seconds || (seconds === lane.seconds && nanos <= lane.nanos)) return;
  lane.seconds = seconds;
  lane.nanos = nanos;
}

function compareHeads(a: Lane<OrderedRows>, b: Lane<OrderedRows>): number {
  return compareRows(a.batches[0], a.row, b.batches[0], b.row);
}

function compareRows(a: OrderedRows, i: number, b: OrderedRows, j: number): number {
  return (
    a.col.closeSeconds[i] - b.col.closeSeconds[j] ||
    a.col.closeNanos[i] - b.col.closeNanos[j] ||
    a.col.closeNumber[i] - b.col.closeNumber[j]
  );
}
