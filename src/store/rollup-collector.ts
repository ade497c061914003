import { ANSWER_KINDS, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { logBucket } from '../sketch/histogram.ts';
import { KeyTable } from '../sketch/key-table.ts';
import { FAULT } from '../wire/fault.ts';
import { CUBE, HISTOGRAM_BITS, ROLLUP_PRECISION } from './measures.ts';
import { AT } from './row-columns.ts';
import type { RowTarget } from './row-encoder.ts';
import { COUNTS, DISTRIBUTIONS, type Count, type DistributionName } from './store.ts';

/** Cells and buckets collected at once; beyond, what there is has to be written. */
const MOST_CELLS = 20_000;
const MOST_BUCKETS = 400_000;
const C = Object.fromEntries(COUNTS.map((name, k) => [name, k])) as Record<Count, number>;
/** Numbers of a distribution in a cell. Squares come in three parts, each exact: of the upper bits, mixed, of the lower 16. */
const MOMENT = { n: 0, sum: 1, high: 2, mixed: 3, low: 4, min: 5, max: 6 } as const;
const MOMENTS = 7;
const D = Object.fromEntries(DISTRIBUTIONS.map((name, k) => [name, COUNTS.length + k * MOMENTS])) as Record<
  DistributionName,
  number
>;
const UNANSWERED = OUTCOMES.indexOf('unanswered');
const NODATA = ANSWER_KINDS.indexOf('nodata');
const ERROR = ANSWER_KINDS.indexOf('error');

/** Counts of one distribution in a cell; `squares` and `sum` are whole numbers. */
interface CellDistribution {
  n: number;
  sum: bigint;
  squares: bigint;
  min: number | null;
  max: number | null;
  /** How often by bucket, ascending. */
  buckets: number[];
  counts: number[];
}

/** What is counted of one combination of the cube's dimensions in one bucket of time (begin, ms). */
export interface RollupCell {
  time: number;
  /** Columns of CUBE. */
  cube: Record<keyof typeof CUBE, number | string>;
  counts: Record<Count, number>;
  distributions: Record<DistributionName, CellDistribution>;
}

/** Counts rows by minute and the dimensions of the cube, as `rollupSql` of the embedded store would. */
export class RollupCollector {
  #cells = newCells();
  #buckets = newBuckets();
  #sensors: string[] = [];
  readonly #key = new Int32Array(4);
  readonly #bucket = new Int32Array(2);
  #cell = 0;

  get full(): boolean {
    return this.#cells.size >= MOST_CELLS - 1 || this.#buckets.size >= MOST_BUCKETS - 8;
  }

  /** Adds row `i`, which the encoder has just written to `row` of `to`. `ms`: its time. `ttl`: null where there is none. */
  add(
    batch: TransactionBatch,
    i: number,
    to: RowTarget,
    row: number,
    ms: number,
    ttl: number | null,
    sensor: string,
  ): void {
    const c = batch.col;
    const at = (column: number) => to.numbers[column][row] as number;
    const key = this.#key;
    key[0] = Math.floor(ms / 60_000);
    key[1] = (c.type[i] << 16) | c.rcode[i];
    key[2] = (c.opcode[i] << 24) | (c.transport[i] << 16) | (c.outcome[i] << 8) | c.answerKind[i];
    key[3] = (c.role[i] << 24) | (c.leg[i] << 16) | this.#sensorOf(sensor);
    const cells = this.#cells;
    this.#cell = cells.find(key, 0, 4);
    if (this.#cell < 0) this.#cell = cells.insert(key, 0, 4);
    if (this.#cell < 0) return;
    const { doubles, double } = cells;
    const add = (name: Count, n: number) => {
      if (n > 0) doubles[double + C[name]] += n;
    };
    const queries = c.queries[i];
    add('transactions', 1);
    add('queries', queries);
    add('responses', c.responses[i]);
    add('unanswered', c.outcome[i] === UNANSWERED ? 1 : 0);
    add('nxdomain', c.rcode[i] === 3 ? 1 : 0);
    add('nodata', c.answerKind[i] === NODATA ? 1 : 0);
    add('servfail', c.rcode[i] === 2 ? 1 : 0);
    add('refused', c.rcode[i] === 5 ? 1 : 0);
    add('errors', c.answerKind[i] === ERROR ? 1 : 0);
    add('retransmissions', queries > 1 ? queries - 1 : 0);
    add('duplicates', c.duplicates[i]);
    add('late', c.late[i]);
    add('truncated', (at(AT.response_flags) & 512) !== 0 ? 1 : 0);
    add('malformed', c.fault[i] !== 0 && c.fault[i] !== FAULT.cut ? 1 : 0);
    add('suspicious', c.mark[i] === 0 ? 0 : 1);
    add('query_bytes', c.queryBytes[i]);
    add('response_bytes', c.responseBytes[i]);
    const latency = batch.latencyNanos(i);
    if (!Number.isNaN(latency)) this.#value('latency', latency);
    if (c.responseBytes[i] > 0) {
      this.#value('size', c.responseBytes[i]);
      this.#value('answers', at(AT.answers));
    }
    if (ttl !== null) this.#value('ttl', ttl);
  }

  #sensorOf(sensor: string): number {
    const known = this.#sensors.indexOf(sensor);
    return known >= 0 ? known : this.#sensors.push(sensor) - 1;
  }

  #value(name: DistributionName, given: number): void {
    // Times of a corrupt capture may lie further apart than can be counted.
    const value = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, given));
    const { doubles, double } = this.#cells;
    const at = double + D[name];
    const high = Math.floor(value / 65_536);
    const low = value - high * 65_536;
    const n = doubles[at + MOMENT.n]++;
    doubles[at + MOMENT.sum] += value;
    doubles[at + MOMENT.high] += high * high;
    doubles[at + MOMENT.mixed] += high * low;
    doubles[at + MOMENT.low] += low * low;
    if (n === 0 || value < doubles[at + MOMENT.min]) doubles[at + MOMENT.min] = value;
    if (n === 0 || value > doubles[at + MOMENT.max]) doubles[at + MOMENT.max] = value;
    const bucket = this.#bucket;
    const buckets = this.#buckets;
    bucket[0] = this.#cell * DISTRIBUTIONS.length + DISTRIBUTIONS.indexOf(name);
    bucket[1] = logBucket(value, HISTOGRAM_BITS, ROLLUP_PRECISION);
    if (buckets.find(bucket, 0, 2) < 0 && buckets.insert(bucket, 0, 2) < 0) return;
    buckets.words[buckets.int]++;
  }

  /** Takes what was collected, a cell per minute and combination. */
  take(): RollupCell[] {
    const cells = this.#cells;
    const taken: RollupCell[] = [];
    for (let entry = 0; entry < cells.size; entry++) taken.push(this.#cellOf(entry));
    const buckets = this.#buckets;
    for (let entry = 0; entry < buckets.size; entry++) {
      buckets.seek(entry);
      const { array, from } = buckets.key(entry);
      const { distributions } = taken[Math.floor(array[from] / DISTRIBUTIONS.length)];
      const of = distributions[DISTRIBUTIONS[array[from] % DISTRIBUTIONS.length]];
      of.buckets.push(array[from + 1]);
      of.counts.push(buckets.words[buckets.int]);
    }
    this.#cells = newCells();
    this.#buckets = newBuckets();
    this.#sensors = [];
    return taken;
  }

  #cellOf(entry: number): RollupCell {
    const cells = this.#cells;
    cells.seek(entry);
    const { doubles, double } = cells;
    const { array, from } = cells.key(entry);
    const [minute, names, kinds, roles] = array.subarray(from, from + 4);
    const distributionOf = (name: DistributionName): CellDistribution => {
      const at = double + D[name];
      const whole = (k: number) => BigInt(doubles[at + k]);
      const n = doubles[at + MOMENT.n];
      return {
        n,
        sum: whole(MOMENT.sum),
        squares: (whole(MOMENT.high) << 32n) + (whole(MOMENT.mixed) << 17n) + whole(MOMENT.low),
        min: n === 0 ? null : doubles[at + MOMENT.min],
        max: n === 0 ? null : doubles[at + MOMENT.max],
        buckets: [],
        counts: [],
      };
    };
    return {
      time: minute * 60_000,
      cube: {
        type: names >>> 16,
        rcode: names & 0xffff,
        opcode: kinds >>> 24,
        transport: (kinds >>> 16) & 255,
        outcome: (kinds >>> 8) & 255,
        answer_kind: kinds & 255,
        role: roles >>> 24,
        leg: (roles >>> 16) & 255,
        sensor: this.#sensors[roles & 0xffff],
      },
      counts: Object.fromEntries(COUNTS.map((name) => [name, doubles[double + C[name]]])) as Record<Count, number>,
      distributions: Object.fromEntries(
        DISTRIBUTIONS.map((name) => [name, distributionOf(name)]),
      ) as RollupCell['distributions'],
    };
  }
}

