/** Times of the frames around a message, in nanoseconds; NaN where they are not known (any more). */
export interface FrameTimes {
  /** From the first frame of the run to this time. */
  sinceFirst(seconds: number, nanos: number): number;
  /** From the frame before the one of this number. */
  sincePrevious(number: number): number;
}

/**
 * What the matcher knows about a message at hand: the relation fields of the filter language (`dns.time` …).
 * Filled again for every message. Frame numbers are 0 where there is none.
 */
export class MessageJoin {
  /** Set by the engine, once. */
  times: FrameTimes | null = null;
  /** On a response: frame of its first query (dns.response_to). */
  responseTo = 0;
  /** On a response: nanoseconds since the first / the last query copy (dns.time, dns.time.last); NaN without. */
  latencyNanos = Number.NaN;
  latencyLastNanos = Number.NaN;
  /** On a repeated query or response (dns.retransmission), and the frame of the original. */
  retransmission = false;
  retransmitRequestIn = 0;
  retransmitResponseIn = 0;
  /** On a response without query (dns.unsolicited). */
  unsolicited = false;
  /** On a query, known once its transaction is closed: frame of the response (dns.response_in), or that none came. */
  responseIn = 0;
  responseMissing = false;

  clear(): void {
    this.responseTo = 0;
    this.latencyNanos = Number.NaN;
    this.latencyLastNanos = Number.NaN;
    this.retransmission = false;
    this.retransmitRequestIn = 0;
    this.retransmitResponseIn = 0;
    this.unsolicited = false;
    this.responseIn = 0;
    this.responseMissing = false;
  }
}
