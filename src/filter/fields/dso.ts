import { OPCODE_DSO } from '../../wire/dso.ts';
import type { Subject, Values } from '../value.ts';
import { field, type FilterField } from './field.ts';
import { isDns } from './message.ts';
import { TLV_NAMES } from './names.ts';

interface Tlv {
  type: number;
  data: Uint8Array;
}
const dso = (add: (tlv: Tlv, out: Values) => void) => (s: Subject, out: Values) => {
  const { view } = s;
  if (!isDns(s) || view.opcode !== OPCODE_DSO || view.end - view.start < 12) return;
  for (let at = view.parsedEnd; at + 4 <= view.end; ) {
    const length = (view.bytes[at + 2] << 8) | view.bytes[at + 3];
    if (at + 4 + length > view.end) return;
    add({ type: (view.bytes[at] << 8) | view.bytes[at + 1], data: view.bytes.subarray(at + 4, at + 4 + length) }, out);
    at += 4 + length;
  }
};
const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
const seconds = (type: number, at: number) =>
  dso((tlv, out) => {
    if (tlv.type === type && tlv.data.length >= at + 4) out.add(u32(tlv.data, at));
  });
const stateful = { group: 'dso' } as const;

/** The TLVs of DNS Stateful Operations (RFC 8490). */
export const DSO_FIELDS: readonly FilterField[] = [
  field(['dns.dso', 'FT_NONE', 'DNS Stateful Operations'], stateful, (s, out) => {
    const { view } = s;
    if (isDns(s) && view.opcode === OPCODE_DSO && view.end - view.start >= 12) {
      out.add(view.bytes.subarray(view.parsedEnd, view.end));
    }
  }),
  field(
    ['dns.dso.tlv', 'FT_NONE', 'DSO TLV'],
    stateful,
    dso((tlv, out) => out.add(tlv.data)),
  ),
  field(
    ['dns.dso.tlv.type', 'FT_UINT16', 'Type of a TLV'],
    { ...stateful, names: TLV_NAMES },
    dso((tlv, out) => out.add(tlv.type)),
  ),
  field(
    ['dns.dso.tlv.length', 'FT_UINT16', 'Octets of a TLV'],
    stateful,
    dso((tlv, out) => out.add(tlv.data.length)),
  ),
  field(
    ['dns.dso.tlv.data', 'FT_BYTES', 'Octets of a TLV of another type'],
    stateful,
    dso((tlv, out) => {
      if (tlv.type > 3) out.add(tlv.data);
    }),
  ),
  field(['dns.dso.tlv.keepalive.inactivity', 'FT_UINT32', 'Inactivity time-out, ms'], stateful, seconds(1, 0)),
  field(['dns.dso.tlv.keepalive.interval', 'FT_UINT32', 'Keepalive interval, ms'], stateful, seconds(1, 4)),
  field(['dns.dso.tlv.retrydelay.retrydelay', 'FT_UINT32', 'Retry delay, ms'], stateful, seconds(2, 0)),
  field(
    ['dns.dso.tlv.encpad.padding', 'FT_BYTES', 'Padding'],
    stateful,
    dso((tlv, out) => {
      if (tlv.type === 3) out.add(tlv.data);
    }),
  ),
];
