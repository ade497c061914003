import { FAULT } from '../../wire/fault.ts';
import { checkRdata } from '../../rr/check.ts';
import type { MessageView } from '../../wire/message.ts';
import type { Subject } from '../value.ts';
import { columnField, field, type FilterField, once } from './field.ts';
import { isDns } from './message.ts';

const relation = { group: 'transaction' } as const;
const EMPTY = new Uint8Array(0);

/** A frame number that is 0 where there is none. */
function frameNumber(name: string, title: string, at: (s: Subject) => number, fate = false): FilterField {
  return columnField(
    [name, 'FT_FRAMENUM', title],
    { ...relation, fate },
    once((s) => at(s) > 0, at),
  );
}

function span(name: string, title: string, at: (s: Subject) => number): FilterField {
  return columnField(
    [name, 'FT_RELATIVE_TIME', title],
    relation,
    once((s) => !Number.isNaN(at(s)), at),
  );
}

function present(name: string, title: string, when: (s: Subject) => boolean, fate = false): FilterField {
  return field([name, 'FT_NONE', title], { ...relation, fate }, (s, out) => {
    if (when(s)) out.add(EMPTY);
  });
}

/** How a message relates to others of its transaction (CONVENTIONS: how messages are paired). */
export const RELATION_FIELDS: readonly FilterField[] = [
  frameNumber('dns.response_in', 'Response In', (s) => s.join.responseIn, true),
  present('dns.response_missing', 'DNS response missing', (s) => s.join.responseMissing, true),
  frameNumber('dns.response_to', 'Request In', (s) => s.join.responseTo),
  span('dns.time', 'Time from the first query to its response', (s) => s.join.latencyNanos),
  span('dns.time.last', 'Time from the last copy of the query to its response', (s) => s.join.latencyLastNanos),
  columnField(
    ['dns.retransmission', 'FT_BOOLEAN', 'Retransmission'],
    relation,
    once(
      (s) => s.join.retransmission,
      () => 1,
    ),
  ),
  frameNumber(
    'dns.retransmit_request_in',
    'Retransmitted request. Original request in',
    (s) => s.join.retransmitRequestIn,
  ),
  frameNumber(
    'dns.retransmit_response_in',
    'Retransmitted response. Original response in',
    (s) => s.join.retransmitResponseIn,
  ),
  present('dns.retransmit_request', 'DNS query retransmission', (s) => s.join.retransmission && !s.view.isResponse),
  present('dns.retransmit_response', 'DNS response retransmission', (s) => s.join.retransmission && s.view.isResponse),
  columnField(
    ['dns.unsolicited', 'FT_BOOLEAN', 'Unsolicited'],
    relation,
    once(
      (s) => s.join.unsolicited && isDns(s),
      () => 1,
    ),
  ),
  columnField(
    ['dns.message.length', 'FT_UINT32', 'Octets of the message, over any transport'],
    relation,
    once(isDns, (s) => s.carrier.claimedLength),
  ),
  field(['sensor', 'FT_STRING', 'Sensor that saw the transaction, in history and live rows'], relation, (s, out) => {
    const sensor = s.carrier.interfaces[s.carrier.interfaceId]?.sensor;
    if (sensor !== undefined && sensor !== '') out.add(sensor);
  }),
  field(['rule', 'FT_STRING', 'Rules that marked the transaction, in history and live rows'], relation, (s, out) => {
    if (s.carrier.rules !== '') out.add(s.carrier.rules);
  }),
  field(['_ws.malformed', 'FT_PROTOCOL', 'Malformed message'], { group: 'faults' }, (s, out) => {
    if (isMalformed(s.view, s.carrier.protocol)) out.add(EMPTY);
  }),
];

/** A fault that is neither the capture's cut nor bytes behind a sound message; looks into rdata too. */
function isMalformed(view: MessageView, protocol: number): boolean {
  const { fault, faultAt, faultIn } = view;
  if (fault !== 0) return fault !== FAULT.cut && fault !== FAULT.trailing_bytes;
  const found = checkRdata(view, protocol);
  view.fault = fault;
  view.faultAt = faultAt;
  view.faultIn = faultIn;
  return found !== 0;
}
