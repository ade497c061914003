/**
 * Why bytes are malformed. Malformed input is data: a reader returns a fault, never throws (RFC 9267).
 * 0 is sound. Append only; the order is the number stored in batches.
 */
export const FAULTS = [
  'none',
  'short_header', // fewer than 12 bytes
  'cut', // the snapshot length cut the message
  'label_type', // 0x40–0xbf label type
  'pointer_not_backward', // pointer at or after the name it belongs to: a loop or a forward pointer
  'pointer_outside', // pointer beyond the message
  'name_too_long', // over 255 bytes, 127 labels or 127 pointers
  'name_overrun', // the message ends within a name
  'question_overrun', // the message ends within a question
  'record_overrun', // the message ends within a record's fixed part
  'rdata_overrun', // RDLENGTH passes the end of the message
  'count_short', // fewer records than the header claims
  'trailing_bytes', // bytes behind the last record
  'rdata_malformed', // rdata does not have its type's form or length
  'opt_malformed', // EDNS option passes the end of OPT
  'opt_repeated', // more than one OPT (RFC 6891 §6.1.1)
  'opt_owner', // OPT with an owner other than the root
  'tsig_not_last', // TSIG or SIG(0) before another record (RFC 8945 §5.1)
  'compression_forbidden', // pointer in the rdata of a type that must not be compressed (RFC 3597 §4)
  'pointer_to_pointer', // pointer whose target is not a label (RFC 9267 §2): read, but unsound
  'too_costly', // names expand to far more than the message's size: the rest is not shown
] as const;
export type FaultName = (typeof FAULTS)[number];

export const FAULT = Object.fromEntries(FAULTS.map((name, i) => [name, i])) as Record<FaultName, number>;

/** Where in the message a fault lies. */
export const FAULT_PLACES = ['header', 'question', 'answer', 'authority', 'additional', 'trailer'] as const;
