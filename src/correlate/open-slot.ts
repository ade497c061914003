/** How a slot of the table of open transactions is laid out: `OpenTable.words`, `doubles` and `inline`. */

// Words of a slot.
export const HASH = 0;
export const NEXT = 1; // next slot + 1 in the chain, also of the free list
export const CLIENT = 2; // 4 words
export const SERVER = 6; // 4 words
export const PORTS = 10; // client port << 16 | server port
export const ID_TYPE = 11; // message id << 16 | question type
export const CLASS_KIND = 12; // question class << 16 | transport << 8 | protocol << 4 | family
export const NAME_HASH = 13;
export const STATE = 14;
export const QUERIES = 15;
export const RESPONSES = 16;
export const DUPLICATES = 17;
export const PASSED = 18; // a message of it passed the filter
export const OPEN_NANOS = 19;
export const LAST_NANOS = 20;
export const ANSWER_NANOS = 21;
export const QUERY_BYTES = 22; // on the wire
export const QUERY_LENGTH = 23; // at hand
export const RESPONSE_BYTES = 24; // of a datagram that came in fragments with the top bit set
export const CAPTURED_ON = 25; // interface << 16 | vlan (0xffff none)
export const QUERY_FLAGS = 26; // identification of the IPv4 header of the last copy << 16 | flags
export const QUERY_FAULT = 27; // code << 24 | place << 20 | offset (20 bits)
export const EARLIER = 28; // deadline list: previous slot + 1
export const LATER = 29; // next slot + 1
export const PAIR_EARLIER = 30; // chain of the table of truncated answers, both ways
export const PAIR_NEXT = 31;
export const SOA_SEEN = 30; // zone transfer (never truncated): SOA records with the new serial so far, and that serial
export const SERIAL = 31;
export const WORDS = 32;
/** Bit of `RESPONSE_BYTES`. */
export const FRAGMENTED = 0x80000000;

// Doubles of a slot.
export const OPEN_SECONDS = 0;
export const LAST_SECONDS = 1;
export const ANSWER_SECONDS = 2;
export const OPEN_NUMBER = 3;
/** Frame that scheduled the slot last: what orders rows that close at the same time. */
export const ORDER_NUMBER = 4;
export const ANSWER_NUMBER = 5;
export const DEADLINE = 6; // run clock, ns
export const LAST_CLOCK = 7; // run clock of the last query copy (early response: of it)
export const DOUBLES = 8;

export const INLINE_BYTES = 128;

// States.
export const FREE = 0;
export const OPEN = 1;
/** A response whose query has not been seen yet (it may be stamped up to 1 ms later). */
export const EARLY = 2;
/** Answered with TC over UDP: waits for the TCP retry. */
export const TRUNCATED = 3;
/** A zone transfer that has begun. */
export const TRANSFER = 4;
export const STATES = 5;
