import { TCP } from '../core/carrier.ts';
import { NO_RCODE, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { FAULTS } from '../wire/fault.ts';

/** Upper edges of the buckets of latency in seconds, and of sizes in bytes. */
export const LATENCY_EDGES: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
export const SIZE_EDGES: readonly number[] = [64, 128, 256, 512, 1232, 1452, 4096, 16384, 65535];

/** Counts of values by bucket, with their sum: what a histogram metric shows. */
export class Buckets {
  readonly edges: readonly number[];
  /** Not cumulative; the last one is what lies above all edges. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(edges: readonly number[]) {
    this.edges = edges;
    this.counts = new Float64Array(edges.length + 1);
  }

  add(value: number): void {
    let i = 0;
    while (i < this.edges.length && value > this.edges[i]) i++;
    this.counts[i]++;
    this.sum += value;
  }
}

const UDP_INDEX = 0;
const TCP_INDEX = 1;

/**
 * What metrics say about transactions, counted a batch at a time on its way to the store and read when metrics are asked
 * for. All numbers only grow.
 */
export class Counters {
  transactions = 0;
  retransmissions = 0;
  duplicates = 0;
  late = 0;
  /** Index = OUTCOMES. */
  readonly outcomes = new Float64Array(OUTCOMES.length);
  /** Queries by type, responses by rcode, malformed messages by cause. */
  readonly types = new Float64Array(65536);
  readonly rcodes = new Float64Array(4096);
  readonly faults = new Float64Array(FAULTS.length);
  /** [query, response][UDP, TCP][IPv4, IPv6]. */
  readonly messages = new Float64Array(8);
  /** UDP, TCP. */
  readonly latency = [new Buckets(LATENCY_EDGES), new Buckets(LATENCY_EDGES)] as const;
  readonly querySize = new Buckets(SIZE_EDGES);
  readonly responseSize = new Buckets(SIZE_EDGES);

  /** Counts rows [from, to). */
  add(batch: TransactionBatch, from: number, to: number): void {
    const c = batch.col;
    this.transactions += to - from;
    for (let i = from; i < to; i++) {
      const queries = c.queries[i];
      const responses = c.responses[i];
      const transport = c.transport[i] === TCP ? TCP_INDEX : UDP_INDEX;
      const way = transport * 2 + (c.family[i] === 6 ? 1 : 0);
      this.outcomes[c.outcome[i]]++;
      this.messages[way] += queries;
      this.messages[4 + way] += responses;
      this.types[c.type[i]] += queries;
      if (queries > 1) this.retransmissions += queries - 1;
      this.duplicates += c.duplicates[i];
      this.late += c.late[i];
      if (c.rcode[i] !== NO_RCODE) this.rcodes[c.rcode[i] & 4095]++;
      if (c.fault[i] !== 0) this.faults[c.fault[i]]++;
    }
    for (let i = from; i < to; i++) {
      const nanos = batch.latencyNanos(i);
      if (nanos === nanos) this.latency[c.transport[i] === TCP ? TCP_INDEX : UDP_INDEX].add(nanos / 1e9);
      if (c.queryBytes[i] > 0) this.querySize.add(c.queryBytes[i]);
      if (c.responseBytes[i] > 0) this.responseSize.add(c.responseBytes[i]);
    }
  }
}
