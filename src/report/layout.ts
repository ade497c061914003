/** Numbers of a key behind its count and error (`TopKeys`): how many of its transactions were NXDOMAIN, failed, unanswered; sum and number of latencies. */
export const TALLY = { nxdomain: 2, failed: 3, unanswered: 4, latencySum: 5, latencyCount: 6 } as const;
export const TALLIES = 5;
/** Servers have a latency histogram of their own behind these: 16 buckets an octave (3.1 %) from 1.024 µs to 69 s. */
export const SERVER_PRECISION = 4;
export const SERVER_BITS = 26;
export const SERVER_UNIT_NANOS = 1024;
export const SERVER_HISTOGRAM = 7;
export const SERVER_BUCKETS = (SERVER_BITS << SERVER_PRECISION) + 1;
/** Edges of the size classes: the classic limit of UDP, and the EDNS size of DNS flag day 2020. */
export const SIZE_EDGES = [512, 1232] as const;