function newCells(): KeyTable {
  return new KeyTable(MOST_CELLS, { doubles: COUNTS.length + DISTRIBUTIONS.length * MOMENTS });
}

function newBuckets(): KeyTable {
  return new KeyTable(MOST_BUCKETS, { ints: 1 });
}

/** Cells of one combination and bucket of `step` ms become one. */
export function mergeCells(cells: Iterable<RollupCell>, step: number): RollupCell[] {
  const merged = new Map<string, RollupCell>();
  for (const cell of cells) {
    const time = Math.floor(cell.time / step) * step;
    const key = `${time} ${Object.values(cell.cube).join(' ')}`;
    const sum = merged.get(key);
    if (sum === undefined) merged.set(key, { ...structuredClone(cell), time });
    else addCell(sum, cell);
  }
  return [...merged.values()];
}

function addCell(sum: RollupCell, cell: RollupCell): void {
  for (const name of COUNTS) sum.counts[name] += cell.counts[name];
  for (const name of DISTRIBUTIONS) {
    const [a, b] = [sum.distributions[name], cell.distributions[name]];
    a.n += b.n;
    a.sum += b.sum;
    a.squares += b.squares;
    if (b.min !== null && (a.min === null || b.min < a.min)) a.min = b.min;
    if (b.max !== null && (a.max === null || b.max > a.max)) a.max = b.max;
    const counts = new Map(a.buckets.map((bucket, k) => [bucket, a.counts[k]]));
    b.buckets.forEach((bucket, k) => counts.set(bucket, (counts.get(bucket) ?? 0) + b.counts[k]));
    const sorted = [...counts].sort(([x], [y]) => x - y);
    a.buckets = sorted.map(([bucket]) => bucket);
    a.counts = sorted.map(([, n]) => n);
  }
}
